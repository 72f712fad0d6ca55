"""How a run goes on: timers while things go wrong, coming to rest, and being asked again."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sync.storage.pauses import BELIEVED_S
from tests.simulation.scenario import MAPPING
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.world import World

LONGEST_S = 3 * 3600.0
"""Virtual seconds within which a healthy system must come to rest."""


async def ticks(world: World) -> None:
    """Timers while things go wrong: lost, doubled, irregular."""
    scenario, chaos = world.scenario, world.chaos
    count = 0
    while True:
        await world.wait(scenario.tick_s * (0.6 + 0.8 * world.rng.random()))
        count += 1
        if chaos.host("lost_tick", 0.5):
            continue
        for _ in range(1 + chaos.host("overlapping_ticks")):
            tick(world, "pull_changes")
        if held(world):
            tick(world, "feed_backfill")
        if count % 6 == 0:
            tick(world, "wake_parked")


def tick(world: World, name: str) -> None:
    process = world.some_process()
    if process is not None:
        world.note(process.name, f"timer {name}")
        world.host.begin(process, world.host.timer(process, name))
    if name in world.beside:
        tick(world, world.beside[name])


async def settle(world: World) -> None:
    """Let a faultless system come to rest: lanes empty, generation read and swept, two pulls that find nothing."""
    if world.outcomes["people_resume"]:
        # Until then a pull that finds nothing may only believe that it is still paused.
        await world.wait(BELIEVED_S)
    began = world.loop.virtual
    quiet = 0
    while quiet < 2:
        if world.loop.virtual - began > LONGEST_S:
            raise Violation(f"liveness: not at rest after {LONGEST_S:.0f} s: {_unrest(world)}")
        await world.host.until_idle()
        if world.host.unexpected:
            raise Violation(f"an exception no function may end with: {world.host.unexpected[0]}")
        visible = world.host.waiting()
        if visible is not None:
            quiet = 0
            await world.wait(min(max(visible - world.now(), 0.0), 600.0) + 0.4)
            continue
        if held(world):
            quiet = 0
            tick(world, "feed_backfill")
            await world.wait(2.0)
            continue
        tick(world, "pull_changes")
        tick(world, "wake_parked")
        await world.wait(1.0)
        await world.host.until_idle()
        quiet = quiet + 1 if finished(world) else 0


def held(world: World) -> bool:
    """Whether messages wait where there is no trigger."""
    return any(world.account.queues[name].messages for name in ("backfill-hold", "paused"))


def finished(world: World) -> bool:
    """Whether nothing is queued, read or to be swept."""
    if world.host.waiting() is not None or held(world) or world.running_jobs() or world.commands_run():
        return False
    return all(_read(world, name) for name in world.names)


def _read(world: World, name: str) -> bool:
    row = world.at_once(world.watermarks.tick(name))
    progress = world.at_once(world.watermarks.progress(name))
    inside = "skiptoken" in row.link
    done = progress.generation > 0 and progress.swept == progress.generation
    done = done and not row.resync and not inside
    return done and not progress.running and not progress.closing


def _unrest(world: World) -> str:
    queued = {name: len(queue.messages) for name, queue in world.account.queues.items() if queue.messages}
    progress = world.at_once(world.watermarks.progress(MAPPING))
    states = Counter(row.state.value for row in world.ledger_rows().values())
    return (
        f"{queued} {dict(states)} running={progress.running} closing={progress.closing} {world.host.running}"
    )


async def again(world: World) -> None:
    """A synced system is asked again: three pulls, the timers, a replay (invariant I8)."""
    world.witness.frozen = True
    for _ in range(3):
        tick(world, "pull_changes")
        await world.wait(1.0)
        await world.host.until_idle()
    world.people.replay("replay")
    world.begin_compare()
    tick(world, "expire_rows")
    await world.wait(world.settings.message_lease_s)
    tick(world, "wake_parked")
    await settle(world)
    world.witness.frozen = False
