"""An event loop whose clock jumps to the next timer instead of waiting for it."""

from __future__ import annotations

import asyncio
from typing import Any


class Stuck(Exception):
    """Nothing is ready and no timer is set: whoever waits would wait for ever."""


class VirtualLoop(asyncio.BaseEventLoop):
    """asyncio's own scheduling over a selector that has no files and only moves time on."""

    def __init__(self) -> None:
        super().__init__()
        self.virtual = 0.0
        self._selector = self
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Virtual seconds since the run began."""
        return self.virtual

    def select(self, timeout: float | None) -> list[Any]:
        """The selector's only method that the base loop calls."""
        if timeout is None:
            raise Stuck
        if timeout > 0:
            self.virtual += timeout
        return []

    def _process_events(self, events: list[Any]) -> None:
        """There are none."""

    def _asyncgen_finalizer_hook(self, agen: Any) -> None:
        """A generator that a dead process left behind is not closed: nothing of it runs any more."""

    def _write_to_self(self) -> None:
        """Nobody waits in a system call that would have to be woken."""


async def at(loop: VirtualLoop, seconds: float) -> None:
    """Wait until that time; for the harness itself, never for a worker (a worker may die)."""
    future: asyncio.Future[None] = loop.create_future()
    loop.call_at(seconds, _wake, future)
    await future


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
