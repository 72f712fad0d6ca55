"""Filters: what passes, which operator goes with what, and how a mistake in one is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.planning.conditions import COLUMNS, TAKES, Condition, as_markdown, misfit
from sync.planning.filters import predicate
from sync.planning.load import MappingInvalid, load_mapping
from tests.planning.samples import FIELDS, HEAD, RECORD_ID, ROW, TEXT, compiled, json_values

GOOD_VALUES: dict[str, Any] = {
    "in": (1, "a"),
    "not_in": (1, "a"),
    "equals": 1,
    "not_equals": "a",
    "contains": "a",
    "not_contains": "a",
    "starts_with": "a",
    "ends_with": "a",
    "greater": 1,
    "at_least": 1.5,
    "less": 1,
    "at_most": 1,
    "on": "2024-01-31",
    "before": "2024-01-31T12:00:00Z",
    "after": "2024-01-31",
    "on_or_before": "2024-01-31",
    "on_or_after": "2024-01-31",
    "has_any": (1, 2),
    "has_all": (1, 2),
    "has_none": (1, 2),
}


def passes(found: Any, operator: str, value: Any = None) -> bool:
    return predicate(Condition.model_validate({"column": "a", "operator": operator, "value": value}))(
        {"a": found}
    )


@pytest.mark.parametrize(
    ("operator", "value", "inside", "outside"),
    [
        ("equals", 1, (1, 1.0), (True, 2, "1", None)),
        ("equals", True, (True,), (1, False, "true", None)),
        ("equals", "Köln", ("Köln", "KÖLN"), ("Koeln", "", None, 1)),
        ("not_equals", 1, (2, True, "1", None), (1,)),
        ("in", (1, "a"), (1, "A"), (True, 2, "", None)),
        ("not_in", (1, "a"), (2, "b", None), (1, "a")),
        ("is_empty", None, (None, ""), (0, False, "x")),
        ("is_not_empty", None, (0, False, "x"), (None, "")),
        ("contains", "gmbh", ("Example GmbH & Co", "gmbh"), ("AG", None, 3)),
        ("not_contains", "gmbh", ("AG", None), ("Example GmbH",)),
        ("starts_with", "ex", ("Example",), ("An example", None)),
        ("ends_with", "@example.com", ("a@EXAMPLE.com",), ("a@example.org", None)),
        ("greater", 10, (10.5, 11), (10, "11", True, None)),
        ("at_least", 1, (1, 1.0), (0.5, True, None)),
        ("less", 10, (9, -1), (10, None)),
        ("at_most", 10, (10, 9.5), (10.01, None)),
        (
            "on",
            "2024-01-31",
            ("2024-01-31", "2024-01-31T23:59:59Z"),
            ("2024-02-01", "2024-02-01T00:00:00Z", None, ""),
        ),
        ("before", "2024-01-31", ("2024-01-30", "2024-01-30T23:59:59Z"), ("2024-01-31", None, "")),
        ("after", "2024-01-31", ("2024-02-01T00:00:00Z",), ("2024-01-31T23:59:59Z", None)),
        ("on_or_before", "2024-01-31", ("2024-01-31T23:59:59Z",), ("2024-02-01", None)),
        ("on_or_after", "2024-01-31", ("2024-01-31",), ("2024-01-30T23:59:59Z", "")),
        (
            "before",
            "2024-01-31T12:00:00Z",
            ("2024-01-31T11:59:59Z", "2024-01-31"),
            ("2024-01-31T12:00:00Z", None),
        ),
        ("has_any", (1, 9), ("9", "1,2", "2, 9"), ("2", "19", "", None)),
        ("has_all", (1, 9), ("1,9", "9,5,1"), ("1", None)),
        ("has_none", (1, 9), ("2", "", None), ("1,2",)),
    ],
)
def test_an_operator(operator: str, value: Any, inside: tuple[Any, ...], outside: tuple[Any, ...]) -> None:
    assert [found for found in inside if not passes(found, operator, value)] == []
    assert [found for found in outside if passes(found, operator, value)] == []


def test_groups_nest() -> None:
    made = compiled(
        TEXT
        + """
filter:
  all:
    - {column: statecode, operator: equals, value: 0}
    - any:
        - {column: emailaddress1, operator: ends_with, value: '@example.com'}
        - not: {column: address1_city, operator: is_not_empty}
