"""One lane: a storage queue with the limits of Azure Queue Storage (reference azure.md 2.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

MAX_MESSAGE_BYTES = 48 * 1024
"""Ours (design 4.2); the service takes 64 KiB."""
MAX_DELAY_S = 7 * 24 * 3600 - 1


@dataclass(frozen=True, slots=True)
class Received:
    """A message taken from a queue; `receipt` is needed to delete it. `put_at`: unix seconds, the service's clock."""

    message_id: str
    receipt: str
    body: str
    dequeue_count: int
    put_at: float = 0.0


class QueueBackend(Protocol):
    """What a storage account does for one queue. All methods raise StorageFault."""

    async def put(self, body: str, delay_s: float) -> None: ...

    async def receive(self, count: int, visibility_s: float) -> Sequence[Received]: ...

    async def delete(self, message: Received) -> None: ...

    async def length(self) -> int:
        """Approximate, never too low: invisible and delayed messages count."""
        ...

    async def oldest(self) -> float | None:
        """When the first message that is visible now was put (unix seconds, the service's clock)."""
        ...


class Queue:
    """A lane; messages never expire (TTL -1)."""

    def __init__(self, backend: QueueBackend) -> None:
        self._backend = backend

    async def put(self, body: str, *, delay_s: float = 0.0) -> None:
        """Send one message, visible after `delay_s` (capped at the service's 7 days); raises ValueError if too large."""
        if len(body.encode()) > MAX_MESSAGE_BYTES:
            raise ValueError("a message above 48 KiB")
        await self._backend.put(body, min(max(delay_s, 0.0), MAX_DELAY_S))

    async def receive(self, count: int = 32, *, visibility_s: float = 60.0) -> Sequence[Received]:
        """Up to 32 messages, invisible to others for `visibility_s`."""
        return await self._backend.receive(min(count, 32), visibility_s)

    async def delete(self, message: Received) -> None:
        """Remove a received message; gone already is fine."""
        await self._backend.delete(message)

    async def length(self) -> int:
        """Messages waiting, delayed and in work; never too low."""
        return await self._backend.length()

    async def oldest(self) -> float | None:
        """When the first waiting message was put, None if none waits; one in work or delayed is not seen."""
        return await self._backend.oldest()
