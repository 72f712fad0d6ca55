"""The table `links`: "this child points, or may already point, to this parent", by parent (design section 3, 4.4).

A child writes its row before it looks at the parent, a parent's delete claims before it looks at the rows; so one of
them sees the other. Each write moves the ETag, so that whoever removes a row removes only the one that he saw.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from sync.model import RecordRef
from sync.storage.table import Query, RowConflict, Table

MARK = "pointed"


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One child of a parent, and the ETag of the row that says so."""

    child: RecordRef
    etag: str


class Links:
    """Reads and conditional removals of link rows."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def put(self, parent: RecordRef, child: RecordRef) -> str:
        """Write the row, again if it is there; its new ETag."""
        return await self._table.upsert({"PartitionKey": str(parent), "RowKey": str(child)})

    async def etag(self, parent: RecordRef, child: RecordRef) -> str | None:
        """The ETag of a row, None if there is none."""
        stored = await self._table.get(str(parent), str(child))
        return stored.etag if stored else None

    async def remove(self, parent: RecordRef, child: RecordRef, etag: str) -> bool:
        """Remove the row with this ETag; False if it has moved or is gone."""
        try:
            await self._table.delete(str(parent), str(child), etag)
        except RowConflict:
            return False
        return True

    async def children(self, parent: RecordRef) -> AsyncIterator[LinkRow]:
        """The rows of a parent."""
        async for stored in self._table.scan(Query(partition=str(parent))):
            yield LinkRow(RecordRef.parse(str(stored.entity["RowKey"])), stored.etag)

    async def mark(self, mapping: str) -> None:
        """Note that records of a mapping may be parents: before the first row of such a child is written anywhere."""
        await self._table.upsert({"PartitionKey": mapping, "RowKey": MARK})

    async def marked(self, mapping: str) -> bool:
        """Whether records of a mapping may be parents; it stays so."""
        return await self._table.get(mapping, MARK) is not None
