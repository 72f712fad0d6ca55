"""Append-only lines of a record, newest first: the row key is the time counted backwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sync.model import Clock, Random, to_iso
from sync.storage.lanes import gather_all
from sync.storage.table import Entity, Op, Query, Stored, Table, Verb

LAST = 10**13
AT_ONCE = 32


class Lines:
    """A table of lines, one partition a record."""

    def __init__(self, table: Table, clock: Clock, rng: Random) -> None:
        self.table = table
        self._clock = clock
        self._rng = rng

    async def add(self, mapping: str, lines: Sequence[tuple[str, Entity]]) -> None:
        """Append lines of records, all with this moment's time."""
        now = self._clock.now()
        await gather_all([self.table.upsert(self._entity(mapping, *line, now)) for line in lines])

    def _entity(self, mapping: str, record_id: str, told: Entity, now: float) -> Entity:
        return {
            "PartitionKey": f"{mapping}:{record_id}",
            "RowKey": f"{LAST - int(now * 1000):013d}-{self._rng.getrandbits(32):08x}",
            "at": to_iso(now),
            **told,
        }

    async def of(self, mapping: str, record_id: str, most: int) -> tuple[Stored, ...]:
        """The newest lines of a record, newest first."""
        return (await self.table.page(Query(partition=f"{mapping}:{record_id}"), size=most)).rows

    async def expire_page(self, before: float, token: str | None) -> tuple[Counter[str], str | None]:
        """Remove one page of lines older than `before`; how many by mapping, and the next page's token."""
        query = Query(where=(("at", "lt", to_iso(before)),), select=("PartitionKey", "RowKey"))
        page = await self.table.page(query, token=token)
        gone: Counter[str] = Counter()
        for start in range(0, len(page.rows), AT_ONCE):
            part = [stored.entity for stored in page.rows[start : start + AT_ONCE]]
            await gather_all([self.table.submit([Op(Verb.DELETE, entity)]) for entity in part])
            gone.update(str(entity["PartitionKey"]).partition(":")[0] for entity in part)
        return gone, page.token
