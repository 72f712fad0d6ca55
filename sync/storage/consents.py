"""The table `consents`: what the sync knows of each contact's consent (sync/consent_row.py), one row a contact."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

from sync.consent_row import Agreement, Announced, ConsentRow, FieldState, Kept, Side
from sync.model import from_iso, to_iso
from sync.storage.table import Entity, Op, Query, Stored, Table


class ConsentRows:
    """Reads and conditional writes; the partition is the ledger's, so that a chunk is one transaction."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def get(self, partition: str, record_id: str) -> ConsentRow:
        """The row of a contact; one without ETag where nothing is stored."""
        stored = await self._table.get(partition, record_id)
        return _row(stored) if stored else ConsentRow(partition, record_id)

    async def get_many(self, partition: str, record_ids: Sequence[str]) -> dict[str, ConsentRow]:
        """Parallel point reads."""
        rows = await asyncio.gather(*(self.get(partition, record_id) for record_id in record_ids))
        return {row.record_id: row for row in rows}

    async def write(self, row: ConsentRow) -> ConsentRow:
        """Write over the ETag that was read; the row with its new one. Raises RowConflict, StorageFault."""
        (etag,) = await self._table.submit([_op(row)])
        return replace(row, etag=etag)

    async def write_many(self, rows: Sequence[ConsentRow]) -> frozenset[str]:
        """Write rows of one partition, each over its ETag; the ids that had moved meanwhile are left out."""
        etags = await self._table.submit_each([_op(row) for row in rows])
        return frozenset(row.record_id for row, etag in zip(rows, etags, strict=True) if etag is None)

    async def remove(self, partition: str, record_id: str) -> None:
        """Forget a contact, whatever the row says."""
        await self._table.delete(partition, record_id)

    async def remove_read(self, row: ConsentRow) -> None:
        """Delete the row if it is still as it was read; raises RowConflict."""
        await self._table.delete(row.partition, row.record_id, row.etag)

    async def scan(self, partition: str) -> AsyncIterator[ConsentRow]:
        """All rows of a partition."""
        async for stored in self._table.scan(Query(partition=partition)):
            yield _row(stored)


def _op(row: ConsentRow) -> Op:
    return Op.over(_entity(row), row.etag)


def _entity(row: ConsentRow) -> Entity:
    fields = {name: _packed(state) for name, state in sorted(row.fields.items())}
    announced = {name: [item.side.value, item.stamp] for name, item in sorted(row.announced.items())}
    return {
        "PartitionKey": row.partition,
        "RowKey": row.record_id,
        "fields": json.dumps(fields, separators=(",", ":")),
        "found": row.found,
        "contact_created": row.contact_created,
        "profile_created": row.profile_created,
        "claim_owner": row.claim_owner,
        "claim_until": to_iso(row.claim_until) if row.claim_until else "",
        "take_over": to_iso(row.take_over) if row.take_over else "",
        "announced": json.dumps(announced, separators=(",", ":")) if announced else "",
        "updated": to_iso(row.updated),
        "looked": to_iso(row.looked) if row.looked else "",
    }


def _packed(state: FieldState) -> list[Any]:
    agreement, kept = state.agreement, state.kept
    told: list[Any] = [agreement.value, agreement.by.value, agreement.stamp]
    return told if kept is None else [*told, kept.campaign, kept.dynamics, kept.stamp, kept.side or ""]


def _row(stored: Stored) -> ConsentRow:
    entity = stored.entity
    fields = json.loads(str(entity["fields"]))
    announced = json.loads(str(entity["announced"]) or "{}")

    def at(name: str) -> float:
        return from_iso(str(entity[name])) if entity.get(name) else 0.0

    return ConsentRow(
        partition=str(entity["PartitionKey"]),
        record_id=str(entity["RowKey"]),
        etag=stored.etag,
        fields={name: _unpacked(told) for name, told in fields.items()},
        found=bool(entity["found"]),
        contact_created=str(entity["contact_created"]),
        profile_created=str(entity["profile_created"]),
        claim_owner=str(entity["claim_owner"]),
        claim_until=at("claim_until"),
        take_over=at("take_over"),
        announced={name: Announced(Side(side), stamp) for name, (side, stamp) in announced.items()},
        updated=at("updated"),
        looked=at("looked"),
    )


def _unpacked(told: list[Any]) -> FieldState:
    value, by, stamp, *kept = told
    agreement = Agreement(value, Side(by), stamp)
    if not kept:
        return FieldState(agreement)
    campaign, dynamics, then, *side = kept
    return FieldState(agreement, Kept(campaign, dynamics, then, Side(side[0]) if side and side[0] else None))
