"""The first half of apply: ledger rows, mapping, progress; then the source of what cannot be trusted (design 4.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

from sync import telemetry
from sync.consent_row import ConsentRow
from sync.flows import consent_fit, drift
from sync.flows.consent_apply import ChunkConsent
from sync.flows.context import Context
from sync.flows.fence import fenced_s
from sync.flows.links import ChunkLinks
from sync.flows.record import Done, Recorder
from sync.flows.work import Work
from sync.model import Chunk, LedgerRow
from sync.planning.plan import needs_reread
from sync.planning.rows import blocked, quarantine
from sync.planning.taken import busy, crashed_too_often, look_again
from sync.storage.ledger import partition_of


class Reader:
    """Reads what a chunk is planned on."""

    def __init__(self, context: Context, recorder: Recorder) -> None:
        self._context = context
        self._recorder = recorder

    async def read(self, chunk: Chunk, owner: str) -> Work | None:
        """Ledger rows first, then the mapping and the progress row: what is read later is at least as new."""
        context = self._context
        partition = partition_of(chunk.mapping, chunk.epoch, chunk.bucket)
        rows = await context.ledger.get_many(partition, [change.record_id for change in chunk.changes])
        active, progress, known, drifted, erased = await asyncio.gather(
            context.working(chunk.mapping),
            context.watermarks.progress(chunk.mapping),
            self._consent_rows(chunk.mapping, partition, rows),
            context.control.paused(chunk.mapping, drift.FLOW),
            context.blocked.among(rows),
        )
        if chunk.epoch != progress.epoch:
            # A rebaseline replaced the epoch; its own full read covers every record.
            self.superseded(chunk)
            return None
        if fenced_s(context, progress):
            # Woken by another mapping, or sent by a person: the first pull of the epoch is not the only one who sends.
            await drift.wait(context, chunk)
            return None
        if drifted is not None:
            await drift.wait(context, chunk)
            return None
        await context.guard(progress)
        target = await context.target(active)
        context.guard_dialect(progress)
        compiled = await context.widened(active)
        links = ChunkLinks(context, compiled, chunk)
        work = Work(
            context,
            chunk,
            owner,
            compiled,
            target,
            links,
            progress,
            rows,
            {c.record_id: c for c in chunk.changes},
        )
        if context.consent_of(chunk.mapping) is not None:
            consents = await consent_fit.usable(context, chunk.mapping)
            work.consent = ChunkConsent(context, chunk.mapping, partition, owner, consents, known)
        elif await consent_fit.astray(context, compiled):
            work.consent = ChunkConsent(context, chunk.mapping, partition, owner, None, known)
        now = context.clock.now()
        await self._leave(work, erased, now)
        for record_id, row in rows.items():
            if record_id in erased:
                continue
            if busy(row, owner, now):
                wait = look_again(row, now, context.settings.claim_s)
                await work.back([record_id], delay_s=wait)
            elif crashed_too_often(row, chunk.intent):
                change = work.changes.pop(record_id)
                version = change.row.version if change.row else row.version
                stuck = quarantine(row, "crashes_worker", version, compiled.version)
                recorded = await self._recorder.record(
                    work.mapping, {record_id: row}, [Done(stuck, "quarantined")], chunk
                )
                if not recorded:
                    work.changes[record_id] = change
                    await work.back([record_id], delay_s=0.5)
        return work

    async def _leave(self, work: Work, erased: Collection[str], now: float) -> None:
        """Erased people leave the chunk before anything is asked or sent; a row of theirs becomes a tombstone."""
        for record_id in sorted(erased):
            change = work.changes.pop(record_id)
            row = work.rows[record_id]
            self._context.counters.count(work.mapping, "did:blocked")
            if row.etag is None or busy(row, work.owner, now) or row == blocked(row):
                continue
            done = [Done(blocked(row), "the id is blocked", "blocked")]
            if not await self._recorder.record(work.mapping, {record_id: row}, done, work.chunk):
                work.changes[record_id] = change
                await work.back([record_id], delay_s=0.5)

    async def reread(self, work: Work) -> None:
        """Read again, in one request, the sources of all changes that cannot be trusted."""
        doubtful = []
        for record_id, change in work.changes.items():
            row = work.rows[record_id]
            progress = work.progress
            if needs_reread(change, row, work.chunk, work.compiled, progress.generation, progress.running):
                doubtful.append(record_id)
            else:
                work.sources[record_id] = change.row
        if doubtful:
            compiled = work.compiled
            async with self._context.dynamics_permit():
                dynamics = self._context.dynamics
                found = await dynamics.read(
                    compiled.entity_set, compiled.key_column, compiled.columns, doubtful
                )
                if len(found) < len(doubtful):
                    await dynamics.prove_global_read(compiled.entity_set, compiled.key_column)
            work.sources.update({record_id: found.get(record_id) for record_id in doubtful})

    def superseded(self, chunk: Chunk) -> None:
        """A chunk that need not be worked: a full read covers its records."""
        telemetry.event("chunk_superseded", mapping=chunk.mapping, records=len(chunk.changes))
        self._context.counters.count(chunk.mapping, "did:superseded", len(chunk.changes))

    async def _consent_rows(
        self, mapping: str, partition: str, rows: Mapping[str, LedgerRow]
    ) -> dict[str, ConsentRow]:
        """The consent rows of the records that the sync has met before."""
        if self._context.consent_of(mapping) is None:
            return {}
        met = [record_id for record_id, row in rows.items() if row.etag is not None]
        return await self._context.consents.get_many(partition, met)
