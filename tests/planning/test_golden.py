"""The shipped contacts mapping against rows and bodies that were written by hand (tests/golden/contacts.jsonl)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sync.planning.compile import CompiledMapping, Finding, compile_mapping
from sync.planning.load import load_mapping

ROOT = Path(__file__).parents[2]
CASES: list[dict[str, Any]] = [
    json.loads(line)
    for line in (ROOT / "tests" / "golden" / "contacts.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.fixture(scope="module")
def contacts() -> CompiledMapping:
    text = (ROOT / "mappings" / "contacts.yaml").read_text(encoding="utf-8")
    return compile_mapping(load_mapping(text, filename="contacts.yaml"), "v1")


def _short(finding: Finding) -> dict[str, str]:
    return {"code": finding.code, "source": finding.source}


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_contact_becomes_the_profile_written_down(case: dict[str, Any], contacts: CompiledMapping) -> None:
    row = case["row"]
    projection = contacts.project(row, row["contactid"])
    assert (_short(projection.problem) if projection.problem else None) == case.get("problem")
    by_source = sorted((_short(warning) for warning in projection.warnings), key=lambda w: w["source"])
    assert by_source == case.get("warnings", [])
    if "problem" not in case:
        assert projection.create == case["create"]
        assert projection.update == case["update"]


def test_every_mapped_column_is_null_and_not_null_in_some_case(contacts: CompiledMapping) -> None:
    rows = [case["row"] for case in CASES if "problem" not in case]
    for column in contacts.columns:
        assert any(row[column] is not None for row in rows), column
        assert column in ("contactid", "lastname") or any(row[column] is None for row in rows), column
