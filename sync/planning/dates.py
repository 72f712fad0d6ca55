"""Days and times: a Web API value in, what Campaign is sent out. A day never shifts by itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

AS_WRITTEN = "as_written"
_MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d)T00:00:00(?:\.0+)?Z", re.ASCII)
_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,6})?\d*(Z|[+-]\d\d:\d\d)", re.ASCII)


def plain_date(value: Any) -> str | None:
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


def plain_datetime(value: Any) -> str | None:
    """`YYYY-MM-DD HH:MM:SS.mmmZ` in UTC (adobe.md B.5); finer fractions are cut."""
    if value.__class__ is not str:
        return None
    if not value:
        return ""
    day = plain_date(value) if len(value) == 10 else None
    if day:
        return f"{day} 00:00:00.000Z"
    moment = _moment(value)
    return None if moment is None else _written(moment)


def date_in(zone: str) -> Callable[[Any], str | None]:
    """The day that a time falls on in a named zone, or the one that stands there; a day stays what it is."""
    place = None if zone == AS_WRITTEN else ZoneInfo(zone)

    def convert(value: Any) -> str | None:
        if value.__class__ is not str or len(value) <= 10:
            return plain_date(value)
        if place is None:
            return plain_date(value[:10]) if _TIMESTAMP.fullmatch(value) else None
        moment = _moment(value)
        try:
            return None if moment is None else moment.astimezone(place).date().isoformat()
        except OverflowError:
            return None

    return convert


def datetime_in(zone: str) -> Callable[[Any], str | None]:
    """A time or a day's midnight that is meant in a named zone, whatever offset it is written with, in UTC.

    A time that the clock shows twice is the first of the two.
    """
    place = ZoneInfo(zone)

    def convert(value: Any) -> str | None:
        if value.__class__ is not str:
            return None
        if not value:
            return ""
        if len(value) == 10:
            day = plain_date(value)
            value = f"{day}T00:00:00Z" if day else ""
        told = _TIMESTAMP.fullmatch(value)
        if told is None:
            return None
        try:
            written = datetime.fromisoformat(told[1] + (told[2] or ""))
            return _written(written.replace(tzinfo=place).astimezone(UTC))
        except (ValueError, OverflowError):
            return None

    return convert


def _moment(value: str) -> datetime | None:
    told = _TIMESTAMP.fullmatch(value)
    if told is None:
        return None
    try:
        return datetime.fromisoformat(told[1] + (told[2] or "") + told[3]).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _written(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(" ", "milliseconds") + "Z"
