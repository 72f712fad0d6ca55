"""Ctrl-C, SIGTERM and SIGHUP end the demo in order: what runs is stopped first."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """The first signal becomes KeyboardInterrupt, once no process is just being started; later ones are ignored."""

    def __init__(self) -> None:
        self._held = 0
        self._asked = False

    def install(self) -> None:
        """Takes the signals over; for the main thread."""
        for number in ENDING:
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        for ending in ENDING:
            signal.signal(ending, signal.SIG_IGN)
        self._asked = True
        if not self._held:
            raise KeyboardInterrupt

    @contextmanager
    def held(self) -> Iterator[None]:
        """A signal in this block takes effect at its end."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            if self._asked and not self._held:
                raise KeyboardInterrupt
