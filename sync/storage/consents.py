"""The tables `consents` (one row a contact) and `consent_journal` (append-only: what was decided and why)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sync.consent_row import Agreement, Announced, ConsentRow, FieldState, Kept, Side
from sync.model import Clock, Random, from_iso, to_iso
from sync.storage.table import Entity, Op, Query, RowConflict, Stored, Table, Verb

LAST = 10**13


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
        left = list(rows)
        conflicts: set[str] = set()
        while left:
            part = left[:100]
            try:
                await self._table.submit([_op(row) for row in part])
            except RowConflict as conflict:
                conflicts.add(part[conflict.index].record_id)
                del left[conflict.index]
                continue
            left = left[100:]
        return frozenset(conflicts)

    async def scan(self, partition: str) -> AsyncIterator[ConsentRow]:
        """All rows of a partition."""
        async for stored in self._table.scan(Query(partition=partition)):
            yield _row(stored)


def _op(row: ConsentRow) -> Op:
    return Op(Verb.INSERT if row.etag is None else Verb.REPLACE, _entity(row), row.etag)


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
    }


def _packed(state: FieldState) -> list[Any]:
    agreement, kept = state.agreement, state.kept
    told: list[Any] = [agreement.value, agreement.by.value, agreement.stamp]
    return told if kept is None else [*told, kept.campaign, kept.dynamics, kept.stamp]


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
    )


def _unpacked(told: list[Any]) -> FieldState:
    value, by, stamp, *kept = told
    return FieldState(Agreement(value, Side(by), stamp), Kept(*kept) if kept else None)


@dataclass(frozen=True, slots=True)
class Entry:
    """One journal line: a field before and after a decision. Values are `out`, `in` or empty; no personal data."""

    record_id: str
    field: str
    campaign: str
    dynamics: str
    agreed: str
    campaign_at: str
    """Campaign's `…LastModified` as read, and Dynamics' `modifiedon`."""
    dynamics_at: str
    decided: str
    rule: str
    wrote: str
    """`campaign`, `dynamics`, or empty."""
    campaign_after: str
    dynamics_after: str
    outcome: str
    """`done`, `unknown`, `kept`, `braked`, or a catalogue code."""
    run: str = ""
    at: float = 0.0


class Journal:
    """Append-only; newest first per contact."""

    def __init__(self, table: Table, clock: Clock, rng: Random) -> None:
        self._table = table
        self._clock = clock
        self._rng = rng

    async def add(self, mapping: str, entries: Sequence[Entry]) -> None:
        """Append lines."""
        now = self._clock.now()
        for entry in entries:
            told = {name: getattr(entry, name) for name in _TOLD}
            await self._table.upsert(
                {
                    "PartitionKey": f"{mapping}:{entry.record_id}",
                    "RowKey": f"{LAST - int(now * 1000):013d}-{self._rng.getrandbits(32):08x}",
                    "at": to_iso(now),
                    **told,
                }
            )

    async def of(self, mapping: str, record_id: str, *, most: int = 200) -> list[Entry]:
        """The newest lines of a contact, oldest first."""
        page = await self._table.page(Query(partition=f"{mapping}:{record_id}"), size=most)
        return [_entry(stored) for stored in reversed(page.rows)]

    async def since(self, mapping: str, start: float) -> AsyncIterator[Entry]:
        """All lines from a time on (scans the mapping's partitions)."""
        query = Query(
            partition_from=f"{mapping}:", partition_below=f"{mapping};", where=(("at", "ge", to_iso(start)),)
        )
        async for stored in self._table.scan(query):
            yield _entry(stored)


_TOLD = tuple(name for name in Entry.__dataclass_fields__ if name not in ("record_id", "at"))


def _entry(stored: Stored) -> Entry:
    entity = stored.entity
    told = {name: str(entity[name]) for name in _TOLD}
    record_id = str(entity["PartitionKey"]).partition(":")[2]
    return Entry(record_id=record_id, at=from_iso(str(entity["at"])), **told)
