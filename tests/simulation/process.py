"""A worker process: its clock, its way to storage and services, and its sudden death.

A process that died never resumes: its coroutines wait for ever (no `finally` runs, as after SIGKILL) and are thrown
away after the run.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from sync.storage.table import StorageFault

if TYPE_CHECKING:
    from sync.app import App
    from tests.simulation.world import World


class RunOver(BaseException):
    """Raised into what is still suspended when a run is thrown away."""


class Process:
    """One worker process; also the `Gate` of its storage and the `Clock` of its app."""

    app: App

    def __init__(self, world: World, name: str, skew: float) -> None:
        self.world = world
        self.name = name
        self.skew = skew
        self.alive = True
        self.rng = random.Random(world.rng.getrandbits(64))
        self.tasks: set[asyncio.Task[None]] = set()
        self.running = 0

    def now(self) -> float:
        return self.world.now() + self.skew

    async def sleep(self, seconds: float) -> None:
        await self.pause(max(seconds, 0.0))

    async def pause(self, seconds: float) -> None:
        """Let time pass; a process that dies meanwhile does not come back."""
        if not self.alive:
            await self.world.never()
        loop = self.world.loop
        future: asyncio.Future[None] = loop.create_future()
        loop.call_later(seconds, self.resume, future)
        await future

    def resume(self, future: asyncio.Future[Any], result: Any = None) -> None:
        """Wake a waiter, unless the process is dead."""
        if not self.alive:
            self.world.graveyard.append(future)
        elif isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)

    async def die(self, where: str) -> None:
        """The process is gone; its place is taken by a new one."""
        self.world.chaos.fired["crash"] += 1
        self.world.note(self.name, f"dies at {where}")
        self.world.bury(self)
        await self.world.never()

    async def maybe_die(self, where: str) -> None:
        """A possible death between two awaits."""
        if not self.alive:
            await self.world.never()
        if self.world.chaos.crashes(where):
            await self.die(where)

    async def before(self, effect: str) -> None:
        """Before a storage effect is applied."""
        await self.world.at_effect(effect)
        await self.pause(self.world.chaos.latency())
        self.world.note(self.name, effect)
        happens = self.world.chaos.effect()
        if happens == "crash" or self.world.chaos.due(f"before {effect}"):
            await self.die(f"before {effect}")
        elif happens:
            self.world.chaos.fired["storage_before"] += 1
            self.world.note(self.name, f"storage fault before {effect}")
            raise StorageFault("simulated, not applied")

    async def after(self, effect: str) -> None:
        """After it was applied."""
        happens = self.world.chaos.effect()
        if happens == "crash":
            await self.die(f"after {effect}")
        elif happens and effect.endswith((".submit", ".put", ".delete")):
            self.world.chaos.fired["storage_after"] += 1
            self.world.note(self.name, f"storage fault after {effect}")
            raise StorageFault("simulated, applied")

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something on this process."""
        task = self.world.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task
