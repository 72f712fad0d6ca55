"""The day's limit: never more calls in any 24 hours, whoever asks, and nothing withheld needlessly."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.storage.account import MemoryAccount
from sync.storage.budget import BACKFILL_SHARE, Budget, Limit
from sync.storage.day_line import HOUR_S, WINDOW_S, Day, DayLine
from tests.adapters import FakeClock

DAY_S = 24 * HOUR_S
LIMIT = Limit("campaign", 100_000, 300.0, 10_000, 40)


def budget(clock: FakeClock, day: Day) -> Budget:
    return Budget(MemoryAccount(clock.now).view().table("budget"), LIMIT, clock, random.Random(1), day)


takes = st.lists(st.tuples(st.floats(0, 40_000), st.integers(1, 40), st.booleans()), min_size=1, max_size=40)


@given(takes, st.integers(40, 200))
async def test_no_24_hours_have_more(asked: list[tuple[float, int, bool]], calls: int) -> None:
    clock = FakeClock()
    taken: list[tuple[float, int]] = []
    shared = budget(clock, Day(calls))
    for pause, wanted, backfill in asked:
        clock.advance(pause)
        grant = await shared.take(wanted, backfill=backfill)
        if not grant.denied:
            taken.append((clock.now(), wanted))
    for end, _ in taken:
        assert sum(count for at, count in taken if end - DAY_S <= at <= end) <= calls


async def test_what_is_denied_comes_when_the_oldest_hour_has_left() -> None:
    clock = FakeClock()
    shared = budget(clock, Day(100))
    first = clock.now()
    for _ in range(5):
        assert not (await shared.take(20)).denied
    grant = await shared.take(20)
    assert (grant.denied, grant.reserved) == (True, 0)
    assert DAY_S < grant.start - first <= DAY_S + 2 * HOUR_S
    clock.advance(grant.start - clock.now() - 1)
    assert (await shared.take(20)).denied
    clock.advance(2)
    assert not (await shared.take(20)).denied


async def test_a_backfill_leaves_a_fifth_to_the_rest() -> None:
    clock = FakeClock()
    shared = budget(clock, Day(1000))
    taken = 0
    while not (await shared.take(20, backfill=True)).denied:
        taken += 20
        clock.advance(60)
    assert taken == 1000 * BACKFILL_SHARE
    assert await shared.backfill_waits_for_tomorrow()
    assert not (await shared.take(20)).denied


async def test_what_is_given_back_can_be_taken_again() -> None:
    clock = FakeClock()
    shared = budget(clock, Day(100))
    for _ in range(4):
        await shared.take(20)
    grant = await shared.take(20)
    await shared.give_back(grant, 20)
    assert await shared.used_of_day() == 80
    assert not (await shared.take(20)).denied


@pytest.mark.parametrize("text", ["", "5:3 6:4"])
def test_a_line_is_read_as_it_is_written(text: str) -> None:
    assert str(DayLine.parse(text)) == text


def test_an_hour_counts_until_it_is_out_of_the_window() -> None:
    line = DayLine({100: 7})
    assert line.used(100 * HOUR_S + WINDOW_S + HOUR_S - 1) == 7
    assert line.used(101 * HOUR_S + WINDOW_S) == 0


def test_a_first_load_takes_as_many_days_as_the_limit_makes_it() -> None:
    shared = budget(FakeClock(), Day(1000))
    assert shared.backfill_seconds(100) < 60
    assert shared.backfill_seconds(8000) == pytest.approx(9 * DAY_S)


class MovingClock(FakeClock):
    """Time passes between two looks at it, as it does."""

    def now(self) -> float:
        self.advance(0.001)
        return super().now()


async def test_nothing_is_denied_because_time_passes() -> None:
    clock = MovingClock()
    for day in (None, Day(1000)):
        shared = Budget(MemoryAccount(clock.now).view().table("budget"), LIMIT, clock, random.Random(1), day)
        assert not (await shared.take(20)).denied


async def test_who_knows_no_limit_for_the_day_leaves_its_counts() -> None:
    clock = FakeClock()
    table = MemoryAccount(clock.now).view().table("budget")
    knows = Budget(table, LIMIT, clock, random.Random(1), Day(100))
    await knows.take(20)
    plain = Budget(table, LIMIT, clock, random.Random(2))
    await plain.give_back(await plain.take(20), 20)
    await plain.hold_until(clock.now() + 60)
    assert await knows.used_of_day() == 20
