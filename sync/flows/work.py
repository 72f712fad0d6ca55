"""One chunk in work: what is known of it while it goes through apply."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sync.campaign.records import Records
from sync.flows.call import planned_calls
from sync.flows.consent_apply import ChunkConsent
from sync.flows.context import Context
from sync.flows.links import ChunkLinks
from sync.model import Change, Chunk, Lane, LedgerRow, SourceRow
from sync.planning.compile import CompiledMapping
from sync.planning.plan import Plan
from sync.storage.lanes import gather_all
from sync.storage.watermarks import Progress


@dataclass
class Work:
    """One chunk in work: its rows, the changes still to be worked, and what was read for them."""

    context: Context
    chunk: Chunk
    owner: str
    compiled: CompiledMapping
    target: Records
    links: ChunkLinks
    progress: Progress
    rows: dict[str, LedgerRow]
    changes: dict[str, Change]
    sources: dict[str, SourceRow | None] = field(default_factory=dict)
    consent: ChunkConsent | None = None

    @property
    def mapping(self) -> str:
        return self.chunk.mapping

    @property
    def backfill(self) -> bool:
        return self.chunk.lane is Lane.BACKFILL

    def planned_calls(self, plans: Iterable[Plan]) -> int:
        """Calls that the plans will normally make."""
        rows, all_known = self.rows, self.progress.all_known
        return sum(planned_calls(self.target, p, rows[p.record_id], all_known=all_known) for p in plans)

    def looks(self, plans: Iterable[Plan]) -> int:
        """Looks at consent that this chunk asks for beside its calls: they take their time from the budget too."""
        unlooked = self.consent.unlooked if self.consent is not None else []
        return sum(p.record_id in unlooked and not p.calls for p in plans)

    async def back(self, record_ids: Iterable[str], *, delay_s: float, permits: int = 0) -> None:
        """Send records back to their lane, each alone; `permits` is how many calls each turned out to need."""
        puts = []
        for record_id in record_ids:
            change = self.changes.pop(record_id)
            alone = replace(self.chunk.alone(change), permits=permits)
            puts.append(self.context.lanes.put(alone, delay_s=delay_s))
        await gather_all(puts)
