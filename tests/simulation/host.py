"""The functions host as its documents describe it: leases, renewal, dequeue counts, poison, timers.

At least once: a message may be delivered again while its first delivery still runs, late, or in another order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from sync.model import Lane
from sync.storage.memory import MemoryQueue, _Message
from sync.storage.table import StorageFault
from tests.simulation.process import Process

if TYPE_CHECKING:
    from tests.simulation.world import World

LANES = (Lane.CONSENT, Lane.LIVE, Lane.BACKFILL, Lane.CONTROL)
TRIGGERED = tuple(lane.value for lane in LANES) + tuple(f"{lane.value}-poison" for lane in LANES)
MAX_DEQUEUE = 5
RETRY_VISIBLE_S = 2.0


class NoticedList(list[_Message]):
    """The messages of a queue; the host hears of every new one."""

    def __init__(self, notice: Callable[[_Message], None]) -> None:
        super().__init__()
        self._notice = notice

    def append(self, message: _Message) -> None:
        super().append(message)
        self._notice(message)


class Host:
    """Delivers messages to processes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.running = 0
        self.idle: asyncio.Future[None] | None = None
        self.invocations = 0
        self.unexpected: list[str] = []
        self.queues: dict[str, MemoryQueue] = {}

    def attach(self, queues: dict[str, MemoryQueue]) -> None:
        """Listen to the queues that have a trigger."""
        self.queues = queues
        for name in TRIGGERED:
            queues[name].messages = NoticedList(lambda message, name=name: self._notice(name, message))  # type: ignore[misc]

    def _notice(self, name: str, message: _Message) -> None:
        rng, chaos = self.world.rng, self.world.chaos
        poll = 0.02 + 0.3 * rng.random()
        if chaos.host("late_delivery"):
            poll += 12.0 * rng.random()
        delay = max(message.visible_at - self.world.now(), 0.0) + poll
        self.world.loop.call_later(delay, self._poll, name, message)

    def _poll(self, name: str, message: _Message) -> None:
        if not any(held is message for held in self.queues[name].messages):
            return
        if message.visible_at > self.world.now():
            return
        process = self.world.some_process()
        if process is None:
            self.world.loop.call_later(0.5, self._poll, name, message)
            return
        message.dequeue_count += 1
        if message.dequeue_count > MAX_DEQUEUE and not name.endswith("-poison"):
            self._to_poison(name, message)
            return
        self._deliver(process, name, message)

    def _deliver(self, process: Process, name: str, message: _Message) -> None:
        world = self.world
        self.invocations += 1
        message.receipt = f"r{self.invocations}"
        lease = world.settings.message_lease_s
        message.visible_at = world.now() + lease
        if world.chaos.host("delivered_twice", 0.7):
            message.visible_at = world.now() + lease * 0.5 * world.rng.random()
        self._watch(name, message)
        world.note(process.name, f"delivery of {name} {message.message_id} ({message.dequeue_count})")
        receipt, count = message.receipt, message.dequeue_count
        invocation = f"i{self.invocations}"
        self.begin(process, self._handle(process, name, message, receipt, count, invocation))
        if message.visible_at == world.now() + lease:
            world.loop.call_later(lease / 2, self._renew, process, name, message, receipt)

    def _watch(self, name: str, message: _Message) -> None:
        """Look again when the message is visible again."""
        wait = message.visible_at - self.world.now() + 0.05 * self.world.rng.random()
        self.world.loop.call_later(max(wait, 0.0), self._poll, name, message)

    def _renew(self, process: Process, name: str, message: _Message, receipt: str) -> None:
        """The lease is renewed at half its time while the handler lives."""
        held = any(held is message for held in self.queues[name].messages)
        if not process.alive or not held or message.receipt != receipt:
            return
        if self.world.chaos.host("lease_lost"):
            return
        lease = self.world.settings.message_lease_s
        message.visible_at = self.world.now() + lease
        self._watch(name, message)
        self.world.loop.call_later(lease / 2, self._renew, process, name, message, receipt)

    def begin(self, process: Process, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run an invocation on a process and count it."""
        self.running += 1
        process.running += 1
        return process.spawn(self._counted(process, work))

    async def _counted(self, process: Process, work: Coroutine[Any, Any, None]) -> None:
        await work
        if not process.alive:
            await self.world.never()
        process.running -= 1
        self.ended(1)

    def ended(self, count: int) -> None:
        """Invocations are over, or died with their process."""
        self.running -= count
        if self.running == 0 and self.idle is not None:
            self.idle.set_result(None)
            self.idle = None

    async def until_idle(self) -> None:
        """Until no invocation runs."""
        if self.running:
            if self.idle is None:
                self.idle = self.world.loop.create_future()
            await asyncio.shield(self.idle)

    async def _handle(
        self, process: Process, name: str, message: _Message, receipt: str, count: int, invocation: str
    ) -> None:
        failed = False
        try:
            await self.call(process, name, message.body, count, invocation)
        except StorageFault:
            failed = True
        except Exception as error:
            self.surprise(name, error)
            failed = True
        await process.maybe_die("completing")
        messages = self.queues[name].messages
        mine = [index for index, held in enumerate(messages) if held is message and held.receipt == receipt]
        if not mine:
            return
        if not failed:
            del messages[mine[0]]
        elif name.endswith("-poison"):
            # Without a poison queue of its own it stays invisible until its lease ends.
            message.receipt = ""
        elif count >= MAX_DEQUEUE:
            self._to_poison(name, message)
        else:
            message.visible_at = self.world.now() + RETRY_VISIBLE_S
            message.receipt = ""
            self._watch(name, message)

    def surprise(self, where: str, error: Exception) -> None:
        """An exception that no function may end with."""
        text = f"{where}: {type(error).__name__}: {error}"
        self.world.note("host", text)
        if self.world.tracing:
            import traceback

            self.world.note("host", "".join(traceback.format_exception(error)))
        self.unexpected.append(text)

    async def call(self, process: Process, name: str, body: str, count: int, invocation: str) -> None:
        """The function that is bound to the queue `name`."""
        app = process.app
        lane, _, poison = name.partition("-")
        if poison:
            await app.poison(Lane(lane), body)
        elif lane == "control":
            await app.control(body, invocation=invocation)
        elif lane == "consent":
            await app.consent(body, invocation=invocation)
        else:
            await app.apply(Lane(lane), body, dequeue_count=count, invocation=invocation)

    def _to_poison(self, name: str, message: _Message) -> None:
        self.world.outcomes["poisoned"] += 1
        self.world.note("host", f"{name} {message.message_id} is poison")
        messages = self.queues[name].messages
        messages[:] = [held for held in messages if held is not message]
        poison = self.queues[f"{name}-poison"].messages
        poison.append(_Message(f"p{message.message_id}", message.body, self.world.now()))

    async def timer(self, process: Process, name: str) -> None:
        """One tick of a timer function."""
        try:
            await getattr(process.app, name)()
        except StorageFault:
            self.world.outcomes[f"{name}_failed"] += 1
        except Exception as error:
            self.surprise(name, error)

    def waiting(self) -> float | None:
        """When the next message of a triggered queue becomes visible; None if there is none."""
        times = [message.visible_at for name in TRIGGERED for message in self.queues[name].messages]
        return min(times, default=None)
