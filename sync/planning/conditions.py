"""The filter language: conditions on columns in and/or/not groups, and which operator goes with which column type.

Text is compared without regard to case, as Dynamics does. An empty column (null or "") fails every comparison but the
negative ones (`not_equals`, `not_in`, `not_contains`, `has_none`), which it passes; `not` turns a result around.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, Union

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr

from sync.planning.spelling import Column, Strict

Comparable = StrictBool | StrictInt | StrictFloat | StrictStr
Operator = Literal[
    "equals",
    "not_equals",
    "in",
    "not_in",
    "is_empty",
    "is_not_empty",
    "contains",
    "not_contains",
    "starts_with",
    "ends_with",
    "greater",
    "at_least",
    "less",
    "at_most",
    "on",
    "before",
    "after",
    "on_or_before",
    "on_or_after",
    "has_any",
    "has_all",
    "has_none",
]


class Condition(Strict):
    """One column compared with one value, with a list, or with nothing."""

    column: Column
    operator: Operator
    value: Comparable | tuple[Comparable, ...] | None = None


class AllOf(Strict):
    """And: every one of them."""

    all: Annotated[tuple[Filter, ...], Field(min_length=1)]


class AnyOf(Strict):
    """Or: at least one of them."""

    any: Annotated[tuple[Filter, ...], Field(min_length=1)]


class NotThis(Strict):
    """Not: the opposite."""

    negated: Filter = Field(alias="not")


Filter = Union[Condition, AllOf, AnyOf, NotThis]  # noqa: UP007 - a forward reference is resolved in it
for _model in (AllOf, AnyOf, NotThis):
    _model.model_rebuild()

MOST_DEPTH = 10
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Takes:
    """What an operator compares with: `many` values of these kinds, one of them, or none at all."""

    kinds: tuple[type, ...]
    many: bool = False
    example: str = ""


_TEXT, _NUMBER, _MOMENT = (str,), (int, float), (datetime.date,)
_ANY = (bool, int, float, str)
TAKES: dict[str, _Takes] = {
    "equals": _Takes(_ANY, example="value: 1"),
    "not_equals": _Takes(_ANY, example="value: 1"),
    "in": _Takes(_ANY, many=True, example="value: [1, 2]"),
    "not_in": _Takes(_ANY, many=True, example="value: [1, 2]"),
    "is_empty": _Takes(()),
    "is_not_empty": _Takes(()),
    "contains": _Takes(_TEXT, example="value: 'gmbh'"),
    "not_contains": _Takes(_TEXT, example="value: 'gmbh'"),
    "starts_with": _Takes(_TEXT, example="value: 'A'"),
    "ends_with": _Takes(_TEXT, example="value: '@example.com'"),
    "greater": _Takes(_NUMBER, example="value: 10"),
    "at_least": _Takes(_NUMBER, example="value: 10"),
    "less": _Takes(_NUMBER, example="value: 10"),
    "at_most": _Takes(_NUMBER, example="value: 10"),
    "on": _Takes(_MOMENT, example="value: '2024-01-31'"),
    "before": _Takes(_MOMENT, example="value: '2024-01-31'"),
    "after": _Takes(_MOMENT, example="value: '2024-01-31'"),
    "on_or_before": _Takes(_MOMENT, example="value: '2024-01-31'"),
    "on_or_after": _Takes(_MOMENT, example="value: '2024-01-31'"),
    "has_any": _Takes((int,), many=True, example="value: [1, 2]"),
    "has_all": _Takes((int,), many=True, example="value: [1, 2]"),
    "has_none": _Takes((int,), many=True, example="value: [1, 2]"),
}
_SAME = ("equals", "not_equals", "in", "not_in")
_EMPTY = ("is_empty", "is_not_empty")
_WORDS = (*_SAME, "contains", "not_contains", "starts_with", "ends_with", *_EMPTY)
_SIZES = (*_SAME, "greater", "at_least", "less", "at_most", *_EMPTY)
_TIMES = ("on", "before", "after", "on_or_before", "on_or_after", *_EMPTY)

COLUMNS: dict[str, tuple[tuple[str, ...], type, str]] = {
    "String": (_WORDS, str, "text"),
    "Memo": (_WORDS, str, "text"),
    "EntityName": (_WORDS, str, "text"),
    "Uniqueidentifier": ((*_SAME, *_EMPTY), str, "an id"),
    "Lookup": ((*_SAME, *_EMPTY), str, "an id"),
    "Customer": ((*_SAME, *_EMPTY), str, "an id"),
    "Owner": ((*_SAME, *_EMPTY), str, "an id"),
    "Picklist": ((*_SAME, *_EMPTY), int, "the option's number"),
    "State": ((*_SAME, *_EMPTY), int, "the state's number"),
    "Status": ((*_SAME, *_EMPTY), int, "the reason's number"),
    "MultiSelectPicklist": (("has_any", "has_all", "has_none", *_EMPTY), int, "options' numbers"),
    "Boolean": (("equals", "not_equals", *_EMPTY), bool, "`true` or `false`"),
    "Integer": (_SIZES, float, "a number"),
    "BigInt": (_SIZES, float, "a number"),
    "Decimal": (_SIZES, float, "a number"),
    "Double": (_SIZES, float, "a number"),
    "Money": (_SIZES, float, "a number"),
    "DateTime:DateOnly": (_TIMES, str, "a day"),
    "DateTime:UserLocal": (_TIMES, str, "a day or a time in UTC"),
    "DateTime:TimeZoneIndependent": (_TIMES, str, "a day or a time"),
}
"""By column type: its operators, the kind of value, and that in words. The list published in docs/mapping.md."""


def wrong_value(operator: str, value: object, written: bool) -> tuple[str, str] | None:
    """What is wrong with a condition's value, and the fix; `written`: the file has a `value`."""
    takes = TAKES[operator]
    if not takes.kinds:
        return (f"`{operator}` takes no value.", "Remove `value`.") if written else None
    if not written or value is None:
        what = f"`{operator}` needs a value."
        return (
            what,
            f"Write `{takes.example}`, or use `is_empty`." if written else f"Write `{takes.example}`.",
        )
    if takes.many != isinstance(value, list | tuple):
        what = f"`{operator}` takes {'a list' if takes.many else 'one value'}."
        return what, f"Write `{takes.example}`."
    values = list(value) if isinstance(value, list | tuple) else [value]
    if not values:
        return "the list is empty.", f"Write `{takes.example}`."
    if all(_is(one, takes.kinds) for one in values):
        return None
    if takes.kinds == _MOMENT:
        return "it is no day or time.", "Write `2024-01-31` or `2024-01-31T22:00:00Z`."
    return f"`{operator}` does not take such a value.", f"Write `{takes.example}`."


