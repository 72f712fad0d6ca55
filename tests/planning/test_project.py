"""What project() promises for any row."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.planning.compile import Finding
from tests.planning.samples import RECORD_ID, ROW, compiled, good_rows, json_values, rows

MAPPING = compiled()
ONLY_CREATED = ("salutation", "address1_line1")


def canonical(body: dict[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode("ascii")


def digest(body: dict[str, Any]) -> str:
    return hashlib.blake2b(canonical(body), digest_size=16).hexdigest()


def test_bodies() -> None:
    made = MAPPING.project(ROW, RECORD_ID)
    update = {
        "firstName": "Ada",
        "lastName": "Lovelace",
        "phone": "0123",
        "email": "ada@example.com",
        "birthDate": "1985-12-10",
        "cusLastUsed": "2023-04-07 21:59:01.000Z",
        "cusChildren": 3,
        "cusCredit": 20000,
        "blackListEmail": True,
        "gender": "female",
        "location": {"city": "London"},
    }
    force = update | {"salutation": "Ms", "location": {"city": "London", "address1": "Square 12"}}
    assert made.update == update
    assert made.force == force
    assert made.create == {"externalId": RECORD_ID, **force}
    assert (made.problem, made.warnings) == (None, ())


def test_nulls_are_what_campaign_holds_for_nothing() -> None:
    made = MAPPING.project(dict.fromkeys(ROW), RECORD_ID)
    assert made.update == {
        "firstName": "",
        "lastName": "",
        "phone": "",
        "email": "",
        "birthDate": "",
        "cusLastUsed": "",
        "cusChildren": 0,
        "cusCredit": 0,
        "blackListEmail": False,
        "gender": "unknown",
        "location": {"city": ""},
    }
    assert (made.problem, made.warnings) == (None, ())


def test_the_id_is_sent_in_small_letters() -> None:
    assert MAPPING.project(ROW, RECORD_ID.upper()).create["externalId"] == RECORD_ID


@given(rows())
def test_never_raises_and_names_no_value(row: dict[str, Any]) -> None:
    made = MAPPING.project(row, RECORD_ID)
    known = {(source, spec.target) for source, spec in zip(ROW, MAPPING.fields, strict=True)}
    for finding in (*made.warnings, *([made.problem] if made.problem else [])):
        assert (finding.source, finding.target) in known


@given(rows())
def test_bodies_keep_to_types_and_lengths(row: dict[str, Any]) -> None:
    body = MAPPING.project(row, RECORD_ID).create
    flat = {**body, **{f"location.{name}": value for name, value in body["location"].items()}}
    for spec in MAPPING.fields:
        value = flat[spec.target]
        kind = {"integer": int, "number": (int, float), "boolean": bool}.get(spec.type, str)
        assert isinstance(value, kind)  # type: ignore[arg-type]
        assert isinstance(value, bool) == (spec.type == "boolean")
        assert not spec.length or len(value) <= spec.length
        assert not spec.names or value in spec.names
    json.dumps(body, ensure_ascii=False, allow_nan=False).encode("utf-8")


@given(st.sampled_from(sorted(ROW)), json_values())
def test_a_value_is_sent_or_it_is_said_why_not(column: str, value: Any) -> None:
    nothing = dict.fromkeys(ROW)
    made = MAPPING.project(nothing | {column: value}, RECORD_ID)
    found = [*made.warnings, *([made.problem] if made.problem else [])]
    assert len(found) <= 1
    empty = value is None or value is False or value == 0 or (isinstance(value, str) and not value.strip())
    if not found and not empty:
        assert made.force != MAPPING.project(nothing, RECORD_ID).force
    if found:
        assert found[0].source == column


@given(rows())
def test_the_hash_is_that_of_the_update_body(row: dict[str, Any]) -> None:
    made = MAPPING.project(row, RECORD_ID)
    assert made.hash == digest(made.update)


@given(rows(), st.randoms(use_true_random=False))
def test_same_row_same_answer(row: dict[str, Any], random: Any) -> None:
    """Neither the order of columns, nor others beside them, nor a second compilation matter; nothing is changed."""
    names = list(row)
    random.shuffle(names)
    before = repr(row)
    first = MAPPING.project(row, RECORD_ID)
    again = compiled(version="v2").project({"jobtitle": "x", **{n: row[n] for n in names}}, RECORD_ID)
    assert (first.hash, first.warnings, first.problem) == (again.hash, again.warnings, again.problem)
    assert canonical(first.create) == canonical(again.create)
    assert repr(row) == before


@given(good_rows(), rows())
def test_the_hash_ignores_what_only_a_create_writes(row: dict[str, Any], other: dict[str, Any]) -> None:
    changed = row | {column: other[column] for column in ONLY_CREATED}
    first, second = MAPPING.project(row, RECORD_ID), MAPPING.project(changed, RECORD_ID)
    assert first.hash == second.hash
    assert first.update == second.update


@given(good_rows(), good_rows())
def test_the_hash_tells_different_updates_apart(row: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = MAPPING.project(row, RECORD_ID), MAPPING.project(other, RECORD_ID)
    assert (first.hash == second.hash) == (canonical(first.update) == canonical(second.update))


@given(good_rows())
def test_create_and_force_hold_the_update(row: dict[str, Any]) -> None:
    made = MAPPING.project(row, RECORD_ID)
    rest = {key: value for key, value in made.create.items() if key != "externalId"}
    assert rest == made.force
    assert "externalId" not in made.update
    assert {
        **made.force,
        **made.update,
        "location": made.force["location"] | made.update["location"],
    } == made.force


def test_bodies_are_the_callers_own() -> None:
    made = MAPPING.project(ROW, RECORD_ID)
    kept = copy.deepcopy(made.update)
    made.update["location"]["city"] = "elsewhere"
    assert made.update == kept
    assert made.hash == digest(kept)


@pytest.mark.parametrize("column", ROW)
def test_an_absent_column_is_never_null(column: str) -> None:
    row = {name: value for name, value in ROW.items() if name != column}
    assert MAPPING.absent(row) == (column,)
    problem = MAPPING.project(row, RECORD_ID).problem
    assert problem is not None
    assert (problem.code, problem.source) == ("column_absent", column)
    assert MAPPING.absent(ROW | {column: None}) == ()


def test_a_row_without_a_column_is_read_again_whatever_else_is_wrong() -> None:
    row = {name: value for name, value in ROW.items() if name != "lastname"} | {"emailaddress1": "nobody"}
    assert MAPPING.project(row, RECORD_ID).problem == Finding("column_absent", "lastname", "lastName")


def test_the_first_problem_is_told_and_all_warnings() -> None:
    row = ROW | {
        "firstname": "x" * 11,
        "lastname": "y" * 11,
        "emailaddress1": "nobody",
        "telephone1": "0" * 11,
    }
    made = MAPPING.project(row, RECORD_ID)
    assert made.problem == Finding("email_invalid", "emailaddress1", "email")
    assert made.warnings == (
        Finding("truncated", "firstname", "firstName"),
        Finding("blanked_too_long", "telephone1", "phone"),
    )


def test_all_mapped_columns_and_the_key_are_selected() -> None:
    assert MAPPING.columns == tuple(sorted({*ROW, "contactid"}))
