"""wake: send parked records again whose wake-up got lost, and give up after a week (design 4.4, 4.5)."""

from __future__ import annotations

from dataclasses import replace

from sync import telemetry
from sync.flows.context import Context
from sync.flows.replay import send_records
from sync.model import Intent, LedgerRow, State
from sync.planning.plan import quarantine
from sync.storage.history import Event, Parked
from sync.storage.ledger import bucket_of, partition_of

LONGEST_S = 7 * 24 * 3600
AGAIN_S = 3600.0
"""An approved delete is queued already as a rule; its message is taken for lost after this."""
WORK_S = 120.0


async def wake_parked(context: Context) -> int:
    """Look at every parked record; returns how many were sent or given up."""
    acted = 0
    until = context.clock.now() + WORK_S
    off = {version.mapping for version in await context.mappings.all() if not version.enabled}
    async for parked in context.parked.all():
        if parked.awaited.startswith(("unreadable:", "consent:")) or parked.mapping in off:
            continue
        if context.clock.now() >= until:
            break
        settled = parked.approved or context.clock.now() - parked.since > context.settings.message_lease_s
        if settled and await _moved_on(context, parked):
            await context.parked.remove(parked.awaited, parked.mapping, parked.record_id)
        elif parked.approved and context.clock.now() - parked.sent > AGAIN_S:
            await context.parked.add(replace(parked, sent=context.clock.now()))
            await send_records(context, parked.mapping, [parked.record_id], Intent.APPROVED)
            acted += 1
        elif not parked.approved and context.clock.now() - parked.since > LONGEST_S:
            acted += await _give_up(context, parked)
    if acted:
        telemetry.event("parked_woken", records=acted)
    return acted


async def _row(context: Context, parked: Parked) -> LedgerRow:
    await context.active(parked.mapping)
    progress = await context.watermarks.progress(parked.mapping)
    bucket = bucket_of(parked.record_id, context.buckets[parked.mapping])
    return await context.ledger.get(partition_of(parked.mapping, progress.epoch, bucket), parked.record_id)


async def _moved_on(context: Context, parked: Parked) -> bool:
    """Whether nothing waits any more: the row is written before the ledger's, whose write another worker may win."""
    row = await _row(context, parked)
    return row.state is not State.PARKED and not row.claimed


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
    await context.parked.remove(parked.awaited, parked.mapping, parked.record_id)
    return 1
