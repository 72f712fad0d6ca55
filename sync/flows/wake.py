"""wake: send parked records again whose wake-up got lost, and give up after a week (design 4.4, 4.5).

One run looks at as much of the table as it has time for, and the next one goes on from there.
"""

from __future__ import annotations

from dataclasses import replace

from sync import telemetry
from sync.flows import drift
from sync.flows.context import Context
from sync.flows.family import has_children, ledger_rows, send_again, send_children
from sync.flows.pause import part_of
from sync.flows.replay import send_records
from sync.model import Intent, Lane, LedgerRow, RecordRef, State
from sync.planning.plan import DELETE_BRAKE
from sync.planning.rows import quarantine
from sync.planning.ties import CHILDREN_LEFT, Standing, standing
from sync.storage.history import Event, Parked
from sync.storage.ledger import bucket_of, partition_of

LONGEST_S = 7 * 24 * 3600
AGAIN_S = 3600.0
"""What was sent is queued already as a rule; its message is taken for lost after this."""
CHILDREN_AGAIN_S = 24 * 3600.0
"""The longest that children of a waiting delete are left alone: what they do by themselves wakes it as well."""
WORK_S = 120.0


async def wake_parked(context: Context) -> int:
    """Look at parked records; returns how many were sent or given up."""
    acted = 0
    until = context.clock.now() + WORK_S
    off = {version.mapping for version in await context.mappings.all() if not version.enabled}
    parents: dict[RecordRef, Standing] = {}
    stopped: dict[str, bool] = {}
    async for parked in context.parked.since(context.wake_from):
        if parked.awaited.startswith(("unreadable:", "consent:")) or parked.mapping in off:
            continue
        if context.clock.now() >= until:
            context.wake_from = parked
            break
        if await _stopped(context, parked.mapping, stopped):
            continue
        if parked.awaited.startswith("record:"):
            acted += await _child(context, parked, parents)
        elif parked.awaited.startswith("children:"):
            acted += await _parent(context, parked)
        else:
            acted += await _braked(context, parked)
    else:
        context.wake_from = None
    if acted:
        telemetry.event("parked_woken", records=acted)
    return acted


async def _stopped(context: Context, mapping: str, known: dict[str, bool]) -> bool:
    """Whether messages of a mapping are set aside, so that one more would only wait beside the others."""
    if mapping not in known:
        paused = await context.pauses.paused(mapping, part_of(Lane.LIVE))
        known[mapping] = paused or await context.control.paused(mapping, drift.FLOW) is not None
    return known[mapping]


async def _braked(context: Context, parked: Parked) -> int:
    """A delete that waits for approval."""
    settled = parked.approved or context.clock.now() - parked.since > context.settings.message_lease_s
    if settled and await _moved_on(context, parked):
        await context.parked.remove_unmoved(parked)
    elif parked.approved and context.clock.now() - parked.sent > AGAIN_S:
        await context.parked.add(replace(parked, sent=context.clock.now()))
        await send_records(context, parked.mapping, [parked.record_id], Intent.APPROVED)
        return 1
    elif not parked.approved and context.clock.now() - parked.since > LONGEST_S:
        return await _give_up(context, parked)
    return 0


async def _child(context: Context, parked: Parked, parents: dict[RecordRef, Standing]) -> int:
    """A record that waits for a parent; `parents` are those looked at in this run."""
    now, lease_s = context.clock.now(), context.settings.message_lease_s
    parent = RecordRef.parse(parked.awaited.removeprefix("record:"))
    row = await _row(context, parked)
    if row.claimed:
        return 0
    if parent not in row.awaits:
        # It is written before the ledger row that says so.
        if now - parked.since > lease_s:
            await context.parked.remove_unmoved(parked)
        return 0
    if parent not in parents:
        parents[parent] = standing((await ledger_rows(context, [parent]))[parent])
    parked_here = row.state is State.PARKED
    stands = parents[parent]
    if stands is Standing.READY or (stands is Standing.GONE and parked_here):
        # The usual wake-up is given its time.
        if now - parked.since <= lease_s or now - parked.sent <= AGAIN_S:
            return 0
        if parked_here and parked.sent > parked.since + LONGEST_S:
            return await _give_up(context, parked)
        await context.parked.add(replace(parked, sent=now))
        await send_again(context, [RecordRef(parked.mapping, parked.record_id)], Lane.LIVE, Intent.WOKEN)
        return 1
    if parked_here and now - parked.since > LONGEST_S:
        return await _give_up(context, parked)
    return 0


async def _parent(context: Context, parked: Parked) -> int:
    """A delete that waits for children."""
    now = context.clock.now()
    record = RecordRef(parked.mapping, parked.record_id)
    row = await _row(context, parked)
    if row.claimed:
        return 0
    if row.state is not State.PARKED or row.code != CHILDREN_LEFT:
        if now - parked.since > context.settings.message_lease_s:
            await context.parked.remove_unmoved(parked)
        return 0
    if not await has_children(context, record):
        if now - parked.tried <= AGAIN_S:
            return 0
        await context.parked.add(replace(parked, tried=now))
        await send_again(context, [record], Lane.LIVE, Intent.NONE)
        return 1
    wait = min(max(AGAIN_S, parked.sent - parked.since), CHILDREN_AGAIN_S)
    if now - parked.sent > wait:
        await context.parked.add(replace(parked, sent=now))
        return await send_children(context, record)
    return 0


async def _row(context: Context, parked: Parked) -> LedgerRow:
    await context.active(parked.mapping)
    progress = await context.watermarks.progress(parked.mapping)
    bucket = bucket_of(parked.record_id, context.buckets[parked.mapping])
    return await context.ledger.get(partition_of(parked.mapping, progress.epoch, bucket), parked.record_id)


async def _moved_on(context: Context, parked: Parked) -> bool:
    """Whether nothing waits any more: the row is written before the ledger's, whose write another worker may win."""
    row = await _row(context, parked)
    return not (row.state is State.PARKED and row.code == DELETE_BRAKE) and not row.claimed


async def _give_up(context: Context, parked: Parked) -> int:
    """Quarantine a record that waited too long; then remove the parked row."""
    compiled = await context.active(parked.mapping)
    row = await _row(context, parked)
    if row.state is State.PARKED and not row.claimed:
        stuck = replace(
            quarantine(row, "waited_too_long", row.version, compiled.version), updated=context.clock.now()
        )
        written = await context.ledger.write([stuck])
        if written.conflicts:
            return 0
        context.counters.count(parked.mapping, "state:parked", -1)
        context.counters.count(parked.mapping, "state:quarantined")
        context.counters.count(parked.mapping, "code:waited_too_long")
        await context.history.add(
            parked.mapping, [Event(parked.record_id, "quarantined", 0, "waited_too_long", parked.reason)]
        )
    elif row.claimed:
        return 0
    await context.parked.remove_unmoved(parked)
    return 1
