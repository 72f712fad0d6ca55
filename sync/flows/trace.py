"""trace: everything that is known of one record, on both sides and in between; nothing is written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from sync.consent_row import ConsentRow
from sync.flows.context import Context
from sync.flows.family import awaiting, childless
from sync.flows.preview import Preview
from sync.model import LedgerRow, RecordRef, SourceRow
from sync.planning.compile import CompiledMapping
from sync.planning.expected import Expected
from sync.storage.events import Events
from sync.storage.history import Event, Parked
from sync.storage.ledger import bucket_of, partition_of

MOST_CHILDREN = 100


@dataclass(frozen=True)
class Trace:
    """One record under one mapping. `source` None: Dynamics has no such row; `found` are records in Campaign."""

    mapping: str
    record: str
    row: LedgerRow
    expected: Expected
    source: SourceRow | None
    found: int
    modified: str
    """When Campaign last changed the record, as it says."""
    blocked: bool
    parked: tuple[Parked, ...] = ()
    history: tuple[Event, ...] = ()
    consent: ConsentRow | None = None
    events: dict[str, int] = field(default_factory=dict)
    """E-mail events by kind; those that wait for work as `open`."""
    children: tuple[RecordRef, ...] = ()
    """Records that point to it, or may."""


async def trace(
    context: Context, compiled: CompiledMapping, record: str, events: Events | None, *, lines: int
) -> Trace:
    """Look everywhere; `events` None leaves them out, since they have to be searched for. Raises SyncError."""
    preview = Preview(context, compiled)
    await preview.open()
    row, source, refs = await preview.look(record)
    return Trace(
        mapping=compiled.name,
        record=record,
        row=row,
        expected=(await preview.of_ids([record]))[0],
        source=source,
        found=len(refs),
        modified=str(refs[0].shown.get("lastModified", "")) if refs else "",
        blocked=record in await context.blocked.among([record]),
        parked=tuple([item async for item in _parked(context, row, RecordRef(compiled.name, record))]),
        history=tuple(await context.history.of(compiled.name, record, most=lines)),
        consent=await _consent(context, compiled.name, record),
        events={} if events is None else await _events(events, record),
        children=await _children(context, RecordRef(compiled.name, record)),
    )


async def _parked(context: Context, row: LedgerRow, me: RecordRef) -> AsyncIterator[Parked]:
    """What it waits for: an approval, its parents, its children."""
    for name in (f"approval:{me.mapping}", *(awaiting(ref) for ref in row.awaits), childless(me)):
        found = await context.parked.get(name, me.mapping, me.record_id)
        if found is not None:
            yield found


async def _consent(context: Context, mapping: str, record: str) -> ConsentRow | None:
    if context.consent_map is None or context.consent_map.consent != mapping:
        return None
    progress = await context.watermarks.progress(mapping)
    bucket = bucket_of(record, context.buckets[mapping])
    row = await context.consents.get(partition_of(mapping, progress.epoch, bucket), record)
    return row if row.etag is not None else None


async def _events(events: Events, record: str) -> dict[str, int]:
    """A search over all deliveries: their rows are kept by delivery, not by contact."""
    found: dict[str, int] = {}
    async for row in events.scan(("RowKey", "ge", f"{record}:"), ("RowKey", "lt", f"{record};")):
        kind = row.key.split(":")[1]
        found[kind] = found.get(kind, 0) + 1
        found["open"] = found.get("open", 0) + row.open
    return found


async def _children(context: Context, me: RecordRef) -> tuple[RecordRef, ...]:
    found: list[RecordRef] = []
    async for link in context.links.children(me):
        found.append(link.child)
        if len(found) == MOST_CHILDREN:
            break
    return tuple(found)
