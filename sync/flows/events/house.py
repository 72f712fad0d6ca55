"""House keeping of events: wake what waits, expire rows, delete old activities where that is switched on."""

from __future__ import annotations

from collections.abc import Sequence

from sync import telemetry
from sync.dynamics.activities import Target, Verb
from sync.errors import SyncError, Throttled
from sync.flows.events.apply import MONTH_S
from sync.flows.events.context import FLOW, EventContext
from sync.flows.events.message import EventMessage, PartitionName, send
from sync.flows.events.pull import DAY_S, guard
from sync.flows.events.standing import Standing, standings
from sync.flows.events.write import Ended, Writing
from sync.model import to_iso
from sync.planning.activities import DATE_FIELDS
from sync.storage.parked_events import ParkedEvent

WORK_S = 60.0
WAKE_S = 60.0
FAILED_AGAIN_S = 3600.0
AT_ONCE = 500


async def wake_events(context: EventContext) -> int:
    """Send parked events whose contact has appeared, drop those that waited too long; how many acted on."""
    if context.source is None or context.now() - context.woken_at < WAKE_S:
        return 0
    context.woken_at = context.now()
    try:
        epoch = (await guard(context)).epoch
        acted = 0
        part: list[ParkedEvent] = []
        async for parked in context.parked.all():
            part.append(parked)
            if len(part) == AT_ONCE:
                acted += await _wake(context, part, epoch)
                part = []
        acted += await _wake(context, part, epoch)
    except SyncError as error:
        await context.base.stopped(FLOW, "wake", error)
        return 0
    if acted:
        telemetry.event("events_woken", flow=FLOW, parked=acted)
    return acted


async def _wake(context: EventContext, parked: Sequence[ParkedEvent], epoch: int) -> int:
    """The message goes first: a crash behind it only repeats it."""
    standing = await standings(context.base, {one.contact for one in parked if one.contact})
    now = context.now()
    acted = 0
    for one in parked:
        waited = now - one.since
        if one.contact:
            known = standing[one.contact] is not Standing.UNKNOWN
            over = waited > context.settings.events_parked_days * DAY_S
            if over and not known:
                # Its rows stay closed as contact_unknown: nobody came.
                context.count("dropped:contact_never_came")
            if not known and not over:
                continue
            names = PartitionName(one.partition, (one.contact,)) if known else None
        else:
            names = PartitionName(one.partition) if waited > FAILED_AGAIN_S else None
            if names is None:
                continue
        if names is not None and one.partition.startswith(f"{epoch:04d}:"):
            await send(context, EventMessage(epoch, (names,)))
        await context.parked.remove(one)
        acted += 1
    return acted


async def expire_events(context: EventContext) -> int:
    """Remove event rows that are older than EVENTS_DAYS; a run works a minute and the next goes on."""
    control = context.base.control
    before = context.now() - context.settings.events_days * DAY_S
    until = context.now() + WORK_S
    token: str | None = await control.noted("_expire", "events") or None
    gone = 0
    while True:
        page = await context.events.older_than(before, token)
        gone += await context.events.remove(page.rows)
        token = page.token
        await control.note("_expire", "events", token or "")
        if token is None or context.now() >= until:
            return gone


async def delete_old_activities(context: EventContext) -> int:
    """Delete activities older than `retention_months`, in batches; nothing unless that is set."""
    if context.source is None:
        return 0
    events = context.configuration()
    months = events.options.retention_months
    if not months:
        return 0
    until = context.now() + WORK_S
    horizon = to_iso(context.now() - months * MONTH_S)[:19] + "Z"
    gone = 0
    try:
        await guard(context)
        for kind, table in events.tables.all():
            date = table.column(DATE_FIELDS[kind])
            if date is None:
                continue
            while context.now() < until:
                ids = await context.writer.older(table.entity_set, date.name, horizon)
                if not ids:
                    break
                writing = Writing(context, context.settings.claim_deadline(context.now()))
                targets = [(Verb.DELETE, Target(table.entity_set, table.table, one, {})) for one in ids]
                results = await writing.write(targets)
                done = sum(result.ended in (Ended.WRITTEN, Ended.GONE) for result in results.values())
                gone += done
                if done < len(ids):
                    raise Throttled("dynamics_throttled", WORK_S)
    except SyncError as error:
        await context.base.stopped(FLOW, "retention", error)
    if gone:
        telemetry.event("activities_deleted", flow=FLOW, activities=gone, months=months)
        context.count("did:deleted", gone)
    return gone
