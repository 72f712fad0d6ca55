"""full read: a generation's pages, a group per control message, into `backfill-hold` (design 4.1)."""

from __future__ import annotations

from dataclasses import replace

from sync import telemetry
from sync.errors import Reaction, SyncError
from sync.flows.commands import FullRead, send
from sync.flows.consent_hints import hint_contacts
from sync.flows.context import Context
from sync.flows.dispatch import changes_of, dispatch
from sync.model import Lane, SourcePage
from sync.planning.compile import CompiledMapping
from sync.planning.cycle import next_mark
from sync.storage.table import RowConflict
from sync.storage.watermarks import Progress


def full_read_of(progress: Progress) -> FullRead:
    """The command that reads the next page group."""
    return FullRead(
        mapping=progress.mapping,
        epoch=progress.epoch,
        generation=progress.generation,
        group=progress.group,
    )


async def read_group(context: Context, command: FullRead, owner: str) -> None:
    """Read up to a group of pages from where the progress row stands, then send the next message.

    A message whose group is past, or while another worker holds the lease, does nothing: the tick sends a lost one
    again once the lease is free.
    """
    mapping = command.mapping
    progress = await context.watermarks.progress(mapping)
    if not _current(progress, command):
        return
    if not await context.control.take_lease(mapping, "read", owner, context.settings.message_lease_s):
        return
    wait_s = 0.0
    try:
        progress = await context.watermarks.progress(mapping)
        if _current(progress, command):
            await _read(context, progress, owner)
    except RowConflict:
        telemetry.event("full_read_repeated", mapping=mapping, generation=command.generation)
    except SyncError as error:
        wait_s = await _failed(context, command, error)
    finally:
        # After a failure the lease is kept for the wait: the first tick that finds it free sends the one next
        # message. A message of our own beside those of the ticks would add up for as long as the failure lasts.
        if not wait_s or not await context.control.take_lease(mapping, "read", owner, wait_s):
            await context.control.drop_lease(mapping, "read", owner)


def _current(progress: Progress, command: FullRead) -> bool:
    return progress.running and command == full_read_of(progress)


async def _read(context: Context, progress: Progress, owner: str) -> None:
    await context.guard(progress)
    compiled = await context.reading(progress.mapping)
    for _ in range(context.settings.pages_per_group):
        page = await _page(context, compiled, progress)
        await dispatch(
            context,
            changes_of(page),
            progress=progress,
            lane=Lane.BACKFILL,
            queue=Lane.BACKFILL_HOLD,
            columns_hash=progress.columns_hash,
        )
        # An opt-out does not wait behind the backfill.
        await hint_contacts(context, progress.mapping, progress, page.rows, only_opted_out=True)
        progress = replace(
            progress,
            pages=progress.pages + 1,
            records=progress.records + len(page.rows),
            next_link=page.next_link or "",
        )
        if page.next_link is None:
            await _finish(context, progress, page)
            return
        mark = next_mark(progress.mark, progress.pages, page.next_link)
        if mark is None:
            raise SyncError("paging_loop", "a next link came again")
        progress = replace(progress, mark=mark)
        progress = await context.watermarks.write_progress(progress)
        await context.control.take_lease(progress.mapping, "read", owner, context.settings.message_lease_s)
    progress = await context.watermarks.write_progress(replace(progress, group=progress.group + 1))
    await send(
        context.lanes,
        full_read_of(progress),
    )


async def _page(context: Context, compiled: CompiledMapping, progress: Progress) -> SourcePage:
    dynamics = context.dynamics
    if progress.next_link:
        return await dynamics.follow(progress.next_link, compiled.entity_set, compiled.key_column)
    page = await dynamics.start_tracking(compiled.entity_set, compiled.key_column, compiled.columns)
    if page.next_link is None and page.delta_link is None:
        raise SyncError("dynamics_unreadable", "a tracked read ended without a delta link")
    return page


async def _finish(context: Context, progress: Progress, page: SourcePage) -> None:
    """The last page is queued: both rows in one transaction; the live read begun after this lets deltas take over."""
    now = context.clock.now()
    while True:
        tick = await context.watermarks.tick(progress.mapping)
        link = page.delta_link or ""
        tick = replace(tick, link=link, link_at=now, resync=tick.resync or ("" if link else "no delta link"))
        done = replace(progress, running=False, closing=True, total=progress.records, finished=now)
        try:
            await context.watermarks.write_both(tick, done)
        except RowConflict:
            current = await context.watermarks.progress(progress.mapping)
            if current.etag != progress.etag:
                raise
            continue
        telemetry.event(
            "full_read_finished",
            mapping=progress.mapping,
            generation=progress.generation,
            records=progress.records,
        )
        return


async def _failed(context: Context, command: FullRead, error: SyncError) -> float:
    """How long to wait; a read whose next link is not accepted or leads in a circle starts over in its generation."""
    delay = await context.stopped(command.mapping, "full_read", error)
    if error.reaction is Reaction.RESYNC or error.code == "paging_loop":
        progress = await context.watermarks.progress(command.mapping)
        if _current(progress, command):
            over = replace(progress, next_link="", mark="", pages=0, records=0, group=progress.group + 1)
            await context.watermarks.write_progress(over)
    return delay
