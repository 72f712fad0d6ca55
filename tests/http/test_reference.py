"""The generated docs are current, and every code the sync can raise is explained."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.catalogue.campaign import CAMPAIGN
from sync.catalogue.common import COMMON
from sync.catalogue.dynamics import DYNAMICS
from sync.catalogue.engine import ENGINE
from sync.catalogue.entry import Entry
from sync.catalogue.events import EVENTS
from sync.errors import CATALOGUE, SyncError
from sync.reference import stale

ROOT = Path(__file__).resolve().parents[2]
RAISED = ("SyncError", "Throttled", "UnknownOutcome")


def test_docs_are_current() -> None:
    assert list(stale(ROOT)) == [], "run scripts/docs"


def test_no_code_is_explained_twice() -> None:
    assert len(CATALOGUE) == sum(map(len, (COMMON, DYNAMICS, CAMPAIGN, ENGINE, EVENTS)))


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_entry_is_whole_sentences(code: str) -> None:
    entry: Entry = CATALOGUE[code]
    for text in (entry.meaning, entry.cause, entry.fix, entry.does):
        assert text.endswith("."), text
        assert text[0].isupper() or text[0] == "`", text


def raised_codes() -> Iterator[tuple[str, str]]:
    """Codes in `SyncError("…")` and its kin anywhere in sync/; an f-string stands for both systems."""
    for path in sorted((ROOT / "sync").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and ast.unparse(node.func) in RAISED:
                yield from ((code, path.name) for code in codes_of(node.args[0]))


def codes_of(argument: ast.expr) -> list[str]:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return [argument.value]
    if isinstance(argument, ast.JoinedStr) and isinstance(argument.values[-1], ast.Constant):
        ending = str(argument.values[-1].value)
        return [system + ending for system in ("dynamics", "campaign")]
    return []


def test_every_code_raised_is_in_the_catalogue() -> None:
    raised = list(raised_codes())
    assert len(raised) > 20
    assert [found for found in raised if found[0] not in CATALOGUE] == []


def test_an_error_tells_a_person_what_which_record_and_what_to_do() -> None:
    text = str(SyncError("enumeration_value", "field gender", record_id="b9d1"))
    assert text == (
        "enumeration_value (record b9d1): field gender. Campaign does not know a value of an enumeration. "
        "Do: Correct the mapping's value table, or add the value in Campaign. Then `python -m sync retry`."
    )
