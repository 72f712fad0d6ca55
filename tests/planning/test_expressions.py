"""The expression language: every published example, and that nothing makes it raise, run on, or reach outside."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.planning.evaluate import NO_VALUE, evaluator, without_value
from sync.planning.expressions import ExpressionError, parse
from sync.planning.function_table import FUNCTIONS, as_markdown
from tests.planning.samples import json_values

DOC = (Path(__file__).parents[2] / "docs" / "mapping.md").read_text(encoding="utf-8")
ROW = {"a": "Ada", "n": 3, "x": None, "t": True, "f": 2.5}


def value(text: str, **row: Any) -> Any:
    return evaluator(parse(text))({**ROW, **row})


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_published_example(name: str) -> None:
    function = FUNCTIONS[name]
    result = value(function.example)
    assert result == function.result
    assert type(result) is type(function.result)


def test_the_functions_are_published() -> None:
    assert as_markdown() in DOC


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("a", "Ada"),
        ("a + ' ' + n", "Ada 3"),
        ("a + x", "Ada"),
        ("n + 1", 4),
        ("n - x", None),
        ("n * f", 7.5),
        ("n / 2", 1.5),
        ("-n", -3),
        ("n / 0", NO_VALUE),
        ("a - 1", NO_VALUE),
        ("a == 'Ada'", True),
        ("a == 'ada'", False),
        ("t == 1", False),
        ("n == 3.0", True),
        ("1 < n <= 3", True),
        ("x < 1", False),
        ("a < 1", NO_VALUE),
        ("a in ['Ada', 'Bob']", True),
        ("n not in (1, 2)", True),
        ("not x", True),
        ("a and n", True),
        ("x or ''", False),
        ("'yes' if t else 'no'", "yes"),
        ("when(x, n / 0, 'safe')", "safe"),
        ("null", None),
        ("true", True),
        ("left(a, -1)", ""),
        ("part(a, 0, 1)", NO_VALUE),
        ("year(x)", None),
        ("year('soon')", NO_VALUE),
        ("add_days('9999-12-31', 1)", NO_VALUE),
        ("round(f)", 3),
        ("number('1.5')", 1.5),
        ("number('x')", NO_VALUE),
        ("lower(n)", "3"),
        ("first(x, a)", "Ada"),
        ("9007199254740992 * 2", NO_VALUE),
    ],
)
def test_a_value(text: str, result: Any) -> None:
    found = value(text)
    assert found == result
    assert type(found) is type(result)


def test_what_is_read_is_known() -> None:
    made = parse("label(gendercode, 1031) + related(_ownerid_value, 'systemuser.fullname', 'team.name') + a")
    assert made.columns == ["gendercode", "_ownerid_value", "a"]
    assert [(one.column, one.language) for one in made.labels] == [("gendercode", 1031)]
    assert [one.key for one in made.related] == ["_ownerid_value/systemuser.fullname,team.name"]


def test_an_absent_column_is_not_null() -> None:
    with pytest.raises(KeyError):
        evaluator(parse("lower(b)"))(ROW)


def test_texts_do_not_grow_without_end() -> None:
    doubled = "a"
    for _ in range(6):
        doubled = f"replace({doubled}, 'a', 'aaaaaaaaaaaaaaaaaaaa')"
    assert value(doubled, a="a" * 100) is NO_VALUE


pieces = st.sampled_from(
    [
        "a",
        "n",
        "x",
        "t",
        "f",
        "'z'",
        "2",
        "0",
        "null",
        "(",
        ")",
        "+",
        "-",
        "*",
        "/",
        "==",
        "<",
        " in ",
        "[",
        "]",
        ",",
        " and ",
        " or ",
        "not ",
        " if ",
        " else ",
        "lower(",
        "round(",
        "replace(",
        "nth(",
        "when(",
        "add_days(",
        ".",
        "**",
    ]
)


@settings(max_examples=400)
@given(st.lists(pieces, max_size=12).map("".join))
def test_any_text_is_refused_or_total(text: str) -> None:
    try:
        made = parse(text)
    except ExpressionError as error:
        assert error.what and error.fix
        return
    evaluator(made)(defaultdict(str, ROW))
    without_value(made)


@pytest.mark.parametrize(
    ("expression", "lost"),
    [
        ("1 / 0", "1 / 0"),
        ("when(a == 'x', year('soon'), 2)", "year('soon')"),
        ("join(' ', a, -'x')", "-'x'"),
        ("when(a == 'x', year('2024'), 2) / round(a)", "year('2024')"),
        ("a / 0 + number(a)", ""),
        ("text(text) in ['1', 'x'] and not null", ""),
    ],
)
def test_a_part_that_never_has_a_value_is_found_before_a_record_comes(expression: str, lost: str) -> None:
    assert without_value(parse(expression)) == lost


@given(st.sampled_from(sorted(FUNCTIONS)), st.lists(json_values(), min_size=4, max_size=4))
def test_any_function_of_any_values_is_total(name: str, values: list[Any]) -> None:
    names = [f"v{index}" for index in range(max(FUNCTIONS[name].least, 1))]
    evaluator(parse(f"{name}({', '.join(names)})"))(dict(zip(names, values, strict=False)))
