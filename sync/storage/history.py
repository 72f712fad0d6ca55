"""History (what was done to a record and why, never a value), parked records, and counters for `status`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from sync.model import Clock, Random, from_iso, to_iso
from sync.storage.lines import Lines
from sync.storage.table import Entity, Op, Query, RowConflict, StorageFault, Stored, Table, Verb

MINUTE_S = 60.0
MINUTES = 5
"""How far back rates look: the present minute and the four before it."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a record's history."""

    record_id: str
    did: str
    """created, updated, deleted, recreated, quarantined, held, parked, tombstone, ..."""
    calls: int
    code: str = ""
    why: str = ""
    correlation: str = ""
    at: float = 0.0


class History:
    """Newest first per record."""

    def __init__(self, table: Table, clock: Clock, rng: Random) -> None:
        self._lines = Lines(table, clock, rng)
        self.expire_page = self._lines.expire_page

    async def add(self, mapping: str, events: Sequence[Event]) -> None:
        """Append; a lost line loses no data (the ledger is the truth)."""
        await self._lines.add(mapping, [(event.record_id, _told(event)) for event in events])

    async def of(self, mapping: str, record_id: str, *, most: int = 20) -> list[Event]:
        """The newest lines of a record."""
        return [_event(record_id, stored) for stored in await self._lines.of(mapping, record_id, most)]


def _told(event: Event) -> Entity:
    return {
        "did": event.did,
        "calls": event.calls,
        "code": event.code,
        "why": event.why,
        "correlation": event.correlation,
    }


def _event(record_id: str, stored: Stored) -> Event:
    entity = stored.entity
    return Event(
        record_id,
        str(entity["did"]),
        int(entity["calls"]),
        str(entity["code"]),
        str(entity["why"]),
        str(entity["correlation"]),
        from_iso(str(entity["at"])),
    )


@dataclass(frozen=True, slots=True)
class Parked:
    """A record that waits for something known."""

    awaited: str
    """`approval:<mapping>` for a braked delete, `record:<mapping>:<id>` for a child, `children:<mapping>:<id>` for a
    delete that waits for children."""
    mapping: str
    record_id: str
    reason: str
    since: float
    approved: bool = False
    sent: float = 0.0
    """When its message was last sent, once approved; for a delete that waits for children, when theirs were."""
    tried: float = 0.0
    """When the message of a delete that waited for children was last sent, none being left."""
    etag: str = ""


