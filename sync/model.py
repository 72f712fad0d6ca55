"""The words of the sync as frozen types, and the two protocols (clock, random source) it takes from outside.

Times are unix seconds (float, UTC) inside the code and ISO-8601 text in storage.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

Row = MappingABC[str, Any]


class Clock(Protocol):
    """Where time comes from; nothing else in `sync/` asks the machine for it."""

    def now(self) -> float:
        """Unix seconds, UTC."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class Random(Protocol):
    """Where chance comes from (a `random.Random` satisfies it)."""

    def getrandbits(self, k: int, /) -> int: ...

    def random(self) -> float: ...


def to_iso(seconds: float) -> str:
    """Unix seconds as `2026-11-24T10:50:08.123Z`: sorts as text, millisecond precision."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def from_iso(text: str) -> float:
    """The unix seconds of an ISO-8601 text with a zone; raises ValueError."""
    return datetime.fromisoformat(text).timestamp()


class Lane(enum.StrEnum):
    """The queues; each starves no other (design 4.2)."""

    CONSENT = "consent"
    LIVE = "live"
    BACKFILL = "backfill"
    BACKFILL_HOLD = "backfill-hold"
    PAUSED = "paused"
    """Messages of what a person has paused; like `backfill-hold` without a trigger."""
    EVENTS = "events"
    CONTROL = "control"


class ChangeKind(enum.StrEnum):
    UPSERT = "upsert"
    DELETE = "delete"
    REREAD = "reread"


class Intent(enum.StrEnum):
    """Why a change is sent again; empty for what a pull observed."""

    NONE = ""
    REPLAY = "replay"
    """Re-read and compare; an unchanged record costs no call."""
    RETRY = "retry"
    """A person (or a wake-up) asks for a parked, quarantined or held record again."""
    WOKEN = "woken"
    """What the record waited for has changed: as RETRY, but what a person put on hold stays there."""
    FORCE = "force"
    """Send even if unchanged, with the fields that updates leave out (`replay --force`)."""
    HEAL = "heal"
    """Send even if unchanged, without those fields: what somebody changed in Campaign (`reconcile --heal`)."""
    EXTRA = "extra"
    """Delete what has no record in Dynamics, though nothing was known of it (`reconcile --delete-extras`)."""
    APPROVED = "approved"
    """A delete that a person let through the brake."""


class State(enum.StrEnum):
    """Where a record stands in the ledger (design section 3)."""

    NEW = "new"
    SYNCED = "synced"
    PARKED = "parked"
    HOLD = "hold"
    QUARANTINED = "quarantined"
    DELETED = "deleted"
    FILTERED = "filtered"
    """In Dynamics, but outside the mapping's filter or first load. `hash` "": nothing of it is in Campaign."""


class RecordRef(NamedTuple):
    """A record of a mapping, as a child points to its parent: `accounts:<id>` in rows."""

    mapping: str
    record_id: str

    def __str__(self) -> str:
        return f"{self.mapping}:{self.record_id}"

    @classmethod
    def parse(cls, text: str) -> RecordRef:
        mapping, _, record_id = text.partition(":")
        return cls(mapping, record_id)


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One Dynamics row as read: id (lower-case GUID), row version (`@odata.etag`), selected columns."""

    record_id: str
    version: int
    values: Row


@dataclass(frozen=True, slots=True)
class Change:
    """One observation of one source record. `row` is set for upserts only."""

    record_id: str
    kind: ChangeKind
    row: SourceRow | None = None


@dataclass(frozen=True, slots=True)
class SourcePage:
    """One page of a Dynamics read; `delta_link` only on the last page of a tracked read."""

    rows: tuple[SourceRow, ...]
    deletes: tuple[str, ...] = ()
    next_link: str | None = None
    delta_link: str | None = None


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """What the sync knows of one record; `etag` None means that no row is stored yet.

    `hash` is what Campaign was last sent ("" = we believe no profile is there). `unresolved` means that a call may
    have been made whose outcome is unknown, in an epoch before too; only the outcome of a later call clears it.
    `claim_owner` "" = no claim;
    `claim_until` is the owner's deadline, `take_over` when others may claim (unix seconds). `noted`: the claim's worker
    lived to note that its outcome is unknown. `attempts` counts claims that nobody closed, `failures` refused calls.
    `parents` are those that Campaign may hold a link to, `awaits` those that the source points to and that were not sent.
    `heir` is the record into which this one was merged, as last read, if merges are followed.
    """

    partition: str
    record_id: str
    etag: str | None = None
    state: State = State.NEW
    version: int = -1
    hash: str = ""
    unresolved: bool = False
    claim_owner: str = ""
    claim_until: float = 0.0
    take_over: float = 0.0
    noted: bool = False
    attempts: int = 0
    failures: int = 0
    mapping_version: str = ""
    code: str = ""
    updated: float = 0.0
    correlation: str = ""
    parents: tuple[RecordRef, ...] = ()
    awaits: tuple[RecordRef, ...] = ()
    heir: str = ""

    @property
    def claimed(self) -> bool:
        return bool(self.claim_owner)

    def released(self) -> LedgerRow:
        """Without its claim."""
        return replace(self, claim_owner="", claim_until=0.0, take_over=0.0, noted=False)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Changes of one partition, each record at most once, and how they were read.

    `columns_hash`, `generation` and `reading` say with which columns, in which generation, and whether that was still
    being read (its read running or closing). `redelivered` counts abnormal deliveries before this message.
    `not_before` / `permits`: a budget reservation that this chunk comes back for.
    """

    mapping: str
    epoch: int
    bucket: int
    lane: Lane
    changes: tuple[Change, ...]
    columns_hash: str = ""
    generation: int = 0
    reading: bool = False
    intent: Intent = Intent.NONE
    redelivered: int = 0
    reserved_at: float = 0.0
    permits: int = 0
    correlation: str = ""

    def alone(self, change: Change) -> Chunk:
        """The same for one of its records, without the reservation."""
        return replace(self, changes=(change,), reserved_at=0.0, permits=0)


@dataclass(frozen=True, slots=True)
class EmailEvent:
    """One line of a Campaign log, whatever it was read from (adobe.md B.9).

    `kind` is send, open, click or bounce; `log` the table it came from (`delivery`, `tracking`), in which `log_id` is
    unique. `modified` is the line's version, `at` when it happened (both unix seconds). `delivery` and `campaign` are
    Campaign's ids (`name`), `contact` the profile's externalId. No e-mail address is kept.
    """

    kind: str
    log: str
    log_id: str
    modified: float
    delivery: str
    campaign: str
    contact: str
    at: float
    url: str = ""
    mirror: str = ""
    bounce_type: str = ""
    bounce_reason: str = ""
    agent: str = ""
    proof: bool = False
    seed: bool = False


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event as stored, with what became of it; its `key` begins with the contact.

    `open`: not worked yet. `revised`: another version was stored before. `code`: why it is closed without an activity,
    empty otherwise. `told` and `told_hash` say what is recorded about the activity kept under this key: with
    granularity `every_event` that of this event, else rows without an event keep it.
    """

    partition: str
    key: str
    event: EmailEvent | None
    etag: str | None = None
    open: bool = False
    revised: bool = False
    code: str = ""
    told: str = ""
    told_hash: str = ""
    updated: float = 0.0

    @property
    def contact(self) -> str:
        return self.key.partition(":")[0]
