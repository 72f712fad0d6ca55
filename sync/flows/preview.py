"""preview: what the sync would do to records, found by the planning code that applies them; nothing is written.

Not a row, a message or a budget reservation: reads of Campaign are spaced out instead, at a share of the budget's rate.
Values are returned to the caller and go nowhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sync.campaign.records import Action, Records, Ref, free
from sync.errors import Throttled
from sync.flows import labels
from sync.flows.call import planned_calls
from sync.flows.context import Context
from sync.flows.links import ChunkLinks
from sync.flows.record import deletes_allowed
from sync.flows.related import beside
from sync.flows.sweep import Present
from sync.model import Chunk, Intent, Lane, LedgerRow, RecordRef, SourceRow, State
from sync.planning.compile import CompiledMapping
from sync.planning.expected import Expected, FieldChange, Would, body_of, changes_of, code_of, without_call
from sync.planning.plan import DELETE_BRAKE, Do, Plan, plan
from sync.planning.scope import Scope
from sync.planning.taken import busy
from sync.planning.ties import CHILDREN_LEFT
from sync.storage.ledger import bucket_of, from_stored, partition_of
from sync.storage.watermarks import Progress

SHARE = 0.25
"""Of the rate that the budget permits: what reads of Campaign take at most."""
MOST_IDS = 50
SAMPLED = 100_000
"""A sample is drawn from so many ids at most."""


@dataclass
class Pace:
    """Lets one call go every `interval` seconds."""

    context: Context
    interval: float
    free_at: float = 0.0

    async def wait(self) -> None:
        clock = self.context.clock
        now = clock.now()
        start = max(self.free_at, now)
        self.free_at = start + self.interval
        if start > now:
            await clock.sleep(start - now)


class Preview:
    """Plans records of one mapping version, active or not. `ask_campaign` False: Campaign is not asked at all."""

    def __init__(self, context: Context, compiled: CompiledMapping, *, ask_campaign: bool = True) -> None:
        self._context = context
        self._compiled = compiled
        self._ask = ask_campaign
        self._pace = Pace(context, context.budget.limit.interval / SHARE)
        self._records: Records | None = None
        self._progress = Progress(compiled.name)
        self._buckets = context.settings.buckets
        self._deletes = 0
        """How many more the brake lets through today."""
        self._policies: Mapping[str, str] = {}

    async def open(self) -> None:
        """Find out where the mapping stands and how its resource is addressed; raises SyncError."""
        context, compiled = self._context, self._compiled
        self._compiled = compiled = await labels.peeked(context, await context.sourced(compiled))
        self._progress = await context.watermarks.progress(compiled.name)
        version = await context.mappings.active(compiled.name)
        if version is not None:
            self._buckets = version.buckets
        await context.guard(self._progress)
        allowed = deletes_allowed(context.settings, compiled.brake, self._progress)
        self._deletes = allowed - await context.control.braked(compiled.name)
        if self._ask:
            self._records = await context.targets.of(compiled.resource, compiled.key_target, free)
            fields = (await self._records.describe()).fields
            self._policies = {path: info.policy for path, info in fields.items() if info.policy}

    @property
    def records(self) -> Records:
        """The resource; as if by key where Campaign is not asked."""
        return self._records or self._context.profiles

    async def of_ids(self, ids: Sequence[str]) -> list[Expected]:
        """Some records by id, in that order."""
        found: list[Expected] = []
        for start in range(0, len(ids), MOST_IDS):
            part = ids[start : start + MOST_IDS]
            rows = await self._read(part)
            found += await self._expect({one: rows.get(one) for one in part})
        return found

    async def look(self, record_id: str) -> tuple[LedgerRow, SourceRow | None, Sequence[Ref]]:
        """What the ledger, Dynamics and Campaign have of one record."""
        rows = await self._rows([record_id])
        source = (await self._read([record_id])).get(record_id)
        return rows[record_id], source, await self._find(record_id) if self._ask else ()

    async def sample(self, size: int) -> list[Expected]:
        """Records drawn from the first SAMPLED of the table, each as likely as another."""
        compiled, dynamics, rng = self._compiled, self._context.dynamics, self._context.rng
        drawn: list[str] = []
        seen = 0
        page = await dynamics.list_ids(compiled.entity_set, compiled.key_column)
        while True:
            for row in page.rows:
                seen += 1
                if len(drawn) < size:
                    drawn.append(row.record_id)
                elif (place := rng.getrandbits(53) % seen) < size:
                    drawn[place] = row.record_id
            if page.next_link is None or seen >= SAMPLED:
                return await self.of_ids(drawn)
            page = await dynamics.follow(page.next_link, compiled.entity_set, compiled.key_column)

    async def all(self) -> AsyncIterator[Expected]:
        """The whole table, page by page, then the records that the ledger knows and the table lacks."""
        compiled, dynamics = self._compiled, self._context.dynamics
        present = Present(self._buckets, 0, self._buckets)
        page = await dynamics.every(compiled.entity_set, compiled.key_column, compiled.columns)
        while True:
            for row in page.rows:
                present.add(row.record_id)
            for start in range(0, len(page.rows), MOST_IDS):
                part = page.rows[start : start + MOST_IDS]
                for expected in await self._expect({row.record_id: row for row in part}):
                    yield expected
            if page.next_link is None:
                break
            page = await dynamics.follow(page.next_link, compiled.entity_set, compiled.key_column)
        while True:
            present.sort()
            async for expected in self._gone(present):
                yield expected
            if present.below >= self._buckets:
                return
            present = await self._ids(present.below)

    async def _ids(self, first: int) -> Present:
        """The ids of the buckets that did not fit into memory before."""
        compiled, dynamics = self._compiled, self._context.dynamics
        present = Present(self._buckets, first, self._buckets)
        page = await dynamics.list_ids(compiled.entity_set, compiled.key_column)
        while True:
            for row in page.rows:
                present.add(row.record_id)
            if page.next_link is None:
                return present
            page = await dynamics.follow(page.next_link, compiled.entity_set, compiled.key_column)

    async def _gone(self, present: Present) -> AsyncIterator[Expected]:
        """Rows of the ledger that the table lacks, as the sweep finds them; each is looked for once more."""
        for bucket in range(present.first, present.below):
            partition = partition_of(self._compiled.name, self._progress.epoch, bucket)
            token: str | None = None
            while True:
                page = await self._context.ledger.page(partition, token=token)
                rows = [from_stored(stored) for stored in page.rows]
                ids = [
                    row.record_id
                    for row in rows
                    if row.state is not State.DELETED and not present.holds(bucket, row.record_id)
                ]
                for expected in await self.of_ids(ids):
                    yield expected
                token = page.token
                if token is None:
                    break

    async def _read(self, ids: Sequence[str]) -> dict[str, SourceRow]:
        compiled, dynamics = self._compiled, self._context.dynamics
        found = await dynamics.read(compiled.entity_set, compiled.key_column, compiled.columns, ids)
        if len(found) < len(ids):
            await dynamics.prove_global_read(compiled.entity_set, compiled.key_column)
        return found

    async def _expect(self, sources: Mapping[str, SourceRow | None]) -> list[Expected]:
        context, compiled = self._context, self._compiled
        rows = await self._rows(sources)
        sources = await beside(context, compiled, sources, permits=False)
        chunk = Chunk(compiled.name, self._progress.epoch, 0, Lane.LIVE, ())
        links = ChunkLinks(context, compiled, chunk)
        await links.look(sources, rows)
        blocked = await context.blocked.among(sources)
        first = self._progress.generation == 0
        found: list[Expected] = []
        for record_id, source in sources.items():
            row = rows[record_id]
            if record_id in blocked:
                found.append(Expected(record_id, Would.LEAVE, "an erased person", "blocked"))
                continue
            scope = Scope.FIRST if first else Scope.KNOWN
            planned = plan(record_id, source, row, compiled, Intent.NONE, links.standings, scope)
            found.append(await self._outcome(planned, row))
        return found

    async def _rows(self, ids: Iterable[str]) -> dict[str, LedgerRow]:
        """Ledger rows as they are now."""
        parts: dict[str, list[str]] = {}
        for record_id in ids:
            bucket = bucket_of(record_id, self._buckets)
            partition = partition_of(self._compiled.name, self._progress.epoch, bucket)
            parts.setdefault(partition, []).append(record_id)
        found = await asyncio.gather(
            *(self._context.ledger.get_many(partition, part) for partition, part in parts.items())
        )
        return {record_id: row for rows in found for record_id, row in rows.items()}

    async def _outcome(self, planned: Plan, row: LedgerRow) -> Expected:
        """The plan in words, with what Campaign holds now."""
        record_id, why = planned.record_id, planned.why
        if busy(row, "", self._context.clock.now()):
            return Expected(record_id, Would.WAIT, "another worker has it just now")
        if not planned.calls:
            return Expected(record_id, without_call(planned, row), why, code_of(planned, row))
        if planned.do is Do.LOOK:
            return Expected(record_id, without_call(planned, row), why, code_of(planned, row), 1)
        if planned.do is Do.DELETE and await self._has_children(record_id):
            return Expected(record_id, Would.WAIT, "its children go first", CHILDREN_LEFT)
        if planned.do is Do.DELETE:
            self._deletes -= 1
            if self._deletes < 0:
                return Expected(record_id, Would.WAIT, "more deletes than the brake allows", DELETE_BRAKE)
        calls = planned_calls(self.records, planned, row, all_known=self._progress.all_known)
        if self._records is None:
            would = {Do.INSERT: Would.CREATE, Do.UPDATE: Would.UPDATE}.get(planned.do, Would.DELETE)
            return Expected(record_id, would, why, "", calls, self._changes(body_of(planned), None))
        return self._against(planned, calls, await self._find(record_id))

    def _against(self, planned: Plan, calls: int, refs: Sequence[Ref]) -> Expected:
        """What the calls would do, given what Campaign shows."""
        record_id, why = planned.record_id, planned.why
        if len(refs) > 1:
            return Expected(record_id, Would.QUARANTINE, "found twice", "ambiguous_external_id", calls)
        shown = refs[0].shown if refs else None
        if planned.do is Do.DELETE:
            there = why if refs else f"{why}; it is not in Campaign"
            return Expected(record_id, Would.DELETE, there, "", calls)
        if planned.do is Do.INSERT and shown is not None:
            found = self.records.calls_for(Action.UPDATE) + 2 if calls == 1 else calls
            changes = self._changes(self._patch(body_of(planned, update=True)), shown)
            return Expected(record_id, Would.UPDATE, f"{why}; it is in Campaign already", "", found, changes)
        if planned.do is Do.UPDATE and shown is None:
            if planned.mark is not None:
                return Expected(record_id, Would.LEAVE, f"{why}; it is not in Campaign", "", calls)
            if self._compiled.on_missing != "recreate":
                return Expected(
                    record_id, Would.LEAVE, "missing in Campaign: on hold", "profile_missing", calls
                )
            body = body_of(planned, create=True)
            return Expected(
                record_id, Would.CREATE, "missing in Campaign", "", calls + 1, self._changes(body, None)
            )
        if planned.do is Do.INSERT:
            return Expected(record_id, Would.CREATE, why, "", calls, self._changes(body_of(planned), shown))
        changes = self._changes(self._patch(body_of(planned)), shown)
        return Expected(record_id, Would.UPDATE, why, "", calls, changes)

    def _patch(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The part of an update that this generation of Campaign takes."""
        return self.records.dialect.patch(body)

    def _changes(self, body: Mapping[str, Any], shown: Mapping[str, Any] | None) -> tuple[FieldChange, ...]:
        return tuple(changes_of(body, shown, self._policies))

    async def _find(self, record_id: str) -> Sequence[Ref]:
        """The record in Campaign, at our own pace."""
        while True:
            await self._pace.wait()
            try:
                return await self.records.find(record_id)
            except Throttled as error:
                await self._context.clock.sleep(error.retry_after)

    async def _has_children(self, record_id: str) -> bool:
        me = RecordRef(self._compiled.name, record_id)
        async for link in self._context.links.children(me):
            if link.child != me:
                return True
        return False
