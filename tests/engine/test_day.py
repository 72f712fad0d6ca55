"""At the edge of the day's limit: what it denies is no reservation, so nobody calls uncounted or before their turn."""

from __future__ import annotations

import pytest

from benchmarks.calls import Bench
from benchmarks.engine import contacts
from sync.errors import Throttled
from sync.flows.permits import Permits, TooLate
from sync.flows.spend import spend_backfill
from sync.model import Lane
from sync.storage.budget import Grant
from sync.storage.day_line import HOUR_S, WINDOW_S
from sync.storage.lanes import from_message
from tests.consent.test_both_ways import consent_map

LIMIT = 1000


async def edge(bench: Bench, left_s: float, *, now: int = 0) -> float:
    """Let the day be used up until `left_s` from now; `now` calls stay counted. When calls are free again."""
    hour = int(bench.clock.at // HOUR_S)
    free = (hour + 1) * HOUR_S + WINDOW_S
    bench.clock.at = free - left_s
    line = {"shared": "0", "backfill": "0", "work": "0", "day": f"{hour}:{LIMIT - now} {hour + 20}:{now}"}
    await (
        bench.account.view()
        .table("budget")
        .upsert({"PartitionKey": bench.app.context.budget.limit.name, "RowKey": "next", **line})
    )
    return free


def bench_of() -> Bench:
    return Bench(addressing="key", CAMPAIGN_CALLS_PER_DAY=str(LIMIT))


async def test_a_call_made_after_the_edge_is_counted() -> None:
    bench = bench_of()
    context = bench.app.context
    await edge(bench, 5, now=LIMIT - 2)
    for _ in range(2):
        await context.spend()
    assert await context.budget.used_of_day() == LIMIT
    with pytest.raises(Throttled):
        await context.spend()
    free = await edge(bench, 5, now=LIMIT - 1)
    permits = Permits(context, Grant(0, 0.0, denied=False))
    await permits.one(free + 60)
    assert await context.budget.used_of_day() == LIMIT
    with pytest.raises(TooLate):
        await permits.one(free + 60)


async def test_consent_comes_back_after_the_edge() -> None:
    bench = Bench(addressing="key", consent=consent_map(), CAMPAIGN_CALLS_PER_DAY=str(LIMIT))
    (ada,) = bench.dynamics.seed(contacts(1))
    await bench.settle()
    bench.dynamics.edit(ada, {"donotbulkemail": True})
    bench.clock.at += 60
    await bench.app.pull_changes()
    await edge(bench, 30, now=LIMIT - 10)
    calls = len(bench.campaign.log)
    queue = bench.account.view().queue(Lane.CONSENT.value)
    bench.clock.at += 29
    (hint,) = await queue.receive(1, visibility_s=600)
    await bench.app.consent(hint.body, invocation="x")
    await queue.delete(hint)
    assert [entry.note for entry in bench.campaign.log[calls:] if entry.note != "token"] == []
    assert len(bench.account.queues["consent"].messages) == 1


async def test_what_waited_for_tomorrow_goes_through_its_lines_then() -> None:
    bench = bench_of()
    bench.dynamics.seed(contacts(1))
    await bench.app.pull_changes()
    control = bench.account.view().queue(Lane.CONTROL.value)
    for message in await control.receive(32, visibility_s=600):
        await bench.app.control(message.body, invocation="x")
    await bench.app.context.know_addressing()
    free = await edge(bench, 1000)
    await bench.app.feed_backfill()
    for message in await bench.account.view().queue("backfill").receive(32, visibility_s=600):
        await bench.app.apply(Lane.BACKFILL, message.body, dequeue_count=1, invocation="x")
        await bench.account.view().queue("backfill").delete(message)
    (waiting,) = bench.account.queues["backfill"].messages
    chunk = from_message(waiting.body)
    assert (chunk.reserved_at, chunk.permits) == (0.0, 0)
    assert bench.campaign.dump() == []
    assert bench.clock.at < free


async def test_a_comparison_that_waited_for_the_day_goes_through_the_backfill_s_line() -> None:
    bench = bench_of()
    context = bench.app.context
    await edge(bench, 5)
    await spend_backfill(context)
    (row,) = [stored.entity for stored in bench.account.tables["budget"].rows.values()]
    assert float(str(row["backfill"])) > bench.clock.at
