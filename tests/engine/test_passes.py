"""Reads that go wrong on their way: links that come round, and a sweep that fails between two passes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from benchmarks.calls import Bench
from benchmarks.engine import contacts
from sync.campaign.listing import Page
from sync.campaign.records import Records
from sync.errors import SyncError
from sync.flows import adopt, extras, jobs, look, reconcile, replay, sweep
from sync.model import SourcePage


async def test_a_full_read_whose_links_come_round_starts_over_and_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(addressing="key", DYNAMICS_PAGE_SIZE="1", PAGES_PER_GROUP="3")
    bench.dynamics.seed(contacts(6))
    dynamics = bench.app.context.dynamics
    follow, begin = dynamics.follow, dynamics.start_tracking
    starts, links = 0, [""]

    async def start(*where: object) -> SourcePage:
        nonlocal starts
        starts += 1
        return await begin(*where)  # type: ignore[arg-type]

    async def circle(link: str, *where: str) -> SourcePage:
        page = await follow(link, *where)
        links.append(page.next_link or "")
        # The third page of the first attempt names the second one as the next, for ever.
        return replace(page, next_link=links[1]) if starts == 1 and page.next_link else page

    monkeypatch.setattr(dynamics, "start_tracking", start)
    monkeypatch.setattr(dynamics, "follow", circle)
    await bench.app.pull_changes()
    for _ in range(12):
        await bench.work()
        bench.clock.at += 20
        await bench.app.pull_changes()
    assert starts == 2
    await bench.settle()
    assert len(bench.campaign.dump()) == 6


@pytest.mark.parametrize("fault", ["a circle", "a list no longer kept"])
async def test_a_replay_whose_list_comes_round_or_is_gone_waits_and_starts_over(
    monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    bench = Bench(addressing="key", DYNAMICS_PAGE_SIZE="1")
    bench.dynamics.seed(contacts(5))
    await bench.settle()
    context = bench.app.context
    follow, links = context.dynamics.follow, list[str]()

    async def wrong(link: str, *where: str) -> SourcePage:
        page = await follow(link, *where)
        if "skiptoken" not in link:
            return page
        links.append(link)
        assert len(links) < 40, "it waits"
        if not whole and len(links) > 1:
            if fault == "a list no longer kept":
                raise SyncError("delta_expired")
            return replace(page, next_link=links[0])
        return page

    monkeypatch.setattr(context.dynamics, "follow", wrong)
    monkeypatch.setattr(context.dynamics, "_ids_paged", vars(context.dynamics)["_paged"])
    whole = False
    wanted = replay.Replay(epoch=1, matching="firstname ne null")
    job = await replay.start(context, "contacts", wanted, who="me")
    for _ in range(3):
        await bench.work()
        bench.clock.at += 31
        await jobs.wake_jobs(context)
    assert len(links) > 3
    whole = True
    for _ in range(8):
        await bench.work()
        bench.clock.at += 31
        await jobs.wake_jobs(context)
    ended = await context.jobs.get("contacts", job.name)
    assert ended is not None and ended.state == "done"


async def test_a_list_of_campaign_that_comes_round_stops_adopt_and_a_comparison(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(addressing="key")
    bench.dynamics.seed(contacts(5))
    await bench.settle()
    context = bench.app.context
    follow, links = Records.follow, list[str]()

    async def circle(records: Records, link: str) -> Page:
        links.append(link)
        assert len(links) < 20, "round and round"
        page = await follow(records, link)
        return replace(page, next=links[1]) if len(links) > 2 else page

    monkeypatch.setattr(Records, "follow", circle)
    monkeypatch.setattr(extras, "LIST_PAGE", 1)
    monkeypatch.setattr(adopt, "PAGE", 1)
    with pytest.raises(SyncError) as told:
        await adopt.adopt(context, "contacts", "email", write=False)
    assert told.value.code == "paging_loop"
    links.clear()
    job = await reconcile.start(context, "contacts", look.Reconcile(epoch=1), who="me", total=5)
    await bench.work()
    waiting = await context.jobs.get("contacts", job.name)
    assert waiting is not None and waiting.state == "running"
    assert look.Place.model_validate_json(waiting.place) == look.Place(part="extras")


async def test_a_sweep_goes_on_at_the_pass_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(addressing="key", BUCKETS="4")
    bench.dynamics.seed(contacts(12))
    await bench.settle()
    context = bench.app.context
    progress = await context.watermarks.progress("contacts")
    await context.watermarks.write_progress(replace(progress, swept=0))
    monkeypatch.setattr(sweep, "Present", partial(sweep.Present, most=1))
    list_ids, passes = context.dynamics.list_ids, 0

    async def sometimes(*where: str) -> SourcePage:
        nonlocal passes
        passes += 1
        if passes == 3:
            raise SyncError("dynamics_unreachable")
        return await list_ids(*where)

    monkeypatch.setattr(context.dynamics, "list_ids", sometimes)
    for _ in range(12):
        bench.clock.at += 30
        await bench.app.pull_changes()
        await bench.work()
    assert (await context.watermarks.progress("contacts")).swept == progress.generation
    assert passes == 5, "four buckets, one a pass, and the one that failed again"
