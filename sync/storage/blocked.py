"""The table `blocked`: digests of the ids of erased people, kept for ever, and the number of the set's last change.

A worker keeps the set in memory and reads one row to know whether it is still the same one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from sync.model import Clock, to_iso
from sync.storage.table import Entity, Op, Query, RowConflict, Table, Verb

PARTITION = "blocked"
NUMBER = "!number"


def digest_of(record_id: str) -> str:
    """What is kept of an id: 128 bits of BLAKE2b, in hex."""
    return hashlib.blake2b(record_id.lower().encode(), digest_size=16, person=b"blocked person").hexdigest()


class Blocked:
    """Who must never be sent again, whatever the mapping."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._number = -1
        self._known: set[str] = set()

    async def among(self, record_ids: Iterable[str]) -> set[str]:
        """Those of some ids that are blocked, as of now."""
        stored = await self._table.get(PARTITION, NUMBER)
        number = int(stored.entity["number"]) if stored else 0
        if number != self._number:
            known = {
                str(row.entity["RowKey"]) async for row in self._table.scan(Query(partition=PARTITION))
            } - {NUMBER}
            self._number, self._known = number, known
        return {record_id for record_id in record_ids if digest_of(record_id) in self._known}

    async def count(self) -> int:
        """How many are blocked."""
        await self.among(())
        return len(self._known)

    async def add(self, record_id: str, who: str, why: str) -> bool:
        """Block an id for ever; whether it was not blocked before."""
        digest = digest_of(record_id)
        row = {"RowKey": digest, "since": to_iso(self._clock.now()), "who": who, "why": why[:200]}
        return await self._change(digest, Op(Verb.INSERT, {"PartitionKey": PARTITION, **row}))

    async def remove(self, record_id: str) -> bool:
        """Let an id through again; whether it was blocked."""
        digest = digest_of(record_id)
        return await self._change(
            digest, Op(Verb.DELETE, {"PartitionKey": PARTITION, "RowKey": digest}), there=True
        )

    async def _change(self, digest: str, op: Op, *, there: bool = False) -> bool:
        """The row and the number in one transaction: whoever reads the number then reads the row."""
        while True:
            if (await self._table.get(PARTITION, digest) is not None) != there:
                return False
            stored = await self._table.get(PARTITION, NUMBER)
            number = int(stored.entity["number"]) if stored else 0
            counted: Entity = {"PartitionKey": PARTITION, "RowKey": NUMBER, "number": number + 1}
            verb = Verb.REPLACE if stored else Verb.INSERT
            try:
                await self._table.submit([op, Op(verb, counted, stored.etag if stored else None)])
            except RowConflict:
                continue
            return True
