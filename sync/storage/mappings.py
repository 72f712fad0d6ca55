"""Mapping versions: text, author, time and comment; exactly one is active, and a mapping may be switched off."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from sync.model import Clock, from_iso, to_iso
from sync.storage.labels import LabelRows
from sync.storage.table import Entity, Op, Query, RowConflict, Stored, Table, Verb

PART = 15_000
"""Characters of text in one property; the service takes 32,768 UTF-16 units."""
MOST_TEXT = 300_000
"""Longest text: 20 properties, well below the 1 MiB of a row."""


@dataclass(frozen=True, slots=True)
class MappingVersion:
    """One stored version; `version` is a running number and the start of the text's digest.

    `replay` False: what was sent under older versions is not sent again for its sake. `enabled` False: nothing is
    read or sent while it is the active one.
    """

    mapping: str
    version: str
    text: str
    author: str
    at: float
    comment: str
    buckets: int
    replay: bool = True
    enabled: bool = True


def number_of(version: str) -> int:
    """The running number of a version."""
    return int(version.partition("-")[0])


class Mappings:
    """The `mappings` table: row `active` repeats the active version, `v…` rows are the versions."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self.labels = LabelRows(table)

    async def active(self, mapping: str) -> MappingVersion | None:
        """The active version, a switched-off mapping's too."""
        stored = await self._table.get(mapping, "active")
        return _version(stored) if stored else None

    async def all(self) -> list[MappingVersion]:
        """The active version of every mapping, by name."""
        query = Query(where=(("RowKey", "eq", "active"),))
        return sorted([_version(stored) async for stored in self._table.scan(query)], key=lambda v: v.mapping)

    async def names(self) -> list[str]:
        """Mappings that have an active version and are not switched off."""
        return [version.mapping for version in await self.all() if version.enabled]

    async def versions(self, mapping: str) -> list[MappingVersion]:
        """Every version of a mapping, oldest first."""
        query = Query(partition=mapping, row_from="v", row_below="w")
        return [_version(stored) async for stored in self._table.scan(query)]

    async def since(self, mapping: str, earlier: str, later: str) -> list[MappingVersion]:
        """The versions that were active from `earlier` to `later`, both included, oldest first."""
        first, last = number_of(earlier), number_of(later)
        query = Query(partition=mapping, row_from=f"v{first:06d}", row_below=f"v{last + 1:06d}")
        return [_version(stored) async for stored in self._table.scan(query)]

    async def activate(
        self,
        mapping: str,
        text: str,
        *,
        author: str,
        comment: str,
        buckets: int,
        first: bool = False,
        replay: bool = True,
        over: str | None = None,
    ) -> MappingVersion:
        """Store a text as the next version and make it active; the bucket count stays as first set.

        The same text again changes nothing, nor does `first` where a version is active. A mapping that is switched
        off stays so. `over` is the version that the caller saw active ("" = none). Raises RowConflict if another one
        is, or someone else activates at the same time; nothing is stored then.
        """
        stored = await self._table.get(mapping, "active")
        current = _version(stored) if stored else None
        if over is not None and over != (current.version if current else ""):
            raise RowConflict
        if current and (first or current.text == text):
            return current
        version = self._next(mapping, current, text, author, comment, buckets)
        return await self._write(replace(version, replay=replay), stored)

    async def switch(
        self, mapping: str, *, enabled: bool, author: str, comment: str
    ) -> MappingVersion | None:
        """Switch a mapping off or on again, as a version of its own; None if it has no version. Raises RowConflict."""
        stored = await self._table.get(mapping, "active")
        current = _version(stored) if stored else None
        if current is None or current.enabled is enabled:
            return current
        version = self._next(mapping, current, current.text, author, comment, current.buckets)
        return await self._write(replace(version, enabled=enabled), stored)

    async def install(self, mapping: str, text: str, *, buckets: int) -> None:
        """Activate the shipped text where nothing is active yet; a person's edit meanwhile is never undone."""
        try:
            await self.activate(
                mapping, text, author="shipped", comment="first start", buckets=buckets, first=True
            )
        except RowConflict:
            return

    def _next(
        self,
        mapping: str,
        current: MappingVersion | None,
        text: str,
        author: str,
        comment: str,
        buckets: int,
    ) -> MappingVersion:
        if len(text) > MOST_TEXT:
            raise ValueError(f"a mapping text above {MOST_TEXT} characters")
        number = number_of(current.version) + 1 if current else 1
        digest = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
        return MappingVersion(
            mapping,
            f"{number:06d}-{digest}",
            text,
            author,
            self._clock.now(),
            comment,
            current.buckets if current else buckets,
            enabled=current.enabled if current else True,
        )

    async def _write(self, version: MappingVersion, stored: Stored | None) -> MappingVersion:
        """Both rows or none: who loses a race leaves no version behind."""
        verb = Verb.REPLACE if stored else Verb.INSERT
        await self._table.submit(
            [
                Op(verb, _entity(version, "active"), stored.etag if stored else None),
                Op(Verb.UPSERT, _entity(version, f"v{version.version}")),
            ]
        )
        return version


def _entity(version: MappingVersion, row: str) -> Entity:
    text = version.text
    parts = [text[start : start + PART] for start in range(0, len(text), PART)] or [""]
    return {
        "PartitionKey": version.mapping,
        "RowKey": row,
        "version": version.version,
        "text": parts[0],
        **{f"text{index}": part for index, part in enumerate(parts[1:], start=1)},
        "author": version.author,
        "at": to_iso(version.at),
        "comment": version.comment,
        "buckets": version.buckets,
        "replay": version.replay,
        "enabled": version.enabled,
    }


def _version(stored: Stored) -> MappingVersion:
    entity = stored.entity
    parts = [str(entity["text"])]
    while f"text{len(parts)}" in entity:
        parts.append(str(entity[f"text{len(parts)}"]))
    return MappingVersion(
        str(entity["PartitionKey"]),
        str(entity["version"]),
        "".join(parts),
        str(entity["author"]),
        from_iso(str(entity["at"])),
        str(entity["comment"]),
        int(entity["buckets"]),
        bool(entity.get("replay", True)),
        bool(entity.get("enabled", True)),
    )
