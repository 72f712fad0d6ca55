"""engine: plan + map + hash of a contact on one core, against JSON + BLAKE2b of the same payloads in the same run."""

from __future__ import annotations

import hashlib
import json
import random
import time
from pathlib import Path
from typing import Any

from sync.model import Intent, LedgerRow, SourceRow, State
from sync.planning.compile import CompiledMapping, compile_mapping
from sync.planning.load import load_mapping
from sync.planning.plan import plan

ROOT = Path(__file__).parent.parent
ROWS = 20_000
ROUNDS = 5
WORDS = ("Zoë", "Müller", "O'Brien", "Łukasz", "Ana María", "van der Berg", "李", "Smith", "Nguyễn", "Jörg")


def contacts(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Contacts as Dynamics answers them, with the columns of the shipped mapping."""
    rng = random.Random(seed)
    return [_contact(rng, number) for number in range(count)]


def _contact(rng: random.Random, number: int) -> dict[str, Any]:
    first, last = rng.choice(WORDS), rng.choice(WORDS)
    return {
        "firstname": first,
        "middlename": rng.choice((None, "M.")),
        "lastname": last,
        "salutation": rng.choice(("Ms", "Mr", None)),
        "emailaddress1": f"contact{number}+tag@example.com",
        "telephone1": f"+49 221 {number:07d}",
        "mobilephone": rng.choice((None, f"+49 171 {number:07d}")),
        "fax": None,
        "birthdate": f"19{rng.randrange(40, 99)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}",
        "gendercode": rng.choice((1, 2, None)),
        "address1_line1": f"Hauptstraße {number}",
        "address1_line2": None,
        "address1_line3": None,
        "address1_city": "Köln",
        "address1_postalcode": f"{number % 100_000:05d}",
    }


def shipped_mapping() -> CompiledMapping:
    """The contacts mapping that ships."""
    text = (ROOT / "mappings" / "contacts.yaml").read_text(encoding="utf-8")
    return compile_mapping(load_mapping(text), "000001-bench")


def measure() -> dict[str, float]:
    """`engine_rows_per_s` and `engine_ratio`, medians of alternating rounds."""
    compiled = shipped_mapping()
    rows = [
        SourceRow(f"{number:08x}-0000-4000-8000-000000000000", number, values)
        for number, values in enumerate(contacts(ROWS))
    ]
    bodies = [compiled.project(row.values, row.record_id).update for row in rows]
    known = [LedgerRow("contacts:0001:00", row.record_id, "e", State.SYNCED, -1, "0" * 32) for row in rows]
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(ROUNDS):
        ours.append(_time(lambda: _plan_all(rows, known, compiled)))
        bare.append(_time(lambda: _hash_all(bodies)))
    ratio = sorted(b / o for b, o in zip(bare, ours, strict=True))[ROUNDS // 2]
    return {"engine_rows_per_s": round(ROWS / sorted(ours)[ROUNDS // 2]), "engine_ratio": round(ratio, 3)}


def _time(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _plan_all(rows: list[SourceRow], known: list[LedgerRow], compiled: CompiledMapping) -> None:
    for row, ledger in zip(rows, known, strict=True):
        made = plan(row.record_id, row, ledger, compiled, Intent.NONE)
        assert made.projection is not None


def _hash_all(bodies: list[dict[str, Any]]) -> None:
    for body in bodies:
        text = json.dumps(body, sort_keys=True, separators=(",", ":"))
        hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
