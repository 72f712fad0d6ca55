"""Claims: a record is called for only by whoever wrote its claim over the row version it planned on (design 4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sync.campaign.records import Addressing
from sync.flows.call import SETTLE_S
from sync.flows.context import Context
from sync.model import Chunk, LedgerRow
from sync.planning.plan import Do, Plan
from sync.storage.table import StorageFault


@dataclass(frozen=True, slots=True)
class Claimed:
    """The rows as written (claims and records without calls), and the ids whose rows had moved."""

    rows: dict[str, LedgerRow]
    conflicts: frozenset[str]


class Claims:
    """Writes claims."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def write(
        self,
        owner: str,
        rows: dict[str, LedgerRow],
        plans: Sequence[Plan],
        chunk: Chunk,
        addressing: Addressing,
    ) -> Claimed:
        """Claim what needs calls and record what needs none, in one transaction over the ETags that were read."""
        now = self._context.clock.now()
        wanted: list[LedgerRow] = []
        for item in plans:
            if item.calls:
                wanted.append(self._claim(rows[item.record_id], item, owner, now, chunk, addressing))
            elif item.do is Do.RECORD and item.row is not None:
                wanted.append(replace(item.row, updated=now, correlation=chunk.correlation))
        try:
            written = await self._context.ledger.write(wanted)
        except StorageFault:
            return await self._settle(owner, wanted)
        # The SDK repeats a write whose answer was lost: the conflict may be with our own claim.
        doubtful = [row for row in wanted if row.record_id in written.conflicts]
        settled = await self._settle(owner, doubtful)
        return Claimed({**written.rows, **settled.rows}, settled.conflicts)

    def _claim(
        self, row: LedgerRow, item: Plan, owner: str, now: float, chunk: Chunk, addressing: Addressing
    ) -> LedgerRow:
        settings = self._context.settings
        until = now + settings.message_lease_s / 2
        grace = settings.gateway_s + settings.skew_s
        if addressing is Addressing.FILTER and item.do is not Do.DELETE:
            grace = max(grace, SETTLE_S)
        return replace(
            row,
            claim_owner=owner,
            claim_until=until,
            take_over=until + grace,
            noted=False,
            unresolved=True,
            # A delete that may have been applied leaves no profile to update.
            hash="" if item.do is Do.DELETE else row.hash,
            attempts=row.attempts + 1,
            # Before any link row is written: whoever comes next knows of every one.
            parents=tuple(dict.fromkeys((*row.parents, *item.links))),
            updated=now,
            correlation=chunk.correlation,
        )

    async def _settle(self, owner: str, wanted: Sequence[LedgerRow]) -> Claimed:
        """What carries our claim is ours, whatever the write said; the rest goes back."""
        kept: dict[str, LedgerRow] = {}
        for row in wanted:
            now_stored = await self._context.ledger.get(row.partition, row.record_id)
            if row.claimed and now_stored.claim_owner == owner:
                kept[row.record_id] = now_stored
        return Claimed(kept, frozenset(row.record_id for row in wanted if row.record_id not in kept))
