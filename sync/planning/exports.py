"""From a line of a log export to an event: which column is what, and which value means what (adobe.md B.9).

Columns are found by header, in any order and case; every name is configuration (`exports` in `mappings/events.yaml`)
with the names of docs/campaign-setup.md as defaults. Nothing is guessed: an unknown status or date is a bad line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, field_validator

from sync.model import EmailEvent

Names = tuple[str, ...]
DELIVERY, TRACKING = "delivery", "tracking"
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LONGEST = {"delivery": 200, "campaign": 200, "url": 8000, "mirror": 8000, "bounce_reason": 200, "agent": 400}
REASONS = {
    "0": "Undefined", "1": "Unknown user", "2": "Invalid domain", "3": "Unreachable", "4": "Account disabled",
    "5": "Mailbox full", "6": "Not connected", "7": "Address undefined", "8": "On denylist", "9": "In quarantine",
    "10": "Duplicate", "20": "Refused", "25": "Error ignored",
}  # fmt: skip
"""Failure reasons by number: from a Campaign Classic schema, assumed the same in Standard (adobe.md B.9)."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DeliveryColumns(_Strict):
    """Accepted headers of the delivery log; the first one found is used."""

    log_id: Names = ("broadlogID", "Delivery log ID")
    modified: Names = ("lastModified", "Last modified")
    delivery: Names = ("deliveryName", "Delivery ID")
    campaign: Names = ("campaignName", "Campaign ID")
    contact: Names = ("externalID", "External ID")
    at: Names = ("eventDate", "Event date")
    status: Names = ("status",)
    proof: Names = ("proofMember", "Proof")
    seed: Names = ("seedMember", "Seed address")
    bounce_type: Names = ("bounceType", "Failure type")
    bounce_reason: Names = ("bounceReason", "Failure reason")
    mirror: Names = ("mirrorPageURL", "Mirror page")


class TrackingColumns(_Strict):
    """Accepted headers of the tracking log."""

    log_id: Names = ("trackinglogID", "Tracking log ID")
    delivery: Names = ("deliveryName", "Delivery ID")
    campaign: Names = ("campaignName", "Campaign ID")
    contact: Names = ("externalID", "External ID")
    at: Names = ("logDate", "Log date")
    type: Names = ("type", "urlType")
    proof: Names = ("proofMember", "Proof")
    seed: Names = ("seedMember", "Seed address")
    modified: Names = ("lastModified", "Last modified")
    url: Names = ("url", "urlSource")
    mirror: Names = ("mirrorPageURL", "Mirror page")
    agent: Names = ("userAgent", "User agent")


NO_AGENT = "not exported"
"""Of an export without that column: an empty user agent is a machine's, one that nobody told is nobody's."""
OPTIONAL = frozenset({"bounce_reason", "mirror", "url", "agent"})
"""Columns a file may lack; of the tracking log also `modified` (its lines never change)."""


class Exports(_Strict):
    """How the export files are written."""

    delimiter: str = ","
    log_ids: str = ""
    """Whose log ids these are: another word where another Campaign instance counts anew, so that its lines are others."""
    time_zone: str = "UTC"
    """Of times without one."""
    delivery_log: DeliveryColumns = DeliveryColumns()
    tracking_log: TrackingColumns = TrackingColumns()
    sent: Names = ("sent",)
    failed: Names = ("failed",)
    not_sent: Names = ("ignored", "pending", "prepared", "being sent", "taken into account by the service provider",
                       "canceled", "cancelled")  # fmt: skip
    """States that are no event yet, or never."""
    opens: Names = ("open",)
    clicks: Names = ("email click", "click")
    no_events: Names = ("mirror page", "opt-out", "push click")
    """Tracking types that are not shown in Dynamics."""
    hard: Names = ("hard",)
    soft: Names = ("soft", "ignored")

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str) -> str:
        if len(value) != 1 or value in '"\r\n':
            raise ValueError("a delimiter is one character, not a quote or line break")
        return value

    @field_validator("log_ids")
    @classmethod
    def _short_word(cls, value: str) -> str:
        if not re.fullmatch(r"[a-z0-9-]{0,20}", value):
            raise ValueError("a short word of small letters, digits and hyphens")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("not a time zone of the IANA list, such as Europe/Berlin") from None
        return value


class HeaderUnknown(Exception):
    """The first line names neither log's columns; `missing` are those of the closer one."""

    def __init__(self, log: str, missing: Sequence[str]) -> None:
        self.log = log
        self.missing = tuple(missing)
        super().__init__(f"columns of the {log} log are missing: {', '.join(missing)}")


class BadLine(Exception):
    """A line cannot be read; `code` and `column` say why, never the value."""

    def __init__(self, code: str, column: str) -> None:
        self.code = code
        self.column = column
        super().__init__(f"{code}: {column}")


@dataclass(frozen=True, slots=True)
class Left:
    """A line that is no event for Dynamics, and why: it is counted."""

    why: str


