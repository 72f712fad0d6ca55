"""What the events flow works with, beside the worker's one Context."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sync.dynamics.activities import ActivityWriter
from sync.flows.context import Context
from sync.planning.activities import Events as Configuration
from sync.planning.exports import Exports
from sync.planning.load_events import load_events
from sync.settings import Settings
from sync.storage.budget import Budget
from sync.storage.events import Events
from sync.storage.files import Files
from sync.storage.lanes import Lanes
from sync.storage.logs import LogSource
from sync.storage.parked_events import ParkedEvents
from sync.storage.table import RowConflict
from sync.storage.watermarks import Progress

FLOW = "email"
"""Its name in watermarks, counters and history; mappings of contacts and tables cannot be called so."""
WAITS = ("pull", "apply", "wake", "retention")
"""What of it may wait for something to be mended, by the names in `status`."""
LARGEST = 1000
SMALLEST = 10


@dataclass
class EventContext:
    """`source` None: no container is set, so nothing is read. `text` is `mappings/events.yaml`."""

    base: Context
    events: Events
    files: Files
    parked: ParkedEvents
    writer: ActivityWriter
    budgets: Sequence[Budget]
    """Execution time in milliseconds, one per application user (dataverse.md 3)."""
    source: LogSource | None
    text: str
    bulk_size: int = LARGEST
    fewest_in_bulk: int = 20
    """Smaller groups of all tables go into one `$batch` together: fewer requests."""
    most_rows: int = 2000
    """Open rows of a partition that one message works, about: what a worker's memory holds of it."""
    ms_per_row: dict[str, float] = field(default_factory=lambda: {"bulk": 7.0, "batch": 50.0})
    """Execution time as measured; the first values are those of anchors.md 7a."""
    stores: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(16))
    """Table transactions in flight."""
    turn: int = 0
    woken_at: float = 0.0
    reported_at: float = 0.0
    _configuration: Configuration | None = None

    @property
    def settings(self) -> Settings:
        return self.base.settings

    @property
    def lanes(self) -> Lanes:
        return self.base.lanes

    def now(self) -> float:
        return self.base.clock.now()

    def configuration(self) -> Configuration:
        """How events show in Dynamics, read once per worker; raises SyncError `mapping_invalid`."""
        if self._configuration is None:
            self._configuration = load_events(self.text)
        return self._configuration

    @property
    def exports(self) -> Exports:
        return self.configuration().exports

    def count(self, name: str, number: int = 1) -> None:
        if number:
            self.base.counters.count(FLOW, name, number)


async def guard(context: EventContext) -> Progress:
    """The flow's epoch and environment; raises `environment_changed`. The first use writes the row."""
    watermarks = context.base.watermarks
    progress = await watermarks.progress(FLOW)
    organization = await context.base.guard(progress)
    if not progress.organization:
        fresh = replace(progress, organization=organization, campaign=context.base.campaign_tenant)
        with contextlib.suppress(RowConflict):  # another worker was first
            await watermarks.write_progress(fresh)
        progress = await watermarks.progress(FLOW)
    return progress
