"""Events that wait: for a contact nobody knows yet, for another try of a partition that kept failing, for a person.

A table of its own: the contacts' wake timer reads all of `parked` every minute (docs/decisions/event-rows.md). What
Dynamics refused is only noted here, so that it is found without a scan of all event rows; the row itself decides.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from sync.model import from_iso, to_iso
from sync.storage.table import Query, Stored, Table

PAGE = 500


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """`contact` has events in `partition` and is unknown since `since`; "" for a whole partition that failed."""

    contact: str
    partition: str
    since: float


@dataclass(frozen=True, slots=True)
class RefusedEvents:
    """Dynamics refused something of `contact` in `partition`, the first time at `since`, last with `code`."""

    contact: str
    partition: str
    since: float
    code: str


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

    async def forget(self, contact: str) -> int:
        """Delete what waits for a contact or was refused; how many rows."""
        gone = 0
        for partition in (_awaited(contact), _refused(contact)):
            async for stored in self._table.scan(Query(partition=partition)):
                await self._table.delete(partition, str(stored.entity["RowKey"]))
                gone += 1
        return gone

    async def page(self, token: str | None) -> tuple[list[ParkedEvent], str | None]:
        """Some of what waits by itself, and the token of the rest (None: that was the last)."""
        page = await self._table.page(_WAITING, size=PAGE, token=token)
        return [_parked(stored) for stored in page.rows], page.token

    async def all(self) -> AsyncIterator[ParkedEvent]:
        """All that waits by itself."""
        async for stored in self._table.scan(_WAITING):
            yield _parked(stored)

    async def note_refused(self, refused: RefusedEvents) -> None:
        """The first time is kept, the code is the last one."""
        stored = await self._table.get(_refused(refused.contact), refused.partition)
        since = str(stored.entity["since"]) if stored is not None else to_iso(refused.since)
        await self._table.upsert(
            {
                "PartitionKey": _refused(refused.contact),
                "RowKey": refused.partition,
                "since": since,
                "code": refused.code,
            }
        )

    async def forget_refused(self, contact: str, partition: str) -> None:
        await self._table.delete(_refused(contact), partition)

    async def refused(self, contact: str = "") -> AsyncIterator[RefusedEvents]:
        """What waits for a person, of one contact or of all."""
        query = Query(partition=_refused(contact)) if contact else _FOR_A_PERSON
        async for stored in self._table.scan(query):
            yield _noted(stored)

    async def some_refused(self) -> list[RefusedEvents]:
        """The first page of it."""
        return [_noted(stored) for stored in (await self._table.page(_FOR_A_PERSON, size=PAGE)).rows]


_WAITING = Query(partition_from="contact:", partition_below="failed;")
_FOR_A_PERSON = Query(partition_from="refused:", partition_below="refused;")


def _parked(stored: Stored) -> ParkedEvent:
    contact = str(stored.entity["PartitionKey"]).partition(":")[2]
    return ParkedEvent(contact, str(stored.entity["RowKey"]), from_iso(str(stored.entity["since"])))


def _noted(stored: Stored) -> RefusedEvents:
    entity = stored.entity
    contact = str(entity["PartitionKey"]).partition(":")[2]
    return RefusedEvents(contact, str(entity["RowKey"]), from_iso(str(entity["since"])), str(entity["code"]))


def _awaited(contact: str) -> str:
    return f"contact:{contact}" if contact else "failed:"


def _refused(contact: str) -> str:
    return f"refused:{contact}"
