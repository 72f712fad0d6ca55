"""The host runs timer functions by their NCRONTAB schedule, one run at a time (azure.md 2.4)."""

from __future__ import annotations

import asyncio
import time
import urllib.error
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.host.settings import SettingError
from sandbox.host.timers import Schedule, Timer, lock_file
from tests.sandbox.probe import Probe, eventually

pytestmark = pytest.mark.waits


@pytest.mark.parametrize(
    ("text", "after", "first"),
    [
        ("*/15 * * * * *", "10:00:14.9", "10:00:15"),
        ("*/15 * * * * *", "10:00:15", "10:00:30"),
        ("0 */5 * * * *", "10:00:00", "10:05:00"),
        ("30 2 * * * *", "10:02:31", "11:02:30"),
        ("0 0 12-14 * * MON-FRI", "14:00:00", "12:00:00"),
    ],
)
def test_the_next_occurrence_is_counted_in_seconds(text: str, after: str, first: str) -> None:
    moment = datetime.fromisoformat(f"2026-11-24T{after}+00:00")
    assert Schedule(text).after(moment).strftime("%H:%M:%S") == first


@pytest.mark.parametrize(
    "text",
    ["*/5 * * * *", "00:00:30", "0 0 0 1 * MON", "60 * * * * *", "0 0 0 L * *", "0 0 0 * * 1#2", ""],
)
def test_what_ncrontab_does_not_know_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match="schedule"):
        Schedule(text)


async def test_an_overrun_is_followed_by_one_late_run_not_by_a_backlog(tmp_path: Path) -> None:
    starts: list[float] = []

    async def run(_past_due: bool) -> None:
        starts.append(datetime.now(UTC).timestamp())
        await asyncio.sleep(2.5 if len(starts) == 1 else 0)

    listening = asyncio.create_task(
        Timer("tick", Schedule("* * * * * *"), run, lock=tmp_path / "lock").listen()
    )
    await asyncio.sleep(5.6)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert 2.4 < starts[1] - starts[0] < 2.9, "one late run, at once"
    assert [int(at) for at in starts[2:4]] == [int(starts[1]) + 1, int(starts[1]) + 2], "then by schedule"


async def test_a_second_timer_with_the_same_lock_waits_for_the_first(tmp_path: Path) -> None:
    ran: list[str] = []

    def timer(name: str) -> asyncio.Task[None]:
        async def run(_past_due: bool) -> None:
            ran.append(name)

        one = Timer(name, Schedule("* * * * * *"), run, lock=tmp_path / "lock", at_start=True)
        return asyncio.create_task(one.listen())

    first = timer("first")
    await asyncio.sleep(0.1)
    second = timer("second")
    await asyncio.sleep(1.2)
    assert set(ran) == {"first"}
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await asyncio.sleep(1.2)
    assert "second" in ran
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)


def test_each_storage_account_has_locks_of_its_own() -> None:
    assert lock_file("pull", "one") != lock_file("pull", "two")
    assert lock_file("pull", "one") == lock_file("pull", "one")


def test_a_schedule_comes_from_a_setting_and_runs_never_overlap(probe: Probe) -> None:
    with probe.host(TICK="* * * * * *", TICK_SLEEP="1.2") as host:
        eventually(lambda: len(probe.events("tock")) >= 2)
        assert '\n{"event":"ticked"}\n' in host.child.output(), "the app's own lines are printed as they are"
    ticks, tocks = probe.events("tick"), probe.events("tock")
    assert all(tick["at"] >= tock["at"] for tick, tock in zip(ticks[1:], tocks, strict=False))
    assert ticks[0]["past_due"] is False


def test_a_timer_is_run_by_hand_with_the_master_key(probe: Probe) -> None:
    with probe.host() as host:
        host.run_now("tick")
        eventually(lambda: probe.events("tock"))
        with pytest.raises(urllib.error.HTTPError) as refused:
            host.run_now("unknown")
        refused.value.close()
        assert refused.value.code == 404


def test_a_stopped_host_finishes_a_timer_run(probe: Probe) -> None:
    with probe.host(TICK_SLEEP="1.5") as host:
        host.run_now("tick")
        eventually(lambda: probe.events("tick"))
        started = time.monotonic()
        assert host.stop() == 0
        assert time.monotonic() - started > 0.8
    assert len(probe.events("tock")) == 1
