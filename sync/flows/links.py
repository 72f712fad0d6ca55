"""The links of one chunk: parents looked at before the plan, tied under the claim, let go of after the outcome.

Design 4.4. Under its claim a child writes its link rows, then reads its parents; a delete claims, then scans for
children. The ledger row's `parents` are written with the claim, before any link row, so they name every row there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sync.flows.context import Context
from sync.flows.family import (
    awaiting,
    childless,
    has_children,
    ledger_rows,
    mark_parents,
    may_be_parent,
    send_again,
    send_children,
    tells,
    wait_for_children,
    wake_children,
    wake_parent,
)
from sync.model import Chunk, Intent, LedgerRow, RecordRef, SourceRow, State
from sync.planning.compile import CompiledMapping
from sync.planning.outcome import Kind, Outcome
from sync.planning.plan import DELETE_BRAKE, Do, Plan
from sync.planning.taken import LOOK_AGAIN_S, look_again
from sync.planning.ties import CHILDREN_LEFT, Standing, standing
from sync.storage.history import Parked

LINK_WAITS = "link_waits"
SETTLED = (Standing.READY, Standing.GONE)
"""How a parent stands when a child that waits for it must look again."""


@dataclass
class ChunkLinks:
    """`standings` are those that the plans were made with; `_parked` the parked rows of each record as last seen."""

    context: Context
    compiled: CompiledMapping
    chunk: Chunk
    standings: dict[RecordRef, Standing] = field(default_factory=dict)
    _rows: dict[RecordRef, LedgerRow | None] = field(default_factory=dict)
    _parked: dict[str, list[Parked]] = field(default_factory=dict)
    _etags: dict[tuple[str, RecordRef], str | None] = field(default_factory=dict)
    _kept: dict[str, Parked] = field(default_factory=dict)

    def me(self, record_id: str) -> RecordRef:
        return RecordRef(self.chunk.mapping, record_id)

    async def look(self, sources: Mapping[str, SourceRow | None], rows: Mapping[str, LedgerRow]) -> None:
        """Read what the plans need: the parents, and the parked rows of records that wait."""
        refs: list[RecordRef] = []
        if self.compiled.links:
            for record_id, source in sources.items():
                pointing = self.compiled.pointing(source.values) if source else ()
                refs += [RecordRef(one.spec.mapping, one.parent_id) for one in pointing if one.parent_id]
                if any(one.spec.required and not one.parent_id for one in pointing):
                    refs += rows[record_id].parents
        if refs:
            self._rows = await ledger_rows(self.context, refs)
            self.standings = {ref: standing(row) for ref, row in self._rows.items()}
        await asyncio.gather(*(self._look_at_parked(rows[record_id]) for record_id in sources))

    async def _look_at_parked(self, row: LedgerRow) -> None:
        awaited = self._awaited(row)
        if awaited:
            get = self.context.parked.get
            found = await asyncio.gather(
                *(get(name, self.chunk.mapping, row.record_id) for name in sorted(awaited))
            )
            self._parked[row.record_id] = [item for item in found if item is not None]

    def delay(self, plan: Plan) -> float:
        """After how many seconds a record looks again at parents that are in work."""
        now, claim_s = self.context.clock.now(), self.context.settings.claim_s
        rows = [self._rows.get(ref) for ref in plan.awaits]
        return max([look_again(row, now, claim_s) for row in rows if row and row.claimed] or [LOOK_AGAIN_S])

    async def announce(self, plans: Sequence[Plan], rows: Mapping[str, LedgerRow]) -> None:
        """Write the parked rows of what is going to wait: before the ledger row that says so."""
        waits = [plan for plan in plans if plan.do is not Do.WAIT]
        new = [(plan, ref) for plan in waits for ref in plan.awaits if ref not in rows[plan.record_id].awaits]
        if not new:
            return
        await mark_parents(self.context, {ref.mapping for _, ref in new})
        now, mapping = self.context.clock.now(), self.chunk.mapping
        added = await asyncio.gather(
            *(
                self.context.parked.add(Parked(awaiting(ref), mapping, plan.record_id, _reason(plan), now))
                for plan, ref in new
            )
        )
        for item in added:
            self._parked.setdefault(item.record_id, []).append(item)

    async def tie(
        self, plans: Sequence[Plan], rows: Mapping[str, LedgerRow], claimed: Mapping[str, LedgerRow]
    ) -> dict[str, Outcome]:
        """Under the claims: write, then look. The outcomes of those that may not be called for."""
        await mark_parents(self.context, {ref.mapping for plan in plans for ref in plan.links})
        await asyncio.gather(*(self._write(plan, claimed[plan.record_id]) for plan in plans))
        parents = await self._parents(plans)
        ended: dict[str, Outcome] = {}
        for plan in plans:
            moved = self._moved(plan, rows[plan.record_id], parents)
            if moved is not None:
                ended[plan.record_id] = moved
        deletes = [plan for plan in plans if plan.do is Do.DELETE]
        if deletes and await may_be_parent(self.context, self.chunk.mapping):
            found = await asyncio.gather(*(self._has_children(plan) for plan in deletes))
            kept = [plan for plan, left in zip(deletes, found, strict=True) if left]
            ended.update({plan.record_id: self._keep(plan, rows[plan.record_id]) for plan in kept})
        return ended

    async def _write(self, plan: Plan, claimed: LedgerRow) -> None:
        me, links = self.me(plan.record_id), self.context.links
        for ref in claimed.parents:
            etag = await (links.put(ref, me) if ref in plan.links else links.etag(ref, me))
            self._etags[plan.record_id, ref] = etag

    async def _parents(self, plans: Sequence[Plan]) -> dict[RecordRef, LedgerRow | None]:
        refs = {ref for plan in plans for ref in plan.links if ref != self.me(plan.record_id)}
        return await ledger_rows(self.context, sorted(refs))

    def _moved(
        self, plan: Plan, before: LedgerRow, parents: Mapping[RecordRef, LedgerRow | None]
    ) -> Outcome | None:
        """An outcome if a parent no longer stands as the plan saw it: the record is planned anew."""
        for ref in plan.links:
            if ref == self.me(plan.record_id):
                continue
            now = standing(parents[ref])
            held = now is Standing.LEAVING and self.standings.get(ref) is now and ref in before.parents
            if now is Standing.READY or held:
                continue
            row, clock = parents[ref], self.context.clock
            busy = row is not None and row.claimed
            wait = look_again(row, clock.now(), self.context.settings.claim_s) if row and busy else 0.5
            return Outcome(Kind.RELEASED, 0, "parent_busy", wait)
        return None

    async def _has_children(self, plan: Plan) -> bool:
        """Look, say that it waits, look again: a child that goes between the two finds the row that says so."""
        me = self.me(plan.record_id)
        if not await has_children(self.context, me):
            return False
        item = await wait_for_children(self.context, me)
        self._kept[plan.record_id] = item
        self._parked.setdefault(plan.record_id, []).append(item)
        return await has_children(self.context, me)

    def _keep(self, plan: Plan, before: LedgerRow) -> Outcome:
        optional = self.compiled.optional_parents
        given_up = tuple(ref for ref in before.parents if ref.mapping in optional)
        empties = bool(optional) and not tells(before) and before.code != CHILDREN_LEFT
        return Outcome(Kind.KEPT, 0, CHILDREN_LEFT, given_up=given_up, empties=empties)

    async def settled(
        self,
        before: Mapping[str, LedgerRow],
        written: Mapping[str, LedgerRow],
        claimed: Mapping[str, LedgerRow],
    ) -> None:
        """After the ledger rows: let go of parents, wake who waits, and look again at what is waited for."""
        moved = any(standing(before[record_id]) is not standing(row) for record_id, row in written.items())
        parent = moved and await may_be_parent(self.context, self.chunk.mapping)
        await asyncio.gather(
            *(
                self._settle(before[record_id], claimed.get(record_id, before[record_id]), row, parent)
                for record_id, row in written.items()
            )
        )

    async def _settle(self, before: LedgerRow, claimed: LedgerRow, row: LedgerRow, parent: bool) -> None:
        context, me = self.context, self.me(row.record_id)
        for ref in claimed.parents:
            etag = self._etags.get((row.record_id, ref)) if tells(row) else None
            if ref not in row.parents and etag and await context.links.remove(ref, me, etag):
                await wake_parent(context, ref)
        for item in self._parked.get(row.record_id, ()):
            if item.awaited not in self._awaited(row):
                await context.parked.remove_unmoved(item)
        await self._look_once_more(before, row)
        was, now = standing(before), standing(row)
        landed = now is Standing.READY and was is not now
        if (landed or (now is Standing.GONE and was is not now)) and parent:
            await wake_children(context, me, self.chunk.lane)
        if now is Standing.LEAVING:
            await self._send_children(row)

    def _awaited(self, row: LedgerRow) -> set[str]:
        """What the parked rows of a record say that it waits for."""
        awaited = {awaiting(ref) for ref in row.awaits}
        if row.code == DELETE_BRAKE:
            awaited.add(f"approval:{self.chunk.mapping}")
        if row.code == CHILDREN_LEFT:
            awaited.add(childless(self.me(row.record_id)))
        return awaited

    async def _look_once_more(self, before: LedgerRow, row: LedgerRow) -> None:
        """A parent may have landed between our look at it and the parked row that it would have found."""
        new = [ref for ref in row.awaits if ref not in before.awaits]
        if not new or row.claimed:
            return
        parents = await ledger_rows(self.context, new)
        for ref, parent in parents.items():
            now = standing(parent)
            if now in SETTLED and now is not self.standings.get(ref):
                await send_again(self.context, [self.me(row.record_id)], self.chunk.lane, Intent.WOKEN)
                return

    async def _send_children(self, row: LedgerRow) -> None:
        item = self._kept.get(row.record_id)
        if item is None or item.sent:
            return
        me = self.me(row.record_id)
        await send_children(self.context, me)
        await self.context.parked.add(replace(item, sent=self.context.clock.now()))


def _reason(plan: Plan) -> str:
    if plan.row is not None and plan.row.state in (State.PARKED, State.QUARANTINED):
        return plan.row.code
    return LINK_WAITS
