"""The `events` table: one row per log line, in partitions of (epoch, delivery, bucket of the contact).

Row keys are (contact, kind, log id), so that what one contact did lies together; the design's (kind, log id) would make
a scan of it (docs/decisions/event-rows.md). Overlap, duplicates and late corrections are the same: a row written again.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, fields, replace

from sync.model import EmailEvent, EventRow, from_iso, to_iso
from sync.storage.ledger import bucket_of
from sync.storage.table import Entity, Op, Page, Query, RowConflict, Stored, Table, Verb

PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,80}")
CLAIM = "!claim"
MOST_GETS = 32
_TEXTS = ("kind", "log", "log_id", "delivery", "campaign", "contact", "url", "mirror", "bounce_type",
          "bounce_reason", "agent")  # fmt: skip


def partition_for(event: EmailEvent, epoch: int, buckets: int) -> str:
    return f"{epoch:04d}:{_plain(event.delivery)}:{bucket_of(event.contact, buckets):03d}"


def key_of(event: EmailEvent) -> str:
    return f"{event.contact}:{event.kind}:{_plain(event.log_id)}"


def _plain(text: str) -> str:
    """The text where a table key may hold it, else its digest."""
    if PLAIN.fullmatch(text):
        return text
    return "h." + hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def order_of(event: EmailEvent) -> tuple[float, int, str]:
    """Versions of a line: the later `modified`, of equal ones the longer text (the other was cut off)."""
    text = "\0".join(str(getattr(event, field.name)) for field in fields(event))
    return event.modified, len(text), text


@dataclass(frozen=True, slots=True)
class Merged:
    """What storing some events did: `new` and `revised` rows, those `waiting` from before, and `known` ones."""

    new: int = 0
    revised: int = 0
    waiting: int = 0
    known: int = 0

    @property
    def open(self) -> int:
        return self.new + self.revised + self.waiting

    def plus(self, other: Merged) -> Merged:
        return Merged(
            self.new + other.new,
            self.revised + other.revised,
            self.waiting + other.waiting,
            self.known + other.known,
        )


@dataclass(frozen=True, slots=True)
class PartitionClaim:
    """Who corrects a partition's activities; `etag` None: nobody ever did."""

    etag: str | None = None
    owner: str = ""
    take_over: float = 0.0


