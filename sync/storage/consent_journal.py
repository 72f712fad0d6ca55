"""The table `consentjournal`, append-only: what was decided about a contact's consent, and why.

A write is told twice: before it is made (`asked`) and when it has ended. Whoever reads gets the first only where the
second is missing: its worker died, or is at it just now.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

from sync.model import Clock, Random, from_iso, to_iso
from sync.storage.lines import Lines
from sync.storage.table import Query, Stored, Table

ASKED = "asked"
"""The outcome of a line that was written before its write."""


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
    """`done`, `asked` (its end was not recorded), `unknown` (its answer was lost), `kept`, `braked`, or the catalogue
    code with which it was not made."""
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

    async def of(self, mapping: str, record_id: str) -> list[Entry]:
        """All lines of a contact, oldest first: a write that was refused for hours has many, and hides no decision."""
        query = Query(partition=f"{mapping}:{record_id}")
        lines = [_entry(stored) async for stored in self._lines.table.scan(query)]
        return without_answered(reversed(lines))

    async def since(self, mapping: str, start: float) -> AsyncIterator[Entry]:
        """All lines from a time on (scans the mapping's partitions)."""
        query = Query(
            partition_from=f"{mapping}:", partition_below=f"{mapping};", where=(("at", "ge", to_iso(start)),)
        )
        lines: list[Entry] = []
        async for stored in self._lines.table.scan(query):
            entry = _entry(stored)
            if lines and lines[0].record_id != entry.record_id:
                for line in without_answered(lines):
                    yield line
                lines = []
            lines.append(entry)
        for line in without_answered(lines):
            yield line


def without_answered(lines: Iterable[Entry]) -> list[Entry]:
    """A contact's lines without those that announce a write whose end the same run has told."""
    lines = list(lines)
    ended = {_write(line) for line in lines if line.outcome != ASKED}
    return [line for line in lines if line.outcome != ASKED or _write(line) not in ended]


def _write(line: Entry) -> tuple[str, str, str]:
    return line.run, line.field, line.wrote


_TOLD = tuple(name for name in Entry.__dataclass_fields__ if name not in ("record_id", "at"))


def _entry(stored: Stored) -> Entry:
    entity = stored.entity
    told = {name: str(entity[name]) for name in _TOLD}
    record_id = str(entity["PartitionKey"]).partition(":")[2]
    return Entry(record_id=record_id, at=from_iso(str(entity["at"])), **told)
