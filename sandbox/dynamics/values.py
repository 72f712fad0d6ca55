"""Values on their way in (JSON -> stored) and out (stored -> JSON text), by column type (dataverse.md 5)."""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import lru_cache
from json.encoder import encode_basestring
from time import gmtime, strftime
from typing import Any

from sandbox.dynamics.columns import LOOKUPS, Column, Kind
from sandbox.dynamics.errors import Refused, payload

GUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_STAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)?")
_EARLIEST = timegm((1753, 1, 1, 0, 0, 0))
_FOUR = Decimal("0.0001")


def parse_stamp(text: str) -> int | None:
    """Seconds since 1970 of an ISO date and time; without offset it is UTC; fractions are cut."""
    found = _STAMP.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, offset = found.groups()
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second or 0), tzinfo=UTC
        )
    except ValueError:
        return None
    seconds = timegm(moment.timetuple())
    if offset and offset != "Z":
        shift = int(offset[1:3]) * 3600 + int(offset[4:6]) * 60
        seconds += shift if offset[0] == "-" else -shift
    return seconds


def parse_date(text: str) -> str | None:
    """`YYYY-MM-DD` if it is a day of the calendar."""
    try:
        return date.fromisoformat(text).isoformat() if len(text) == 10 else None
    except ValueError:
        return None


def parse(column: Column, value: Any, entity_set: str, table: str) -> Any:
    """The stored form of a JSON value; refuses what the column cannot hold."""
    if value is None:
        if column.kind in (Kind.STATE, Kind.STATUS):
            raise payload(entity_set, f"The value for '{column.name}' cannot be null.")
        return None
    return _PARSERS[column.kind](column, value, entity_set, table)


def _wrong(column: Column, entity_set: str) -> Refused:
    return payload(
        entity_set, f"Cannot convert the value of '{column.name}' to the expected type '{column.kind.edm}'."
    )


def _text(column: Column, value: Any, entity_set: str, table: str) -> str:
    if not isinstance(value, str):
        raise _wrong(column, entity_set)
    if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise _wrong(column, entity_set)  # half a surrogate pair
    # The database counts UTF-16 units.
    if len(value) > column.max_length or len(value.encode("utf-16-le")) > 2 * column.max_length:
        raise Refused(
            400,
            "0x80044331",
            f"A validation error occurred.  The length of the '{column.logical}' attribute of the '{table}' entity "
            f"exceeded the maximum allowed length of '{column.max_length}'.",
        )
    return value or None  # type: ignore[return-value]  # an empty text is stored as null


