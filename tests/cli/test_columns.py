"""The comparison of a mapping with both sides' metadata: every misfit is named with its side, code and remedy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sync.campaign.metadata import FieldInfo
from sync.cli.checks.columns import compare
from sync.cli.checks.finding import Level
from sync.dynamics.metadata import ColumnInfo
from sync.planning.load import load_mapping
from sync.planning.mapping import Mapping

COLUMNS = {
    "firstname": ColumnInfo("firstname", "String", 50),
    "birthdate": ColumnInfo("birthdate", "DateTime", behavior="DateOnly"),
    "lastusedincampaign": ColumnInfo("lastusedincampaign", "DateTime", behavior="UserLocal"),
    "gendercode": ColumnInfo("gendercode", "Picklist", options=((1, "Male"), (2, "Female"))),
    "creditlimit": ColumnInfo("creditlimit", "Money"),
    "ownerid": ColumnInfo("ownerid", "Owner"),
    "entityimage": ColumnInfo("entityimage", "Virtual"),
}
FIELDS = {
    "externalId": FieldInfo("externalId", "string", length=100),
    "firstName": FieldInfo("firstName", "string", length=30),
    "birthDate": FieldInfo("birthDate", "date", "date"),
    "lastUsed": FieldInfo("lastUsed", "date", "datetime"),
    "gender": FieldInfo("gender", "enumeration", values=("unknown", "male", "female")),
    "age": FieldInfo("age", "integer", read_only=True),
    "memo": FieldInfo("memo", "memo"),
    "strange": FieldInfo("strange", "blob"),
}
GOOD = "{source: firstname, target: firstName, length: 30, too_long: truncate}"


def mapping(*lines: str) -> Mapping:
    fields = "\n".join(f"  - {line}" for line in lines)
    return load_mapping(
        "mapping: contacts\nsource: {table: contact, entity_set: contacts, key: contactid}\n"
        f"target: {{resource: profile, key: externalId}}\nfields:\n{fields}\n"
    )


def told(*lines: str, fields: dict[str, FieldInfo] = FIELDS) -> list[tuple[str, str, str]]:
    return [(f.level.value, f.name, f.code) for f in compare(mapping(*lines), COLUMNS, fields)]


def test_what_fits_is_one_green_line() -> None:
    lines = (
        GOOD,
        "{source: birthdate, target: birthDate, type: date}",
        "{source: lastusedincampaign, target: lastUsed, type: datetime}",
        "{source: gendercode, target: gender, type: enumeration, values: {1: male, 2: female}, default: unknown}",
        "{source: _ownerid_value, target: memo, length: 36}",
    )
    assert told(*lines) == [("ok", "columns", "")]


def test_what_is_replaced_is_bound_by_what_it_becomes() -> None:
    fields = {**FIELDS, "flag": FieldInfo("flag", "boolean"), "number": FieldInfo("number", "number")}
    lines = (
        "{source: gendercode, target: flag, type: boolean, replace: {1: true, 2: false}}",
        "{source: firstname, target: number, type: number, replace: {low: 0.5}, otherwise: 1}",
    )
    assert told(*lines, fields=fields) == [("ok", "columns", "")]


@pytest.mark.parametrize(
    ("line", "name", "code"),
    [
        ("{source: fristname, target: firstName, length: 30}", "fristname", "unknown_column"),
        ("{source: firstname, target: fistName, length: 30}", "fistName", "unknown_field"),
        ("{source: firstname, target: strange, type: integer}", "firstname", "value_invalid"),
        ("{source: creditlimit, target: birthDate, type: date}", "creditlimit", "value_invalid"),
        (
            "{source: lastusedincampaign, target: birthDate, type: date}",
            "lastusedincampaign",
            "value_invalid",
        ),
        ("{source: entityimage, target: memo, length: 9}", "entityimage", "value_invalid"),
        (
            "{source: firstname, target: firstName, length: 31, too_long: blank}",
            "firstName",
            "value_too_long",
        ),
        ("{source: creditlimit, target: firstName, type: number}", "firstName", "value_refused"),
        ("{source: birthdate, target: firstName, type: date}", "firstName", "value_refused"),
        (
            "{source: gendercode, target: gender, type: enumeration, values: {1: man, 2: female}, default: unknown}",
            "gender",
            "enumeration_value",
        ),
    ],
)
def test_what_cannot_work_is_red(line: str, name: str, code: str) -> None:
    assert ("fail", name, code) in told(line)
    assert ("ok", "columns", "") not in told(line)


def test_a_read_only_field_is_red_even_where_the_loader_does_not_know_it() -> None:
    fields = {**FIELDS, "firstName": replace(FIELDS["firstName"], read_only=True)}
    assert told(GOOD, fields=fields) == [("fail", "firstName", "read_only_field")]


@pytest.mark.parametrize(
    ("line", "name", "text"),
    [
        ("{source: firstname, target: firstName, length: 30}", "firstname", "longer ones are quarantined"),
        ("{source: firstname, target: firstName, length: 20, too_long: blank}", "firstName", "stops at 20"),
        ("{source: firstname, target: firstName, length: 20, too_long: truncate}", "firstName", "cuts at 20"),
        ("{source: birthdate, target: lastUsed, type: date}", "lastUsed", "sends the day only"),
        ("{source: lastusedincampaign, target: birthDate, type: datetime}", "birthDate", "the day only"),
        ("{source: firstname, target: strange, length: 60}", "strange", "not known here"),
        (
            "{source: gendercode, target: gender, type: enumeration, values: {1: male}, default: unknown}",
            "gendercode",
            "2 (Female)",
        ),
    ],
)
def test_what_may_surprise_is_yellow(line: str, name: str, text: str) -> None:
    found = [f for f in compare(mapping(line), COLUMNS, FIELDS) if f.level is Level.WARN]
    assert [f.name for f in found] == [name]
    assert text in found[0].text
    assert found[0].fix


def test_names_nearby_are_suggested() -> None:
    found = compare(mapping("{source: fristname, target: fistName, length: 30}"), COLUMNS, FIELDS)
    assert ["firstname" in found[0].fix, "firstName" in found[1].fix] == [True, True]


@pytest.mark.parametrize(("length", "code"), [(0, ""), (36, ""), (35, "value_too_long")])
def test_the_key_field_must_hold_an_id(length: int, code: str) -> None:
    fields = {**FIELDS, "externalId": replace(FIELDS["externalId"], length=length)}
    assert (("fail", "externalId", code) in told(GOOD, fields=fields)) == bool(code)


def test_a_missing_key_field() -> None:
    fields = {name: field for name, field in FIELDS.items() if name != "externalId"}
    assert ("fail", "externalId", "unknown_field") in told(GOOD, fields=fields)


def test_a_mandatory_field_that_nothing_writes() -> None:
    fields: dict[str, Any] = {**FIELDS, "cusTier": FieldInfo("cusTier", "string", length=5, mandatory=True)}
    assert ("warn", "cusTier", "") in told(GOOD, fields=fields)
    fields["firstName"] = replace(FIELDS["firstName"], mandatory=True)
    assert ("warn", "firstName", "") not in told(GOOD, fields=fields)


def test_a_side_that_could_not_be_read_is_left_out() -> None:
    line = "{source: fristname, target: fistName, length: 30}"
    assert [f.code for f in compare(mapping(line), {}, FIELDS)] == ["unknown_field"]
    assert [f.code for f in compare(mapping(line), COLUMNS, {})] == ["unknown_column"]
    assert compare(mapping(line), {}, {}) == []


def test_columns_of_a_filter_exist_and_fit() -> None:
    text = (
        "mapping: contacts\nsource: {table: contact, entity_set: contacts, key: contactid}\n"
        f"target: {{resource: profile, key: externalId}}\nfields:\n  - {GOOD}\n"
    )

    def wrong(filter_: str) -> list[tuple[str, str]]:
        found = compare(load_mapping(f"{text}filter: {filter_}\n"), COLUMNS, FIELDS)
        return [(f.name, f.code) for f in found if f.level is Level.FAIL]

    assert wrong("{column: gendercode, operator: in, value: [1, 2]}") == []
    assert wrong("{column: _ownerid_value, operator: is_not_empty}") == []
    assert wrong("{column: gendercode, operator: equals, value: Male}") == [("gendercode", "value_invalid")]
    assert wrong("{not: {column: genercode, operator: is_empty}}") == [("genercode", "unknown_column")]
