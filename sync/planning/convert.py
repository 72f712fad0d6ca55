"""One function per mapped field, made once: a Web API value in, what Campaign is sent out (matrix.py says what goes).

A converter never raises. It gives the value, or a `Flagged` that says which policy acted. Null and "" become
Campaign's own null: "" for text and dates, 0, false, the enumeration's default (adobe.md B.5).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sync.planning.mapping import EmailField, EnumerationField, FieldMap, LinkField, PlainField, StringField
from sync.planning.truncate import truncate

Value = str | int | float | bool

_REFUSED_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Not allowed in XML, which Campaign's engine works on; NUL is not allowed in PostgreSQL either."""
_NO_ADDRESS = r"\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060\ufeff\ud800-\udfff@,;:<>()\[\]\\\""
_EMAIL = re.compile(rf"[^{_NO_ADDRESS}]{{1,64}}@(?:[^{_NO_ADDRESS}.]{{1,63}}\.)+[^{_NO_ADDRESS}.]{{2,63}}")
_MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d)T00:00:00(?:\.0+)?Z", re.ASCII)
_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,6})?\d*(Z|[+-]\d\d:\d\d)", re.ASCII)
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_INTEGER = 2**31
_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class Flagged:
    """What is sent instead and why; `fatal` means that the record is not sent at all."""

    value: Value
    code: str
    fatal: bool = False


Converter = Callable[[Any], Value | Flagged]


def converter(field: FieldMap) -> Converter:
    """The converter of one field."""
    if isinstance(field, StringField):
        return _string(field)
    if isinstance(field, EmailField):
        return _email(field)
    if isinstance(field, EnumerationField):
        return _enumeration(field)
    if isinstance(field, LinkField):
        return _plain(field, _link, "")
    make, blank = _PLAIN[field.type]
    return _plain(field, make, blank)


def null_of(field: FieldMap) -> Value:
    """What a null is sent as."""
    if isinstance(field, PlainField):
        return _PLAIN[field.type][1]
    return field.default if isinstance(field, EnumerationField) else ""


def _invalid(field: FieldMap, code: str = "value_invalid") -> Flagged:
    blank = null_of(field)
    return Flagged(blank, "blanked_invalid") if field.invalid == "blank" else Flagged(blank, code, True)


def _too_long(field: StringField | EmailField) -> Flagged:
    if field.too_long == "quarantine":
        return Flagged("", "value_too_long", True)
    return Flagged("", "blanked_too_long")


def _string(field: StringField) -> Converter:
    length = field.length
    invalid, too_long = _invalid(field), _too_long(field)
    cuts = field.too_long == "truncate"

    def convert(value: Any) -> Value | Flagged:
        if value is None:
            return ""
        if value.__class__ is not str:
            value = _as_text(value)
            if value is None:
                return invalid
        value = value.strip()
        # isprintable() is the fast way to say that no refused character is in it.
        if len(value) <= length and value.isprintable():
            return str(value)
        if _REFUSED_CHARACTER.search(value):
            return invalid
        if len(value) <= length:
            return str(value)
        return Flagged(truncate(value, length), "truncated") if cuts else too_long

    return convert


def _as_text(value: Any) -> str | None:
    """A JSON number or boolean as text, without exponent; None for anything else."""
    if value.__class__ is bool:
        return "true" if value else "false"
    number = _number(value)
    if number is None:
        return None
    return str(number) if isinstance(number, int) else format(Decimal(repr(number)), "f")


def _email(field: EmailField) -> Converter:
    length = field.length
    invalid, too_long = _invalid(field, "email_invalid"), _too_long(field)
    is_address = _EMAIL.fullmatch

    def convert(value: Any) -> Value | Flagged:
        if value is None:
            return ""
        if value.__class__ is not str:
            return invalid
        address: str = value.strip()
        if not address:
            return ""
        if not is_address(address):
            return invalid
        return address if len(address) <= length else too_long

    return convert


def _enumeration(field: EnumerationField) -> Converter:
    # By type first: in Python 1 and True are the same key.
    by_type: dict[type, dict[Any, str]] = {}
    for option, name in field.values.items():
        by_type.setdefault(type(option), {})[option] = name
    default, invalid = field.default, _invalid(field)

    def convert(value: Any) -> Value | Flagged:
        if value is None or value == "":
            return default
        if value.__class__ not in by_type:
            return invalid
        return by_type[value.__class__].get(value) or invalid

    return convert


def _plain(field: PlainField | LinkField, make: Callable[[Any], Value | None], blank: Value) -> Converter:
    invalid = _invalid(field)

    def convert(value: Any) -> Value | Flagged:
        if value is None:
            return blank
        made = make(value)
        return invalid if made is None else made

    return convert


def _number(value: Any) -> int | float | None:
    """A finite number, whole ones as int so that 20000 and 20000.0000 are one value; None for anything else."""
    kind = value.__class__
    if kind is int:
        return int(value) if -_EXACT <= value <= _EXACT else None
    if kind is not float and kind is not Decimal:
        return None
    number = float(value)
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() and abs(number) <= _EXACT else number


def _integer(value: Any) -> int | None:
    """A whole number of 32 bits; booleans as 1 and 0; never rounded."""
    if value.__class__ is bool:
        return int(value)
    number = _number(value)
    return number if isinstance(number, int) and -_INTEGER <= number < _INTEGER else None


def _boolean(value: Any) -> bool | None:
    return value if value.__class__ is bool else None


def _link(value: Any) -> str | None:
    """The id of the row that a lookup points to, in small letters as every id is sent."""
    if value.__class__ is not str:
        return None
    told = value.lower()
    return told if not told or _GUID.fullmatch(told) else None


def _date(value: Any) -> str | None:
    """`YYYY-MM-DD`. A timestamp is taken only at midnight: any other would need a time zone and could shift a day."""
    if value.__class__ is not str:
        return None
    if not value:
        return ""
    if len(value) != 10:
        midnight = _MIDNIGHT.fullmatch(value)
        if midnight is None:
            return None
        value = midnight[1]
    try:
        date.fromisoformat(value)
    except ValueError:
        return None
    # fromisoformat also takes week dates such as 2023-W01-1.
    return str(value) if value[4] == value[7] == "-" else None


def _datetime(value: Any) -> str | None:
    """`YYYY-MM-DD HH:MM:SS.mmmZ` in UTC (adobe.md B.5); finer fractions are cut."""
    if value.__class__ is not str:
        return None
    if not value:
        return ""
    day = _date(value) if len(value) == 10 else None
    if day:
        return f"{day} 00:00:00.000Z"
    told = _TIMESTAMP.fullmatch(value)
    if told is None:
        return None
    try:
        moment = datetime.fromisoformat(told[1] + (told[2] or "") + told[3]).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=None).isoformat(" ", "milliseconds") + "Z"


_PLAIN: dict[str, tuple[Callable[[Any], Value | None], Value]] = {
    "integer": (_integer, 0),
    "number": (_number, 0),
    "boolean": (_boolean, False),
    "date": (_date, ""),
    "datetime": (_datetime, ""),
}
