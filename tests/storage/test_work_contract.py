"""What people ask for, on both storages: pauses, jobs, and the ids of erased people."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync.storage.blocked import Blocked, digest_of
from sync.storage.jobs import Job, Jobs
from sync.storage.pauses import Pauses
from sync.storage.table import RowConflict
from tests.storage.both import RealClock, Store, store

__all__ = ["store"]


async def test_a_pause_keeps_its_first_time_and_ends_part_by_part(store: Store) -> None:
    mine, other = (Pauses(store.account.table("control"), RealClock()) for _ in range(2))
    mapping = store.name("a")
    assert await mine.pause(mapping, ["lane:live", "flow:pull"], "ada", "quarter end") == [
        "lane:live",
        "flow:pull",
    ]
    first = (await other.stops(mapping))["lane:live"]
    assert (first.who, first.why) == ("ada", "quarter end")
    assert await other.pause(mapping, ["lane:live"], "bob", "") == []
    assert (await other.read(mapping))["lane:live"] == first
    assert await mine.resume(mapping, ["lane:live", "lane:backfill"]) == ["lane:live"]
    assert set(await other.read(mapping)) == {"flow:pull"}
    resumed = await other.resumed()
    assert resumed is not None
    await other.restored("W/\"datetime'2020-01-01T00%3A00%3A00.0000000Z'\"")
    assert await other.resumed() == resumed
    await other.restored(resumed[1])
    assert await other.resumed() is None


async def test_a_job_is_written_over_the_version_that_was_read(store: Store) -> None:
    jobs, mapping = Jobs(store.account.table("control")), store.name("b")
    job = await jobs.write(Job(mapping, "1", "replay", "{}", "ada", total=5).counted(missing=2))
    again = await jobs.get(mapping, "1")
    assert again == job
    await jobs.write(replace(job, done=3))
    with pytest.raises(RowConflict):
        await jobs.write(replace(job, done=4))
    assert [(found.done, found.found) async for found in jobs.of(mapping)] == [(3, {"missing": 2})]


async def test_every_worker_knows_a_blocked_id_at_once(store: Store) -> None:
    mine, other = (Blocked(store.account.table("blocked"), RealClock()) for _ in range(2))
    one, two = store.name("1"), store.name("2")
    assert await other.among([one, two]) == set()
    assert await mine.add(one.upper(), "ada", "request 7")
    assert not await mine.add(one, "ada", "")
    assert await other.among([one, two]) == {one}
    assert await other.remove(one)
    assert not await other.remove(one)
    assert await mine.among([one]) == set()
    assert one not in digest_of(one)
