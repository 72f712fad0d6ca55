"""rebaseline: start epoch + 1 in the environment that the settings name (design 4.1).

The epoch is in the keys, so versions and hashes of the older one do not count. Both watermark rows are replaced in
one transaction by fresh ones that carry the new environment's ids; the next pull starts generation 1.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from sync import telemetry
from sync.errors import SyncError
from sync.flows.commands import RunNow, send
from sync.flows.context import Context
from sync.flows.deletes import approval_of
from sync.flows.status import FLOWS
from sync.storage.history import Parked
from sync.storage.watermarks import Progress, Tick

CHILDREN = Parked("children:", "", "", "", 0.0)
"""Before the first delete that waits for children."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The environment recorded and the one the settings name."""

    mapping: str
    epoch: int
    records: int
    """Records of the last full read."""
    organization_before: str
    organization: str
    campaign_before: str
    campaign: str
    dialect_before: str = ""
    dialect: str = ""
    """Generation of Campaign; empty where it is not known."""

    @property
    def changed(self) -> bool:
        before = (self.organization_before, self.campaign_before)
        other = bool(self.dialect_before and self.dialect) and self.dialect_before != self.dialect
        return other or before != (self.organization, self.campaign)


async def look(context: Context, mapping: str) -> Baseline:
    """What a rebaseline would replace; asks Dynamics who it is. Raises SyncError."""
    await context.active(mapping)
    progress = await context.watermarks.progress(mapping)
    return Baseline(
        mapping,
        progress.epoch,
        max(progress.total, progress.records),
        progress.organization,
        await context.dynamics.organization_id(),
        progress.campaign,
        context.campaign_tenant,
        progress.dialect,
        await _dialect(context),
    )


async def _dialect(context: Context) -> str:
    """What Campaign speaks, empty while it cannot be asked."""
    with suppress(SyncError):
        await context.know_addressing()
    return context.dialect


async def rebaseline(context: Context, baseline: Baseline) -> int:
    """Start the next epoch and return it; raises RowConflict if a pull moved the rows meanwhile: nothing is changed."""
    mapping = baseline.mapping
    tick, progress = await context.watermarks.both(mapping)
    epoch = progress.epoch + 1
    fresh = Progress(
        mapping,
        etag=progress.etag,
        epoch=epoch,
        organization=baseline.organization,
        campaign=baseline.campaign,
        dialect=baseline.dialect,
        started=context.clock.now(),
    )
    await context.watermarks.write_both(Tick(mapping, etag=tick.etag), fresh)
    telemetry.event("rebaselined", mapping=mapping, epoch=epoch)
    await _forget(context, mapping)
    await send(context.lanes, RunNow(mapping=mapping))
    return epoch


async def _forget(context: Context, mapping: str) -> None:
    """What told of the older epoch: deletes that waited, reasons to stop, counters of states."""
    async for item in context.parked.all(approval_of(mapping)):
        await context.parked.remove(item.awaited, item.mapping, item.record_id)
    async for item in context.parked.since(CHILDREN):
        if not item.awaited.startswith(CHILDREN.awaited):
            break
        # Its children were sent in the older epoch: `wake_parked` sends them again now, not after hours.
        await context.parked.add(replace(item, sent=0.0))
    for flow in FLOWS:
        await context.control.resume(mapping, flow)
    totals = await context.counters.totals(mapping)
    for name, count in totals.items():
        if count and name.startswith(("state:", "code:", "on:")):
            context.counters.count(mapping, name, -count)
    await context.counters.flush(now=True)
