"""The call budget: one ETag row per limit, shared by all instances (design 4.6).

GCRA over `shared` (the next free time) bounds all calls in any sliding window:
rate = (limit - burst - chunk) / (window + RESERVATION_S). Where consent flows, all else also passes a line of
`work_share` of the rate, so that consent always finds the shared line nearly free; the backfill also passes its own
slower line, so that live work does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from sync.model import Clock, Random
from sync.storage.table import RowConflict, Stored, Table

RESERVATION_S = 10.0
"""How long after its start a reservation may be used; polling and clocks must fit into it."""
CLOCK_SLACK_S = 2.0
"""Part of RESERVATION_S kept for clocks that disagree."""
WORK_SHARE = 0.9
"""What live work and the backfill may take together where consent flows; the rest is left to it."""
BACKFILL_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Limit:
    """`calls` per `window_s` seconds over any sliding window; `burst` may go at once; `chunk` is the largest take."""

    name: str
    calls: int
    window_s: float
    burst: int
    chunk: int
    work_share: float = 1.0

    @property
    def interval(self) -> float:
        """Seconds between calls."""
        return (self.window_s + RESERVATION_S) / max(self.calls - self.burst - self.chunk, 1)


@dataclass(frozen=True, slots=True)
class Grant:
    """Permission for `calls` from `start` on, or (`denied`) a reservation that starts at `start`.

    `reserved` is how many calls a denied grant has in the shared line: none if only one of the lines that come before
    it made it wait.
    """

    calls: int
    start: float
    denied: bool
    reserved: int = 0
    etag: str = ""
    shared_before: float = 0.0
    shared_after: float = 0.0
    backfill: float = 0.0
    work: float = 0.0


class Budget:
    """Takes permits from one limit."""

    def __init__(self, table: Table, limit: Limit, clock: Clock, rng: Random) -> None:
        self._table = table
        self.limit = limit
        self._clock = clock
        self._rng = rng

    async def take(
        self,
        calls: int,
        *,
        backfill: bool = False,
        straight: bool = False,
        reserved_at: float = 0.0,
        permits: int = 0,
        longest_s: float = math.inf,
    ) -> Grant:
        """Take `calls` permits now or reserve them; a chunk that comes back in time uses its reservation.

        `straight`: to the shared line at once (consent, and one more call under a claim). `reserved_at` and `permits`
        are the `start` and `reserved` of the grant that made it wait. What would wait longer than `longest_s` is denied
        and reserves nothing: a reservation that nobody comes back for delays everybody else. Contended rows are
        retried with a short random pause.
        """
        now = self._clock.now()
        in_time = reserved_at <= now < reserved_at + RESERVATION_S - CLOCK_SLACK_S
        if in_time and permits >= calls:
            return Grant(calls, reserved_at, denied=False)
        while True:
            stored = await self._table.get(self.limit.name, "next")
            work = not straight and not in_time
            grant, entity = self._reserve(stored, calls, work=work, backfill=work and backfill)
            if grant.denied and grant.start - self._clock.now() > longest_s:
                return replace(grant, reserved=0)
            try:
                etag = await self._table.put(entity, stored.etag if stored else None)
            except RowConflict:
                await self._clock.sleep(0.01 + 0.05 * self._rng.random())
                continue
            return Grant(
                grant.calls,
                grant.start,
                grant.denied,
                grant.reserved,
                etag,
                grant.shared_before,
                grant.shared_after,
                grant.backfill,
                grant.work,
            )

    def _reserve(
        self, stored: Stored | None, calls: int, *, work: bool, backfill: bool
    ) -> tuple[Grant, dict[str, str]]:
        """The slower lines come first; whoever waited for its turn there goes on in the shared line."""
        now = self._clock.now()
        shared, slow, busy = _times(stored)
        interval, burst = self.limit.interval, self.limit.burst
        turn = now
        if work and self.limit.work_share < 1:
            slot = interval / self.limit.work_share
            # A part of the burst is left to consent, too.
            turn = max(turn, busy - burst * self.limit.work_share * slot)
            busy = max(now, busy) + calls * slot
        if backfill:
            turn = max(turn, slow)
            slow = max(now, slow) + calls * interval / BACKFILL_SHARE
        if turn > now:
            return Grant(calls, turn, denied=True), self._entity(shared, slow, busy)
        start = max(now, shared - burst * interval)
        after = max(now, shared) + calls * interval
        grant = Grant(calls, start, start > now, calls, "", max(now, shared), after, slow, busy)
        return grant, self._entity(after, slow, busy)

    def _entity(self, shared: float, slow: float, busy: float) -> dict[str, str]:
        return {
            "PartitionKey": self.limit.name,
            "RowKey": "next",
            # Microseconds as text: milliseconds would round the rate up, call by call.
            "shared": f"{shared:.6f}",
            "backfill": f"{slow:.6f}",
            "work": f"{busy:.6f}",
        }

    async def give_back(self, grant: Grant, unused: int) -> None:
        """Return permits that were not used, only if nobody reserved after this grant (ETag unchanged)."""
        if not grant.etag or unused <= 0 or (grant.denied and not grant.reserved):
            return
        shared = grant.shared_after - unused * self.limit.interval
        try:
            await self._table.replace(self._entity(shared, grant.backfill, grant.work), grant.etag)
        except RowConflict:
            return

    async def hold_until(self, until: float) -> None:
        """Nobody starts before `until` (the service said 429 with Retry-After)."""
        stored = await self._table.get(self.limit.name, "next")
        shared, slow, busy = _times(stored)
        target = until + self.limit.burst * self.limit.interval
        if target <= shared:
            return
        try:
            await self._table.put(
                self._entity(target, max(slow, until), busy), stored.etag if stored else None
            )
        except RowConflict:
            return

    async def used(self) -> float:
        """Share of the shared line that is taken ahead, 0..1: 1 means that new work must wait."""
        shared, _, _ = _times(await self._table.get(self.limit.name, "next"))
        ahead = max(0.0, shared - self._clock.now())
        return min(1.0, ahead / max(self.limit.burst * self.limit.interval, 1e-9))


def _times(stored: Stored | None) -> tuple[float, float, float]:
    """Next free times: shared line, backfill's line, line of all work but consent (older rows have none)."""
    if stored is None:
        return 0.0, 0.0, 0.0
    entity = stored.entity
    return float(entity["shared"]), float(entity["backfill"]), float(entity.get("work", 0.0))
