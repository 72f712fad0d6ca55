"""A filter as a function of a row, made once per mapping version. Asking for a column the row lacks is a KeyError."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sync.model import Row
from sync.planning.conditions import DAY, AllOf, AnyOf, Condition, Filter, NotThis

Predicate = Callable[[Row], bool]
Test = Callable[[Any], bool]


def predicate(filter_: Filter) -> Predicate:
    """Whether a row passes the filter; never raises for a JSON value."""
    if isinstance(filter_, NotThis):
        inner = predicate(filter_.negated)
        return lambda row: not inner(row)
    if isinstance(filter_, Condition):
        return _condition(filter_)
    parts = tuple(predicate(part) for part in (filter_.all if isinstance(filter_, AllOf) else filter_.any))
    if isinstance(filter_, AnyOf):
        return lambda row: any([part(row) for part in parts])  # noqa: C419 - all of them: none may be absent
    return lambda row: all([part(row) for part in parts])  # noqa: C419


def _condition(condition: Condition) -> Predicate:
    column = condition.column
    test = _test(condition.operator, condition.value)
    return lambda row: test(row[column])


def _test(operator: str, value: Any) -> Test:
    if operator.startswith("not_") and operator != "not_equals":
        positive = _test(operator.removeprefix("not_"), value)
        return lambda found: not positive(found)
    if operator == "not_equals":
        same = _equals(value)
        return lambda found: not same(found)
    if operator == "equals":
        return _equals(value)
    if operator == "in":
        tests = tuple(_equals(one) for one in value)
        return lambda found: any(test(found) for test in tests)
    if operator in ("is_empty", "is_not_empty"):
        wanted = operator == "is_empty"
        return lambda found: (found is None or found == "") is wanted
    if operator in _TEXT:
        return _text(_TEXT[operator], value.casefold())
    if operator in _SIZE:
        return _size(_SIZE[operator], value)
    if operator in _TIME:
        return _time(_TIME[operator], value)
    return _choices(operator, frozenset(str(one) for one in value))


def _equals(value: Any) -> Test:
    if value.__class__ is bool:
        return lambda found: found is value
    if value.__class__ is str:
        folded = value.casefold()
        return lambda found: found.__class__ is str and found.casefold() == folded
    # In Python True equals 1.
    return lambda found: found.__class__ is not bool and bool(found == value)


def _text(compare: Callable[[str, str], bool], value: str) -> Test:
    return lambda found: found.__class__ is str and compare(found.casefold(), value)


def _size(compare: Callable[[float, float], bool], value: float) -> Test:
    return lambda found: (
        isinstance(found, int | float) and found.__class__ is not bool and compare(found, value)
    )


def _time(compare: Callable[[str, str], bool], value: str) -> Test:
    if DAY.fullmatch(value):
        return lambda found: found.__class__ is str and found != "" and compare(found[:10], value)
    value = value[:19]

    def test(found: Any) -> bool:
        if found.__class__ is not str or not found:
            return False
        return compare(found[:19] if len(found) > 10 else f"{found}T00:00:00", value)

    return test


def _choices(operator: str, wanted: frozenset[str]) -> Test:
    """On a multi-select choice, which the Web API writes as `1,9`."""

    def chosen(found: Any) -> frozenset[str]:
        return frozenset(part.strip() for part in found.split(",")) if found.__class__ is str else frozenset()

    if operator == "has_all":
        return lambda found: wanted <= chosen(found)
    if operator == "has_any":
        return lambda found: not wanted.isdisjoint(chosen(found))
    return lambda found: wanted.isdisjoint(chosen(found))


_TEXT: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, value: value in text,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
}
_SIZE: dict[str, Callable[[float, float], bool]] = {
    "greater": lambda one, other: one > other,
    "at_least": lambda one, other: one >= other,
    "less": lambda one, other: one < other,
    "at_most": lambda one, other: one <= other,
}
_TIME: dict[str, Callable[[str, str], bool]] = {
    "on": lambda one, other: one == other,
    "before": lambda one, other: one < other,
    "after": lambda one, other: one > other,
    "on_or_before": lambda one, other: one <= other,
    "on_or_after": lambda one, other: one >= other,
}
