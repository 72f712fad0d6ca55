"""From the stored events of one contact and delivery to the activities that Dynamics must show: pure, order-free.

The activities follow from the set of rows alone, so that overlap, duplicates and late lines, in any order, end in the
same timeline: counters and dates are computed anew each time, never added to.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid5

from sync.model import EmailEvent, EventRow
from sync.planning.activities import ActivityTable, EventKind, Events, Granularity
from sync.planning.truncate import truncate

NAMESPACE = UUID("5b0f4f0e-54c5-5c47-9a3c-6d2c0c1d9b7e")
"""Of all activity ids; changing it would write every activity a second time."""
SUBJECT_LENGTH = 200
BOT_SECONDS = 2.0
"""Nobody opens a mail this soon after it was sent: a filter at the recipient's side did."""
BOT_AGENT = re.compile(
    r"(?<!cu)bot\b|crawl|spider|preview|scanner|barracuda|mimecast|proofpoint|safelinks|urldefense|python-|curl/|wget/|"
    r"^\s*$|headless",
    re.IGNORECASE,
)
Value = str | int


@dataclass(frozen=True, slots=True)
class Activity:
    """One activity as it must be; `key` is the event row that keeps what is recorded about it.

    `columns` are the table's own columns by logical name, `None` clears one. `original`: nothing else can ever have
    been written under this id, so that one that exists already is this one. `rows` are shown by it; an open one of
    `parts` means that it must be looked at again, also one that is shown no longer.
    """

    id: str
    kind: EventKind
    contact: str
    key: str
    columns: Mapping[str, Value | None]
    hash: str
    original: bool
    at: float
    rows: tuple[str, ...]
    parts: tuple[str, ...]
    task: bool = False
    """A follow-up task (planning/follow_up.py): written once, then a person's."""


@dataclass(frozen=True, slots=True)
class Planned:
    """Activities, and the rows that lead to none with the reason why."""

    activities: tuple[Activity, ...] = ()
    left: Mapping[str, str] = field(default_factory=dict)


def plan_contact(rows: Sequence[EventRow], events: Events, *, oldest: float = 0.0) -> Planned:
    """The activities of one contact in one delivery; events before `oldest` belong to deleted activities."""
    left: dict[str, str] = {}
    kept: list[tuple[EventRow, EmailEvent]] = []
    told = [(row, row.event) for row in sorted(rows, key=lambda row: row.key) if row.event is not None]
    sent = {event.log_id: event.at for _, event in told if event.kind == EventKind.SEND}
    first_sent = min(sent.values(), default=None)
    for row, event in told:
        why = _left_out(event, events, oldest, first_sent)
        if why:
            left[row.key] = why
        else:
            kept.append((row, event))
    if not kept:
        return Planned((), left)
    groups = _grouped(kept, events.options.granularity)
    made = [_activity(kind, key, group, kept, told, events) for (kind, key), group in groups]
    return Planned(tuple(made), left)


def _left_out(event: EmailEvent, events: Events, oldest: float, sent: float | None) -> str:
    """Why an event is not shown, or ""; that its kind is off only if nothing else stands against it."""
    if event.kind == EventKind.BOUNCE and event.bounce_type != "hard" and not events.options.soft_bounces:
        return "soft_bounce"
    if event.at < oldest:
        return "older_than_retention"
    if events.options.filter_bots and event.kind in (EventKind.OPEN, EventKind.CLICK) and _bot(event, sent):
        return "bot"
    return "" if events.tables.of(EventKind(event.kind)).enabled else "kind_off"


def _bot(event: EmailEvent, sent: float | None) -> bool:
    """The rule of docs/events.md: the program names itself, or was faster than a person."""
    return bool(BOT_AGENT.search(event.agent)) or (sent is not None and event.at - sent < BOT_SECONDS)


Kept = Sequence[tuple[EventRow, EmailEvent]]


def _grouped(kept: Kept, granularity: Granularity) -> Sequence[tuple[tuple[EventKind, str], Kept]]:
    """Rows by the activity they belong to, and the key that keeps its record."""
    groups: dict[tuple[EventKind, str], list[tuple[EventRow, EmailEvent]]] = {}
    for row, event in kept:
        kind, key = EventKind(event.kind), row.key
        if granularity is Granularity.FIRST_OF_KIND:
            key = f"{row.contact}:~{event.kind}"
        elif granularity is Granularity.PER_DELIVERY:
            kind, key = EventKind.SEND, f"{row.contact}:~all"
        groups.setdefault((kind, key), []).append((row, event))
    return list(groups.items())


def _activity(kind: EventKind, key: str, group: Kept, kept: Kept, told: Kept, events: Events) -> Activity:
    granularity = events.options.granularity
    row, event = min(group, key=lambda one: (one[1].at, one[0].key))
    fields = _common(event)
    marks: tuple[str, ...] = ()
    if granularity is Granularity.PER_DELIVERY:
        fields |= _counters([event for _, event in group])
    else:
        fields |= _own(kind, event)
        if kind is EventKind.SEND:
            mark, marks = _bounce_mark(group, kept)
            fields |= mark
    latest = max(event.at for _, event in group)
    columns = {**_columns(events.tables.of(kind), fields), "sortdate": time_text(latest)}
    name = _name(granularity, kind, event)
    parts = _parts(event, told, granularity)
    return Activity(
        id=str(uuid5(NAMESPACE, "|".join(name))),
        kind=kind,
        contact=event.contact,
        key=key,
        columns=columns,
        hash=_hash(columns, events),
        original=not row.revised and len(parts) == 1,
        at=latest,
        rows=tuple(row.key for row, _ in group) + marks,
        parts=parts,
    )


