"""Parents and children beyond one chunk: how parents stand, who is left, and who is to be woken (design 4.4).

`record:<parent>` rows of the table `parked` are children that wait for a parent, `children:<record>` rows are deletes
that wait for children. Each is written before its writer looks once more, and each waker writes before he looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import replace

from sync import telemetry
from sync.flows.context import Context
from sync.flows.dispatch import dispatch
from sync.model import Change, ChangeKind, Intent, Lane, LedgerRow, RecordRef, State
from sync.planning.ties import CHILDREN_LEFT
from sync.storage.history import Parked
from sync.storage.ledger import FIRST_EPOCH, bucket_of, epoch_of, partition_of

BATCH = 500


def awaiting(parent: RecordRef) -> str:
    """What a child of this parent awaits."""
    return f"record:{parent}"


def childless(record: RecordRef) -> str:
    """What the delete of this record awaits."""
    return f"children:{record}"


async def buckets_of(context: Context, mapping: str) -> int:
    """The bucket count of a mapping, which never changes; 0 while it has no active version."""
    if mapping not in context.buckets:
        version = await context.mappings.active(mapping)
        if version is None:
            return 0
        context.buckets[mapping] = version.buckets
    return context.buckets[mapping]


async def ledger_rows(context: Context, refs: Collection[RecordRef]) -> dict[RecordRef, LedgerRow | None]:
    """The ledger rows of records of any mappings; None where the mapping is not active."""
    names = sorted({ref.mapping for ref in refs})
    counts = dict(zip(names, await asyncio.gather(*(buckets_of(context, n) for n in names)), strict=True))
    found = await asyncio.gather(*(context.watermarks.progress(name) for name in names))
    epochs = {progress.mapping: progress.epoch for progress in found}

    async def row(ref: RecordRef) -> LedgerRow | None:
        if not counts[ref.mapping]:
            return None
        bucket = bucket_of(ref.record_id, counts[ref.mapping])
        return await context.ledger.get(partition_of(ref.mapping, epochs[ref.mapping], bucket), ref.record_id)

    wanted = list(dict.fromkeys(refs))
    return dict(zip(wanted, await asyncio.gather(*(row(ref) for ref in wanted)), strict=True))


async def mark_parents(context: Context, mappings: Collection[str]) -> None:
    """Before the first row that names a parent of these mappings: from then on its workers look for children."""
    for mapping in sorted(set(mappings) - context.parents):
        await context.links.mark(mapping)
        context.parents.add(mapping)


async def may_be_parent(context: Context, mapping: str) -> bool:
    """Whether any child ever named a record of this mapping; asked after the write that children must see."""
    if mapping not in context.parents and await context.links.marked(mapping):
        context.parents.add(mapping)
    return mapping in context.parents


async def has_children(context: Context, parent: RecordRef) -> bool:
    """Whether a child may point to the record; rows that a crash left behind are removed on the way."""
    async for link in context.links.children(parent):
        if link.child == parent:
            continue
        row = (await ledger_rows(context, [link.child]))[link.child]
        if row is None or parent in row.parents or not await _said_all(context, link.child, row, parent):
            return True
        if not await context.links.remove(parent, link.child, link.etag):
            return True
    return False


async def _said_all(context: Context, child: RecordRef, row: LedgerRow, parent: RecordRef) -> bool:
    """Whether a row that does not name the parent means that Campaign holds no link to it."""
    if tells(row):
        return True
    # One whose own delete waits has emptied its optional links.
    waits = row.state is State.PARKED and row.code == CHILDREN_LEFT
    return waits and parent.mapping in (await context.active(child.mapping)).optional_parents


def tells(row: LedgerRow) -> bool:
    """Whether a record's row says all that it may point to in Campaign.

    After a rebaseline it does not until the outcome of a call is known: what the epoch before sent is still there.
    """
    return row.etag is not None and (epoch_of(row.partition) == FIRST_EPOCH or not row.unresolved)


async def send_again(context: Context, refs: Collection[RecordRef], lane: Lane, intent: Intent) -> None:
    """Send records of any mappings again as re-reads."""
    by_mapping: dict[str, list[str]] = {}
    for ref in refs:
        by_mapping.setdefault(ref.mapping, []).append(ref.record_id)
    for mapping, ids in by_mapping.items():
        if not await buckets_of(context, mapping):
            continue
        progress = await context.watermarks.progress(mapping)
        changes = [Change(record_id, ChangeKind.REREAD) for record_id in ids]
        await dispatch(context, changes, progress=progress, lane=lane, intent=intent)


async def wake_children(context: Context, parent: RecordRef, lane: Lane) -> None:
    """A parent has landed, or is gone for good: whoever waits for it is sent again."""
    waiting = context.parked.all(awaiting(parent))
    count = await _send_all(context, (RecordRef(i.mapping, i.record_id) async for i in waiting), lane)
    if count:
        telemetry.event("children_woken", mapping=parent.mapping, record=parent.record_id, records=count)


async def wake_parent(context: Context, parent: RecordRef) -> None:
    """A child no longer points to this record: its delete is tried again if it waits."""
    item = await context.parked.get(childless(parent), parent.mapping, parent.record_id)
    if item is not None:
        await send_again(context, [parent], Lane.LIVE, Intent.NONE)


async def send_children(context: Context, parent: RecordRef) -> int:
    """Send every child of a record that is to be deleted again: each goes by its own rule."""
    links = context.links.children(parent)
    return await _send_all(context, (i.child async for i in links if i.child != parent), Lane.LIVE)


async def _send_all(context: Context, refs: AsyncIterator[RecordRef], lane: Lane) -> int:
    """Send records again, in batches; how many. A crowd does not keep the live lane: it goes by the backfill's."""
    batch: list[RecordRef] = []
    count = 0
    async for ref in refs:
        if len(batch) == BATCH:
            await send_again(context, batch, lane, Intent.WOKEN)
            batch, lane = [], Lane.BACKFILL
        batch.append(ref)
        count += 1
    await send_again(context, batch, lane, Intent.WOKEN)
    return count


async def wait_for_children(context: Context, record: RecordRef) -> Parked:
    """Say that a delete waits; the row as it is now, `sent` telling whether the children have been sent."""
    known = await context.parked.get(childless(record), record.mapping, record.record_id)
    now = context.clock.now()
    item = Parked(childless(record), record.mapping, record.record_id, CHILDREN_LEFT, now)
    return await context.parked.add(item if known is None else replace(item, sent=known.sent))
