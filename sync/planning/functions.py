"""What the functions of the expression language do.

They are total: what cannot be computed raises Unusable, and no text grows beyond MOST_TEXT. Null counts as "" where
text is wanted; a calculation with null is null.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

MOST_TEXT = 100_000
EXACT = 2**53


class Unusable(Exception):
    """The expression has no value for this row; `invalid` of the field says what becomes of it."""


def text(value: Any) -> str:
    """A value as text: null is "", numbers plain."""
    if value is None:
        return ""
    kind = value.__class__
    if kind is str:
        return capped(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    if kind is float and math.isfinite(value):
        return (
            str(int(value))
            if value.is_integer() and abs(value) <= EXACT
            else format(Decimal(repr(value)), "f")
        )
    raise Unusable


def capped(value: str) -> str:
    if len(value) > MOST_TEXT:
        raise Unusable
    return value


def number(value: Any) -> int | float:
    """A number that calculations keep exact, or Unusable."""
    if value.__class__ is str:
        try:
            value = float(value) if "." in value else int(value)
        except ValueError:
            raise Unusable from None
    if value.__class__ not in (int, float) or not math.isfinite(value) or abs(value) > EXACT:
        raise Unusable
    return value


def whole(value: Any) -> int:
    found = number(value)
    if found != int(found):
        raise Unusable
    return int(found)


def true(value: Any) -> bool:
    """Null, "", 0 and false are false."""
    return not (value is None or value is False or value == "" or value == 0)


def day(value: Any) -> date:
    try:
        return date.fromisoformat(text(value)[:10])
    except ValueError:
        raise Unusable from None


def or_null(work: Callable[..., Any]) -> Callable[..., Any]:
    """Null where the first argument is null or ""."""

    def run(*values: Any) -> Any:
        return None if values[0] is None or values[0] == "" else work(*values)

    return run


def rounded(value: Any, places: Any = 0) -> int | float:
    digits = whole(places)
    if not 0 <= digits <= 10:
        raise Unusable
    found = Decimal(repr(number(value))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return int(found) if found == found.to_integral_value() else float(found)


def part(value: Any, start: Any, length: Any) -> str:
    first, count = whole(start), whole(length)
    if first < 1 or count < 0:
        raise Unusable
    return text(value)[first - 1 : first - 1 + count]


def nth(value: Any, separator: Any, place: Any) -> str | None:
    mark, index = text(separator), whole(place)
    if not mark or index < 1:
        raise Unusable
    parts = text(value).split(mark)
    return parts[index - 1].strip() if index <= len(parts) else None


def replaced(value: Any, old: Any, new: Any) -> str:
    found, wanted = text(value), text(old)
    if not wanted:
        return found
    if len(found) + found.count(wanted) * len(text(new)) > 2 * MOST_TEXT:
        raise Unusable
    return capped(found.replace(wanted, text(new)))


def add_days(value: Any, count: Any) -> str:
    try:
        return (day(value) + timedelta(days=whole(count))).isoformat()
    except OverflowError:
        raise Unusable from None


def joined(separator: Any, *values: Any) -> str:
    return capped(text(separator).join(found for value in values if (found := text(value).strip())))


def first(*values: Any) -> Any:
    return next((value for value in values if value is not None and value != ""), None)


def left(value: Any, count: Any) -> str:
    return text(value)[: max(whole(count), 0)]


def right(value: Any, count: Any) -> str:
    length = max(whole(count), 0)
    return text(value)[-length:] if length else ""
