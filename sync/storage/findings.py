"""The table `findings`: what the last look at a record found, a row for each that differed; fields, never values."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass

from sync.model import from_iso, to_iso
from sync.storage.lanes import gather_all
from sync.storage.table import Query, Stored, Table


@dataclass(frozen=True, slots=True)
class Finding:
    """`hash` is that of what was sent last when it was found; `healed`: it was sent again for this finding."""

    record_id: str
    found: str
    fields: tuple[str, ...]
    hash: str
    healed: bool
    at: float


class Findings:
    """Rows by mapping and record."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def get(self, mapping: str, record_id: str) -> Finding | None:
        stored = await self._table.get(mapping, record_id)
        return _finding(stored) if stored else None

    async def put(self, mapping: str, findings: Sequence[Finding]) -> None:
        """Write findings over what was found before."""
        await gather_all(
            [
                self._table.upsert(
                    {
                        "PartitionKey": mapping,
                        "RowKey": one.record_id,
                        "found": one.found,
                        "fields": ",".join(one.fields)[:1000],
                        "hash": one.hash,
                        "healed": one.healed,
                        "at": to_iso(one.at),
                    }
                )
                for one in findings
            ]
        )

    async def remove(self, mapping: str, record_ids: Collection[str]) -> None:
        """These records agree now."""
        await gather_all([self._table.delete(mapping, record_id) for record_id in record_ids])

    async def of(self, mapping: str) -> AsyncIterator[Finding]:
        """Everything found of a mapping."""
        async for stored in self._table.scan(Query(partition=mapping)):
            yield _finding(stored)


def _finding(stored: Stored) -> Finding:
    entity = stored.entity
    return Finding(
        str(entity["RowKey"]),
        str(entity["found"]),
        tuple(filter(None, str(entity["fields"]).split(","))),
        str(entity["hash"]),
        bool(entity["healed"]),
        from_iso(str(entity["at"])),
    )
