"""The ledger: one row per (mapping, record) with what was last sent, its state and the open claim.

It holds hashes and ids, no personal data (design section 3). The partition is mapping, epoch and bucket, so that one
chunk is one transaction.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace

from sync.model import LedgerRow, RecordRef, State, from_iso, to_iso
from sync.storage.table import Entity, Op, Page, Query, RowConflict, Scalar, Stored, Table

FIRST_EPOCH = 1


def bucket_of(record_id: str, buckets: int) -> int:
    """The bucket of a record: stable over runs and machines."""
    return int.from_bytes(hashlib.blake2b(record_id.encode(), digest_size=4).digest(), "big") % buckets


def partition_of(mapping: str, epoch: int, bucket: int) -> str:
    return f"{mapping}:{epoch:04d}:{bucket:02d}"


def epoch_of(partition: str) -> int:
    """The epoch of a partition of the ledger."""
    return int(partition.split(":")[1])


def to_entity(row: LedgerRow) -> Entity:
    return {
        "PartitionKey": row.partition,
        "RowKey": row.record_id,
        "state": row.state.value,
        "version": str(row.version),
        "hash": row.hash,
        "unresolved": row.unresolved,
        "claim_owner": row.claim_owner,
        "claim_until": to_iso(row.claim_until) if row.claim_until else "",
        "take_over": to_iso(row.take_over) if row.take_over else "",
        "noted": row.noted,
        "attempts": row.attempts,
        "failures": row.failures,
        "mapping_version": row.mapping_version,
        "code": row.code,
        "updated": to_iso(row.updated),
        "correlation": row.correlation,
        "parents": _refs_text(row.parents),
        "awaits": _refs_text(row.awaits),
        # Very few have one.
        **({"heir": row.heir} if row.heir else {}),
    }


def _refs_text(refs: tuple[RecordRef, ...]) -> str:
    return " ".join(map(str, refs))


def _refs(text: Scalar) -> tuple[RecordRef, ...]:
    return tuple(RecordRef.parse(part) for part in str(text).split())


def from_stored(stored: Stored) -> LedgerRow:
    entity = stored.entity

    def seconds(name: str) -> float:
        return from_iso(str(entity[name])) if entity.get(name) else 0.0

    return LedgerRow(
        partition=str(entity["PartitionKey"]),
        record_id=str(entity["RowKey"]),
        etag=stored.etag,
        state=State(str(entity["state"])),
        version=int(str(entity["version"])),
        hash=str(entity["hash"]),
        unresolved=bool(entity["unresolved"]),
        claim_owner=str(entity["claim_owner"]),
        claim_until=seconds("claim_until"),
        take_over=seconds("take_over"),
        noted=bool(entity["noted"]),
        attempts=int(entity["attempts"]),
        failures=int(entity["failures"]),
        mapping_version=str(entity["mapping_version"]),
        code=str(entity["code"]),
        updated=seconds("updated"),
        correlation=str(entity["correlation"]),
        # Rows of releases before links have none.
        parents=_refs(entity.get("parents", "")),
        awaits=_refs(entity.get("awaits", "")),
        heir=str(entity.get("heir", "")),
    )


@dataclass(frozen=True, slots=True)
class Written:
    """What a write of several rows did: the rows as stored (new ETags), and the ids that had moved meanwhile."""

    rows: dict[str, LedgerRow]
    conflicts: frozenset[str]


class Ledger:
    """Reads and conditional writes of ledger rows."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def get(self, partition: str, record_id: str) -> LedgerRow:
        """The row of a record; a `new` one without ETag where nothing is stored.

        In an epoch after the first that one is unresolved: Campaign may hold what an epoch before has sent.
        """
        stored = await self._table.get(partition, record_id)
        if stored is None:
            return LedgerRow(partition, record_id, unresolved=epoch_of(partition) > FIRST_EPOCH)
        return from_stored(stored)

    async def get_many(self, partition: str, record_ids: Sequence[str]) -> dict[str, LedgerRow]:
        """Parallel point reads: a filter over row keys would scan the partition (design 4.3)."""
        rows = await asyncio.gather(*(self.get(partition, record_id) for record_id in record_ids))
        return {row.record_id: row for row in rows}

    async def write(self, rows: Sequence[LedgerRow]) -> Written:
        """Write each row over the ETag it carries; rows that moved are left out, the rest is written."""
        etags = await self._table.submit_each([Op.over(to_entity(row), row.etag) for row in rows])
        stored = {
            row.record_id: replace(row, etag=etag) for row, etag in zip(rows, etags, strict=True) if etag
        }
        return Written(stored, frozenset(row.record_id for row in rows) - set(stored))

    async def page(self, partition: str, *, token: str | None = None, size: int = 1000) -> Page:
        """One page of a partition, for scans that must be resumable."""
        return await self._table.page(Query(partition=partition), size=size, token=token)

    async def after(self, partition: str, record_id: str, *, size: int) -> Sequence[Stored]:
        """The next rows of a partition behind a record, in the order of their ids; fewer than `size` only at its end."""
        query = Query(partition=partition, row_from=f"{record_id} " if record_id else None)
        page = await self._table.page(query, size=size)
        rows = list(page.rows)
        # The service may answer fewer rows than were asked for, and a token.
        while page.token is not None and len(rows) < size:
            page = await self._table.page(query, size=size - len(rows), token=page.token)
            rows += page.rows
        return rows

    async def scan(self, mapping: str, epoch: int, buckets: Iterable[int]) -> AsyncIterator[LedgerRow]:
        """All rows of some buckets."""
        for bucket in buckets:
            async for stored in self._table.scan(Query(partition=partition_of(mapping, epoch, bucket))):
                yield from_stored(stored)

    async def older_page(self, before: float, token: str | None) -> tuple[list[LedgerRow], str | None]:
        """One page of rows of all mappings and epochs that nothing has written since `before`."""
        page = await self._table.page(Query(where=(("updated", "lt", to_iso(before)),)), token=token)
        return [from_stored(stored) for stored in page.rows], page.token

    async def delete(self, row: LedgerRow) -> bool:
        """Remove a row unless it moved; whether it is gone."""
        try:
            await self._table.delete(row.partition, row.record_id, row.etag)
        except RowConflict:
            return False
        return True
