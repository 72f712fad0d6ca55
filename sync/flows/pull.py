"""pull: follow the delta of a mapping; while a full read runs, read what was modified since (design 4.1).

A watermark is written with its ETag and only after everything read so far is durably queued, so overlapping pulls
and crashes repeat work and lose none.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from sync import telemetry
from sync.errors import Reaction, SyncError
from sync.flows import drift, labels, replay
from sync.flows.commands import Sweep, send
from sync.flows.consent_hints import hint_contacts
from sync.flows.context import Context
from sync.flows.dispatch import changes_of, dispatch
from sync.flows.fence import fenced_s
from sync.flows.full_read import full_read_of
from sync.flows.pause import part_of
from sync.model import Lane, SourcePage
from sync.planning.compile import CompiledMapping
from sync.storage.table import RowConflict, StorageFault
from sync.storage.watermarks import Progress, Tick

OTHER_COLUMNS = "the mapping reads other columns"


class Pull:
    """The timer `pull_changes`: one tick over all mappings."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def tick(self) -> None:
        """Pull every active mapping concurrently; one that fails does not hold the others."""
        context = self._context
        for mapping, text in context.shipped.items():
            await context.mappings.install(mapping, text, buckets=context.settings.buckets)
        await asyncio.gather(*(self.one(mapping) for mapping in await context.mappings.names()))
        await context.counters.flush(now=True)

    async def one(self, mapping: str) -> None:
        """Pull one mapping; errors are logged, noted for `status`, and the next tick tries again."""
        context = self._context
        if await context.pauses.paused(mapping, "flow:pull"):
            return
        try:
            await self._pull(mapping, drifted=await drift.still(context, mapping))
            await context.control.resume(mapping, "pull")
            telemetry.event("pulled", flow="pull", mapping=mapping)
        except SyncError as error:
            if error.code != "mapping_disabled":
                await context.stopped(mapping, "pull", await drift.explained(context, mapping, error))
        except (RowConflict, StorageFault) as error:
            # Another pull moved the watermark, or storage failed: what was queued is queued twice at worst.
            telemetry.event("pull_repeated", flow="pull", mapping=mapping, kind=type(error).__name__)

    async def _pull(self, mapping: str, *, drifted: bool) -> None:
        context = self._context
        tick, progress = await context.watermarks.both(mapping)
        # After the tick's row: a version older than the one it has noticed would undo that.
        active = await context.working(mapping)
        organization = await context.guard(progress, fresh=True)
        await labels.look_again(context, active)
        compiled = await context.widened(active)
        if fenced_s(context, progress):
            return
        if progress.generation == 0:
            # Campaign must have answered before its tenant is written down: a mistyped one would need a rebaseline.
            await context.target(active)
            if not drifted:
                await self._start(compiled, tick, progress, organization, "first start")
            return
        tick = await self._notice_mapping(compiled, tick, progress)
        if progress.running:
            await self._second_chance(progress)
        if progress.running or progress.closing:
            await self._live_read(compiled, tick, progress)
        elif tick.resync:
            if not drifted:
                await self._start(compiled, tick, progress, organization, tick.resync)
        else:
            await self._delta(compiled, tick, progress)
        await self._sweep_if_due(progress)

    async def _start(
        self, compiled: CompiledMapping, tick: Tick, progress: Progress, organization: str, why: str
    ) -> None:
        """Start a generation: both rows in one transaction, then the message (a later tick sends it again)."""
        await drift.check_source(self._context, compiled)
        now = self._context.clock.now()
        started = replace(
            progress,
            generation=progress.generation + 1,
            running=True,
            closing=False,
            next_link="",
            mark="",
            sweep_bucket=0,
            group=0,
            pages=0,
            records=0,
            columns_hash=compiled.columns_hash,
            organization=organization,
            campaign=self._context.campaign_tenant,
            dialect=self._context.dialect or progress.dialect,
            started=now,
        )
        fresh = replace(
            tick,
            link="",
            live_since=now,
            live_link="",
            resync="",
            mapping_version=compiled.version,
            sends_hash=compiled.sends_hash,
            pulled_at=now,
        )
        await self._context.watermarks.write_both(fresh, started)
        telemetry.event("full_read_started", mapping=compiled.name, generation=started.generation, why=why)
        await send(self._context.lanes, full_read_of(started))

    async def _notice_mapping(self, compiled: CompiledMapping, tick: Tick, progress: Progress) -> Tick:
        """A new mapping version that changes what is sent: new columns need a full read, the rest a replay.

        A version that came and went between two ticks may have been sent by a chunk, so it counts as a change too;
        one that was switched off let chunks go unsent, which only a full read brings back. Versions of which a person
        said that nothing is sent again leave `sends_hash` empty: the next one that may is a change, whatever it says.
        """
        if tick.mapping_version == compiled.version:
            if tick.sends_hash not in ("", compiled.sends_hash):
                return await self._replay_all(compiled, tick, progress)
            # Without `sends_hash` a person wants nothing read again for the sake of this version.
            if compiled.columns_hash == progress.columns_hash or tick.resync or not tick.sends_hash:
                return tick
            # The consent map changed with a deployment.
            return await self._context.watermarks.write_tick(replace(tick, resync=OTHER_COLUMNS))
        if not tick.mapping_version:
            # The two rows were read on either side of a start.
            raise RowConflict
        noticed = replace(tick, mapping_version=compiled.version, sends_hash=compiled.sends_hash)
        before, *new = await self._context.mappings.since(
            compiled.name, tick.mapping_version, compiled.version
        )
        other = compiled.sends_hash != tick.sends_hash or len(new) != 1
        if not all(version.enabled for version in (before, *new)):
            noticed = replace(noticed, resync="the mapping was switched off")
        elif not any(version.replay for version in new):
            columns = compiled.columns_hash != progress.columns_hash
            noticed = replace(noticed, sends_hash="" if other or columns else compiled.sends_hash)
        elif compiled.columns_hash != progress.columns_hash:
            noticed = replace(noticed, resync=OTHER_COLUMNS)
        elif other:
            # Rows on this version too: they may have been sent with older labels, or by a worker of an older release.
            wanted = replay.Replay(epoch=progress.epoch)
            await replay.start(self._context, compiled.name, wanted, who="mapping edit", total=progress.total)
        if other and compiled.labels and noticed.sends_hash:
            await self._retry_unlabelled(compiled, progress, "mapping edit")
        telemetry.event("mapping_noticed", mapping=compiled.name, version=compiled.version)
        # At once: a read that fails after this would make every tick send the replay again.
        return await self._context.watermarks.write_tick(noticed)

    async def _replay_all(self, compiled: CompiledMapping, tick: Tick, progress: Progress) -> Tick:
        """Other labels or another release: everything is compared, and what waited for a label is tried again."""
        who = "labels changed" if compiled.labels else "another release"
        wanted = replay.Replay(epoch=progress.epoch)
        await replay.start(self._context, compiled.name, wanted, who=who, total=progress.total)
        await self._retry_unlabelled(compiled, progress, who)
        return await self._context.watermarks.write_tick(replace(tick, sends_hash=compiled.sends_hash))

    async def _retry_unlabelled(self, compiled: CompiledMapping, progress: Progress, who: str) -> None:
        wanted = replay.Replay(epoch=progress.epoch, intent="retry", code="label_missing")
        await replay.start(self._context, compiled.name, wanted, who=who, total=progress.total)

    async def _second_chance(self, progress: Progress) -> None:
        """A read marked running whose lease is free lost its message: send it again."""
        context = self._context
        if await context.pauses.paused(progress.mapping, "flow:full_read"):
            return
        if await context.control.lease_free(progress.mapping, "read"):
            await send(self._context.lanes, full_read_of(progress))

    async def _live_read(self, compiled: CompiledMapping, tick: Tick, progress: Progress) -> None:
        """Read, untracked, what was modified since the previous live read began, with overlap, into the live lane.

        The live read that began after the last page was queued lets the deltas take over once it is queued itself.
        """
        context = self._context
        began = context.clock.now()
        tick, page = await self._first_live_page(compiled, tick, progress)
        while True:
            await dispatch(
                context,
                changes_of(page),
                progress=progress,
                lane=Lane.LIVE,
                columns_hash=compiled.columns_hash,
            )
            await hint_contacts(context, compiled.name, progress, page.rows)
            if page.next_link is None or context.clock.now() - began > context.settings.pull_seconds:
                break
            page = await context.dynamics.follow(page.next_link, compiled.entity_set, compiled.key_column)
        now = context.clock.now()
        if page.next_link is not None:
            await context.watermarks.write_tick(replace(tick, live_link=page.next_link, pulled_at=now))
            return
        done = replace(tick, live_link="", live_since=tick.live_began, pulled_at=now)
        if tick.live_closing and progress.closing:
            await context.watermarks.write_both(done, replace(progress, closing=False))
            telemetry.event("deltas_take_over", mapping=compiled.name, generation=progress.generation)
        else:
            await context.watermarks.write_tick(done)

    async def _first_live_page(
        self, compiled: CompiledMapping, tick: Tick, progress: Progress
    ) -> tuple[Tick, SourcePage]:
        """Go on with an unfinished live read, or begin one; a link that is no longer accepted begins anew."""
        context = self._context
        if tick.live_link:
            try:
                return tick, await context.dynamics.follow(
                    tick.live_link, compiled.entity_set, compiled.key_column
                )
            except SyncError as error:
                if error.reaction is not Reaction.RESYNC:
                    raise
        tick = replace(tick, live_began=context.clock.now(), live_closing=progress.closing)
        since = tick.live_since - context.settings.overlap_s
        return tick, await context.dynamics.modified_since(
            compiled.entity_set, compiled.key_column, compiled.columns, since
        )

    async def _delta(self, compiled: CompiledMapping, tick: Tick, progress: Progress) -> None:
        """Follow the delta into the live lane; the watermark moves page by page, after the page is queued."""
        context = self._context
        began = context.clock.now()
        try:
            while True:
                page = await context.dynamics.follow(tick.link, compiled.entity_set, compiled.key_column)
                found = await dispatch(
                    context,
                    changes_of(page),
                    progress=progress,
                    lane=Lane.LIVE,
                    columns_hash=compiled.columns_hash,
                )
                await hint_contacts(context, compiled.name, progress, page.rows)
                now = context.clock.now()
                tick = replace(tick, pulled_at=now, changed_at=now if found else tick.changed_at)
                # No link at all: keep the old one (reference dataverse.md 1.1).
                link = page.next_link or page.delta_link or tick.link
                tick = replace(tick, link=link, link_at=now if page.delta_link else tick.link_at)
                tick = await context.watermarks.write_tick(tick)
                if page.next_link is None or now - began > context.settings.pull_seconds:
                    return
        except SyncError as error:
            if error.reaction is not Reaction.RESYNC:
                raise
            telemetry.warning("delta_lost", mapping=compiled.name, code=error.code)
            await context.watermarks.write_tick(replace(tick, link="", resync=error.code))

    async def _sweep_if_due(self, progress: Progress) -> None:
        """Start the sweep once the generation is read and its lanes are empty, in this order."""
        if progress.running or progress.swept >= progress.generation:
            return
        lanes = self._context.lanes
        stops = await self._context.pauses.read(progress.mapping)
        if "flow:sweep" in stops or part_of(Lane.BACKFILL) in stops:
            return
        # What is restored goes from `paused` to `backfill-hold`; what a worker sets aside yet goes the other way.
        # A drift sends chunks from the lane to `backfill-hold`, where they lie longer than this takes.
        queues = (
            lanes.queue(Lane.PAUSED),
            lanes.queue(Lane.BACKFILL_HOLD),
            lanes.queue(Lane.BACKFILL),
            lanes.poison(Lane.BACKFILL),
            lanes.queue(Lane.PAUSED),
            lanes.queue(Lane.BACKFILL_HOLD),
        )
        for queue in queues:
            if await queue.length():
                return
        if await self._context.control.lease_free(progress.mapping, "sweep"):
            command = Sweep(
                mapping=progress.mapping,
                epoch=progress.epoch,
                generation=progress.generation,
                bucket=progress.sweep_bucket,
            )
            await send(self._context.lanes, command)
