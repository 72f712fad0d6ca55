"""Reads that go wrong on their way: links that come round, and a sweep that fails between two passes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from benchmarks.calls import Bench
from benchmarks.engine import contacts
from sync.errors import SyncError
from sync.flows import sweep
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
