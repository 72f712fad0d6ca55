"""report: once a minute, how the events flow stands, in the words of the mappings' reports (docs/operations.md)."""

from __future__ import annotations

from collections import Counter

from sync import telemetry
from sync.errors import SyncError
from sync.flows.events.context import FLOW, WAITS, EventContext
from sync.flows.health import mapping_health
from sync.storage.table import StorageFault

REPORT_S = 55.0
"""Ticks come every 30 s and are not exact."""


async def report_events(context: EventContext) -> bool:
    """Log the state if a minute has passed; a failure is logged and never fails the timer.

    What waits is counted up to a page of rows: that there is something is what an alert needs.
    """
    now = context.now()
    if context.source is None or now - context.reported_at < REPORT_S:
        return False
    context.reported_at = now
    try:
        health = await mapping_health(context.base, FLOW, WAITS)
        parked, _ = await context.parked.page(None)
        codes = Counter(one.code for one in await context.parked.some_refused())
    except (StorageFault, SyncError) as error:
        telemetry.warning("report_failed", flow=FLOW, kind=type(error).__name__)
        return False
    telemetry.event(
        "mapping_state",
        mapping=FLOW,
        phase="running",
        fresh=health.fresh,
        age_s=None if health.age_s is None else round(health.age_s, 1),
        quarantined=codes.total(),
        parked=len(parked),
        waits=",".join(f"{flow}:{code}" for flow, code in sorted(health.paused.items())),
    )
    for code, records in sorted(codes.items()):
        telemetry.event("quarantine_state", mapping=FLOW, code=code, records=records)
    return True
