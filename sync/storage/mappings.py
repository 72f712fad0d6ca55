"""Mapping versions: text, author, time and comment; exactly one is active."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sync.model import Clock, from_iso, to_iso
from sync.storage.table import Query, RowConflict, Stored, Table


@dataclass(frozen=True, slots=True)
class MappingVersion:
    """One stored version; `version` is a running number and the start of the text's digest."""

    mapping: str
    version: str
    text: str
    author: str
    at: float
    comment: str
    buckets: int


def follows(earlier: str, version: str) -> bool:
    """Whether no other version was active between the two."""
    return int(version.partition("-")[0]) == int(earlier.partition("-")[0]) + 1


class Mappings:
    """The `mappings` table: row `active` repeats the active version, `v…` rows are the versions."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    async def active(self, mapping: str) -> MappingVersion | None:
        stored = await self._table.get(mapping, "active")
        return _version(stored) if stored else None

    async def names(self) -> list[str]:
        """Mappings that have an active version."""
        return [
            str(stored.entity["PartitionKey"])
            async for stored in self._table.scan(Query(where=(("RowKey", "eq", "active"),)))
        ]

    async def activate(
        self, mapping: str, text: str, *, author: str, comment: str, buckets: int, first: bool = False
    ) -> MappingVersion:
        """Store a text as the next version and make it active; the bucket count stays as first set.

        The same text again changes nothing, nor does `first` where a version is active. Raises RowConflict if
        someone else activates at the same time.
        """
        stored = await self._table.get(mapping, "active")
        current = _version(stored) if stored else None
        if current and (first or current.text == text):
            return current
        number = int(current.version.split("-")[0]) + 1 if current else 1
        digest = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
        version = MappingVersion(
            mapping,
            f"{number:06d}-{digest}",
            text,
            author,
            self._clock.now(),
            comment,
            current.buckets if current else buckets,
        )
        await self._table.upsert(_entity(version, f"v{version.version}"))
        await self._table.put(_entity(version, "active"), stored.etag if stored else None)
        return version

    async def install(self, mapping: str, text: str, *, buckets: int) -> None:
        """Activate the shipped text where nothing is active yet; a person's edit meanwhile is never undone."""
        try:
            await self.activate(
                mapping, text, author="shipped", comment="first start", buckets=buckets, first=True
            )
        except RowConflict:
            return


def _entity(version: MappingVersion, row: str) -> dict[str, str | int]:
    return {
        "PartitionKey": version.mapping,
        "RowKey": row,
        "version": version.version,
        "text": version.text,
        "author": version.author,
        "at": to_iso(version.at),
        "comment": version.comment,
        "buckets": version.buckets,
    }


def _version(stored: Stored) -> MappingVersion:
    entity = stored.entity
    return MappingVersion(
        str(entity["PartitionKey"]),
        str(entity["version"]),
        str(entity["text"]),
        str(entity["author"]),
        from_iso(str(entity["at"])),
        str(entity["comment"]),
        int(entity["buckets"]),
    )
