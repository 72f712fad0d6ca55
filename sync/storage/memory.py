"""Tables and queues in memory: for the simulation and unit tests, with the same contract tests as Azurite.

`Gate` is awaited before and after each effect, so that a harness can delay, fail or abandon the caller on either
side of it: a call that stops in `before` was not applied, one that stops in `after` was.
"""

from __future__ import annotations

import bisect
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sync.storage.queue import Received
from sync.storage.table import Entity, Op, Page, Query, RowConflict, Scalar, Stored, Verb

COMPARE: dict[str, Callable[[Scalar, Scalar], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "ge": operator.ge,
    "gt": operator.gt,
    "le": operator.le,
    "lt": operator.lt,
}


class Gate(Protocol):
    """Awaited around each effect with its name, e.g. `ledger.submit` or `live.put`."""

    async def before(self, effect: str) -> None: ...

    async def after(self, effect: str) -> None: ...


class OpenGate:
    """Lets everything through at once."""

    async def before(self, effect: str) -> None:
        return

    async def after(self, effect: str) -> None:
        return


@dataclass
class MemoryTable:
    """A `TableBackend` over a dict; shared by all workers that hold it."""

    name: str
    gate: Gate = field(default_factory=OpenGate)
    rows: dict[tuple[str, str], Stored] = field(default_factory=dict)
    keys: list[tuple[str, str]] = field(default_factory=list)
    writes: int = 0

    def with_gate(self, gate: Gate) -> MemoryTable:
        """The same rows seen through another gate (another worker)."""
        view = MemoryTable(self.name, gate, self.rows, self.keys)
        view._owner = self._owner
        return view

    def __post_init__(self) -> None:
        self._owner = self

    async def get(self, partition: str, row: str) -> Stored | None:
        await self.gate.before(f"{self.name}.get")
        found = self.rows.get((partition, row))
        await self.gate.after(f"{self.name}.get")
        return found

    async def submit(self, ops: Sequence[Op]) -> list[str]:
        await self.gate.before(f"{self.name}.submit")
        for index, op in enumerate(ops):
            if not self._matches(op):
                await self.gate.after(f"{self.name}.submit")
                raise RowConflict(index)
        etags = [self._apply(op) for op in ops]
        await self.gate.after(f"{self.name}.submit")
        return etags

    def _matches(self, op: Op) -> bool:
        current = self.rows.get(op.key)
        if op.verb is Verb.INSERT:
            return current is None
        if op.verb is Verb.REPLACE or (op.verb is Verb.DELETE and op.etag):
            return current is not None and current.etag == op.etag
        return True

    def _apply(self, op: Op) -> str:
        key = op.key
        if op.verb is Verb.DELETE:
            if self.rows.pop(key, None) is not None:
                self.keys.pop(bisect.bisect_left(self.keys, key))
            return ""
        self._owner.writes += 1
        etag = f'W/"{self._owner.writes}"'
        if key not in self.rows:
            bisect.insort(self.keys, key)
        self.rows[key] = Stored(dict(op.entity), etag)
        return etag

    async def page(self, query: Query, size: int, token: str | None) -> Page:
        await self.gate.before(f"{self.name}.page")
        comparisons = query.comparisons()
        partition = query.partition if query.partition is not None else (query.partition_from or "")
        start = bisect.bisect_left(self.keys, (partition, query.row_from or ""))
        if token is not None:
            start = max(start, bisect.bisect_left(self.keys, _parse(token)))
        found: list[Stored] = []
        next_token: str | None = None
        for key in self.keys[start:]:
            if query.partition is not None and key[0] != query.partition:
                break
            if query.partition_below is not None and key[0] >= query.partition_below:
                break
            stored = self.rows[key]
            if all(_holds(stored.entity, comparison) for comparison in comparisons):
                if len(found) == size:
                    next_token = f"{key[0]}\n{key[1]}"
                    break
                found.append(_selected(stored, query.select))
        await self.gate.after(f"{self.name}.page")
        return Page(tuple(found), next_token)


def _parse(token: str) -> tuple[str, str]:
    partition, _, row = token.partition("\n")
    return partition, row


def _holds(entity: Entity, comparison: tuple[str, str, Scalar]) -> bool:
    name, operation, value = comparison
    # A row without the property never matches, `ne` included (the service's rule).
    return name in entity and COMPARE[operation](entity[name], value)


def _selected(stored: Stored, select: tuple[str, ...]) -> Stored:
    if not select:
        return stored
    return Stored({name: stored.entity[name] for name in select if name in stored.entity}, stored.etag)


@dataclass(slots=True)
class _Message:
    message_id: str
    body: str
    visible_at: float
    inserted_at: float = 0.0
    dequeue_count: int = 0
    receipt: str = ""


@dataclass
class MemoryQueue:
    """A `QueueBackend` over a list; `now` is the storage service's clock."""

    name: str
    now: Callable[[], float]
    gate: Gate = field(default_factory=OpenGate)
    messages: list[_Message] = field(default_factory=list)
    serial: list[int] = field(default_factory=lambda: [0])

    def with_gate(self, gate: Gate) -> MemoryQueue:
        """The same messages seen through another gate (another worker)."""
        return MemoryQueue(self.name, self.now, gate, self.messages, self.serial)

    def _next(self) -> int:
        self.serial[0] += 1
        return self.serial[0]

    async def put(self, body: str, delay_s: float) -> None:
        await self.gate.before(f"{self.name}.put")
        now = self.now()
        self.messages.append(_Message(str(self._next()), body, now + delay_s, now))
        await self.gate.after(f"{self.name}.put")

    async def receive(self, count: int, visibility_s: float) -> list[Received]:
        await self.gate.before(f"{self.name}.receive")
        taken: list[Received] = []
        for message in self.messages:
            if len(taken) == count:
                break
            if message.visible_at <= self.now():
                message.visible_at = self.now() + visibility_s
                message.dequeue_count += 1
                message.receipt = str(self._next())
                taken.append(
                    Received(
                        message.message_id,
                        message.receipt,
                        message.body,
                        message.dequeue_count,
                        message.inserted_at,
                    )
                )
        await self.gate.after(f"{self.name}.receive")
        return taken

    async def delete(self, message: Received) -> None:
        await self.gate.before(f"{self.name}.delete")
        for index, held in enumerate(self.messages):
            if held.message_id == message.message_id and held.receipt == message.receipt:
                del self.messages[index]
                break
        await self.gate.after(f"{self.name}.delete")

    async def length(self) -> int:
        await self.gate.before(f"{self.name}.length")
        count = len(self.messages)
        await self.gate.after(f"{self.name}.length")
        return count

    async def oldest(self) -> float | None:
        await self.gate.before(f"{self.name}.oldest")
        waiting = [message.inserted_at for message in self.messages if message.visible_at <= self.now()]
        await self.gate.after(f"{self.name}.oldest")
        return waiting[0] if waiting else None