class Events:
    """Reads and conditional writes of event rows."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def merge(self, partition: str, events: Iterable[EmailEvent], now: float) -> Merged:
        """Store events of one partition as open rows; what is stored in this version or a later one stays."""
        newest: dict[str, EmailEvent] = {}
        for event in events:
            known = newest.get(key_of(event))
            if known is None or order_of(event) > order_of(known):
                newest[key_of(event)] = event
        rows = [EventRow(partition, key, newest[key], open=True, updated=now) for key in sorted(newest)]
        merged = Merged()
        for start in range(0, len(rows), 100):
            merged = merged.plus(await self._merge(rows[start : start + 100]))
        return merged

    async def _merge(self, rows: Sequence[EventRow]) -> Merged:
        try:
            await self._table.submit([_op(row) for row in rows])
            return Merged(new=len(rows))
        except RowConflict:
            pass
        while True:
            stored = await self._known([row.key for row in rows], rows[0].partition)
            writes, merged = _against(rows, stored)
            try:
                await self._table.submit([_op(row) for row in writes])
                return merged
            except RowConflict:
                continue

    async def _known(self, keys: Sequence[str], partition: str) -> dict[str, EventRow]:
        """The stored rows of sorted keys: the first page of their range, then point reads."""
        page = await self._table.page(
            Query(partition=partition, row_from=keys[0], row_below=keys[-1] + " "), size=1000
        )
        found = {str(stored.entity["RowKey"]): row_of(stored) for stored in page.rows}
        if page.token is not None:
            last = str(page.rows[-1].entity["RowKey"]) if page.rows else ""
            found.update({row.key: row for row in await self._get(partition, [k for k in keys if k > last])})
        return found

    async def _get(self, partition: str, keys: Sequence[str]) -> list[EventRow]:
        rows: list[EventRow] = []
        for start in range(0, len(keys), MOST_GETS):
            part = keys[start : start + MOST_GETS]
            stored = await asyncio.gather(*(self._table.get(partition, key) for key in part))
            rows += [row_of(one) for one in stored if one is not None]
        return rows

    async def open_contacts(self, partition: str, most: int) -> tuple[set[str], bool]:
        """The contacts of about `most` rows that wait for work, and whether there may be more rows."""
        query = Query(partition=partition, where=(("open", "eq", True),), select=("RowKey",))
        found: set[str] = set()
        rows = 0
        token: str | None = None
        while True:
            page = await self._table.page(query, size=most, token=token)
            found.update(str(stored.entity["RowKey"]).partition(":")[0] for stored in page.rows)
            rows += len(page.rows)
            token = page.token
            if token is None or rows >= most:
                return found, token is not None

    async def of_contacts(self, partition: str, contacts: Sequence[str]) -> dict[str, list[EventRow]]:
        """All rows of some contacts: a scan as long as that is cheaper than a query for each."""
        left = sorted(contacts)
        found: dict[str, list[EventRow]] = {contact: [] for contact in left}
        token: str | None = None
        last = ""
        for _ in range(len(left) // 4):
            page = await self._table.page(
                Query(partition=partition, row_from=left[0], row_below=left[-1] + ";"), token=token
            )
            for row in map(row_of, page.rows):
                last = row.contact
                if last in found:
                    found[last].append(row)
            token = page.token
            if token is None:
                return found
        # The contact that the last page ended in may be cut.
        left = [contact for contact in left if contact >= last]
        for start in range(0, len(left), MOST_GETS):
            part = left[start : start + MOST_GETS]
            rows = await asyncio.gather(*(self._of(partition, contact) for contact in part))
            found.update(zip(part, rows, strict=True))
        return found

    async def _of(self, partition: str, contact: str) -> list[EventRow]:
        query = Query(partition=partition, row_from=f"{contact}:", row_below=f"{contact};")
        return [row_of(stored) async for stored in self._table.scan(query)]

    async def write(self, rows: Sequence[EventRow]) -> set[str]:
        """Write rows over the ETags they carry; the keys of those that had moved, which are left out."""
        etags = await self._table.submit_each([_op(row) for row in rows])
        return {row.key for row, etag in zip(rows, etags, strict=True) if etag is None}

    async def claim(self, partition: str) -> PartitionClaim:
        """The partition's claim as it stands."""
        stored = await self._table.get(partition, CLAIM)
        if stored is None:
            return PartitionClaim()
        until = str(stored.entity["take_over"])
        return PartitionClaim(stored.etag, str(stored.entity["owner"]), from_iso(until) if until else 0.0)

    async def write_claim(self, partition: str, claim: PartitionClaim, now: float) -> PartitionClaim:
        """Write the claim over its ETag; raises RowConflict."""
        entity = {
            "PartitionKey": partition,
            "RowKey": CLAIM,
            "owner": claim.owner,
            "take_over": to_iso(claim.take_over) if claim.take_over else "",
            "updated": to_iso(now),
        }
        return replace(claim, etag=await self._table.put(entity, claim.etag))

    async def older_than(self, at: float, token: str | None) -> Page:
        """One page of rows, claims included, that nothing has touched since `at`."""
        return await self._table.page(Query(where=(("updated", "lt", to_iso(at)),)), token=token)

    async def remove(self, stored: Sequence[Stored]) -> int:
        """Delete rows of a page, those that moved meanwhile apart; how many."""
        parts: dict[str, list[Op]] = {}
        for row in stored:
            key = {name: row.entity[name] for name in ("PartitionKey", "RowKey")}
            parts.setdefault(str(key["PartitionKey"]), []).append(Op(Verb.DELETE, key, row.etag))
        some = [ops[start : start + 100] for ops in parts.values() for start in range(0, len(ops), 100)]
        removed = 0
        for first in range(0, len(some), MOST_GETS):
            removed += sum(await asyncio.gather(*map(self._remove, some[first : first + MOST_GETS])))
        return removed

    async def forget(self, contact: str) -> int:
        """Delete all rows of a contact, whatever the delivery (a scan of the table); how many."""
        query = Query(row_from=f"{contact}:", row_below=f"{contact};")
        return await self.remove([stored async for stored in self._table.scan(query)])

    async def _remove(self, ops: list[Op]) -> int:
        while ops:
            try:
                await self._table.submit(ops)
                break
            except RowConflict as conflict:
                ops = [op for place, op in enumerate(ops) if place != conflict.index]
        return len(ops)

    async def scan(self, *where: tuple[str, str, str | bool]) -> AsyncIterator[EventRow]:
        """Every event row that meets the comparisons (a scan of the table)."""
        async for stored in self._table.scan(Query(where=where)):
            if stored.entity["RowKey"] != CLAIM:
                yield row_of(stored)


def _against(rows: Sequence[EventRow], stored: dict[str, EventRow]) -> tuple[list[EventRow], Merged]:
    """What must be written where some rows are there already."""
    writes: list[EventRow] = []
    new = revised = waiting = known = 0
    for row in rows:
        old = stored.get(row.key)
        if old is None or old.event is None:
            new += 1
            writes.append(row)
        elif row.event is not None and order_of(row.event) > order_of(old.event):
            revised += 1
            writes.append(
                replace(old, event=row.event, open=True, revised=True, code="", updated=row.updated)
            )
        elif old.open:
            waiting += 1
        else:
            known += 1
    return writes, Merged(new, revised, waiting, known)


def row_of(stored: Stored) -> EventRow:
    entity = stored.entity
    event = None
    if entity.get("kind"):
        texts = {name: str(entity[name]) for name in _TEXTS}
        times = {name: from_iso(str(entity[name])) for name in ("modified", "at")}
        event = EmailEvent(**texts, **times)  # type: ignore[arg-type]
    return EventRow(
        partition=str(entity["PartitionKey"]),
        key=str(entity["RowKey"]),
        event=event,
        etag=stored.etag,
        open=bool(entity["open"]),
        revised=bool(entity["revised"]),
        code=str(entity["code"]),
        told=str(entity["told"]),
        told_hash=str(entity["told_hash"]),
        updated=from_iso(str(entity["updated"])),
    )


def entity_of(row: EventRow) -> Entity:
    event: dict[str, str] = {}
    if row.event is not None:
        event = {name: str(getattr(row.event, name)) for name in _TEXTS}
        event |= {"modified": to_iso(row.event.modified), "at": to_iso(row.event.at)}
    return {
        "PartitionKey": row.partition,
        "RowKey": row.key,
        **event,
        "open": row.open,
        "revised": row.revised,
        "code": row.code,
        "told": row.told,
        "told_hash": row.told_hash,
        "updated": to_iso(row.updated),
    }


def _op(row: EventRow) -> Op:
    return Op.over(entity_of(row), row.etag)
