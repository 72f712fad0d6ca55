"""What Dynamics refused of the events, and another try of it when a person asks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass

from sync.flows.events.context import FLOW, EventContext
from sync.flows.events.message import EventMessage, PartitionName, send, send_contacts
from sync.flows.events.partition import refused
from sync.model import EmailEvent
from sync.storage.parked_events import RefusedEvents


@dataclass(frozen=True, slots=True)
class Refusal:
    """One event that is not shown because Dynamics took it not; `since` the first refusal of this contact there."""

    contact: str
    event: EmailEvent
    code: str
    since: float


async def _notes(context: EventContext, contacts: Collection[str]) -> AsyncIterator[RefusedEvents]:
    for contact in sorted(contacts) or [""]:
        async for note in context.parked.refused(contact):
            yield note


async def refused_events(
    context: EventContext, *, contacts: Collection[str] = (), code: str = ""
) -> AsyncIterator[Refusal]:
    """Refused events of some contacts or all, with one code or any; notes that nothing is behind are removed."""
    async for note in _notes(context, contacts):
        rows = (await context.events.of_contacts(note.partition, [note.contact]))[note.contact]
        found = [row for row in rows if refused(row.code) and row.event is not None]
        if not found:
            await context.parked.forget_refused(note.contact, note.partition)
        for row in found:
            if row.event is not None and code in ("", row.code):
                yield Refusal(note.contact, row.event, row.code, note.since)


async def retry_refused(context: EventContext, *, contacts: Collection[str] = (), code: str = "") -> int:
    """Queue them for another try; how many events. What is refused again is noted again."""
    epoch = (await context.base.watermarks.progress(FLOW)).epoch
    wanted: set[tuple[str, str]] = set()
    events = 0
    async for note in _notes(context, contacts):
        if not note.partition.startswith(f"{epoch:04d}:"):
            await context.parked.forget_refused(note.contact, note.partition)
            continue
        rows = (await context.events.of_contacts(note.partition, [note.contact]))[note.contact]
        codes = [row.code for row in rows if refused(row.code) and code in ("", row.code)]
        if codes:
            events += len(codes)
            wanted.add((note.partition, note.contact))
    await send_contacts(context, epoch, wanted)
    return events


async def retry_failed(context: EventContext) -> int:
    """Queue the partitions that ended workers again and again, without waiting for their hour; how many."""
    epoch = (await context.base.watermarks.progress(FLOW)).epoch
    failed = [one async for one in context.parked.all() if not one.contact]
    for one in failed:
        if one.partition.startswith(f"{epoch:04d}:"):
            await send(context, EventMessage(epoch, (PartitionName(one.partition),)))
        await context.parked.remove(one)
    return len(failed)
