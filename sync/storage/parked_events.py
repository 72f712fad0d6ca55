"""Events that wait: for a contact nobody knows yet, or for another try of a partition that kept failing.

A table of its own: the contacts' wake timer reads all of `parked` every minute (docs/decisions/event-rows.md).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from sync.model import from_iso, to_iso
from sync.storage.table import Query, Table


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """`contact` has events in `partition` and is unknown since `since`; "" for a whole partition that failed."""

    contact: str
    partition: str
    since: float


class ParkedEvents:
    """Rows by what is awaited."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def add(self, parked: ParkedEvent) -> None:
        """Parking again keeps the first time."""
        stored = await self._table.get(_awaited(parked.contact), parked.partition)
        if stored is None:
            await self._table.upsert(
                {
                    "PartitionKey": _awaited(parked.contact),
                    "RowKey": parked.partition,
                    "since": to_iso(parked.since),
                }
            )

    async def remove(self, parked: ParkedEvent) -> None:
        await self._table.delete(_awaited(parked.contact), parked.partition)

    async def all(self) -> AsyncIterator[ParkedEvent]:
        async for stored in self._table.scan(Query()):
            contact = str(stored.entity["PartitionKey"]).partition(":")[2]
            yield ParkedEvent(contact, str(stored.entity["RowKey"]), from_iso(str(stored.entity["since"])))


def _awaited(contact: str) -> str:
    return f"contact:{contact}" if contact else "failed:"
