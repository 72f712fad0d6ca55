"""One storage account: the names of its tables and queues, and where they come from."""

from __future__ import annotations

from collections.abc import Callable

from sync.model import Lane
from sync.storage.memory import Gate, MemoryQueue, MemoryTable
from sync.storage.queue import Queue, QueueBackend
from sync.storage.table import Table, TableBackend

TABLES = ("watermarks", "control", "mappings", "ledger", "parked", "history", "budget", "counters",
          "links", "consents", "consentjournal", "events", "exports", "parkedevents", "blocked",
          "findings")  # fmt: skip
QUEUES = tuple(lane.value for lane in Lane) + tuple(
    f"{lane.value}-poison" for lane in (Lane.CONSENT, Lane.LIVE, Lane.BACKFILL, Lane.CONTROL, Lane.EVENTS)
)


class Account:
    """Tables and queues by name; a backend is made on first use."""

    def __init__(self, table: Callable[[str], TableBackend], queue: Callable[[str], QueueBackend]) -> None:
        self._table_backend = table
        self._queue_backend = queue
        self._tables: dict[str, Table] = {}
        self._queues: dict[str, Queue] = {}

    def table(self, name: str) -> Table:
        if name not in self._tables:
            if name not in TABLES:
                raise KeyError(name)
            self._tables[name] = Table(self._table_backend(name))
        return self._tables[name]

    def queue(self, name: str) -> Queue:
        if name not in self._queues:
            if name not in QUEUES:
                raise KeyError(name)
            self._queues[name] = Queue(self._queue_backend(name))
        return self._queues[name]


class MemoryAccount:
    """The data of an account in memory; `view` gives one worker's way to it."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.tables = {name: MemoryTable(name) for name in TABLES}
        self.queues = {name: MemoryQueue(name, now) for name in QUEUES}

    def view(self, gate: Gate | None = None) -> Account:
        if gate is None:
            return Account(self.tables.__getitem__, self.queues.__getitem__)
        return Account(
            lambda name: self.tables[name].with_gate(gate), lambda name: self.queues[name].with_gate(gate)
        )
