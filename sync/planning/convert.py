"""Conversion of one Dataverse value to one Campaign value, by the published matrix (docs/mapping.md).

A converter returns the value to send, or `Bad`. Empty is "" for texts and dates, 0 for numbers, false for booleans
(reference adobe.md B.5, null conventions). Dates never shift: a date is copied, a datetime is UTC on both sides.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from sync.planning.mapping import FieldMap, FieldType

MATRIX: dict[FieldType, tuple[str, ...]] = {
    FieldType.STRING: (
        "String",
        "Memo",
        "Integer",
        "BigInt",
        "Decimal",
        "Double",
        "Money",
        "Boolean",
        "DateTime",
        "Lookup",
        "Customer",
        "Owner",
        "Uniqueidentifier",
        "Picklist",
        "State",
        "Status",
        "MultiSelectPicklist",
    ),
    FieldType.EMAIL: ("String",),
    FieldType.DATE: ("DateTime",),
    FieldType.DATETIME: ("DateTime",),
    FieldType.BOOLEAN: ("Boolean",),
    FieldType.INTEGER: ("Integer", "BigInt", "Picklist", "State", "Status", "Boolean"),
    FieldType.NUMBER: ("Integer", "BigInt", "Decimal", "Double", "Money"),
    FieldType.ENUMERATION: ("Picklist", "State", "Status", "Boolean"),
}
"""Dataverse AttributeType names that each Campaign type accepts."""
EMPTY: dict[FieldType, Any] = {FieldType.BOOLEAN: False, FieldType.INTEGER: 0, FieldType.NUMBER: 0}
_EMAIL = re.compile(r"[^@\s,;<>()\[\]\\\"]+@[^@\s,;<>()\[\]\\\".]+(\.[^@\s,;<>()\[\]\\\".]+)+")
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


class Bad:
    """A value that cannot be converted."""

    __slots__ = ()


BAD = Bad()
Converter = Callable[[Any], Any]


def empty(kind: FieldType) -> Any:
    """What Campaign holds for nothing."""
    return EMPTY.get(kind, "")


def converter(field: FieldMap) -> Converter:
    """The conversion of a field's values; `None` never reaches it."""
    if field.type is FieldType.ENUMERATION:
        return _enumeration(field)
    return _CONVERTERS[field.type]


def _text(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip() if value and (value[0].isspace() or value[-1].isspace()) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _plain(value) if math.isfinite(value) else BAD
    return BAD


def _plain(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _email(value: Any) -> Any:
    if not isinstance(value, str):
        return BAD
    text = value.strip()
    return text if not text or _EMAIL.fullmatch(text) else BAD


def _date(value: Any) -> Any:
    """`YYYY-MM-DD` as it stands; of a timestamp the UTC day, which is what Dataverse stores."""
    if not isinstance(value, str):
        return BAD
    if value == "":
        return ""
    found = _DATE.match(value)
    if not found or (len(value) > 10 and value[10] != "T"):
        return BAD
    try:
        date(*map(int, found.groups()))
    except ValueError:
        return BAD
    return value[:10]


def _datetime(value: Any) -> Any:
    """`YYYY-MM-DD HH:MM:SS.mmmZ`, UTC (reference adobe.md B.5)."""
    if not isinstance(value, str):
        return BAD
    if value == "":
        return ""
    try:
        moment = datetime.fromisoformat(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return BAD
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _boolean(value: Any) -> Any:
    return value if isinstance(value, bool) else BAD


def _integer(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) else BAD


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return BAD
    return value if math.isfinite(value) else BAD


def _enumeration(field: FieldMap) -> Converter:
    names = {_choice(key): name for key, name in field.values.items()}

    def convert(value: Any) -> Any:
        if not isinstance(value, (int, str)):
            return BAD
        return names.get(_choice(value), BAD)

    return convert


def _choice(value: Any) -> str:
    """The same for 1, "1" and YAML's true."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)


def cut(text: str, length: int) -> str:
    """The first `length` code points, without a base letter's half of a combined one at the end."""
    short = text[:length]
    if unicodedata.combining(text[length]) or text[length] in "\u200d\ufe0f":
        while short and (unicodedata.combining(short[-1]) or short[-1] in "\u200d\ufe0f"):
            short = short[:-1]
        short = short[:-1]
    while short and short[-1] in "\u200d":
        short = short[:-1]
    return short.rstrip()


_CONVERTERS: dict[FieldType, Converter] = {
    FieldType.STRING: _text,
    FieldType.EMAIL: _email,
    FieldType.DATE: _date,
    FieldType.DATETIME: _datetime,
    FieldType.BOOLEAN: _boolean,
    FieldType.INTEGER: _integer,
    FieldType.NUMBER: _number,
}
