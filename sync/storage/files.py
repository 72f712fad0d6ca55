"""What was read of each export file: the watermark of the events flow, one row per file, and its bad lines."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from sync.model import from_iso, to_iso
from sync.storage.table import Entity, Op, Query, Table, Verb

MOST_BAD_LINES = 1000
"""Noted one by one per file; more are counted. The file itself holds them all."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """How far a file was read. `file_etag` is the version it was read in, `etag` the row's own.

    `state`: reading, done, refused (`code` says why). `position` and `line` are where reading goes on.
    """

    name: str
    file_etag: str
    etag: str | None = None
    state: str = "reading"
    code: str = ""
    detail: str = ""
    position: int = 0
    line: int = 1
    header: tuple[str, ...] = ()
    events: int = 0
    bad: int = 0
    updated: float = 0.0

    def begun_again(self, now: float) -> FileRow:
        """To be read from its start, in the version it was read in."""
        return FileRow(self.name, self.file_etag, self.etag, updated=now)


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be read: where it is and why, never its text."""

    file: str
    line: int
    code: str
    detail: str
    file_etag: str = ""


def digest_of(name: str) -> str:
    return hashlib.blake2b(name.encode(), digest_size=12).hexdigest()


class Files:
    """Rows of the `exports` table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def all(self) -> dict[str, FileRow]:
        """Every file that was begun, by name."""
        found: dict[str, FileRow] = {}
        async for stored in self._table.scan(Query(partition="file")):
            entity = stored.entity
            row = FileRow(
                name=str(entity["name"]),
                file_etag=str(entity["file_etag"]),
                etag=stored.etag,
                state=str(entity["state"]),
                code=str(entity["code"]),
                detail=str(entity["detail"]),
                position=int(str(entity["position"])),
                line=int(entity["line"]),
                header=tuple(json.loads(str(entity["header"]))),
                events=int(entity["events"]),
                bad=int(entity["bad"]),
                updated=from_iso(str(entity["updated"])),
            )
            found[row.name] = row
        return found

    async def write(self, row: FileRow) -> FileRow:
        """Write a row over its ETag; the row with the new one. Raises RowConflict."""
        entity: Entity = {
            "PartitionKey": "file",
            "RowKey": digest_of(row.name),
            "name": row.name,
            "file_etag": row.file_etag,
            "state": row.state,
            "code": row.code,
            "detail": row.detail[:200],
            "position": str(row.position),
            "line": row.line,
            "header": json.dumps(row.header),
            "events": row.events,
            "bad": row.bad,
            "updated": to_iso(row.updated),
        }
        return replace(row, etag=await self._table.put(entity, row.etag))

    async def forget(self, row: FileRow) -> None:
        """The file is gone: so are its row and its bad lines."""
        async for stored in self._table.scan(Query(partition=_lines(row.name))):
            await self._table.delete(_lines(row.name), str(stored.entity["RowKey"]))
        await self._table.delete("file", digest_of(row.name))

    async def note_bad(self, lines: Sequence[BadLine]) -> None:
        """Quarantine lines of one file; noting one again changes nothing."""
        for start in range(0, len(lines), 100):
            await self._table.submit(
                [Op(Verb.UPSERT, _bad_entity(line)) for line in lines[start : start + 100]]
            )

    async def forget_bad(self, name: str, file_etag: str) -> None:
        """Lines that were bad in an older version of the file are no longer."""
        async for stored in self._table.scan(Query(partition=_lines(name))):
            if stored.entity["file_etag"] != file_etag:
                await self._table.delete(_lines(name), str(stored.entity["RowKey"]))

    async def bad_lines(self, name: str | None = None) -> AsyncIterator[BadLine]:
        """Quarantined lines of a file, or of all."""
        query = (
            Query(partition=_lines(name)) if name else Query(partition_from="line:", partition_below="line;")
        )
        async for stored in self._table.scan(query):
            entity = stored.entity
            yield BadLine(
                str(entity["file"]),
                int(entity["line"]),
                str(entity["code"]),
                str(entity["detail"]),
                str(entity["file_etag"]),
            )


def _lines(name: str) -> str:
    return f"line:{digest_of(name)}"


def _bad_entity(line: BadLine) -> dict[str, str | int]:
    return {
        "PartitionKey": _lines(line.file),
        "RowKey": f"{line.line:010d}",
        "file": line.file,
        "line": line.line,
        "code": line.code,
        "detail": line.detail,
        "file_etag": line.file_etag,
    }