def _parts(event: EmailEvent, told: Kept, granularity: Granularity) -> tuple[str, ...]:
    """Rows that have a part in this activity, or may have had one in another version: shown ones or not."""
    return tuple(
        row.key
        for row, other in told
        if granularity is Granularity.PER_DELIVERY
        or (granularity is Granularity.FIRST_OF_KIND and event.kind in (other.kind, "send"))
        or (other.log, other.log_id) == (event.log, event.log_id)
    )


def _name(granularity: Granularity, kind: EventKind, event: EmailEvent) -> tuple[str, ...]:
    """What an activity's id is made of; the id never depends on what may change."""
    if granularity is Granularity.EVERY_EVENT:
        return ("event", event.log, event.log_id, event.kind)
    if granularity is Granularity.FIRST_OF_KIND:
        return ("first", event.contact, event.delivery, kind.value)
    return ("delivery", event.contact, event.delivery)


def subject_of(event: EmailEvent) -> str:
    """Adobe's form, exactly (adobe.md A.4)."""
    return truncate(f"Campaign Name: {event.campaign}; Delivery Name: {event.delivery}", SUBJECT_LENGTH)


def _common(event: EmailEvent) -> dict[str, Value | None]:
    return {
        "subject": subject_of(event),
        "campaign_name": event.campaign or None,
        "delivery_name": event.delivery,
        "mirror_page_url": event.mirror or None,
    }


def _own(kind: EventKind, event: EmailEvent) -> dict[str, Value | None]:
    """What one event says."""
    if kind is EventKind.SEND:
        return {"date_sent": time_text(event.at)}
    if kind is EventKind.OPEN:
        return {"date_opened": time_text(event.at)}
    if kind is EventKind.CLICK:
        return {"date_clicked": time_text(event.at), "tracking_url": event.url or None}
    return {"date_bounced": time_text(event.at), **_bounce(event)}


def _bounce(event: EmailEvent) -> dict[str, Value | None]:
    return {"bounce_type": event.bounce_type or None, "bounce_reason": event.bounce_reason or None}


def _bounce_mark(group: Kept, kept: Kept) -> tuple[dict[str, Value | None], tuple[str, ...]]:
    """The bounce that a send later turned into: the same log line in a version that is not older."""
    sends = {event.log_id: event for _, event in group}
    bounces = [
        (row, event)
        for row, event in kept
        if event.kind == EventKind.BOUNCE
        and event.log_id in sends
        and event.modified >= sends[event.log_id].modified
    ]
    if not bounces:
        # Not left out: a newer line may have taken back what an older one marked.
        return {"date_bounced": None, "bounce_type": None, "bounce_reason": None}, ()
    row, event = max(bounces, key=lambda one: (one[1].modified, one[0].key))
    return {"date_bounced": time_text(event.at), **_bounce(event)}, (row.key,)


def _counters(events: Iterable[EmailEvent]) -> dict[str, Value | None]:
    """One activity for everything: first send, counts, last dates."""
    by_kind: dict[str, list[EmailEvent]] = {kind.value: [] for kind in EventKind}
    for event in sorted(events, key=lambda event: (event.at, event.log_id)):
        by_kind[event.kind].append(event)
    sends, opens, clicks, bounces = (by_kind[kind.value] for kind in EventKind)
    return {
        "open_count": len(opens),
        "click_count": len(clicks),
        "date_sent": time_text(sends[0].at) if sends else None,
        "date_opened": time_text(opens[-1].at) if opens else None,
        "date_clicked": time_text(clicks[-1].at) if clicks else None,
        "date_bounced": time_text(bounces[-1].at) if bounces else None,
        "bounce_type": bounces[-1].bounce_type or None if bounces else None,
        "bounce_reason": bounces[-1].bounce_reason or None if bounces else None,
    }


def _columns(table: ActivityTable, fields: Mapping[str, Value | None]) -> dict[str, Value | None]:
    """Fields by the tenant's column names, within their lengths; a URL that is too long would lead nowhere: left out."""
    columns: dict[str, Value | None] = {"subject": fields["subject"]}
    for name, value in fields.items():
        column = table.column(name) if name != "subject" else None
        if column is None:
            continue
        if isinstance(value, str) and column.length and len(value) > column.length:
            value = None if column.type == "url" else truncate(value, column.length)
        columns[column.name] = value
    return columns


def _hash(columns: Mapping[str, Value | None], events: Events) -> str:
    text = json.dumps([columns, events.options.close], sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def time_text(at: float) -> str:
    """Whole seconds: Dynamics keeps no more."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")[:-6] + "Z"