def reader_for(header: Sequence[str], exports: Exports) -> LineReader:
    """The reader of a file with this first line; raises HeaderUnknown."""
    places: dict[str, int] = {}
    for index, name in enumerate(header):
        places.setdefault(name.strip().strip("﻿").lower(), index)
    best: tuple[int, str, list[str]] | None = None
    for log, columns in ((DELIVERY, exports.delivery_log), (TRACKING, exports.tracking_log)):
        found: dict[str, int] = {}
        missing: list[str] = []
        for field in type(columns).model_fields:
            names: Names = getattr(columns, field)
            place = next((places[name.lower()] for name in names if name.lower() in places), None)
            if place is not None:
                found[field] = place
            elif names and field not in OPTIONAL and (log, field) != (TRACKING, "modified"):
                missing.append(names[0])
        if not missing:
            return LineReader(log, found, len(header), exports)
        if best is None or len(missing) < best[0]:
            best = (len(missing), log, missing)
    assert best is not None
    raise HeaderUnknown(best[1], best[2])


class LineReader:
    """Reads the lines of one file."""

    def __init__(self, log: str, places: Mapping[str, int], width: int, exports: Exports) -> None:
        self.log = log
        self._places = places
        self._width = width
        self._zone = ZoneInfo(exports.time_zone)
        self._of = f"{exports.log_ids}." if exports.log_ids else ""
        self._kinds = _by_value((exports.sent, "send"), (exports.failed, "bounce"), (exports.not_sent, ""))
        if log == TRACKING:
            self._kinds = _by_value(
                (exports.opens, "open"), (exports.clicks, "click"), (exports.no_events, "")
            )
        self._types = _by_value((exports.hard, "hard"), (exports.soft, "soft"))

    def read(self, fields: Sequence[str]) -> EmailEvent | Left:
        """The event of a line; raises BadLine."""
        if len(fields) != self._width:
            raise BadLine("line_width", f"{len(fields)} instead of {self._width} columns")
        column = "status" if self.log == DELIVERY else "type"
        kind = self._kinds.get(self._text(fields, column).lower())
        if kind is None:
            raise BadLine("kind_unknown", column)
        if not kind:
            return Left("no_event")
        for flag in ("proof", "seed"):
            if self._flag(fields, flag):
                return Left(flag)
        contact = self._text(fields, "contact").lower()
        if not GUID.fullmatch(contact):
            # Profiles that did not come from Dynamics, and seed addresses.
            return Left("no_contact")
        at = self._time(fields, "at")
        return EmailEvent(
            kind=kind,
            log=self.log,
            log_id=self._of + self._required(fields, "log_id", 100),
            modified=self._time(fields, "modified") if "modified" in self._places else at,
            delivery=self._required(fields, "delivery", LONGEST["delivery"]),
            campaign=self._text(fields, "campaign")[: LONGEST["campaign"]],
            contact=contact,
            at=at,
            url=self._text(fields, "url")[: LONGEST["url"]] if kind == "click" else "",
            mirror=self._text(fields, "mirror")[: LONGEST["mirror"]],
            bounce_type=self._bounce_type(fields) if kind == "bounce" else "",
            bounce_reason=self._reason(fields) if kind == "bounce" else "",
            agent=self._text(fields, "agent")[: LONGEST["agent"]] if "agent" in self._places else NO_AGENT,
        )

    def _text(self, fields: Sequence[str], field: str) -> str:
        place = self._places.get(field)
        return "" if place is None else fields[place].strip()

    def _required(self, fields: Sequence[str], field: str, longest: int) -> str:
        text = self._text(fields, field)
        if not text:
            raise BadLine("value_missing", field)
        if len(text) > longest:
            raise BadLine("name_too_long", field)
        return text

    def _flag(self, fields: Sequence[str], field: str) -> bool:
        text = self._text(fields, field).lower()
        if text in ("", "0", "false", "no"):
            return False
        if text in ("1", "true", "yes"):
            return True
        raise BadLine("flag_unknown", field)

    def _time(self, fields: Sequence[str], field: str) -> float:
        try:
            found = datetime.fromisoformat(self._text(fields, field))
        except ValueError:
            raise BadLine("date_wrong", field) from None
        if found.tzinfo is None:
            found = found.replace(tzinfo=self._zone)
        if not 2000 <= found.year < 2100:
            raise BadLine("date_wrong", field)
        # As fine as it is stored: finer, a line read again would look newer than its row.
        return int(found.astimezone(UTC).timestamp() * 1000 + 0.5) / 1000

    def _bounce_type(self, fields: Sequence[str]) -> str:
        text = self._text(fields, "bounce_type").lower()
        # Without a type nobody said that the address is dead: soft.
        return self._types.get(text, "soft")

    def _reason(self, fields: Sequence[str]) -> str:
        text = self._text(fields, "bounce_reason")
        return REASONS.get(text, text)[: LONGEST["bounce_reason"]]


def _by_value(*groups: tuple[Names, str]) -> dict[str, str]:
    return {value.lower(): meaning for values, meaning in groups for value in values}
