"""Where log exports lie: files in a blob container, or in memory; read in ranges, never whole.

LogFileChanged      the file is no longer the one that was listed: it was written again
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Protocol

from sync.storage.memory import Gate, OpenGate

RANGE_BYTES = 1024 * 1024
"""Read at once: what one file takes of the memory, whatever its size."""


class LogFileChanged(Exception):
    """The file has another ETag than it had when it was listed, or is gone."""


@dataclass(frozen=True, slots=True)
class LogFile:
    """One export file; `modified` in unix seconds. Its `etag` changes with every write."""

    name: str
    etag: str
    size: int
    modified: float


class LogSource(Protocol):
    """A place that log files are dropped into. Methods raise StorageFault."""

    def files(self) -> AsyncIterator[LogFile]:
        """All files there are now."""
        ...

    def read(self, file: LogFile, start: int) -> AsyncIterator[bytes]:
        """The bytes from `start` on, in pieces; raises LogFileChanged."""
        ...


@dataclass
class MemoryLogs:
    """A `LogSource` over a dict; `now` is the storage service's clock."""

    now: Callable[[], float]
    gate: Gate = field(default_factory=OpenGate)
    content: dict[str, tuple[bytes, LogFile]] = field(default_factory=dict)
    piece: int = RANGE_BYTES
    writes: list[int] = field(default_factory=lambda: [0])

    def with_gate(self, gate: Gate) -> MemoryLogs:
        """The same files seen through another gate (another worker)."""
        return MemoryLogs(self.now, gate, self.content, self.piece, self.writes)

    def put(self, name: str, data: bytes) -> LogFile:
        """Write a file, over what is there."""
        self.writes[0] += 1
        file = LogFile(name, f'"0x{self.writes[0]:X}"', len(data), self.now())
        self.content[name] = (data, file)
        return file

    async def files(self) -> AsyncIterator[LogFile]:
        await self.gate.before("logs.list")
        for _, file in sorted(self.content.values(), key=lambda held: held[1].name):
            yield file

    async def read(self, file: LogFile, start: int) -> AsyncIterator[bytes]:
        while start < file.size:
            await self.gate.before("logs.read")
            data, now = self.content.get(file.name, (b"", None))
            if now is None or now.etag != file.etag:
                raise LogFileChanged(file.name)
            yield data[start : start + self.piece]
            start += self.piece
