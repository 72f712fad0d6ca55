"""What waits, or fails beside the calls, leaves the rest alone: places in flight, the sweep, outcomes of calls made."""

from __future__ import annotations

import pytest

from benchmarks.calls import Bench
from benchmarks.engine import contacts
from sync.flows import drift, reconcile
from sync.flows.context import Context
from sync.flows.look import Look, Reconcile
from sync.model import Lane
from sync.planning.outcome import Kind, Outcome
from sync.storage.lanes import from_message
from sync.storage.table import StorageFault

REFUSED = [Outcome(Kind.CREATED, 1), Outcome(Kind.REFUSED, 1, "campaign_unexplained")]


async def test_a_comparison_holds_no_place_in_flight_while_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(addressing="key", CAMPAIGN_CONCURRENCY="1")
    (ada,) = bench.dynamics.seed(contacts(1))
    await bench.settle()
    context = bench.app.context
    compiled = await context.reading("contacts")
    look = Look(
        context,
        "contacts",
        Reconcile(epoch=1),
        compiled,
        await context.target(compiled),
        await context.watermarks.progress("contacts"),
    )
    held = []

    async def spend(given: Context) -> None:
        held.append(given.calls_in_flight.locked())

    monkeypatch.setattr(reconcile, "spend_backfill", spend)
    assert await reconcile._find(look, ada)
    assert held == [False]


async def test_unexplained_refusals_ask_for_one_description_a_minute() -> None:
    bench = Bench(addressing="key", dialect="v8")
    bench.dynamics.seed(contacts(1))
    await bench.settle()
    context = bench.app.context
    compiled = await context.working("contacts")
    calls = len(bench.campaign.log)
    await drift.judge(context, compiled, REFUSED, [0, 0])
    asked = len(bench.campaign.log)
    assert asked > calls
    assert await drift.judge(context, compiled, REFUSED, [0, 0]) == REFUSED
    assert len(bench.campaign.log) == asked
    bench.clock.at += drift.LOOK_S + 1
    await drift.judge(context, compiled, REFUSED, [0, 0])
    assert len(bench.campaign.log) > asked


async def test_outcomes_of_calls_outlive_a_storage_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(addressing="key", dialect="v8")
    bench.dynamics.seed(contacts(1))
    await bench.settle()
    context = bench.app.context
    compiled = await context.working("contacts")

    async def fails(*_: object) -> None:
        raise StorageFault

    with monkeypatch.context() as patch:
        patch.setattr(context, "spend", fails)
        judged = await drift.judge(context, compiled, REFUSED, [0, 0])
    assert [outcome.kind for outcome in judged] == [Kind.CREATED, Kind.FAILED]
    bench.campaign.change_metadata(remove_field="lastName")
    monkeypatch.setattr(context, "drifted", fails)
    judged = await drift.judge(context, compiled, REFUSED, [0, 0])
    assert [outcome.kind for outcome in judged] == [Kind.CREATED, Kind.RELEASED]


async def test_no_sweep_while_a_drift_carries_chunks_back(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(addressing="key")
    bench.dynamics.seed(contacts(3))
    await bench.app.pull_changes()
    context = bench.app.context
    control = bench.account.view().queue(Lane.CONTROL.value)
    for message in await control.receive(32, visibility_s=600):
        await bench.app.control(message.body, invocation="x")
        await control.delete(message)
    for _ in range(2):
        bench.clock.at += 15
        await bench.app.pull_changes()
    await bench.app.feed_backfill()
    lane = context.lanes.queue(Lane.BACKFILL)
    assert await lane.length()
    assert not await context.lanes.queue(Lane.BACKFILL_HOLD).length()
    length = type(lane).length

    async def moved(queue: object) -> int:
        """Workers carry the chunks back between the two reads."""
        if queue._backend is lane._backend:  # type: ignore[attr-defined]
            for message in await lane.receive(32, visibility_s=600):
                await drift.wait(context, from_message(message.body))
                await lane.delete(message)
        return await length(queue)  # type: ignore[arg-type]

    monkeypatch.setattr(type(lane), "length", moved)
    progress = await context.watermarks.progress("contacts")
    assert not progress.running
    bench.clock.at += 15
    await bench.app.pull_changes()
    assert not bench.account.queues["control"].messages