def _is(value: object, kinds: tuple[type, ...]) -> bool:
    if kinds == _MOMENT:
        return isinstance(value, str) and moment_of(value) is not None
    return type(value) in kinds


def moment_of(text: str) -> str | None:
    """A day or a UTC time as it can be compared; None where it is neither."""
    if not (DAY.fullmatch(text) or MOMENT.fullmatch(text)):
        return None
    try:
        datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return text


def misfit(condition: Condition, column_type: str) -> tuple[str, str] | None:
    """What is wrong with a condition on a column of this type (`matrix.column_type`), and the fix."""
    known = COLUMNS.get(column_type)
    kind = column_type.replace(":", ", ")
    if known is None:
        return f"a {kind} column cannot be filtered.", "Choose another column."
    operators, takes, words = known
    if condition.operator not in operators:
        what = f"`{condition.operator}` does not go with a {kind} column."
        return what, f"Use one of: {', '.join(operators)}."
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    wanted = (int, float) if takes is float else (takes,)
    if condition.value is not None and not all(type(value) in wanted for value in values):
        return f"a {kind} column is compared with {words}.", f"Write {words} as the value."
    return None


def conditions_of(filter_: Filter | None) -> Iterator[Condition]:
    """Every condition in it."""
    if isinstance(filter_, Condition):
        yield filter_
    elif isinstance(filter_, AllOf | AnyOf):
        for part in filter_.all if isinstance(filter_, AllOf) else filter_.any:
            yield from conditions_of(part)
    elif isinstance(filter_, NotThis):
        yield from conditions_of(filter_.negated)


def as_markdown() -> str:
    """The operators by column type as they stand in docs/mapping.md (a test compares them)."""
    lines = ["| Dynamics column | compared with | operators |", "|---|---|---|"]
    for column, (operators, _, words) in COLUMNS.items():
        listed = ", ".join(f"`{operator}`" for operator in operators)
        lines.append(f"| {column.replace(':', ', ')} | {words} | {listed} |")
    return "\n".join(lines)
