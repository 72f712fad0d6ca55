"""One storage table behind a guard that refuses what Azure Table Storage refuses and Azurite lets pass.

    StorageFault            the backend failed; the operation may or may not have been applied
    RowConflict             an ETag did not match, a row to insert exists, or a row to replace is gone

The limits (15 comparisons a filter, 100 operations and 4 MiB a transaction, one row once, one partition) are those
of reference azure.md 3.5a and 4; they are checked here so that no backend is more lenient than the service.
"""

from __future__ import annotations

import enum
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

Scalar = str | int | bool | float
Entity = Mapping[str, Scalar]

MAX_COMPARISONS = 15
MAX_OPERATIONS = 100
MAX_TRANSACTION_BYTES = 4 * 1024 * 1024
MAX_TEXT = 32 * 1024
"""Characters of one text property: 64 KiB of UTF-16."""
FORBIDDEN_KEY = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f]")


class StorageFault(Exception):
    """The storage service failed or did not answer."""


class RowConflict(Exception):
    """The operation at `index` met another row version than it expected; nothing was applied."""

    def __init__(self, index: int = 0) -> None:
        self.index = index
        super().__init__(f"operation {index} met another row version")


class Verb(enum.StrEnum):
    INSERT = "insert"
    REPLACE = "replace"
    UPSERT = "upsert"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Op:
    """One write. `etag` is required by replace, optional for delete, unused otherwise."""

    verb: Verb
    entity: Entity
    etag: str | None = None

    @classmethod
    def over(cls, entity: Entity, etag: str | None) -> Op:
        """Write a row over the version that was read; None: there was none."""
        return cls(Verb.INSERT if etag is None else Verb.REPLACE, entity, etag)

    @property
    def key(self) -> tuple[str, str]:
        return str(self.entity["PartitionKey"]), str(self.entity["RowKey"])


@dataclass(frozen=True, slots=True)
class Stored:
    """A row as read, with the ETag that a conditional write needs."""

    entity: Entity
    etag: str


@dataclass(frozen=True, slots=True)
class Query:
    """Rows of one partition or a partition range; `where` adds (property, operator, value) comparisons, ANDed."""

    partition: str | None = None
    partition_from: str | None = None
    partition_below: str | None = None
    row_from: str | None = None
    row_below: str | None = None
    where: tuple[tuple[str, str, Scalar], ...] = ()
    select: tuple[str, ...] = ()

    def comparisons(self) -> list[tuple[str, str, Scalar]]:
        """All comparisons, keys first; raises ValueError beyond the service's limit."""
        keys = [
            ("PartitionKey", "eq", self.partition),
            ("PartitionKey", "ge", self.partition_from),
            ("PartitionKey", "lt", self.partition_below),
            ("RowKey", "ge", self.row_from),
            ("RowKey", "lt", self.row_below),
        ]
        found: list[tuple[str, str, Scalar]] = [(n, op, v) for n, op, v in keys if v is not None]
        found.extend(self.where)
        if len(found) > MAX_COMPARISONS:
            raise ValueError(
                f"{len(found)} comparisons in a table filter; the service permits {MAX_COMPARISONS}"
            )
        return found


@dataclass(frozen=True, slots=True)
class Page:
    """A page of rows and the token of the next page, None on the last."""

    rows: tuple[Stored, ...]
    token: str | None


class TableBackend(Protocol):
    """What a storage account does for one table. All methods raise StorageFault; `submit` also RowConflict."""

    async def get(self, partition: str, row: str) -> Stored | None: ...

    async def submit(self, ops: Sequence[Op]) -> list[str]:
        """Apply all or nothing; the new ETags in order ("" for deletes)."""
        ...

    async def page(self, query: Query, size: int, token: str | None) -> Page: ...


class Table:
    """A table; every row is written through here."""

    def __init__(self, backend: TableBackend) -> None:
        self._backend = backend

    async def get(self, partition: str, row: str) -> Stored | None:
        """One row, or None."""
        return await self._backend.get(partition, row)

    async def submit(self, ops: Sequence[Op]) -> list[str]:
        """Apply up to 100 writes of one partition, all or nothing; raises RowConflict, StorageFault, ValueError."""
        _refuse(ops)
        return await self._backend.submit(ops) if ops else []

    async def submit_each(self, ops: Sequence[Op]) -> list[str | None]:
        """Apply any number of writes of one partition; the new ETags in order, None for rows that had moved."""
        left = dict(enumerate(ops))
        etags: list[str | None] = [None] * len(ops)
        while left:
            part = list(left)[:MAX_OPERATIONS]
            try:
                written = await self.submit([left[index] for index in part])
            except RowConflict as conflict:
                del left[part[conflict.index]]
                continue
            for index, etag in zip(part, written, strict=True):
                etags[index] = etag
                del left[index]
        return etags

    async def insert(self, entity: Entity) -> str:
        """Write a row that must not exist; raises RowConflict."""
        return (await self.submit([Op(Verb.INSERT, entity)]))[0]

    async def upsert(self, entity: Entity) -> str:
        """Write a row whatever is there."""
        return (await self.submit([Op(Verb.UPSERT, entity)]))[0]

    async def replace(self, entity: Entity, etag: str) -> str:
        """Write a row over the version `etag`; raises RowConflict."""
        return (await self.submit([Op(Verb.REPLACE, entity, etag)]))[0]

    async def put(self, entity: Entity, etag: str | None) -> str:
        """Insert if `etag` is None, else replace that version; raises RowConflict."""
        return await (self.insert(entity) if etag is None else self.replace(entity, etag))

    async def delete(self, partition: str, row: str, etag: str | None = None) -> None:
        """Remove a row; absent is fine when no `etag` is given."""
        await self.submit([Op(Verb.DELETE, {"PartitionKey": partition, "RowKey": row}, etag)])

    async def page(self, query: Query, *, size: int = 1000, token: str | None = None) -> Page:
        """One page of at most `size` (≤ 1000) rows."""
        query.comparisons()
        return await self._backend.page(query, min(size, 1000), token)

    async def scan(self, query: Query) -> AsyncIterator[Stored]:
        """All rows, page by page."""
        token: str | None = None
        while True:
            page = await self.page(query, token=token)
            for row in page.rows:
                yield row
            token = page.token
            if token is None:
                return


def _refuse(ops: Sequence[Op]) -> None:
    if len(ops) > MAX_OPERATIONS:
        raise ValueError(f"{len(ops)} operations in one transaction; the service permits {MAX_OPERATIONS}")
    seen: set[tuple[str, str]] = set()
    size = 0
    for op in ops:
        key = op.key
        if key in seen:
            raise ValueError("the same row twice in one transaction (InvalidDuplicateRow)")
        seen.add(key)
        if key[0] != ops[0].key[0]:
            raise ValueError("a transaction must stay in one partition")
        if any(FORBIDDEN_KEY.search(part) or len(part) > 512 for part in key):
            raise ValueError("a table key holds a character that the service refuses, or is too long")
        if op.verb is Verb.REPLACE and not op.etag:
            raise ValueError("replace needs an ETag")
        for name, value in op.entity.items():
            length = len(value) if isinstance(value, str) else len(str(value))
            if length > MAX_TEXT:
                raise ValueError(f"a property above {MAX_TEXT} characters")
            size += len(name) + 2 * length
    if size > MAX_TRANSACTION_BYTES:
        raise ValueError("a transaction above 4 MiB")