"""
    )

    def wanted(**columns: Any) -> bool:
        return made.project({**ROW, "statecode": 0, **columns}, RECORD_ID).wanted

    assert wanted()
    assert not wanted(statecode=1)
    assert not wanted(emailaddress1="ada@example.org")
    assert wanted(emailaddress1="ada@example.org", address1_city=None)


def test_columns_that_only_a_filter_uses_are_read_too() -> None:
    made = compiled(TEXT + "filter: {column: statecode, operator: equals, value: 0}\n")
    assert "statecode" in made.columns
    assert made.columns_hash != compiled().columns_hash
    assert made.absent(ROW) == ("statecode",)


def test_a_filter_is_never_decided_on_an_absent_column() -> None:
    for filter_ in (
        "{column: statecode, operator: not_equals, value: 1}",
        "{any: [{column: firstname, operator: is_not_empty}, {column: statecode, operator: equals, value: 0}]}",
        "{all: [{column: firstname, operator: is_empty}, {column: statecode, operator: equals, value: 0}]}",
    ):
        made = compiled(f"{TEXT}filter: {filter_}\n").project(ROW, RECORD_ID)
        assert made.wanted
        assert made.problem is not None
        assert (made.problem.code, made.problem.source) == ("column_absent", "statecode")


def test_bad_data_outside_the_filter_is_no_problem() -> None:
    made = compiled(TEXT + "filter: {column: emailaddress1, operator: contains, value: '@'}\n")
    projection = made.project({**ROW, "emailaddress1": "no address"}, RECORD_ID)
    assert (projection.wanted, projection.problem, projection.update, projection.links) == (
        False,
        None,
        {},
        (),
    )


@pytest.mark.parametrize(
    "edit",
    [
        "filter: {column: firstname, operator: is_empty}",
        "filter: {column: firstname, operator: is_not_empty}\noptions: {leaving: delete}",
        "options: {first_load: {column: firstname, operator: is_empty}}",
    ],
)
def test_what_decides_who_is_sent_is_noticed(edit: str) -> None:
    assert compiled(f"{TEXT}{edit}\n").sends_hash != compiled().sends_hash


@pytest.mark.parametrize(
    ("filter_", "where", "told"),
    [
        ("{column: a, operator: equal, value: 1}", "filter.operator", "Did you mean `equals`?"),
        ("{column: a, operator: equals}", "filter", "`equals` needs a value."),
        ("{column: a, operator: equals, value: }", "filter.value", "is_empty"),
        ("{column: a, operator: is_empty, value: 1}", "filter.value", "takes no value"),
        ("{column: a, operator: in, value: 1}", "filter.value", "takes a list"),
        ("{column: a, operator: in, value: []}", "filter.value", "the list is empty"),
        ("{column: a, operator: equals, value: [1]}", "filter.value", "takes one value"),
        ("{column: a, operator: contains, value: 5}", "filter.value", "does not take such a value"),
        ("{column: a, operator: greater, value: '5'}", "filter.value", "does not take such a value"),
        ("{column: a, operator: greater, value: true}", "filter.value", "does not take such a value"),
        ("{column: a, operator: has_any, value: ['x']}", "filter.value", "does not take such a value"),
        ("{column: a, operator: before, value: soon}", "filter.value", "no day or time"),
        ("{column: a, operator: before, value: 20240131}", "filter.value", "no day or time"),
        ("{column: a, operator: before, value: '2024-02-31'}", "filter.value", "no day or time"),
        ("{column: A, operator: is_empty}", "filter.column", "in small letters"),
        ("{operator: is_empty}", "filter.column", "it is missing"),
        ("{column: a}", "filter.operator", "it is missing"),
        ("{column: a, operator: is_empty, valu: 1}", "filter.valu", "Did you mean `value`?"),
        ("{all: []}", "filter.all", "a list of conditions"),
        ("{all: {column: a, operator: is_empty}}", "filter.all", "a list of conditions"),
        ("{any: [{column: a, operator: is_empty}], all: []}", "filter", "stands alone"),
        ("{not: [1]}", "filter.not", "it is no condition"),
        ("active", "filter", "it is no condition"),
        (
            "{not: " * 12 + "{column: a, operator: is_empty}" + "}" * 12,
            "filter" + ".not" * 11,
            "nested more than",
        ),
    ],
)
def test_a_mistake_is_told_where_it_stands(filter_: str, where: str, told: str) -> None:
    with pytest.raises(MappingInvalid) as caught:
        load_mapping(f"{TEXT}filter: {filter_}\n")
    (problem,) = caught.value.problems
    assert problem.where == where
    assert told in f"{problem.what} {problem.fix}"
    assert problem.line == TEXT.count("\n") + 1


def test_all_mistakes_of_a_filter_are_told_at_once() -> None:
    text = f"""{HEAD}{FIELDS}
