"""Work set aside by a pause comes back after the resume, however much of another mapping waits there too."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from benchmarks.calls import Bench
from sync.flows.pause import SURE_S, restore, wait
from sync.model import Lane
from sync.storage.queue import Queue, Received


async def test_what_is_resumed_is_found_behind_much_that_waits_on_and_looks_get_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(addressing="key")
    context = bench.app.context
    receive = Queue.receive

    async def slow(queue: Queue, count: int = 32, *, visibility_s: float = 60.0) -> Sequence[Received]:
        bench.clock.at += 0.5
        return await receive(queue, count, visibility_s=visibility_s)

    monkeypatch.setattr(Queue, "receive", slow)
    for mapping in ("accounts", "contacts"):
        await context.pauses.pause(mapping, ["lane:live"], "me", "")
    for _ in range(2000):
        await wait(context, "lane:live", "accounts", "body")
    await wait(context, "lane:live", "contacts", "mine")
    await context.pauses.resume("contacts", ["lane:live"])
    bench.clock.at += SURE_S
    spent = []
    for _ in range(8):
        bench.clock.at += 61
        began = bench.clock.at
        await restore(context)
        spent.append(bench.clock.at - began)
    live, paused = context.lanes.queue(Lane.LIVE), context.lanes.queue(Lane.PAUSED)
    assert (await live.length(), await paused.length()) == (1, 2000)
    assert max(spent) <= 10.5 and max(spent[4:]) <= 1.5
    await context.pauses.resume("accounts", ["lane:live"])
    for _ in range(9):
        bench.clock.at += 61
        await restore(context)
    assert (await live.length(), await paused.length()) == (2001, 0)
    assert await context.pauses.resumed() is None
