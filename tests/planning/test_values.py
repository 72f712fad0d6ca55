"""What a field can do with a value: constants, defaults, case, rounding, time zones, replacements, labels."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.planning.compile import compile_mapping
from sync.planning.load import MappingInvalid, load_mapping
from tests.planning.samples import HEAD, RECORD_ID, converted, json_values

LABELS = {
    "value": {0: {1: "Male", 2: "Female", 0: "No"}, 1031: {1: "Männlich", 2: "Weiblich"}},
    "code": {0: {1: "Swimming", 9: "Camping"}},
}


def sent(field: str, labels: Any = LABELS, **row: Any) -> tuple[Any, str]:
    """What `{target: cusValue, <field>}` sends for a row, and the code of what was found."""
    text = f"{HEAD}fields:\n  - {{target: cusValue, {field}}}\n  - {{source: other, target: cusOther, type: boolean}}\n"
    made = compile_mapping(load_mapping(text), "v1", labels).project({"other": None, **row}, RECORD_ID)
    found = [made.problem] if made.problem else list(made.warnings)
    return made.force["cusValue"], found[0].code if found else ""


@pytest.mark.parametrize(
    ("keys", "value", "given"),
    [
        ({"type": "string", "length": 9, "default": "none"}, None, "none"),
        ({"type": "string", "length": 9, "default": "none"}, "  ", "none"),
        ({"type": "string", "length": 9, "default": "none"}, "x", "x"),
        ({"type": "string", "length": 3, "default": "non", "too_long": "blank"}, "long", "non"),
        ({"type": "email", "length": 30, "default": "a@b.de"}, "", "a@b.de"),
        ({"type": "integer", "default": 7}, None, 7),
        ({"type": "integer", "default": 7}, 0, 0),
        ({"type": "number", "default": 1.5}, None, 1.5),
        ({"type": "boolean", "default": True}, None, True),
        ({"type": "boolean", "default": True}, False, False),
        ({"type": "date", "default": "'1900-01-01'"}, None, "1900-01-01"),
        ({"type": "integer", "default": 7, "invalid": "blank"}, "x", 7),
        ({"type": "string", "length": 9, "case": "lower"}, " ADA ", "ada"),
        ({"type": "string", "length": 9, "case": "upper"}, "straße", "STRASSE"),
        ({"type": "email", "length": 30, "case": "lower"}, "Ada@Example.COM", "ada@example.com"),
        ({"type": "integer", "round": "half_up"}, 2.5, 3),
        ({"type": "integer", "round": "half_up"}, -2.5, -3),
        ({"type": "integer", "round": "half_even"}, 2.5, 2),
        ({"type": "integer", "round": "down"}, 2.9, 2),
        ({"type": "integer", "round": "up"}, 2.1, 3),
        ({"type": "number", "decimals": 2}, 2.345, 2.35),
        ({"type": "number", "decimals": 2}, 20000.0, 20000),
        ({"type": "number", "decimals": 1, "round": "down"}, 2.39, 2.3),
        ({"type": "date", "time_zone": "Europe/Berlin"}, "2023-04-07T21:59:01Z", "2023-04-07"),
        ({"type": "date", "time_zone": "Europe/Berlin"}, "2023-04-07T22:00:00Z", "2023-04-08"),
        ({"type": "date", "time_zone": "America/New_York"}, "2023-04-07T03:59:59Z", "2023-04-06"),
        ({"type": "date", "time_zone": "Europe/Berlin"}, "2023-04-07", "2023-04-07"),
        ({"type": "date", "time_zone": "as_written"}, "2023-04-07T23:59:59Z", "2023-04-07"),
        (
            {"type": "datetime", "time_zone": "Europe/Berlin"},
            "2023-07-01T00:00:00Z",
            "2023-06-30 22:00:00.000Z",
        ),
        ({"type": "datetime", "time_zone": "Europe/Berlin"}, "2023-01-01", "2022-12-31 23:00:00.000Z"),
        ({"type": "string", "length": 9, "replace": "{'#00FF00': green}"}, "#00FF00", "green"),
        ({"type": "string", "length": 9, "replace": "{'#00FF00': green}"}, "#0000FF", "#0000FF"),
        ({"type": "string", "length": 9, "replace": "{1: F, 2: T}"}, 1, "F"),
        ({"type": "string", "length": 9, "replace": "{true: T}"}, True, "T"),
        ({"type": "string", "length": 9, "replace": "{1: F}", "otherwise": "other"}, 2, "other"),
        ({"type": "string", "length": 9, "replace": "{1: F}", "otherwise": "other"}, None, ""),
        ({"type": "string", "length": 9, "replace": "{1: F}", "otherwise": "o", "default": "d"}, None, "d"),
        ({"type": "integer", "replace": "{a: 1}"}, "a", 1),
        ({"type": "boolean", "replace": "{1: true, 2: false}"}, 2, False),
    ],
)
def test_a_value(keys: dict[str, Any], value: Any, given: Any) -> None:
    assert converted(value, **keys) == (
        given,
        ""
        if (value != "long" and value != "x") or given == "x"
        else "blanked_too_long"
        if value == "long"
        else "blanked_invalid",
    )


@pytest.mark.parametrize(
    ("field", "row", "given"),
    [
        ("constant: D365, length: 9", {}, ("D365", "")),
        ("constant: true, type: boolean", {}, (True, "")),
        ("source: value, label: true, length: 9", {"value": 2}, ("Female", "")),
        ("source: value, label: 1031, length: 9", {"value": 2}, ("Weiblich", "")),
        ("source: value, label: true, length: 9", {"value": None}, ("", "")),
        ("source: value, label: true, length: 9", {"value": False}, ("No", "")),
        ("source: value, label: true, length: 9", {"value": 7}, ("", "label_missing")),
        ("source: value, label: true, length: 9, invalid: blank", {"value": 7}, ("", "blanked_invalid")),
        ("source: value, label: true, length: 9, replace: {7: seven}", {"value": 7}, ("seven", "")),
        (
            "source: code, length: 30, label: true, separator: '; '",
            {"code": "9,1"},
            ("Swimming; Camping", ""),
        ),
        ("source: code, length: 30, separator: '; '", {"code": "9,1"}, ("1; 9", "")),
        ("source: code, length: 30, separator: '; ', replace: {1: a}", {"code": "9,1"}, ("a; 9", "")),
        ("source: code, length: 30, label: true, separator: '; '", {"code": "1,3"}, ("", "label_missing")),
        ("source: code, length: 30, separator: '; '", {"code": "x"}, ("", "value_invalid")),
        ("source: code, length: 30, separator: '; '", {"code": None}, ("", "")),
        (
            "expression: \"join(' ', first_name, last_name)\", length: 30",
            {"first_name": "Ada", "last_name": "King"},
            ("Ada King", ""),
        ),
        ("expression: 'first_name + 1', type: integer", {"first_name": 2}, (3, "")),
        ("expression: '1 / zero', type: number", {"zero": 0}, (0, "value_invalid")),
        ("expression: 'label(value) + label(value, 1031)', length: 30", {"value": 1}, ("MaleMännlich", "")),
        ("expression: 'lower(label(value))', length: 30", {"value": 7}, ("", "value_invalid")),
        (
            "source: _parentcustomerid_value, related: {account: name, contact: fullname}, length: 30",
            {
                "_parentcustomerid_value": "x",
                "_parentcustomerid_value/account.name,contact.fullname": "Contoso",
            },
            ("Contoso", ""),
        ),
        (
            "source: _parentcustomerid_value, related: {account: name}, length: 30",
            {"_parentcustomerid_value": "x"},
            ("", "column_absent"),
        ),
        ("expression: 'first_name', length: 30", {}, ("", "column_absent")),
        (
            "expression: \"related(_currency_value, 'transactioncurrency.isocurrencycode')\", length: 3",
            {"_currency_value": "x", "_currency_value/transactioncurrency.isocurrencycode": "EUR"},
            ("EUR", ""),
        ),
    ],
)
def test_where_a_value_comes_from(field: str, row: dict[str, Any], given: tuple[Any, str]) -> None:
    assert sent(field, **row) == given


def test_without_labels_nothing_is_guessed() -> None:
    assert sent("source: value, label: true, length: 9", labels={}, value=1) == ("", "label_missing")


def test_other_labels_are_another_mapping() -> None:
    loaded = load_mapping(f"{HEAD}fields:\n  - {{source: value, target: cusValue, label: true, length: 9}}\n")
    one, other = (compile_mapping(loaded, "v1", {"value": {0: {1: name}}}) for name in ("Male", "Man"))
    assert one.sends_hash != other.sends_hash
    assert one.columns_hash == other.columns_hash
    assert [(label.column, label.language) for label in one.labels] == [("value", 0)]


@pytest.mark.parametrize(
    ("field", "key", "told"),
    [
        ("length: 3", "", "Write exactly one of"),
        ("source: a, constant: b, length: 3", "constant", "exclude each other"),
        ("constant: long, length: 3", "constant", "too long"),
        ("constant: long, type: integer", "constant", "does not convert"),
        ("constant: a, default: b, length: 3", "default", "never empty"),
        ("source: a, default: b, type: integer", "default", "whole number"),
        ("source: a, default: ' b', length: 3", "default", "Write 'b'"),
        ("source: a, default: b, type: email, length: 30", "default", "does not convert"),
        ("source: a, default: '2024-02-31', type: date", "default", "does not convert"),
        ("source: a, replace: {1: long}, length: 3", "replace.1", "too long"),
        ("source: a, replace: {1: x}, type: boolean", "replace.1", "does not convert"),
        ("source: a, otherwise: x, length: 3", "otherwise", "nothing that it could be the rest of"),
        ("source: a, label: 1, length: 3", "label", "is no language of Dynamics"),
        ("source: a, label: de, length: 3", "label", "1031 (German)"),
        ("expression: 'label(a, 7)', length: 3", "expression", "7 is no language"),
        ("source: a, related: {account: name}, length: 3", "source", "only a lookup"),
        ("expression: a, related: {account: name}, length: 3", "related", "goes with `source`"),
        ("source: a, type: date, time_zone: Europe/Berlino", "time_zone", "Did you mean `Europe/Berlin`?"),
        ("source: a, type: datetime, time_zone: as_written", "time_zone", "no such time zone"),
        ("source: a, type: integer, round: halfup", "round", "Did you mean `half_up`?"),
        ("source: a, type: number, decimals: 11", "decimals", ""),
        ("expression: 'lowr(a)', length: 3", "expression", "Did you mean `lower`?"),
        ("expression: 'lower(a, b)', length: 3", "expression", "takes 1 values, here are 2"),
        ("expression: 'lower(a', length: 3", "expression", "cannot be read"),
        ("expression: 'Name', length: 3", "expression", "`Name` is no column"),
        ("expression: 'a.b', length: 3", "expression", "not understood"),
        ("expression: '[x for x in a]', length: 3", "expression", "not understood"),
        ("expression: 'lambda: 1', length: 3", "expression", "not understood"),
        ("expression: 'a ** 9', length: 3", "expression", "not understood"),
        ("expression: '__import__(1)', length: 3", "expression", "no function"),
        ("expression: 'a in b', length: 3", "expression", "`in` needs a list"),
        ("expression: 'related(a)', length: 3", "expression", "for each table"),
        ("expression: \"related(a, 'b.c')\", length: 3", "expression", "is no lookup"),
        ("expression: '9999999999999999999', length: 3", "expression", "too large"),
        (f"expression: '{'a+' * 600}a', length: 3", "expression", "longer than 1000"),
        (f"expression: '{'a+' * 120}a', length: 3", "expression", "too many parts"),
        (f"expression: '{'(' * 480}a{')' * 480}', length: 3", "expression", ""),
    ],
)
def test_a_field_that_cannot_be(field: str, key: str, told: str) -> None:
    with pytest.raises(MappingInvalid) as caught:
        load_mapping(f"{HEAD}fields:\n  - {{target: cusValue, {field}}}\n")
    (problem,) = [one for one in caught.value.problems if told in f"{one.what} {one.fix}"][:1]
    assert problem.where.rpartition("), ")[2].endswith(key) if key else problem.where.startswith("fields 1")
    assert problem.line == 5


@given(
    json_values(),
    st.sampled_from(
        (
            "integer, round: up",
            "number, decimals: 2",
            "date, time_zone: Asia/Tokyo",
            "datetime, time_zone: Asia/Tokyo",
            "string, length: 9, label: true",
            "string, length: 9, separator: x",
            "string, length: 9, replace: {1: a}",
        )
    ),
)
def test_no_value_raises(value: Any, kind: str) -> None:
    sent(f"source: value, type: {kind}", value=value)