filter:
  any:
    - {{column: a, operator: eq, value: 1}}
    - all:
        - {{column: b, operator: contains, value: 1}}
        - {{column: c, operator: is_empty}}
options: {{deletes: perhaps}}
"""
    with pytest.raises(MappingInvalid) as caught:
        load_mapping(text)
    assert [problem.where for problem in caught.value.problems] == [
        "filter.any.0.operator",
        "filter.any.1.all.0.value",
        "options.deletes",
    ]


MARK = "{target: phone, value: gone}"


@pytest.mark.parametrize(
    ("options", "where", "told"),
    [
        (f"deletes: {MARK}", "", ""),
        ("deletes: {opt_out: [blackList, ccpaOptOut]}", "", ""),
        ("delete_brake: {percent: 1, least: 5}", "", ""),
        ("follow_merges: keep", "", ""),
        ("deletes: {target: cusOther, value: x}", "options.deletes.target", "no field writes"),
        ("deletes: {target: salutation, value: x}", "options.deletes.target", "not written by updates"),
        ("deletes: {target: phone, value: 5}", "options.deletes.value", "does not take it"),
        ("deletes: {target: phone, value: far too long}", "options.deletes.value", "longer than 10"),
        ("deletes: {target: gender, value: gone}", "options.deletes.value", "no such name"),
        ("deletes: {target: phone}", "options.deletes.value", "missing"),
        ("deletes: {opt_out: [blackListEmail]}", "options.deletes.opt_out", "is mapped"),
        ("deletes: {opt_out: [email]}", "options.deletes.opt_out.0", "no such choice"),
        ("deletes: {opt_out: []}", "options.deletes.opt_out", "empty"),
        ("deletes: mark", "options.deletes", "Write true, false"),
        (f"leaving: {MARK}", "options.leaving", "no filter"),
        ("leaving: kepe", "options.leaving", "Did you mean `keep`?"),
        ("follow_merges: both", "options.follow_merges", "no such choice"),
        ("first_load: {column: a, operator: was}", "options.first_load.operator", "no such operator"),
        ("delete_brake: {percent: 101, least: 1}", "options.delete_brake.percent", ""),
    ],
)
def test_options_that_have_several_shapes(options: str, where: str, told: str) -> None:
    text = f"{TEXT}options: {{{options}}}\n"
    if not where:
        load_mapping(text)
        return
    with pytest.raises(MappingInvalid) as caught:
        load_mapping(text)
    found = [f"{problem.what} {problem.fix}" for problem in caught.value.problems if problem.where == where]
    assert any(told in text for text in found)


def test_a_filter_is_held_against_the_columns_type() -> None:
    def told(operator: str, value: Any, column: str) -> str:
        wrong = misfit(Condition(column="a", operator=operator, value=value), column)  # type: ignore[arg-type]
        return " ".join(wrong) if wrong else ""

    assert told("contains", "x", "Picklist").startswith("`contains` does not go with a Picklist column.")
    assert told("equals", "1", "Picklist") == (
        "a Picklist column is compared with the option's number. Write the option's number as the value."
    )
    assert told("in", (1, 2), "Picklist") == ""
    assert told("equals", 1, "Boolean") != ""
    assert told("greater", 1, "Money") == told("greater", 1.5, "Money") == ""
    assert told("equals", True, "Integer") != ""
    assert told("is_empty", None, "Memo") == ""
    assert "cannot be filtered" in told("is_empty", None, "Virtual")


@given(st.data())
def test_any_operator_with_any_value_is_total(data: st.DataObject) -> None:
    operator = data.draw(st.sampled_from(sorted(TAKES)))
    condition = Condition.model_validate(
        {"column": "a", "operator": operator, "value": GOOD_VALUES.get(operator)}
    )
    assert predicate(condition)({"a": data.draw(json_values())}) in (True, False)


def test_every_operator_is_offered_for_some_column() -> None:
    assert {operator for operators, _, _ in COLUMNS.values() for operator in operators} == set(TAKES)


def test_the_operators_are_published() -> None:
    doc = (Path(__file__).parents[2] / "docs" / "mapping.md").read_text(encoding="utf-8")
    assert as_markdown() in doc
