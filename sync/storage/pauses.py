"""What people have paused: one row a mapping in the `control` table, with who, when and why for each part.

A part is a flow (`flow:pull`) or a lane (`lane:backfill`). Unlike the reasons in `control.py`, which the flows note
themselves and which pass, a person's pause stands until a person resumes it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass

from sync.model import Clock, Lane, from_iso, to_iso
from sync.storage.table import RowConflict, Table

ROW = "paused"
RESUMED = ("_pauses", "resumed")
BELIEVED_S = 5.0
"""How long a worker believes what it read: a pause or a resume takes effect within that time."""
FLOWS = ("pull", "full_read", "sweep", "replay", "reconcile", "consents")
LANES = (Lane.LIVE, Lane.BACKFILL, Lane.CONSENT, Lane.EVENTS)
PARTS = tuple(f"flow:{name}" for name in FLOWS) + tuple(f"lane:{lane.value}" for lane in LANES)


@dataclass(frozen=True, slots=True)
class Stop:
    """A part that a person has paused."""

    who: str
    since: float
    why: str = ""


class Pauses:
    """Reads and writes of the rows; `stops` believes its own last read for BELIEVED_S."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._seen: dict[str, tuple[float, Mapping[str, Stop]]] = {}

    async def stops(self, mapping: str) -> Mapping[str, Stop]:
        """What is paused of a mapping, by part."""
        now = self._clock.now()
        read_at, known = self._seen.get(mapping, (float("-inf"), {}))
        if now - read_at >= BELIEVED_S:
            known = await self.read(mapping)
        return known

    async def read(self, mapping: str) -> Mapping[str, Stop]:
        """The same, read now."""
        stored = await self._table.get(mapping, ROW)
        known = _parts(str(stored.entity["parts"])) if stored else {}
        self._seen[mapping] = (self._clock.now(), known)
        return known

    async def paused(self, mapping: str, part: str) -> bool:
        return part in await self.stops(mapping)

    async def pause(self, mapping: str, parts: Collection[str], who: str, why: str) -> list[str]:
        """Pause parts; what was paused already keeps its first time. Returns what is new."""
        now = self._clock.now()
        while True:
            stored = await self._table.get(mapping, ROW)
            known = _parts(str(stored.entity["parts"])) if stored else {}
            fresh = [part for part in parts if part not in known]
            if not fresh:
                return []
            try:
                await self._write(
                    mapping,
                    {**known, **{part: Stop(who, now, why) for part in fresh}},
                    stored.etag if stored else None,
                )
            except RowConflict:
                continue
            return fresh

    async def resume(self, mapping: str, parts: Collection[str]) -> list[str]:
        """Resume parts; returns which of them had been paused. Said first, so that what waits is looked for."""
        await self._table.upsert(
            {"PartitionKey": RESUMED[0], "RowKey": RESUMED[1], "at": to_iso(self._clock.now())}
        )
        while True:
            stored = await self._table.get(mapping, ROW)
            known = _parts(str(stored.entity["parts"])) if stored else {}
            ended = [part for part in parts if part in known]
            if stored is None or not ended:
                return []
            left = {part: stop for part, stop in known.items() if part not in ended}
            try:
                await self._write(mapping, left, stored.etag)
            except RowConflict:
                continue
            return ended

    async def resumed(self) -> tuple[float, str] | None:
        """When something was resumed whose messages may still wait, and that row's ETag."""
        stored = await self._table.get(*RESUMED)
        return (from_iso(str(stored.entity["at"])), stored.etag) if stored else None

    async def restored(self, etag: str) -> None:
        """Nothing of what was resumed waits any more, unless more was resumed meanwhile."""
        with suppress(RowConflict):
            await self._table.delete(*RESUMED, etag)

    async def _write(self, mapping: str, parts: Mapping[str, Stop], etag: str | None) -> None:
        told = {part: [stop.who, to_iso(stop.since), stop.why] for part, stop in sorted(parts.items())}
        await self._table.put({"PartitionKey": mapping, "RowKey": ROW, "parts": json.dumps(told)}, etag)
        self._seen.pop(mapping, None)


def _parts(text: str) -> dict[str, Stop]:
    return {part: Stop(who, from_iso(since), why) for part, (who, since, why) in json.loads(text).items()}
