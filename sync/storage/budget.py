"""The call budget: one ETag row per limit, shared by all instances (design 4.6).

GCRA over `shared` (the next free time) bounds all calls in any sliding window:
rate = (limit - burst - chunk) / (window + RESERVATION_S). Where consent flows, all else also passes a line of
`work_share` of the rate, so that consent always finds the shared line nearly free; the backfill also passes its own
slower line, so that live work does. A second limit for 24 hours (`Day`) is counted in the same row, in the same write.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from sync.model import Clock, Random
from sync.storage.day_line import Day, DayLine
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
    day: str = ""
    """The day's line after this grant."""

    @property
    def reserved_at(self) -> float:
        """What to come back with: 0 where nothing was written (the day's limit, a wait that is too long)."""
        return self.start if self.etag else 0.0


@dataclass(frozen=True, slots=True)
class _Lines:
    """The row: next free times of the shared line, the backfill's, and that of all work but consent; the day's calls."""

    shared: float = 0.0
    backfill: float = 0.0
    work: float = 0.0
    day: DayLine = field(default_factory=lambda: DayLine({}))


class Budget:
    """Takes permits from one limit, and from a second one for the day if there is one."""

    def __init__(self, table: Table, limit: Limit, clock: Clock, rng: Random, day: Day | None = None) -> None:
        self._table = table
        self.limit = limit
        self.day = day
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
        are those (`reserved`) of the grant that made it wait. What would wait longer than `longest_s`, or for
        the day's limit, is denied and reserves nothing: a reservation that nobody comes back for delays everybody else.
        Contended rows are retried with a short random pause.
        """
        now = self._clock.now()
        in_time = reserved_at <= now < reserved_at + RESERVATION_S - CLOCK_SLACK_S
        if in_time and permits >= calls:
            return Grant(calls, reserved_at, denied=False)
        while True:
            stored = await self._table.get(self.limit.name, "next")
            work = not straight and not in_time
            tomorrow = self._next_day(stored, calls, work=not straight, backfill=backfill)
            if tomorrow is not None:
                return Grant(calls, tomorrow, denied=True)
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
                grant.day,
            )

    def _next_day(self, stored: Stored | None, calls: int, *, work: bool, backfill: bool) -> float | None:
        """When the day's limit lets so many calls through, None if it does now; the backfill leaves a part to others."""
        if self.day is None:
            return None
        now = self._clock.now()
        share = self.day.work_share if work else 1.0
        most = int(self.day.calls * min(share, BACKFILL_SHARE if backfill else 1.0))
        free_at = _lines(stored).day.free_at(now, calls, most)
        return free_at if free_at > now else None

    def _reserve(
        self, stored: Stored | None, calls: int, *, work: bool, backfill: bool
    ) -> tuple[Grant, dict[str, str]]:
        """The slower lines come first; whoever waited for its turn there goes on in the shared line."""
        now = self._clock.now()
        lines = _lines(stored)
        shared, slow, busy = lines.shared, lines.backfill, lines.work
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
            return Grant(calls, turn, denied=True), self._entity(shared, slow, busy, str(lines.day))
        start = max(now, shared - burst * interval)
        after = max(now, shared) + calls * interval
        day = lines.day if self.day is None else lines.day.take(now, start + RESERVATION_S, calls)
        told = str(day)
        grant = Grant(calls, start, start > now, calls, "", max(now, shared), after, slow, busy, told)
        return grant, self._entity(after, slow, busy, told)

    def _entity(self, shared: float, slow: float, busy: float, day: str) -> dict[str, str]:
        entity = {
            "PartitionKey": self.limit.name,
            "RowKey": "next",
            # Microseconds as text: milliseconds would round the rate up, call by call.
            "shared": f"{shared:.6f}",
            "backfill": f"{slow:.6f}",
            "work": f"{busy:.6f}",
        }
        # Whoever is told of no limit for the day leaves the others' counts as they are.
        return {**entity, "day": day} if day else entity

    async def give_back(self, grant: Grant, unused: int) -> None:
        """Return permits that were not used, only if nobody reserved after this grant (ETag unchanged)."""
        if not grant.etag or unused <= 0 or (grant.denied and not grant.reserved):
            return
        shared = grant.shared_after - unused * self.limit.interval
        day = grant.day
        if self.day is not None:
            day = str(DayLine.parse(day).take(self._clock.now(), grant.start + RESERVATION_S, -unused))
        try:
            await self._table.replace(self._entity(shared, grant.backfill, grant.work, day), grant.etag)
        except RowConflict:
            return

    async def hold_until(self, until: float) -> None:
        """Nobody starts before `until` (the service said 429 with Retry-After)."""
        stored = await self._table.get(self.limit.name, "next")
        lines = _lines(stored)
        target = until + self.limit.burst * self.limit.interval
        if target <= lines.shared:
            return
        entity = self._entity(target, max(lines.backfill, until), lines.work, str(lines.day))
        try:
            await self._table.put(entity, stored.etag if stored else None)
        except RowConflict:
            return

    async def used(self) -> float:
        """Share of the shared line that is taken ahead, 0..1: 1 means that new work must wait."""
        shared = _lines(await self._table.get(self.limit.name, "next")).shared
        ahead = max(0.0, shared - self._clock.now())
        return min(1.0, ahead / max(self.limit.burst * self.limit.interval, 1e-9))

    async def used_of_day(self) -> int:
        """Calls of the last 24 hours, those not made since included; 0 where there is no limit for the day."""
        if self.day is None:
            return 0
        return _lines(await self._table.get(self.limit.name, "next")).day.used(self._clock.now())

    def backfill_seconds(self, calls: int) -> float:
        """How long the backfill takes for so many calls, if nothing else is to be done."""
        seconds = calls * self.limit.interval / BACKFILL_SHARE
        if self.day is None:
            return seconds
        a_day = self.day.calls * min(self.day.work_share, BACKFILL_SHARE)
        return max(seconds, (calls / a_day - 1) * 86400.0)

    async def backfill_waits_for_tomorrow(self) -> bool:
        """Whether the day's limit leaves nothing to the backfill now."""
        if self.day is None:
            return False
        stored = await self._table.get(self.limit.name, "next")
        return self._next_day(stored, self.limit.chunk, work=True, backfill=True) is not None


def _lines(stored: Stored | None) -> _Lines:
    """The row's lines; older rows lack the later ones."""
    if stored is None:
        return _Lines()
    entity = stored.entity
    return _Lines(
        float(entity["shared"]),
        float(entity["backfill"]),
        float(entity.get("work", 0.0)),
        DayLine.parse(str(entity.get("day", ""))),
    )
