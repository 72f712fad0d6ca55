"""Permits: rows with deadlines that bound how many requests all instances have in flight towards one service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sync.errors import Throttled
from sync.model import Clock, Random, from_iso, to_iso
from sync.storage.table import Query, RowConflict, Stored, Table


class Permits:
    """Slots `0 … count-1` of one service in the `budget` table; a slot whose deadline has passed is free."""

    def __init__(self, table: Table, name: str, clock: Clock, rng: Random) -> None:
        self._table = table
        self._name = f"{name}-permits"
        self._clock = clock
        self._rng = rng

    @asynccontextmanager
    async def one(self, count: int, *, hold_s: float, wait_s: float) -> AsyncIterator[None]:
        """Hold one of `count` permits for at most `hold_s`; raises Throttled if none is free within `wait_s`."""
        slot, etag = await self._take(count, hold_s, self._clock.now() + wait_s)
        try:
            yield
        finally:
            await self._release(slot, etag)

    async def _take(self, count: int, hold_s: float, until: float) -> tuple[str, str]:
        while True:
            slot, held = await self._free(count)
            if slot is not None:
                entity = {
                    "PartitionKey": self._name,
                    "RowKey": slot,
                    "until": to_iso(self._clock.now() + hold_s),
                }
                try:
                    return slot, await self._table.put(entity, held.etag if held else None)
                except RowConflict:
                    pass
            if self._clock.now() >= until:
                raise Throttled("dynamics_throttled", 5.0, "all permits are in use")
            await self._clock.sleep(0.05 + 0.2 * self._rng.random())

    async def _free(self, count: int) -> tuple[str | None, Stored | None]:
        """A free slot, chosen by chance among all, so that instances do not fight over the first."""
        now = self._clock.now()
        held = {str(row.entity["RowKey"]): row async for row in self._table.scan(Query(partition=self._name))}
        slots = [f"{number:03d}" for number in range(count)]
        free = [
            slot for slot in slots if slot not in held or from_iso(str(held[slot].entity["until"])) <= now
        ]
        if not free:
            return None, None
        slot = free[int(self._rng.random() * len(free))]
        return slot, held.get(slot)

    async def _release(self, slot: str, etag: str) -> None:
        try:
            await self._table.delete(self._name, slot, etag)
        except RowConflict:
            return
