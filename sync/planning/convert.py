"""One function per mapped field, made once: a Web API value in, what Campaign is sent out (matrix.py says what goes).

A converter never raises. It gives the value, or a `Flagged` that says which policy acted. Null and "" become
Campaign's own null: "" for text and dates, 0, false, the enumeration's default (adobe.md B.5).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Any

from sync.planning.dates import AS_WRITTEN, date_in, datetime_in, plain_date, plain_datetime
from sync.planning.fields import (
    DateField,
    DateTimeField,
    EmailField,
    EnumerationField,
    FieldMap,
    IntegerField,
    LinkField,
    NumberField,
    StringField,
)
from sync.planning.truncate import truncate

Value = str | int | float | bool

_REFUSED_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Not allowed in XML, which Campaign's engine works on; NUL is not allowed in PostgreSQL either."""
_NO_ADDRESS = r"\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060\ufeff\ud800-\udfff@,;:<>()\[\]\\\""
_EMAIL = re.compile(rf"[^{_NO_ADDRESS}]{{1,64}}@(?:[^{_NO_ADDRESS}.]{{1,63}}\.)+[^{_NO_ADDRESS}.]{{2,63}}")
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


def typed(field: FieldMap) -> Converter:
    """The converter of one field's type; `replaced` puts replacements and labels before it."""
    if isinstance(field, StringField):
        return _string(field)
    if isinstance(field, EmailField):
        return _email(field)
    if isinstance(field, EnumerationField):
        return _enumeration(field)
    return _plain(field, _maker(field), null_of(field))


def _maker(field: FieldMap) -> Callable[[Any], Value | None]:
    if isinstance(field, LinkField):
        return _link
    if isinstance(field, DateField) and field.time_zone is not None:
        return date_in(field.time_zone)
    if isinstance(field, DateTimeField) and field.time_zone is not None and field.time_zone != AS_WRITTEN:
        return datetime_in(field.time_zone)
    if isinstance(field, IntegerField) and field.round is not None:
        return _rounded(_integer, 0, field.round)
    if isinstance(field, NumberField) and field.decimals is not None:
        return _rounded(_number, field.decimals, field.round)
    return _PLAIN[field.type][0]


def null_of(field: FieldMap) -> Value:
    """What a null is sent as."""
    if isinstance(field, LinkField):
        return ""
    if field.default is not None:
        return field.default
    return _PLAIN[field.type][1] if field.type in _PLAIN else ""


def _invalid(field: FieldMap, code: str = "value_invalid") -> Flagged:
    blank = null_of(field)
    return Flagged(blank, "blanked_invalid") if field.invalid == "blank" else Flagged(blank, code, True)


def _too_long(field: StringField | EmailField) -> Flagged:
    if field.too_long == "quarantine":
        return Flagged("", "value_too_long", True)
    return Flagged(null_of(field), "blanked_too_long")


def _string(field: StringField) -> Converter:
    length, blank = field.length, null_of(field)
    invalid, too_long = _invalid(field), _too_long(field)
    cuts = field.too_long == "truncate"

    def convert(value: Any) -> Value | Flagged:
        if value is None:
            return blank
        if value.__class__ is not str:
            value = _as_text(value)
            if value is None:
                return invalid
        value = value.strip()
        # isprintable() is the fast way to say that no refused character is in it.
        if len(value) <= length and value.isprintable():
            return str(value) or blank
        if _REFUSED_CHARACTER.search(value):
            return invalid
        if len(value) <= length:
            return str(value)
        return Flagged(truncate(value, length), "truncated") if cuts else too_long

    if field.case is None:
        return convert
    change = str.lower if field.case == "lower" else str.upper

    def cased(value: Any) -> Value | Flagged:
        return convert(change(value) if value.__class__ is str else value)

    return cased


def _as_text(value: Any) -> str | None:
    """A JSON number or boolean as text, without exponent; None for anything else."""
    if value.__class__ is bool:
        return "true" if value else "false"
    number = _number(value)
    if number is None:
        return None
    return str(number) if isinstance(number, int) else format(Decimal(repr(number)), "f")


def _email(field: EmailField) -> Converter:
    length, blank, lower = field.length, null_of(field), field.case is not None
    invalid, too_long = _invalid(field, "email_invalid"), _too_long(field)
    is_address = _EMAIL.fullmatch

    def convert(value: Any) -> Value | Flagged:
        if value is None:
            return blank
        if value.__class__ is not str:
            return invalid
        address: str = value.strip()
        if not address:
            return blank
        if not is_address(address):
            return invalid
        if lower:
            address = address.lower()
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


def _plain(field: FieldMap, make: Callable[[Any], Value | None], blank: Value) -> Converter:
    invalid = _invalid(field)

    def convert(value: Any) -> Value | Flagged:
        if value is None:
            return blank
        made = make(value)
        if made is None:
            return invalid
        return blank if made == "" else made

    return convert


_ROUNDINGS = {
    "half_up": ROUND_HALF_UP,
    "half_even": ROUND_HALF_EVEN,
    "up": ROUND_UP,
    "down": ROUND_DOWN,
}


def _rounded(
    make: Callable[[Any], int | float | None], decimals: int, rounding: str
) -> Callable[[Any], int | float | None]:
    """The same for a number rounded to so many decimals; half away from zero, as people do, unless said otherwise."""
    unit, mode = Decimal(1).scaleb(-decimals), _ROUNDINGS[rounding]

    def convert(value: Any) -> int | float | None:
        found = _number(value)
        if isinstance(found, float) and abs(found) < _EXACT:
            return make(float(Decimal(repr(found)).quantize(unit, mode)))
        return make(value)

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


_PLAIN: dict[str, tuple[Callable[[Any], Value | None], Value]] = {
    "integer": (_integer, 0),
    "number": (_number, 0),
    "boolean": (_boolean, False),
    "date": (plain_date, ""),
    "datetime": (plain_datetime, ""),
}
