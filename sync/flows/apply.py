"""apply: read rows, re-read source, plan, take budget, claim, call, record (design 4.3).

Outcomes are per record; the function does not raise for one. What cannot be worked now goes back to its lane.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace

from sync import telemetry
from sync.errors import CATALOGUE, Reaction, SyncError
from sync.flows import drift
from sync.flows.call import RETRY_S, Action
from sync.flows.claim import Claims
from sync.flows.context import Context
from sync.flows.permits import Permits
from sync.flows.reading import Reader
from sync.flows.record import Done, Recorder
from sync.flows.related import beside
from sync.flows.work import Work
from sync.model import Chunk, LedgerRow, SourceRow
from sync.planning.merges import with_heir
from sync.planning.outcome import Kind, Outcome
from sync.planning.plan import Do, Plan, plan
from sync.planning.rows import quarantine, resolved
from sync.planning.scope import scope_of
from sync.storage.budget import Grant
from sync.storage.table import StorageFault

SERIAL_S = 120.0
SPREAD_S = 60.0


class Apply:
    """Works chunks of the `live` and `backfill` lanes."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._claims = Claims(context)
        self._recorder = Recorder(context)
        self._reader = Reader(context, self._recorder)

    async def chunk(self, chunk: Chunk, *, dequeue_count: int, invocation: str) -> None:
        """Work a chunk; from the second delivery on one record at a time, so that a crash blames one record."""
        chunk = replace(chunk, redelivered=chunk.redelivered + dequeue_count - 1)
        parts = [chunk]
        if chunk.redelivered and len(chunk.changes) > 1:
            parts = [chunk.alone(change) for change in chunk.changes]
        self._context.chunks_in_work += 1
        try:
            await self._one_by_one(parts, invocation)
        finally:
            self._context.chunks_in_work -= 1
        # The last chunk for now writes the counts of all: nothing may come after it.
        await self._context.counters.flush(now=not self._context.chunks_in_work)

    async def _one_by_one(self, parts: list[Chunk], invocation: str) -> None:
        """Work the parts in turn; after SERIAL_S the rest goes back, well before `functionTimeout` kills the worker."""
        until = self._context.clock.now() + SERIAL_S
        for part in parts:
            if self._context.clock.now() >= until:
                await self._context.lanes.put(part)
            else:
                await self._work(part, invocation)

    async def _work(self, chunk: Chunk, invocation: str) -> None:
        owner = f"{invocation}:{self._context.nonce()}"
        work: Work | None = None
        try:
            work = await self._reader.read(chunk, owner)
            if work is None or not work.changes:
                return
            await self._reader.reread(work)
            work.sources = await beside(self._context, work.compiled, work.sources)
            await work.links.look(work.sources, work.rows)
        except SyncError as error:
            if error.code == "mapping_disabled":
                # Switching it on again begins with a full read, which covers every record.
                self._reader.superseded(chunk)
                return
            error = await drift.explained(self._context, chunk.mapping, error)
            delay = await self._context.stopped(chunk.mapping, "apply", error)
            # Records that somebody else holds are on their way already.
            left = chunk if work is None else replace(chunk, changes=tuple(work.changes.values()))
            await self._context.lanes.put(left, delay_s=delay)
            return
        if work.consent is not None:
            # Before the budget is asked: consent waits for nothing that the profile waits for.
            at_once = not work.backfill
            known = work.progress.all_known
            await work.consent.compare(work.sources, work.rows, at_once=at_once, all_known=known)
        plans = self._plan(work)
        await self._carry_out(work, plans)

    def _plan(self, work: Work) -> list[Plan]:
        return [self._plan_one(work, record_id, source) for record_id, source in work.sources.items()]

    def _plan_one(self, work: Work, record_id: str, source: SourceRow | None) -> Plan:
        before = work.rows[record_id]
        # All that is written of the row from here on says where its events go.
        row = work.rows[record_id] = with_heir(before, source, work.compiled)
        try:
            planned = plan(
                record_id,
                source,
                row,
                work.compiled,
                work.chunk.intent,
                work.links.standings,
                scope_of(work.chunk),
            )
            if planned.do is Do.NOTHING and row.heir != before.heir and resolved(row):
                return replace(planned, do=Do.RECORD, row=row)
            return planned
        except Exception as error:
            telemetry.warning(
                "plan_failed",
                mapping=work.mapping,
                record=record_id,
                code="internal_error",
                kind=type(error).__name__,
            )
            version = source.version if source else row.version
            stuck = quarantine(row, "internal_error", version, work.compiled.version)
            return Plan(record_id, Do.RECORD, "internal error", source, row=stuck)

    async def _carry_out(self, work: Work, plans: list[Plan]) -> None:
        """Budget, brake, claim (with the rows that need no call, in one transaction), call, record."""
        context = self._context
        for waiting in [p for p in plans if p.do is Do.WAIT]:
            await work.back([waiting.record_id], delay_s=work.links.delay(waiting))
        looks = work.looks(plans)
        wanted = looks + work.planned_calls(plans)
        permits = None
        if wanted:
            # A record that could not get one more call under its claim says how many it needs.
            wanted = max(wanted, work.chunk.permits)
            grant = await context.budget.take(
                wanted,
                backfill=work.backfill,
                reserved_at=work.chunk.reserved_at,
                permits=work.chunk.permits,
            )
            if grant.denied:
                await self._wait_for(work, grant)
                return
            permits = Permits(context, grant, used=looks)
        if work.consent is not None:
            await work.consent.hint_unlooked()
        braked = await self._recorder.brake(work.compiled, work.chunk, work.progress, plans, work.rows)
        plans = [braked.get(p.record_id, p) for p in plans]
        await work.links.announce(plans, work.rows)
        claims = await self._claims.write(work.owner, work.rows, plans, work.chunk, work.target.addressing)
        await work.back(sorted(claims.conflicts), delay_s=0.5)
        conflicts = [p for p in plans if p.record_id in claims.conflicts]
        await self._recorder.unbrake(work.mapping, work.chunk, conflicts, work.rows)
        done = [
            Done(p.row, p.why, plan=p)
            for p in plans
            if p.do is Do.RECORD and p.record_id in claims.rows and p.row
        ]
        await self._recorder.after(work.mapping, work.rows, done, work.chunk)
        await work.links.settled(work.rows, {item.row.record_id: item.row for item in done}, {})
        mine = [p for p in plans if p.calls and p.record_id in claims.rows]
        if mine and permits is not None:
            await self._call(work, mine, claims.rows, permits)
            await context.budget.give_back(permits.grant, permits.grant.calls - permits.used)
        elif permits is not None:
            await context.budget.give_back(permits.grant, permits.grant.calls - permits.used)

    async def _wait_for(self, work: Work, grant: Grant) -> None:
        """Come back when the reservation starts; the whole chunk is planned anew then."""
        changes = tuple(work.changes.values())
        later = replace(work.chunk, changes=changes, reserved_at=grant.reserved_at, permits=grant.reserved)
        delay = grant.start - self._context.clock.now()
        if not grant.reserved_at:
            # The day's limit lets everybody go on at once.
            delay += SPREAD_S * self._context.rng.random()
        await self._context.lanes.put(later, delay_s=delay)

    async def _call(
        self, work: Work, plans: list[Plan], claimed: Mapping[str, LedgerRow], permits: Permits
    ) -> None:
        tied = await self._tie(work, plans, claimed)
        outcomes = await asyncio.gather(
            *(self._perform(work, p, claimed, permits, tied.get(p.record_id)) for p in plans)
        )
        failures = [work.rows[p.record_id].failures for p in plans]
        outcomes = await drift.judge(self._context, work.compiled, outcomes, failures)
        ended: dict[str, tuple[Plan, Outcome]] = {
            p.record_id: (p, outcome) for p, outcome in zip(plans, outcomes, strict=True)
        }
        back, written = await self._recorder.close(
            work.mapping, work.rows, claimed, ended, work.compiled.version, work.chunk
        )
        await work.links.settled(work.rows, written, claimed)
        if work.consent is not None:
            await work.consent.after(ended)
        for record_id, delay in back.items():
            if record_id in work.changes:
                outcome = ended[record_id][1]
                needed = outcome.calls + 1 if outcome.code == "too_late" else 0
                await work.back([record_id], delay_s=delay, permits=needed)
        await self._note_stop(work.mapping, outcomes)
        undone = [p for p, outcome in ended.values() if outcome.kind not in (Kind.DELETED, Kind.KEPT)]
        await self._recorder.unbrake(work.mapping, work.chunk, undone, work.rows)

    async def _tie(
        self, work: Work, plans: list[Plan], claimed: Mapping[str, LedgerRow]
    ) -> dict[str, Outcome]:
        try:
            return await work.links.tie(plans, work.rows, claimed)
        except StorageFault:
            # No call was made; link rows written meanwhile that no ledger row names are found by the parent's scan.
            return {p.record_id: Outcome(Kind.RELEASED, 0, "storage_failed", RETRY_S) for p in plans}

    async def _perform(
        self, work: Work, item: Plan, claimed: Mapping[str, LedgerRow], permits: Permits, tied: Outcome | None
    ) -> Outcome:
        """The calls for one record, unless its links have settled how it ends."""
        if tied is not None and not (tied.given_up or tied.empties):
            return tied
        action = Action(
            self._context,
            work.compiled,
            work.target,
            permits,
            item,
            work.rows[item.record_id],
            claimed[item.record_id].claim_until,
            work.consent,
            tied,
            all_known=work.progress.all_known,
        )
        return await action.perform()

    async def _note_stop(self, mapping: str, outcomes: Iterable[Outcome]) -> None:
        """Note a reason that stops the flow once a chunk: `status` and `health` show it, work waits in the lane."""
        for outcome in outcomes:
            if outcome.code and CATALOGUE[outcome.code].reaction is Reaction.STOP:
                await self._context.stopped(mapping, "apply", SyncError(outcome.code))
                return
