"""Rows of one resource in memory: found by PKey or an indexed field at once, kept small.

A row holds what was written as packed JSON; defaults and computed fields are made when it is read.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator

from sandbox.campaign.schema import Link, Resource, Values

PKEY_BYTES = 15
"""Makes `@` and 20 characters of base64url: nothing to encode in a path."""


def is_pkey(text: str) -> bool:
    """Whether a URI key has the form of a PKey; whether it exists is another question."""
    if len(text) != 21 or text[0] != "@":
        return False
    return all(char.isascii() and (char.isalnum() or char in "-_") for char in text[1:])


def pack(values: Values) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


class Row:
    """One record; `number` is its place in the table and never reused, times are unix seconds."""

    __slots__ = ("created", "modified", "number", "packed", "pkey")

    def __init__(self, number: int, pkey: str, packed: bytes, created: float) -> None:
        self.number = number
        self.pkey = pkey
        self.packed = packed
        self.created = created
        self.modified = created

    @property
    def values(self) -> Values:
        """A fresh copy of what was written."""
        found: Values = json.loads(self.packed)
        return found


class Table:
    """The rows of one resource; `indexed` fields are found by value, empty values are not indexed."""

    def __init__(self, resource: Resource, rng: random.Random, indexed: tuple[str, ...]) -> None:
        self.resource = resource
        self.neighbours: dict[str, Table] = {}
        """All tables of the instance, by resource."""
        self.required: tuple[Link, ...] = ()
        """"1 cardinality simple links": they hide a row while they lead nowhere (adobe.md A.2)."""
        self.left_out: frozenset[str] = frozenset()
        """Fields that this instance shows in the extended family alone, though they are not extended ones."""
        self._rng = rng
        self._rows: list[Row | None] = []
        self._by_pkey: dict[str, Row] = {}
        self._indexes: dict[str, dict[str, tuple[Row, ...]]] = {name: {} for name in indexed}

    @property
    def key(self) -> str:
        """The field that holds the CRM's id, "" if there is none."""
        if self.resource.keys:
            return self.resource.keys[0]
        return "externalId" if self.resource.name == "profile" else ""

    def __len__(self) -> int:
        return len(self._by_pkey)

    @property
    def allotted(self) -> int:
        """How many rows were ever made since the last clear."""
        return len(self._rows)

    def repeats(self, field: str) -> bool:
        """Whether two rows share a value of an indexed field."""
        return any(len(rows) > 1 for rows in self._indexes[field].values())

    def by_pkey(self, pkey: str) -> Row | None:
        return self._by_pkey.get(pkey)

    def find(self, field: str, value: str) -> tuple[Row, ...]:
        """The rows with this value of a text field, oldest first; at once if it is indexed."""
        index = self._indexes.get(field)
        if index is None or not value:
            return tuple(row for row in self.scan() if row.values.get(field, "") == value)
        return index.get(value, ())

    def linked(self, link: Link, value: str) -> Row | None:
        """The row a link's column leads to, hidden or not."""
        if not value:
            return None
        return next(iter(self.neighbours[link.target].find(link.target_key, value)), None)

    def hides(self, row: Row) -> bool:
        """Whether the row exists and cannot be reached."""
        if not self.required:
            return False
        values = row.values
        return any(self.linked(link, values.get(link.column, "")) is None for link in self.required)

    def shown(self, start: int = 0) -> Iterator[Row]:
        """The rows a request can reach, from place `start` on."""
        rows = self.scan(start)
        return (row for row in rows if not self.hides(row)) if self.required else rows

    def scan(self, start: int = 0) -> Iterator[Row]:
        """The rows from place `start` on, oldest first."""
        for place in range(start, len(self._rows)):
            row = self._rows[place]
            if row is not None:
                yield row

    def insert(self, values: Values, now: float) -> Row:
        row = Row(len(self._rows), self._new_pkey(), pack(values), now)
        self._rows.append(row)
        self._by_pkey[row.pkey] = row
        for name, index in self._indexes.items():
            value = values.get(name)
            if value:
                index[value] = (*index.get(value, ()), row)
        return row

    def update(self, row: Row, before: Values, after: Values, now: float) -> None:
        row.packed = pack(after)
        row.modified = now
        for name in self._indexes:
            if before.get(name) != after.get(name):
                self._unlink(name, before.get(name), row)
                if after.get(name):
                    self._link(name, after[name], row)

    def delete(self, row: Row) -> None:
        values = row.values
        for name in self._indexes:
            self._unlink(name, values.get(name), row)
        del self._by_pkey[row.pkey]
        self._rows[row.number] = None

    def index(self, name: str) -> None:
        """Starts an index on a field over the rows there are."""
        if name in self._indexes:
            return
        self._indexes[name] = {}
        for row in self.scan():
            value = row.values.get(name)
            if value:
                self._link(name, value, row)

    def rekey(self) -> None:
        """Every row gets another PKey, as after a move to another instance (adobe.md B.4)."""
        rows = list(self.scan())
        self._by_pkey.clear()
        for row in rows:
            row.pkey = self._new_pkey()
            self._by_pkey[row.pkey] = row

    def clear(self) -> None:
        self._rows.clear()
        self._by_pkey.clear()
        for index in self._indexes.values():
            index.clear()

    def _link(self, name: str, value: str, row: Row) -> None:
        rows = (*self._indexes[name].get(value, ()), row)
        self._indexes[name][value] = tuple(sorted(rows, key=lambda found: found.number))

    def _unlink(self, name: str, value: str | None, row: Row) -> None:
        if not value:
            return
        left = tuple(found for found in self._indexes[name][value] if found is not row)
        if left:
            self._indexes[name][value] = left
        else:
            del self._indexes[name][value]

    def _new_pkey(self) -> str:
        return "@" + base64.urlsafe_b64encode(self._rng.randbytes(PKEY_BYTES)).decode()
