"""House keeping of events: wake what waits, expire rows, delete old activities where that is switched on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sync import telemetry
from sync.dynamics.activities import Target, Verb
from sync.errors import SyncError, Throttled
from sync.flows.events.apply import MONTH_S
from sync.flows.events.context import FLOW, EventContext, guard
from sync.flows.events.message import EventMessage, PartitionName, send, send_contacts
from sync.flows.events.pull import DAY_S
from sync.flows.events.standing import Standing, standings
from sync.flows.events.write import Ended, Writing, stopping
from sync.flows.expire import Page
from sync.model import Lane, to_iso
from sync.planning.activities import ActivityTable
from sync.storage.parked_events import ParkedEvent

WAKE_S = 60.0
FAILED_AGAIN_S = 3600.0
PAGES_AT_ONCE = 4
"""Pages of parked events looked at in a minute: 2,000 contacts, at most 40 requests to Dynamics."""
RETENTION_S = 20.0
"""A tick deletes old activities so long, and only while no event waits to be written."""
RETENTION_WAIT_S = 60.0
_HOUSE = "_expire"


async def wake_events(context: EventContext) -> int:
    """Send parked events whose contact has appeared, drop those that waited too long; how many acted on.

    Each look goes on where the one before stopped: many contacts that never appear cost as much as few.
    """
    if context.source is None or context.now() - context.woken_at < WAKE_S:
        return 0
    context.woken_at = context.now()
    control = context.base.control
    acted = 0
    try:
        epoch = (await guard(context)).epoch
        token: str | None = await control.noted(_HOUSE, "parked-events") or None
        for _ in range(PAGES_AT_ONCE):
            parked, token = await context.parked.page(token)
            acted += await _wake(context, parked, epoch)
            if token is None:
                break
        await control.note(_HOUSE, "parked-events", token or "")
        await control.resume(FLOW, "wake")
    except SyncError as error:
        await context.base.stopped(FLOW, "wake", error)
    if acted:
        telemetry.event("events_woken", flow=FLOW, parked=acted)
    return acted


async def _wake(context: EventContext, parked: Sequence[ParkedEvent], epoch: int) -> int:
    """The messages go first: a crash behind them only repeats them."""
    standing, _ = await standings(context.base, {one.contact for one in parked if one.contact})
    done = [one for one in parked if _is_over(context, one, standing.get(one.contact))]
    ours = [one for one in done if one.partition.startswith(f"{epoch:04d}:")]
    appeared = [one for one in ours if one.contact and standing[one.contact] is not Standing.UNKNOWN]
    await send_contacts(context, epoch, [(one.partition, one.contact) for one in appeared])
    for one in ours:
        if not one.contact:
            await send(context, EventMessage(epoch, (PartitionName(one.partition),)))
    for one in done:
        if one.contact and standing[one.contact] is Standing.UNKNOWN:
            # Its rows stay closed as contact_unknown: nobody came.
            context.count("dropped:contact_never_came")
        await context.parked.remove(one)
    return len(done)


def _is_over(context: EventContext, one: ParkedEvent, standing: Standing | None) -> bool:
    """Whether waiting has ended, one way or the other."""
    waited = context.now() - one.since
    if not one.contact:
        return waited > FAILED_AGAIN_S
    return standing is not Standing.UNKNOWN or waited > context.settings.events_parked_days * DAY_S


def old_events(context: EventContext) -> Page:
    """Event rows that nothing has touched for EVENTS_DAYS: a page of them goes at a time (flows/expire.py)."""

    async def page(token: str | None) -> tuple[Counter[str], str | None]:
        found = await context.events.older_than(context.now() - context.settings.events_days * DAY_S, token)
        return Counter({FLOW: await context.events.remove(found.rows)}), found.token

    return page


def _retention_months(context: EventContext) -> int:
    """0: nothing is deleted. Nothing is either while the file cannot be used: the pull says so."""
    try:
        return context.configuration().options.retention_months if context.source is not None else 0
    except SyncError:
        return 0


async def begin_retention(context: EventContext) -> None:
    """Daily: from now on ticks delete activities older than `retention_months`; nothing unless that is set."""
    if _retention_months(context):
        await context.base.control.note(_HOUSE, "activities", "old ones may be there")


async def delete_old_activities(context: EventContext) -> int:
    """Delete old activities, a `$batch` at a time, as long as a tick may; how many."""
    months = _retention_months(context)
    if not months:
        return 0
    control = context.base.control
    if not await control.noted(_HOUSE, "activities") or await context.lanes.queue(Lane.EVENTS).length():
        return 0
    until = context.now() + RETENTION_S
    horizon = to_iso(context.now() - months * MONTH_S)[:19] + "Z"
    gone = 0
    try:
        await guard(context)
        for _, table in context.configuration().tables.all():
            gone += await _delete_old(context, table, horizon, until)
        if context.now() < until:
            await control.note(_HOUSE, "activities", "")
        await control.resume(FLOW, "retention")
    except SyncError as error:
        await context.base.stopped(FLOW, "retention", error)
    if gone:
        telemetry.event("activities_deleted", flow=FLOW, activities=gone)
        context.count("did:deleted", gone)
    return gone


async def _delete_old(context: EventContext, table: ActivityTable, horizon: str, until: float) -> int:
    """Of one table, until there is none or time is over; raises SyncError."""
    gone = 0
    while context.now() < until:
        async with context.base.dynamics_permit(spare=1):
            ids = await context.writer.older(table.entity_set, horizon)
        if not ids:
            break
        writing = Writing(context, context.settings.claim_deadline(context.now()))
        targets = [(Verb.DELETE, Target(table.entity_set, table.table, one, {})) for one in ids]
        results = await writing.write(targets)
        ended = [result.ended for result in results.values()]
        done = ended.count(Ended.WRITTEN) + ended.count(Ended.GONE)
        gone += done
        if code := stopping(results.values()):
            raise SyncError(code)
        if done + ended.count(Ended.REFUSED) < len(ids):
            raise Throttled("dynamics_throttled", RETENTION_WAIT_S)
        if not done:
            # Refused one by one: asked again at once, they would be all that is ever seen.
            break
    return gone
