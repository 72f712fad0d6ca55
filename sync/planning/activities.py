"""How email events show in Dynamics, as `mappings/events.yaml` states it (docs/events.md); made by `load_events`.

Table and column names are the tenant's own: set-up creates what is missing under these names, and Adobe's AppSource
tables can be kept by naming them here. A field without a column is not written.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from sync.planning.exports import Exports
from sync.planning.spelling import Column, Text

Prefix = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9]{1,7}$")]
Unique = Annotated[StrictStr, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
Length = Annotated[StrictInt, Field(ge=1, le=4000)]
Id = Annotated[StrictStr, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Label = Annotated[StrictStr, Field(min_length=1, max_length=200)]


class EventKind(StrEnum):
    """What happened to an email; the value is the key in the file."""

    SEND = "send"
    OPEN = "open"
    CLICK = "click"
    BOUNCE = "bounce"


class Granularity(StrEnum):
    """Which events share one activity. PER_DELIVERY: all kinds in the send table, with counters and last dates."""

    EVERY_EVENT = "every_event"
    FIRST_OF_KIND = "first_of_kind"
    PER_DELIVERY = "per_delivery"


FieldType = Literal["text", "url", "datetime", "integer"]


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """Type, display name and, of a text, the length a column gets that set-up creates."""

    type: FieldType
    label: str
    length: int = 0


FIELDS: dict[str, FieldSpec] = {
    "campaign_name": FieldSpec("text", "Campaign Name", 200),
    "delivery_name": FieldSpec("text", "Delivery Name", 200),
    "date_sent": FieldSpec("datetime", "Date Sent"),
    "date_opened": FieldSpec("datetime", "Date Opened"),
    "date_clicked": FieldSpec("datetime", "Date Clicked"),
    "date_bounced": FieldSpec("datetime", "Date Bounced"),
    "mirror_page_url": FieldSpec("url", "Mirror Page URL", 2000),
    "tracking_url": FieldSpec("url", "Tracking URL", 2000),
    "bounce_type": FieldSpec("text", "Bounce Type", 20),
    "bounce_reason": FieldSpec("text", "Bounce Reason", 200),
    "open_count": FieldSpec("integer", "Opens"),
    "click_count": FieldSpec("integer", "Clicks"),
}
"""Display names are Adobe's where Adobe has the field (adobe.md A.4)."""

_ALWAYS = ("campaign_name", "delivery_name", "mirror_page_url")
COUNTERS = ("open_count", "date_opened", "click_count", "date_clicked")
"""Of the send table, written with granularity `per_delivery` only; the dates are the last ones."""
BOUNCE_MARK = ("date_bounced", "bounce_type", "bounce_reason")
"""Of the send table: filled when the send later turned into a bounce."""
KIND_FIELDS: dict[EventKind, tuple[str, ...]] = {
    EventKind.SEND: (*_ALWAYS, "date_sent", *BOUNCE_MARK, *COUNTERS),
    EventKind.OPEN: (*_ALWAYS, "date_opened"),
    EventKind.CLICK: (*_ALWAYS, "date_clicked", "tracking_url"),
    EventKind.BOUNCE: (*_ALWAYS, "date_bounced", "bounce_type", "bounce_reason"),
}
"""The fields each kind's table may have a column for."""
DATE_FIELDS: dict[EventKind, str] = {
    EventKind.SEND: "date_sent",
    EventKind.OPEN: "date_opened",
    EventKind.CLICK: "date_clicked",
    EventKind.BOUNCE: "date_bounced",
}
"""When the event of this kind happened."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _named(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class ColumnName(_Strict):
    """A column of the tenant: its logical name, and the length of a text where it is not the usual one."""

    name: Column
    length: Length | None = None


@dataclass(frozen=True, slots=True)
class ActivityColumn:
    """One field of one table: where it is written, as what, and how long it may be (0: not a text)."""

    field: str
    name: str
    type: FieldType
    label: str
    length: int


class ActivityTable(_Strict):
    """The activity table of one kind. `subject`, `regardingobjectid` and `ownerid` are inherited and need no line."""

    enabled: StrictBool = True
    """False: events of this kind are read and counted, but not written."""
    table: Column
    entity_set: Column
    display_name: Label
    columns: dict[StrictStr, Annotated[ColumnName, BeforeValidator(_named)]]

    @cached_property
    def by_field(self) -> dict[str, ActivityColumn]:
        """The tenant's columns by field, in the order of the file."""
        found: dict[str, ActivityColumn] = {}
        for field, named in self.columns.items():
            spec = FIELDS[field]
            length = 0 if not spec.length else named.length or spec.length
            found[field] = ActivityColumn(field, named.name, spec.type, spec.label, length)
        return found

    def column(self, field: str) -> ActivityColumn | None:
        """The column that a field is written to, if the tenant has one."""
        return self.by_field.get(field)

    def all_columns(self) -> tuple[ActivityColumn, ...]:
        """Every field that has a column."""
        return tuple(self.by_field.values())


