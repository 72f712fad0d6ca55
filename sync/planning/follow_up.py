"""Follow-up tasks for clicks and hard bounces, at most one per contact and delivery: pure (docs/events.md).

A task belongs to the contact's owner once it is there: it is never corrected, and never created again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from uuid import uuid5

from sync.model import EmailEvent, EventRow
from sync.planning.activities import EventKind, Events, FollowUp
from sync.planning.events import NAMESPACE, Activity, time_text
from sync.planning.truncate import truncate

DAY_S = 24 * 3600.0
DESCRIPTION_LENGTH = 2000
STILL = ("", "kind_off")
"""Events that are shown, and those of a kind that is only not shown, lead to tasks; bots and old ones do not."""


def follow_ups(
    rows: Sequence[EventRow], left: Mapping[str, str], events: Events, *, now: float
) -> list[Activity]:
    """The tasks of one contact in one delivery; `left` says why rows lead to no activity (`plan_contact`)."""
    told = [(row, row.event) for row in rows if row.event is not None and left.get(row.key, "") in STILL]
    wanted = events.follow_up_tasks
    clicks = [(row, event) for row, event in told if event.kind == EventKind.CLICK]
    bounces = [
        (row, event) for row, event in told if event.kind == EventKind.BOUNCE and event.bounce_type == "hard"
    ]
    return [
        *_task("click", EventKind.CLICK, wanted.click, clicks, now),
        *_task("hard_bounce", EventKind.BOUNCE, wanted.hard_bounce, bounces, now),
    ]


def _task(
    name: str, kind: EventKind, wanted: FollowUp, found: Sequence[tuple[EventRow, EmailEvent]], now: float
) -> Iterator[Activity]:
    recent = [(row, event) for row, event in found if event.at >= now - wanted.within_days * DAY_S]
    if not wanted.enabled or not recent:
        return
    _, first = min(recent, key=lambda one: (one[1].at, one[0].key))
    yield Activity(
        id=str(uuid5(NAMESPACE, "|".join(("task", first.contact, first.delivery, name)))),
        kind=kind,
        contact=first.contact,
        key=f"{first.contact}:~task-{name}",
        columns={
            "subject": wanted.subject,
            "description": truncate(_description(kind, first), DESCRIPTION_LENGTH),
            "scheduledend": time_text(first.at + wanted.due_days * DAY_S),
        },
        hash="task",
        original=True,
        at=first.at,
        rows=tuple(row.key for row, _ in recent),
        parts=tuple(row.key for row, _ in recent),
        task=True,
    )


def _description(kind: EventKind, event: EmailEvent) -> str:
    """Adobe's words (adobe.md A.4), and what a salesperson needs beside them."""
    at = datetime.fromtimestamp(event.at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    verb = "clicked" if kind is EventKind.CLICK else "bounced"
    more = event.url if kind is EventKind.CLICK else event.bounce_reason
    lines = [f"Adobe campaign email {verb} at {at}", f"Campaign {event.campaign}, delivery {event.delivery}"]
    return "\n".join([*lines, more] if more else lines)
