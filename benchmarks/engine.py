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
        "address1_country": rng.choice(("Germany", "DE", None)),
        "statecode": 0,
        "preferredcontactmethodcode": rng.choice((1, 2, 5)),
        "donotemail": rng.random() < 0.2,
        "creditlimit": rng.choice((None, 0.0, 20000.0, 1234.5678)),
    }


def shipped_mapping() -> CompiledMapping:
    """The contacts mapping that ships."""
    text = (ROOT / "mappings" / "contacts.yaml").read_text(encoding="utf-8")
    return compile_mapping(load_mapping(text), "000001-bench")


RICH = """\
mapping: rich
source: {table: contact, entity_set: contacts, key: contactid}
target: {resource: profile, key: externalId}
filter:
  all:
    - {column: statecode, operator: equals, value: 0}
    - any:
        - {column: emailaddress1, operator: is_not_empty}
        - {column: address1_country, operator: in, value: [DE, AT, CH]}
fields:
  - {source: salutation, target: salutation, length: 20, replace: {Ms: Frau, Mr: Herr}, default: Guten Tag}
  - {source: firstname, target: firstName, length: 30, too_long: truncate}
  - {source: middlename, target: middleName, length: 30, too_long: truncate}
  - {source: lastname, target: lastName, length: 50, too_long: truncate}
  - {source: emailaddress1, target: email, type: email, length: 128, case: lower}
  - {source: telephone1, target: phone, length: 32, too_long: blank}
  - {source: mobilephone, target: mobilePhone, length: 32, too_long: blank}
  - {source: fax, target: fax, length: 32, too_long: blank}
  - {source: birthdate, target: birthDate, type: date}
  - {source: gendercode, target: gender, type: enumeration, values: {1: male, 2: female}, default: unknown}
  - {source: address1_line1, target: location.address1, length: 80, too_long: truncate}
  - {source: address1_line2, target: location.address2, length: 80, too_long: truncate}
  - {source: address1_line3, target: location.address3, length: 80, too_long: truncate}
  - {source: address1_city, target: location.city, length: 100, too_long: truncate}
  - {source: address1_postalcode, target: location.zipCode, length: 15, too_long: blank}
  - {source: address1_country, target: location.countryCode, length: 2, replace: {Germany: DE}, otherwise: "--"}
  - {source: preferredcontactmethodcode, target: cusMethod, length: 9, replace: {1: any, 2: email, 3: phone}}
  - {source: donotemail, target: cusMail, length: 3, replace: {true: 'no', false: 'yes'}}
  - {source: creditlimit, target: cusLimit, type: number, replace: {0: -1}, decimals: 2}
  - {expression: "join(' ', firstname, lastname)", target: cusFullName, length: 100, too_long: truncate}
"""
"""20 columns, 5 replacements, 3 filters, an expression."""


def measure() -> dict[str, float]:
    """`engine_rows_per_s` and `engine_ratio` of the shipped mapping, `engine_rich_…` of one that uses the language."""
    shipped, rich = _measure(shipped_mapping()), _measure(compile_mapping(load_mapping(RICH), "000001-rich"))
    return {
        "engine_rows_per_s": shipped[0],
        "engine_ratio": shipped[1],
        "engine_rich_rows_per_s": rich[0],
        "engine_rich_ratio": rich[1],
    }


def _measure(compiled: CompiledMapping) -> tuple[int, float]:
    """Rows per second and the ratio to JSON + BLAKE2b of the same payloads, medians of alternating rounds."""
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
    return round(ROWS / sorted(ours)[ROUNDS // 2]), round(ratio, 3)


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