class Tables(_Strict):
    """One table per kind."""

    send: ActivityTable
    open: ActivityTable
    click: ActivityTable
    bounce: ActivityTable

    def of(self, kind: EventKind) -> ActivityTable:
        """The table of a kind."""
        table: ActivityTable = getattr(self, kind.value)
        return table

    def all(self) -> tuple[tuple[EventKind, ActivityTable], ...]:
        """All of them, in the order send, open, click, bounce."""
        return tuple((kind, self.of(kind)) for kind in EventKind)


class Publisher(_Strict):
    """Whose tables these are; every new table and column starts with `prefix` and `_`."""

    unique_name: Unique
    display_name: Label
    prefix: Prefix
    option_value_prefix: Annotated[StrictInt, Field(ge=10_000, le=99_999)]


class Solution(_Strict):
    """What set-up puts its tables and its role in."""

    unique_name: Unique
    display_name: Label


class Owner(_Strict):
    """Who owns the activities: a user or a team, by id."""

    kind: Literal["user", "team"]
    id: Id


class FollowUp(_Strict):
    """A task for the contact's owner, at most one per contact and delivery; off unless `enabled`."""

    enabled: StrictBool = False
    subject: Label
    due_days: Annotated[StrictInt, Field(ge=0, le=365)] = 0
    """Days from the event until it is due."""
    within_days: Annotated[StrictInt, Field(ge=1, le=400)] = 7
    """An event that is older when it is worked makes no task: a first import floods nobody's list."""


class FollowUps(_Strict):
    """Adobe ships these as workflows (adobe.md A.4)."""

    click: FollowUp = FollowUp(subject="Follow up on URL click")
    hard_bounce: FollowUp = FollowUp(subject="Reconcile invalid e-mail address")


class EventOptions(_Strict):
    """What is written, and how."""

    granularity: Granularity = Field(Granularity.EVERY_EVENT, strict=False)
    soft_bounces: StrictBool = False
    """True: soft bounces are written too; Adobe's connector writes hard bounces only."""
    filter_bots: StrictBool = False
    """True: opens and clicks that look like a machine's are counted and left out (rule: docs/events.md)."""
    close: StrictBool = False
    """True: activities are completed once written; a salesperson's open list stays short."""
    owner: Owner | None = None
    """None: the application user, as with Adobe's connector."""
    retention_months: Annotated[StrictInt, Field(ge=0, le=240)] = 0
    """Activities older than this are deleted; 0 keeps all."""


class Events(_Strict):
    """The whole file."""

    events: Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
    """Its name: part of table keys and log events."""
    options: EventOptions = EventOptions()
    exports: Exports = Exports()
    """How Campaign writes the log exports (docs/campaign-setup.md)."""
    follow_up_tasks: FollowUps = FollowUps()
    tables: Tables
    publisher: Publisher
    solution: Solution
    role: Text = "Adobe Campaign Sync"
    """Name of the least-privilege security role that set-up creates."""
