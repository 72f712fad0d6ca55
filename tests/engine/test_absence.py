"""A record that may not be read is not a record that is gone (dataverse.md 1.4)."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.calls import Bench
from benchmarks.engine import contacts
from sync.flows import replay
from sync.flows.commands import Sweep, send


async def loaded(count: int) -> Bench:
    bench = Bench(addressing="key", delete_by_key=False)
    bench.dynamics.seed(contacts(count))
    await bench.settle()
    assert len(bench.campaign.dump()) == count
    return bench


async def test_a_replay_after_the_role_lost_global_read_deletes_nothing_and_waits() -> None:
    bench = await loaded(6)
    bench.dynamics.privileges(prvReadContact="Basic")
    context = bench.app.context
    await replay.start(context, "contacts", replay.Replay(epoch=1), who="test")
    for _ in range(5):
        await bench.work()
        bench.clock.at += 30
    assert len(bench.campaign.dump()) == 6
    paused = await context.control.paused("contacts", "apply")
    assert paused is not None
    assert paused.code == "dynamics_forbidden"


async def test_a_sweep_after_the_role_lost_global_read_finds_no_deletes() -> None:
    bench = await loaded(6)
    context = bench.app.context
    progress = await context.watermarks.progress("contacts")
    await context.watermarks.write_progress(replace(progress, swept=0))
    bench.dynamics.privileges(prvReadContact="Basic")
    await send(context.lanes, Sweep(mapping="contacts", epoch=1, generation=progress.generation))
    await bench.work()
    assert not bench.account.queues["backfill-hold"].messages
    assert not bench.account.queues["backfill"].messages


async def test_what_waited_goes_on_by_itself_once_the_role_is_mended() -> None:
    bench = await loaded(6)
    ids = [profile["externalId"] for profile in bench.campaign.dump()]
    bench.dynamics.privileges(prvReadContact="Basic")
    await replay.start(bench.app.context, "contacts", replay.Replay(epoch=1), who="test")
    await bench.work()
    bench.dynamics.delete(str(ids[0]))
    bench.dynamics.privileges(prvReadContact="Global")
    await bench.settle()
    assert len(bench.campaign.dump()) == 5
