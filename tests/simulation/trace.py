"""The app's own log events: into a trace, or nowhere."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.world import World


class Traced(logging.Handler):
    """Brings the app's own log events into a trace."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def listen(self) -> None:
        logger = logging.getLogger("sync")
        logger.handlers[:] = [self]
        logger.propagate = False
        logger.setLevel(logging.DEBUG)

    def emit(self, record: logging.LogRecord) -> None:
        self._world.lines.append(f"{self._world.loop.virtual:.4f}     log {record.getMessage()}")


def quiet_logs() -> None:
    """Log events cost time and nobody reads them in a run."""
    logging.getLogger("sync").setLevel(logging.CRITICAL)
