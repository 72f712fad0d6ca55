"""Rows of one table in memory: by id, in id order, in version order, and the deletions.

Versions are drawn from one counter per organization (dataverse.md 2.1, 5), so both logs are sorted as they are written
and a change read is a bisection. A row's older log lines stay behind as litter, swept out when they outnumber the rows.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.dynamics.columns import Column, Row, Table


class Versions:
    """The organization's row version counter."""

    def __init__(self, start: int = 1_000_000) -> None:
        self.last = start

    def draw(self) -> int:
        """The next version."""
        self.last += 1
        return self.last


class TableRows:
    """The rows of one table. Rows are replaced, never changed, so that undoing is putting the old one back."""

    def __init__(self, table: Table, versions: Versions) -> None:
        self.table = table
        self.rows: dict[str, Row] = {}
        self.deleted: dict[str, int] = {}
        """Version of each id's last deletion, also of ids that live again."""
        self.undo: list[Callable[[], None]] | None = None
        self._versions = versions
        self._ids: list[str] = []
        self._unsorted = False
        self._log: list[int] = []
        self._log_ids: list[str] = []
        self._modified: list[int] = []
        self._modified_in_order = True
        self._deletions: list[int] = []
        self._deletion_ids: list[str] = []
        self.pointing = [one for one in table.columns.values() if one.clears or one.cascades]
        """Lookups that do not survive the row they point to."""
        self._pointing: dict[str, dict[str, set[str]]] = {one.name: {} for one in self.pointing}
        self._keys: dict[tuple[str, ...], dict[tuple[Any, ...], str]] = {k: {} for k in table.alternate_keys}

    def put(self, row_id: str, row: Row, *, bulk: bool = False) -> Row:
        """Insert or replace a row under a new version; `bulk` leaves the id order to the next reader."""
        self._remember(row_id)
        row["versionnumber"] = version = self._versions.draw()
        self._set(row_id, row, bulk)
        modified = row.get("modifiedon") or 0
        if self._modified and modified < self._modified[-1]:
            self._modified_in_order = False
        self._log.append(version)
        self._log_ids.append(row_id)
        self._modified.append(modified)
        if len(self._log) > 2 * len(self.rows) + 1000:
            self._sweep()
        return row

    def remove(self, row_id: str) -> int:
        """Delete a row; answers the version of the deletion."""
        self._remember(row_id)
        version = self._versions.draw()
        self._set(row_id, None, False)
        self.deleted[row_id] = version
        self._deletions.append(version)
        self._deletion_ids.append(row_id)
        return version

    def add_key(self, key: tuple[str, ...]) -> bool:
        """Builds the index of a new alternate key; False where two rows have the same value."""
        index: dict[tuple[Any, ...], str] = {}
        for row_id, row in self.rows.items():
            values = self.key_values(key, row)
            if values is not None and index.setdefault(_folded(values), row_id) != row_id:
                return False
        self._keys[key] = index
        self.table.alternate_keys += (key,)
        return True

    def drop_key(self, key: tuple[str, ...]) -> None:
        """Forgets an alternate key."""
        self._keys.pop(key, None)
        self.table.alternate_keys = tuple(one for one in self.table.alternate_keys if one != key)

    def by_key(self, key: tuple[str, ...], values: tuple[Any, ...]) -> str | None:
        """The id under an alternate key."""
        return self._keys[key].get(_folded(values))

    def key_values(self, key: tuple[str, ...], row: Row) -> tuple[Any, ...] | None:
        """A row's value of an alternate key; none while a part is null, which is never a violation."""
        values = tuple(row.get(name) for name in key)
        return None if None in values else values

    def pointing_to(self, column: Column, row_id: str) -> list[str]:
        """Ids of the rows whose lookup points to a row, in order."""
        return sorted(self._pointing[column.name].get(row_id, ()))

    def ids(self) -> list[str]:
        """All ids in order."""
        if self._unsorted:
            self._ids = sorted(self.rows)
            self._unsorted = False
        return self._ids

    def ids_after(self, last: str) -> Iterator[str]:
        """Ids behind `last` in order, without copying the list."""
        ids = self.ids()
        for index in range(bisect_right(ids, last) if last else 0, len(ids)):
            yield ids[index]

    def changed(self, after: int, upto: int) -> Iterator[Row]:
        """Rows whose version is in (after, upto], in version order."""
        rows = self.rows
        for index in range(bisect_right(self._log, after), len(self._log)):
            version = self._log[index]
            if version > upto:
                return
            row = rows.get(self._log_ids[index])
            if row is not None and row["versionnumber"] == version:
                yield row

    def removed(self, after: int, upto: int) -> Iterator[tuple[int, str]]:
        """(version, id) of deletions in (after, upto], the last one of each id."""
        for index in range(bisect_right(self._deletions, after), len(self._deletions)):
            version = self._deletions[index]
            if version > upto:
                return
            row_id = self._deletion_ids[index]
            if self.deleted.get(row_id) == version:
                yield version, row_id

    def modified_since(self, since: int) -> list[str] | None:
        """Ids modified at or after `since` in id order; none where a scan is no slower."""
        if not self._modified_in_order:
            return None
        start = bisect_left(self._modified, since)
        if len(self._log) - start > len(self.rows) // 4 + 100:
            return None
        return sorted({row_id for row_id in self._log_ids[start:] if row_id in self.rows})

    def _set(self, row_id: str, row: Row | None, bulk: bool) -> None:
        old = self.rows.get(row_id)
        for key, index in self._keys.items():
            if old is not None and (values := self.key_values(key, old)) is not None:
                index.pop(_folded(values), None)
            if row is not None and (values := self.key_values(key, row)) is not None:
                index[_folded(values)] = row_id
        for name, pointers in self._pointing.items():
            was, now = old.get(name) if old else None, row.get(name) if row else None
            if was != now:
                if was is not None:
                    pointers[was].discard(row_id)
                if now is not None:
                    pointers.setdefault(now, set()).add(row_id)
        if row is None:
            if old is not None:
                del self.rows[row_id]
                if not self._unsorted:
                    del self._ids[bisect_left(self._ids, row_id)]
            return
        self.rows[row_id] = row
        if old is None:
            if bulk or self._unsorted:
                self._unsorted = True
            else:
                insort(self._ids, row_id)

    def _remember(self, row_id: str) -> None:
        if self.undo is not None:
            row, deleted = self.rows.get(row_id), self.deleted.get(row_id)
            self.undo.append(lambda: self._put_back(row_id, row, deleted))

    def _put_back(self, row_id: str, row: Row | None, deleted: int | None) -> None:
        """Undo one change; its log lines stay as litter, as no row has their version."""
        self._set(row_id, row, False)
        if deleted is None:
            self.deleted.pop(row_id, None)
        else:
            self.deleted[row_id] = deleted

    def _sweep(self) -> None:
        if self.undo is not None:
            return
        kept = [
            (version, row_id, modified)
            for version, row_id, modified in zip(self._log, self._log_ids, self._modified, strict=True)
            if (row := self.rows.get(row_id)) is not None and row["versionnumber"] == version
        ]
        self._log = [version for version, _, _ in kept]
        self._log_ids = [row_id for _, row_id, _ in kept]
        self._modified = [modified for _, _, modified in kept]


def _folded(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Keys compare as the database does, without case."""
    return tuple(value.casefold() if isinstance(value, str) else value for value in values)