def _boolean(column: Column, value: Any, entity_set: str, table: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(column, entity_set)
    return value


def _integer(column: Column, value: Any, entity_set: str, table: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(column, entity_set)
    if not column.minimum <= value <= column.maximum:
        raise _out_of_range(column, table)
    return value


def _out_of_range(column: Column, table: str) -> Refused:
    return Refused(
        400,
        "0x80044330",
        f"A validation error occurred.  The value of '{column.logical}' on record of type '{table}' is outside the "
        "valid range.",
    )


def _choice(column: Column, value: Any, entity_set: str, table: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(column, entity_set)
    if value not in column.labels:
        allowed = ",".join(str(option) for option in column.labels)
        raise Refused(
            400,
            "0x8004431a",
            f"A validation error occurred.  The value {value} of '{column.logical}' on record of type '{table}' is "
            f"outside the valid range. Accepted Values: {allowed}",
        )
    return value


def _choices(column: Column, value: Any, entity_set: str, table: str) -> str | None:
    """`1,9` of `1, 9`: each option once, at most 150 (dataverse.md 5); none of them is null."""
    if not isinstance(value, str):
        raise _wrong(column, entity_set)
    parts = [part.strip() for part in value.split(",")] if value.strip() else []
    if not all(re.fullmatch(r"-?\d{1,10}", part) for part in parts):
        raise _wrong(column, entity_set)
    options = list(dict.fromkeys(_choice(column, int(part), entity_set, table) for part in parts))
    if len(options) > 150:
        raise _out_of_range(column, table)
    return ",".join(map(str, options)) or None


def _moment(column: Column, value: Any, entity_set: str, table: str) -> int:
    seconds = parse_stamp(value) if isinstance(value, str) else None
    if seconds is None and isinstance(value, str) and (day := parse_date(value)):
        seconds = parse_stamp(f"{day}T00:00:00Z")
    if seconds is None:
        raise _wrong(column, entity_set)
    return _not_too_early(seconds)


def _day(column: Column, value: Any, entity_set: str, table: str) -> str:
    day = parse_date(value) if isinstance(value, str) else None
    if day is None:
        raise _wrong(column, entity_set)
    _not_too_early(parse_stamp(f"{day}T00:00:00Z") or 0)
    return day


def _not_too_early(seconds: int) -> int:
    if seconds < _EARLIEST:
        raise Refused(
            400,
            "0x80040239",
            f"DateTime is less than minumum value supported by CrmDateTime. Actual value: {stamp_text(seconds)}, "
            "Minimum value supported: 01/01/1753 00:00:00",
        )
    return seconds


def _money(column: Column, value: Any, entity_set: str, table: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise _wrong(column, entity_set)
    try:
        amount = Decimal(str(value)).quantize(_FOUR, ROUND_HALF_EVEN)
    except InvalidOperation:
        raise _out_of_range(column, table) from None
    if not column.minimum <= amount <= column.maximum:
        raise _out_of_range(column, table)
    return amount


def _decimal(column: Column, value: Any, entity_set: str, table: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise _wrong(column, entity_set)
    amount = Decimal(str(value))
    if not column.minimum <= amount <= column.maximum:
        raise _out_of_range(column, table)
    return amount.quantize(Decimal(1).scaleb(-column.precision), ROUND_HALF_EVEN)


def parse_guid(text: Any) -> str | None:
    """A GUID in lower case."""
    return text.lower() if isinstance(text, str) and GUID.fullmatch(text) else None


def _guid(column: Column, value: Any, entity_set: str, table: str) -> str:
    guid = parse_guid(value)
    if guid is None:
        raise _wrong(column, entity_set)
    return guid


def _name(column: Column, value: Any, entity_set: str, table: str) -> str:
    if not isinstance(value, str):
        raise _wrong(column, entity_set)
    return value


_PARSERS: dict[Kind, Callable[[Column, Any, str, str], Any]] = {
    Kind.KEY: _guid,
    Kind.STRING: _text,
    Kind.MEMO: _text,
    Kind.BOOLEAN: _boolean,
    Kind.INTEGER: _integer,
    Kind.BIGINT: _integer,
    Kind.PICKLIST: _choice,
    Kind.MULTI: _choices,
    Kind.STATE: _choice,
    Kind.STATUS: _choice,
    Kind.DATETIME: _moment,
    Kind.DATE: _day,
    Kind.ZONELESS: _moment,
    Kind.MONEY: _money,
    Kind.DECIMAL: _decimal,
    Kind.DOUBLE: _decimal,
    Kind.LOOKUP: _guid,
    Kind.CUSTOMER: _guid,
    Kind.OWNER: _guid,
    Kind.REGARDING: _guid,
    Kind.NAME: _name,
}


@lru_cache(maxsize=8192)
def stamp_text(seconds: int) -> str:
    """`2023-04-07T21:59:01Z`."""
    moment = gmtime(seconds)
    return f"{moment.tm_year:04d}{strftime('-%m-%dT%H:%M:%SZ', moment)}"


def _quoted(value: str) -> str:
    return f'"{value}"'


def _json_boolean(value: bool) -> str:
    return "true" if value else "false"


def _json_money(value: Decimal) -> str:
    return f"{value:.4f}"


def _json_stamp(value: int) -> str:
    return f'"{stamp_text(value)}"'


def encoder(kind: Kind) -> Callable[[Any], str]:
    """What turns a stored value that is not null into JSON text."""
    if kind in (Kind.STRING, Kind.MEMO):
        text: Callable[[Any], str] = _basestring
        return text
    if kind is Kind.BOOLEAN:
        return _json_boolean
    if kind is Kind.MONEY:
        return _json_money
    if kind in (Kind.DATETIME, Kind.ZONELESS):
        return _json_stamp
    if kind in (Kind.MULTI, Kind.KEY, Kind.DATE, Kind.NAME) or kind in LOOKUPS:
        return _quoted
    return str


_basestring: Callable[[str], str] = encode_basestring


def formatted(column: Column, value: Any) -> str | None:
    """`OData.Community.Display.V1.FormattedValue` of a stored value, en-US; lookups are named by the caller."""
    if value is None or column.kind in (Kind.STRING, Kind.MEMO, Kind.KEY, Kind.NAME):
        return None
    if column.kind in (Kind.PICKLIST, Kind.STATE, Kind.STATUS, Kind.BOOLEAN):
        return column.labels.get(int(value))
    if column.kind is Kind.MULTI:
        return "; ".join(column.labels[int(option)] for option in value.split(","))
    if column.kind is Kind.MONEY:
        return f"${value:,.2f}"
    if column.kind in (Kind.INTEGER, Kind.BIGINT):
        return f"{value:,}"
    if column.kind is Kind.DATE:
        day = date.fromisoformat(value)
        return f"{day.month}/{day.day}/{day.year}"
    if column.kind in (Kind.DATETIME, Kind.ZONELESS):
        moment = gmtime(value)
        day_text = f"{moment.tm_mon}/{moment.tm_mday}/{moment.tm_year}"
        if column.format == "DateOnly":
            return day_text
        return f"{day_text} {(moment.tm_hour + 11) % 12 + 1}:{moment.tm_min:02d} {'AM' if moment.tm_hour < 12 else 'PM'}"
    return None