class ParkedRecords:
    """Rows by what is awaited."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def add(self, parked: Parked) -> Parked:
        """Write the row and return it; parking again keeps the first `since`."""
        stored = await self._table.get(parked.awaited, f"{parked.mapping}:{parked.record_id}")
        since = from_iso(str(stored.entity["since"])) if stored else parked.since
        etag = await self._table.upsert(
            {
                "PartitionKey": parked.awaited,
                "RowKey": f"{parked.mapping}:{parked.record_id}",
                "reason": parked.reason,
                "since": to_iso(since),
                "approved": parked.approved,
                "sent": to_iso(parked.sent),
                "tried": to_iso(parked.tried),
            }
        )
        return replace(parked, since=since, etag=etag)

    async def get(self, awaited: str, mapping: str, record_id: str) -> Parked | None:
        """One row, or None."""
        stored = await self._table.get(awaited, f"{mapping}:{record_id}")
        return _parked(stored) if stored else None

    async def waits(self, awaited: str, mapping: str, record_id: str) -> bool:
        """Whether a record waits for this."""
        return await self._table.get(awaited, f"{mapping}:{record_id}") is not None

    async def remove(self, awaited: str, mapping: str, record_id: str) -> None:
        await self._table.delete(awaited, f"{mapping}:{record_id}")

    async def remove_unmoved(self, parked: Parked) -> None:
        """Remove a row as it was read; one that was written again since stays."""
        with suppress(RowConflict):
            await self._table.delete(parked.awaited, f"{parked.mapping}:{parked.record_id}", parked.etag)

    async def all(self, awaited: str | None = None) -> AsyncIterator[Parked]:
        """Everything parked, or what waits for one thing."""
        async for stored in self._table.scan(Query(partition=awaited)):
            yield _parked(stored)

    async def since(self, first: Parked | None) -> AsyncIterator[Parked]:
        """Everything parked by what is awaited and by record, from this row on, which may be gone."""
        if first is None:
            queries = [Query()]
        else:
            row = f"{first.mapping}:{first.record_id}"
            # Two scans, since a filter over both keys at once makes the service look at the whole table.
            after = Query(partition_from=first.awaited, where=(("PartitionKey", "gt", first.awaited),))
            queries = [Query(partition=first.awaited, row_from=row), after]
        for query in queries:
            async for stored in self._table.scan(query):
                yield _parked(stored)


def _parked(stored: Stored) -> Parked:
    entity = stored.entity
    mapping, _, record_id = str(entity["RowKey"]).partition(":")
    return Parked(
        str(entity["PartitionKey"]),
        mapping,
        record_id,
        str(entity["reason"]),
        from_iso(str(entity["since"])),
        bool(entity["approved"]),
        from_iso(str(entity.get("sent") or to_iso(0))),
        from_iso(str(entity.get("tried") or to_iso(0))),
        stored.etag,
    )


@dataclass(frozen=True, slots=True)
class Recent:
    """What was done since `since`, at most MINUTES ago."""

    records: int
    calls: int
    since: float


class Counters:
    """Counts per hour and instance, kept in memory and flushed now and then; `base` rows hold expired hours.

    A row also has the records and calls of its last minutes, for rates.

    They serve `status` and dashboards; after a crash they may be short by what was not flushed
    (`status --exact` counts the ledger).
    """

    FLUSH_S = 5.0

    def __init__(self, table: Table, clock: Clock, instance: str) -> None:
        self._table = table
        self._clock = clock
        self._instance = instance
        self._pending: dict[str, Counter[str]] = {}
        self._flushed = 0.0

    def count(self, mapping: str, name: str, number: int = 1) -> None:
        """Add to a counter; names are `state:<state>`, `did:<what>`, `code:<code>`, `calls`."""
        self._pending.setdefault(mapping, Counter())[name] += number

    async def flush(self, *, now: bool = False) -> None:
        """Write what is pending if FLUSH_S have passed (or `now`)."""
        at = self._clock.now()
        if not self._pending or (not now and at - self._flushed < self.FLUSH_S):
            return
        pending, self._pending = self._pending, {}
        self._flushed = at
        for mapping, counter in pending.items():
            hour = to_iso(at)[:13]
            partition = f"{mapping}:{hour}"
            try:
                await self._add(partition, counter, minute=int(at // MINUTE_S))
            except (RowConflict, StorageFault):
                self._pending.setdefault(mapping, Counter()).update(counter)

    async def _add(self, partition: str, counter: Counter[str], *, minute: int = 0) -> None:
        stored = await self._table.get(partition, self._instance)
        minutes = {one: did for one, did in _minutes(stored).items() if one > minute - MINUTES}
        records, calls = minutes.get(minute, (0, 0))
        minutes[minute] = (records + _worked(counter), calls + counter["calls"])
        total = Counter(_numbers(stored)) if stored else Counter[str]()
        total.update(counter)
        entity: Entity = {
            "PartitionKey": partition,
            "RowKey": self._instance,
            # What has come to nothing goes: a row takes 252 properties, and mapping versions come and go.
            **{_property(name): count for name, count in total.items() if count},
            **({"minutes": json.dumps(minutes)} if minute else {}),
        }
        await self._table.put(entity, stored.etag if stored else None)

    async def totals(self, mapping: str, *, since: float = 0.0) -> Counter[str]:
        """Sums over all instances, from the hour of `since` on (0 = ever)."""
        start = f"{mapping}:{to_iso(since)[:13]}" if since else f"{mapping}:"
        total: Counter[str] = Counter()
        query = Query(partition_from=start, partition_below=f"{mapping};")
        async for stored in self._table.scan(query):
            if since and str(stored.entity["PartitionKey"]).endswith(":base"):
                continue
            total.update(_numbers(stored))
        return total

    async def recent(self, mapping: str) -> Recent:
        """Records worked and calls made in the last minutes, over all instances."""
        first = int(self._clock.now() // MINUTE_S) - MINUTES + 1
        hour = to_iso(first * MINUTE_S)[:13]
        records = calls = 0
        # Hours begin with a digit, `base` does not.
        query = Query(partition_from=f"{mapping}:{hour}", partition_below=f"{mapping}:a")
        async for stored in self._table.scan(query):
            for minute, (worked, called) in _minutes(stored).items():
                if minute >= first:
                    records, calls = records + worked, calls + called
        return Recent(records, calls, first * MINUTE_S)

    async def fold(self, mapping: str, before: float, *, token: str | None = None) -> str | None:
        """Fold one page of hours before `before` into the `base` row; the next page's token.

        A crash between the two writes of one row counts that hour twice in `status`; `--exact` does not.
        """
        query = Query(partition_from=f"{mapping}:", partition_below=f"{mapping}:{to_iso(before)[:13]}")
        page = await self._table.page(query, size=100, token=token)
        for stored in page.rows:
            await self._add(f"{mapping}:base", Counter(_numbers(stored)))
            await self._table.submit([Op(Verb.DELETE, stored.entity, stored.etag)])
        return page.token


def _worked(counter: Counter[str]) -> int:
    return sum(count for name, count in counter.items() if name.startswith("did:"))


def _minutes(stored: Stored | None) -> dict[int, tuple[int, int]]:
    """Records and calls by minute (unix time / 60); rows of older versions have none."""
    told: dict[str, list[int]] = json.loads(str(stored.entity.get("minutes", "{}"))) if stored else {}
    return {int(minute): (records, calls) for minute, (records, calls) in told.items()}


def _property(name: str) -> str:
    # Table property names allow letters, digits and underscore only.
    return "n_" + name.replace(":", "__").replace("-", "___")


def _numbers(stored: Stored) -> dict[str, int]:
    return {
        name[2:].replace("___", "-").replace("__", ":"): int(value)
        for name, value in stored.entity.items()
        if name.startswith("n_")
    }
