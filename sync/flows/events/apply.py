"""apply: read the open rows of some partitions, plan, write across them, record each partition (design 4.8).

Writes are made under the partition's claim, which is read before the rows and written over that version. Corrections
need it, so that none carries less than what was written before; one whose outcome is unknown keeps the claim until it
can no longer land. Creates would be right without it, but two workers with the same creates fail each other's requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from sync import telemetry
from sync.dynamics.activities import Verb
from sync.dynamics.client import IDS_PER_READ
from sync.errors import SyncError
from sync.flows.events.context import FLOW, EventContext, guard
from sync.flows.events.message import EventMessage, PartitionName, send
from sync.flows.events.partition import PARKED, Work, may_reopen
from sync.flows.events.standing import Standing, exist, standings
from sync.flows.events.write import RETRY_S, Ended, Result, Writing, stopping
from sync.model import EventRow
from sync.planning.activities import Events
from sync.storage.events import PartitionClaim
from sync.storage.lanes import gather_all
from sync.storage.parked_events import ParkedEvent, RefusedEvents
from sync.storage.table import RowConflict

T = TypeVar("T")
MOST_AGAIN = 8
"""A partition that ended so many workers is parked for an hour."""
LOOK_AGAIN_S = 15.0
"""A partition that another worker corrects is mostly free again within seconds (docs/decisions/look-again.md)."""
AT_ONCE = 32
MONTH_S = 30.44 * 24 * 3600


class ApplyEvents:
    """Works messages of the `events` lane."""

    def __init__(self, context: EventContext) -> None:
        self._context = context
        self._back: dict[float, list[PartitionName]] = {}

    async def message(self, message: EventMessage, *, dequeue_count: int, invocation: str) -> None:
        """Work a message; from the second delivery on one partition at a time."""
        context = self._context
        message = replace(message, again=message.again + dequeue_count - 1)
        owner = f"{invocation}:{context.base.nonce()}"
        parts = [message]
        if message.again and len(message.partitions) > 1:
            parts = [replace(message, partitions=(one,)) for one in message.partitions]
        for part in parts:
            await self._part(part, owner)
        await context.base.counters.flush(now=True)

    async def _part(self, message: EventMessage, owner: str) -> None:
        context = self._context
        self._back = {}
        if message.again > MOST_AGAIN:
            await self._give_up(message)
            return
        try:
            events = context.configuration()
            progress = await guard(context)
            if message.epoch != progress.epoch:
                telemetry.event("message_superseded", flow=FLOW, partitions=len(message.partitions))
                return
            if not await self._work(message, events, owner):
                await context.base.control.resume(FLOW, "apply")
        except SyncError as error:
            delay = await context.base.stopped(FLOW, "apply", error)
            await send(context, replace(message, again=0), delay_s=delay)
            return
        for delay, names in self._back.items():
            await send(context, EventMessage(message.epoch, tuple(names)), delay_s=delay)

    async def _give_up(self, message: EventMessage) -> None:
        for partition in message.partitions:
            telemetry.warning("partition_parked", flow=FLOW, partition=partition.name, code="crashes_worker")
            await self._context.parked.add(ParkedEvent("", partition.name, self._context.now()))

    async def _work(self, message: EventMessage, events: Events, owner: str) -> bool:
        """Work all partitions together; whether something stops the flow."""
        context = self._context
        works = await self._read_all(message.partitions)
        standing, heirs = await standings(context.base, {one for work in works for one in work.rows})
        oldest = self._oldest(events)
        for work in works:
            work.heirs = heirs
            work.plan(events, standing, oldest, context.now())
        await self._find_owners(works)
        deadline = context.settings.claim_deadline(context.now())
        works = await self._claimed(works, owner, deadline)
        writing = Writing(context, deadline)
        results = await writing.write([write for work in works for write in work.writes(events)])
        await self._check_parents(works, results)
        await gather_all([self._record(work, results, events, owner) for work in works])
        return await self._note_stop(results)

    def _oldest(self, events: Events) -> float:
        months = events.options.retention_months
        return self._context.now() - months * MONTH_S if months else 0.0

    async def _read_all(self, names: Sequence[PartitionName]) -> list[Work]:
        works: list[Work] = []

        async def one(name: PartitionName) -> None:
            async with self._context.stores:
                work = await self._read(name)
            if work is not None:
                works.append(work)

        await gather_all([one(name) for name in names])
        return sorted(works, key=lambda work: work.name)

    async def _read(self, name: PartitionName) -> Work | None:
        """The claim first, then the rows: a claim written since makes ours fail. None: nothing to do now."""
        context = self._context
        claim = await context.events.claim(name.name)
        if claim.owner and claim.take_over > context.now():
            self._again(name, min(claim.take_over - context.now(), LOOK_AGAIN_S))
            return None
        return await self._rows(name, claim)

    async def _rows(self, name: PartitionName, claim: PartitionClaim) -> Work | None:
        events = self._context.events
        contacts, more = await events.open_contacts(name.name, self._context.most_rows)
        contacts |= set(name.contacts)
        if not contacts:
            return None
        rows = await events.of_contacts(name.name, sorted(contacts))
        is_open = {
            row.key
            for contact, mine in rows.items()
            for row in mine
            if row.open or (contact in name.contacts and may_reopen(row.code))
        }
        found = {contact: mine for contact, mine in rows.items() if mine}
        return Work(name.name, claim, found, is_open, name.contacts, more)

    async def _claimed(self, works: Sequence[Work], owner: str, deadline: float) -> list[Work]:
        """Those that need no claim or got it."""
        kept: list[Work] = []

        async def one(work: Work) -> None:
            async with self._context.stores:
                if not work.has_writes or await self._claim(work, owner, deadline):
                    kept.append(work)

        await gather_all([one(work) for work in works])
        return sorted(kept, key=lambda work: work.name)

    async def _claim(self, work: Work, owner: str, deadline: float) -> bool:
        """Claim a partition over the claim that was read before its rows; False: somebody was faster."""
        settings = self._context.settings
        claim = replace(work.claim, owner=owner, take_over=settings.takeover_at(deadline))
        name = PartitionName(work.name, work.contacts)
        try:
            work.claim = await self._context.events.write_claim(work.name, claim, self._context.now())
        except RowConflict:
            self._again(name, 1.0)
            return False
        work.claimed = True
        return True

    async def _find_owners(self, works: Iterable[Work]) -> None:
        """Tasks are for the owners of their contacts; raises SyncError."""
        works = [work for work in works if work.tasks_for]
        wanted = sorted({contact for work in works for contact in work.tasks_for})
        owners: dict[str, str] = {}
        for start in range(0, len(wanted), IDS_PER_READ):
            async with self._context.base.dynamics_permit(spare=1):
                owners |= await self._context.writer.owners(wanted[start : start + IDS_PER_READ])
        for work in works:
            work.owners = owners

    async def _check_parents(self, works: Iterable[Work], results: dict[str, Result]) -> None:
        """A create that named nobody: is it the contact that is gone?"""
        contacts = sorted(
            {
                work.about(activity)
                for work in works
                for activity in work.activities
                if activity.id in results and results[activity.id].ended is Ended.NO_PARENT
            }
        )
        there: set[str] = set()
        later: Result | None = None
        try:
            for start in range(0, len(contacts), IDS_PER_READ):
                there |= await exist(self._context.base, contacts[start : start + IDS_PER_READ])
        except SyncError as error:
            later = Result(Ended.LATER, error.code, RETRY_S)
        for work in works:
            for activity in work.activities:
                result = results.get(activity.id)
                if (
                    result is not None
                    and result.ended is Ended.NO_PARENT
                    and work.about(activity) not in there
                ):
                    results[activity.id] = later or replace(result, code=Standing.DELETED.value)

    async def _record(self, work: Work, results: dict[str, Result], events: Events, owner: str) -> None:
        """Parked rows first, then the partition's rows, then its claim."""
        context = self._context
        rows, delay = work.settle(results, events, context.now())
        parked, now = context.parked, context.now()
        unknown = sorted({row.contact for row in rows if row.code == PARKED})
        refused, mended = work.refusals(rows)
        await some_at_once(parked.add, [ParkedEvent(contact, work.name, now) for contact in unknown])
        notes = [RefusedEvents(contact, work.name, now, code) for contact, code in sorted(refused.items())]
        await some_at_once(parked.note_refused, notes)
        moved = await context.events.write(rows)
        await some_at_once(lambda contact: parked.forget_refused(contact, work.name), sorted(mended))
        if moved:
            delay = 1.0 if delay is None else min(delay, 1.0)
        self._count(work, rows, results, moved)
        if work.claimed:
            delay = await self._release(work, delay, results, untold=bool(moved))
        if work.more:
            delay = 0.0 if delay is None else delay
        if delay is not None:
            self._again(PartitionName(work.name, work.contacts), delay)

    async def _release(
        self, work: Work, delay: float | None, results: dict[str, Result], *, untold: bool
    ) -> float | None:
        """Give the claim back, or keep it until an unknown correction can no longer land.

        Rows that moved do not tell what was written: then the claim stays, open to all, as a sign of that, until all
        that may have been corrected was corrected again.
        """
        context = self._context
        corrections = work.corrections(results)
        done = all(ended in (Ended.WRITTEN, Ended.GONE) for ended in corrections) and not work.more
        untold = untold or (work.doubtful and not done)
        kept = replace(work.claim, owner=work.claim.owner if untold else "", take_over=0.0)
        if Ended.UNKNOWN in corrections:
            wait = context.settings.gateway_s + context.settings.skew_s
            kept = replace(work.claim, take_over=context.now() + wait)
            delay = wait
        try:
            await context.events.write_claim(work.name, kept, context.now())
        except RowConflict:
            telemetry.warning("claim_lost", flow=FLOW, partition=work.name)
        return delay

    def _again(self, name: PartitionName, delay: float) -> None:
        self._back.setdefault(round(max(delay, 0.0), 1), []).append(name)

    def _count(
        self, work: Work, rows: Sequence[EventRow], results: dict[str, Result], moved: set[str]
    ) -> None:
        context = self._context
        for row in rows:
            if row.key not in moved and row.key in work.open and not row.open and row.code:
                context.count(f"dropped:{row.code}")
        refused: dict[str, list[str]] = {}
        for activity in work.activities:
            result = results.get(activity.id)
            verb = work.verb(activity)
            if result is not None and verb is not None and result.ended is Ended.WRITTEN:
                did = "tasks" if activity.task else "created" if verb is Verb.CREATE else "corrected"
                context.count(f"did:{did}")
            elif result is not None and result.ended is Ended.REFUSED:
                refused.setdefault(result.code, []).append(activity.contact)
        for code, contacts in sorted(refused.items()):
            telemetry.warning(
                "events_refused", flow=FLOW, code=code, events=len(contacts), record=contacts[0]
            )

    async def _note_stop(self, results: dict[str, Result]) -> bool:
        """Show in `status` what stops the flow, if anything does."""
        code = stopping(results.values())
        if code:
            await self._context.base.control.pause(FLOW, "apply", code)
        return bool(code)


async def some_at_once(work: Callable[[T], Awaitable[None]], items: Sequence[T]) -> None:
    """Do it with all of them, a few at a time."""
    for start in range(0, len(items), AT_ONCE):
        await gather_all([work(item) for item in items[start : start + AT_ONCE]])


async def return_poison(context: EventContext, message: EventMessage) -> None:
    """What the platform gave up on goes back, each partition alone."""
    await asyncio.gather(
        *(
            send(context, EventMessage(message.epoch, (one,), message.again + 1), delay_s=60.0)
            for one in message.partitions
        )
    )
