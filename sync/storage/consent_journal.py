"""The table `consentjournal`, append-only: what was decided about a contact's consent, and why."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from sync.model import Clock, Random, from_iso, to_iso
from sync.storage.lines import Lines
from sync.storage.table import Query, Stored, Table


@dataclass(frozen=True, slots=True)
class Entry:
    """One journal line: a field before and after a decision. No personal data.

    Values are `out`, `in`, `unknown`, `neither` (it could not be decided) or empty.
    """

    record_id: str
    field: str
    campaign: str
    dynamics: str
    agreed: str
    campaign_at: str
    """Campaign's `…LastModified` as read, and Dynamics' `modifiedon`."""
    dynamics_at: str
    decided: str
    rule: str
    wrote: str
    """`campaign`, `dynamics`, or empty."""
    campaign_after: str
    dynamics_after: str
    outcome: str
    """`done`, `unknown`, `kept`, `braked`, or a catalogue code."""
    run: str = ""
    at: float = 0.0


class Journal:
    """Newest first per contact."""

    def __init__(self, table: Table, clock: Clock, rng: Random) -> None:
        self._lines = Lines(table, clock, rng)
        self.expire_page = self._lines.expire_page

    async def add(self, mapping: str, entries: Sequence[Entry]) -> None:
        """Append lines."""
        await self._lines.add(
            mapping,
            [(entry.record_id, {name: getattr(entry, name) for name in _TOLD}) for entry in entries],
        )

    async def of(self, mapping: str, record_id: str, *, most: int = 200) -> list[Entry]:
        """The newest lines of a contact, oldest first."""
        return [_entry(stored) for stored in reversed(await self._lines.of(mapping, record_id, most))]

    async def since(self, mapping: str, start: float) -> AsyncIterator[Entry]:
        """All lines from a time on (scans the mapping's partitions)."""
        query = Query(
            partition_from=f"{mapping}:", partition_below=f"{mapping};", where=(("at", "ge", to_iso(start)),)
        )
        async for stored in self._lines.table.scan(query):
            yield _entry(stored)


_TOLD = tuple(name for name in Entry.__dataclass_fields__ if name not in ("record_id", "at"))


def _entry(stored: Stored) -> Entry:
    entity = stored.entity
    told = {name: str(entity[name]) for name in _TOLD}
    record_id = str(entity["PartitionKey"]).partition(":")[2]
    return Entry(record_id=record_id, at=from_iso(str(entity["at"])), **told)
