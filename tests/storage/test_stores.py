"""The stores of the contacts flow, on both storages: ledger, watermarks, control, mappings, history, budget, links."""

from __future__ import annotations

import asyncio
import random

import pytest

from sync.errors import SyncError
from sync.model import LedgerRow, RecordRef, State
from sync.storage.budget import Budget, Limit
from sync.storage.control import Control
from sync.storage.history import Counters, Event, History, Parked, ParkedRecords, Recent
from sync.storage.ledger import Ledger, partition_of
from sync.storage.links import Links
from sync.storage.mappings import Mappings
from sync.storage.table import Page, Query, RowConflict, Table
from sync.storage.watermarks import Watermarks
from tests.adapters import FakeClock
from tests.storage.both import RealClock, Store, store

__all__ = ["store"]


async def test_the_ledger_leaves_out_rows_that_moved_and_writes_the_rest(store: Store) -> None:
    ledger = Ledger(store.account.table("ledger"))
    p = partition_of(store.name("m"), 1, 3)
    written = await ledger.write([LedgerRow(p, "a", hash="1"), LedgerRow(p, "b"), LedgerRow(p, "c")])
    assert written.conflicts == frozenset()
    moved = written.rows["b"]
    await ledger.write([moved])
    again = await ledger.write(list(written.rows.values()))
    assert again.conflicts == {"b"}
    assert set(again.rows) == {"a", "c"}


async def test_a_ledger_row_reads_back_as_written(store: Store) -> None:
    ledger = Ledger(store.account.table("ledger"))
    p = partition_of(store.name("m"), 1, 3)
    row = LedgerRow(
        p,
        "a",
        None,
        State.QUARANTINED,
        9_007_199_254_740_993,
        "ff",
        True,
        "me",
        1_800_000_000.25,
        1_800_000_300.5,
        True,
        3,
        2,
        "000001-ab",
        "email_invalid",
        1_800_000_000.125,
        "c-1",
        (RecordRef("accounts", "p1"), RecordRef("contacts", "p2")),
        (RecordRef("accounts", "p3"),),
        "h1",
    )
    await ledger.write([row])
    found = await ledger.get(p, "a")
    assert found.etag
    assert found == LedgerRow(**{**{f: getattr(row, f) for f in row.__slots__}, "etag": found.etag})
    assert await ledger.get(p, "unknown") == LedgerRow(p, "unknown")


async def test_both_watermark_rows_are_written_or_neither(store: Store) -> None:
    marks = Watermarks(store.account.table("watermarks"))
    mapping = store.name("m")
    tick, progress = await marks.both(mapping)
    await marks.write_both(tick, progress)
    tick, progress = await marks.both(mapping)
    await marks.write_tick(tick)
    with pytest.raises(RowConflict):
        await marks.write_both(tick, progress)
    assert (await marks.progress(mapping)).etag == progress.etag


async def test_one_lease_at_a_time(store: Store) -> None:
    control = Control(store.account.table("control"), RealClock(), random.Random(1))
    m = store.name("m")
    assert await control.lease_free(m, "read")
    assert await control.take_lease(m, "read", "a", 30)
    assert await control.take_lease(m, "read", "a", 30)
    assert not await control.take_lease(m, "read", "b", 30)
    await control.drop_lease(m, "read", "b")
    assert not await control.lease_free(m, "read")
    await control.drop_lease(m, "read", "a")
    assert await control.take_lease(m, "read", "b", 30)


async def test_the_brake_grants_up_to_its_limit(store: Store) -> None:
    control = Control(store.account.table("control"), RealClock(), random.Random(1))
    m = store.name("m")
    assert await control.brake(m, 3, 5) == 3
    assert await control.brake(m, 3, 5) == 2
    assert await control.brake(m, 1, 5) == 0
    assert await control.braked(m) == 5


class Short:
    """A table whose service answers one row and a token, however many are asked for."""

    def __init__(self, table: Table) -> None:
        self.get, self.submit = table.get, table.submit
        self._page = table.page

    async def page(self, query: Query, size: int, token: str | None) -> Page:
        return await self._page(query, size=1, token=token)


async def test_rows_behind_a_record_are_fewer_only_at_the_end(store: Store) -> None:
    table, m = store.account.table("ledger"), partition_of(store.name("m"), 1, 0)
    await Ledger(table).write([LedgerRow(m, f"r{index}") for index in range(5)])
    ledger = Ledger(Table(Short(table)))
    for behind, wanted in (("", ["r0", "r1", "r2"]), ("r2", ["r3", "r4"]), ("r4", [])):
        rows = await ledger.after(m, behind, size=3)
        assert [row.entity["RowKey"] for row in rows] == wanted


async def test_labels_are_one_row_written_over_what_was_read(store: Store) -> None:
    rows, m = Mappings(store.account.table("mappings"), RealClock()).labels, store.name("labels")
    assert await rows.get(m) is None
    long = dict.fromkeys(range(400), "ß" * 90)
    first = await rows.put(m, {"a": {0: {1: "eins"}, 1031: long}}, 1000.0, None)
    read = await rows.get(m)
    assert read is not None and (read.labels, read.at) == ({"a": {0: {1: "eins"}, 1031: long}}, 1000.0)
    assert read.holds({"a"}) and not read.holds({"a", "b"})
    await rows.put(m, {"a": {}}, 1001.0, read)
    with pytest.raises(RowConflict):
        await rows.put(m, {"a": {}}, 1002.0, first)
    with pytest.raises(RowConflict):
        await rows.put(m, {"a": {}}, 1002.0, None)
    read = await rows.get(m)
    assert read is not None and read.labels == {"a": {}}
    with pytest.raises(SyncError) as told:
        await rows.put(m, {"a": {0: {1: "x" * 400_000}}}, 1003.0, read)
    assert told.value.code == "labels_too_many"


async def test_mapping_versions_count_up_and_the_same_text_is_no_version(store: Store) -> None:
    mappings = Mappings(store.account.table("mappings"), RealClock())
    m = store.name("m")
    await mappings.install(m, "one", buckets=64)
    await mappings.install(m, "other", buckets=8)
    first = await mappings.active(m)
    assert first is not None
    assert (first.text, first.buckets, first.version[:6]) == ("one", 64, "000001")
    second = await mappings.activate(m, "two", author="me", comment="", buckets=8)
    assert (second.version[:6], second.buckets) == ("000002", 64)
    again = await mappings.activate(m, "two", author="me", comment="", buckets=8)
    assert again.version == second.version
    assert m in await mappings.names()


async def test_history_is_newest_first_and_parked_keeps_its_first_time(store: Store) -> None:
    clock = RealClock()
    history = History(store.account.table("history"), clock, random.Random(1))
    m = store.name("m")
    await history.add(m, [Event("r", "created", 1)])
    await asyncio.sleep(0.01)
    await history.add(m, [Event("r", "updated", 1)])
    assert [event.did for event in await history.of(m, "r")] == ["updated", "created"]
    parked = ParkedRecords(store.account.table("parked"))
    await parked.add(Parked(store.name("x"), m, "r", "delete_brake", 100.0))
    await parked.add(Parked(store.name("x"), m, "r", "delete_brake", 200.0, approved=True))
    (row,) = [row async for row in parked.all(store.name("x"))]
    assert (row.since, row.approved, row.record_id) == (100.0, True, "r")


async def test_parked_rows_are_read_on_from_one_that_may_be_gone(store: Store) -> None:
    parked, low, high = ParkedRecords(store.account.table("parked")), store.name("w:1"), store.name("w:2")
    for awaited in (low, high):
        for number in range(4):
            await parked.add(Parked(awaited, "m", f"r{number}", "delete_brake", 100.0))
    third = await parked.get(low, "m", "r2")
    assert third is not None
    await parked.remove_unmoved(third)
    found = [(row.awaited, row.record_id) async for row in parked.since(third) if row.awaited in (low, high)]
    assert found == [(low, "r3"), *((high, f"r{number}") for number in range(4))]
    assert len([row async for row in parked.since(None) if row.awaited in (low, high)]) == 7


async def test_counters_add_up_over_instances_and_survive_folding(store: Store) -> None:
    clock = RealClock()
    table, m = store.account.table("counters"), store.name("m")
    one, two = Counters(table, clock, "one"), Counters(table, clock, "two")
    one.count(m, "state:synced", 3)
    one.count(m, "code:a-b")
    two.count(m, "state:synced", -1)
    await one.flush(now=True)
    await two.flush(now=True)
    assert await one.totals(m) == {"state:synced": 2, "code:a-b": 1}
    await one.fold(m, clock.now() + 7200)
    assert await two.totals(m) == {"state:synced": 2, "code:a-b": 1}


async def test_recent_counts_reach_over_the_hour_and_forget_after_minutes(store: Store) -> None:
    hour = 1_800_000_000.0 - 1_800_000_000.0 % 3600
    clock = FakeClock(hour - 90)
    table, m = store.account.table("counters"), store.name("m")
    one, two = Counters(table, clock, "one"), Counters(table, clock, "two")
    one.count(m, "did:created", 5)
    one.count(m, "calls", 7)
    await one.flush(now=True)
    clock.advance(100)  # ten seconds into the next hour: rows of their own
    for counters in (one, two):
        counters.count(m, "did:unchanged", 2)
        counters.count(m, "state:synced", 2)
        await counters.flush(now=True)
    assert await two.recent(m) == Recent(9, 7, hour - 240)
    await one.fold(m, hour)
    assert (await two.recent(m)).records == 4, "an expired hour has no minutes"
    clock.advance(60)
    two.count(m, "did:deleted")
    await two.flush(now=True)
    assert (await two.recent(m)).records == 5
    clock.advance(240)
    assert await two.recent(m) == Recent(1, 0, hour + 60)
    clock.advance(60)
    assert await two.recent(m) == Recent(0, 0, hour + 120)


async def test_the_budget_never_grants_more_than_its_limit_to_many_takers(store: Store) -> None:
    clock = RealClock()
    limit = Limit(store.name("l"), calls=1000, window_s=1, burst=20, chunk=10)
    budgets = [Budget(store.account.table("budget"), limit, clock, random.Random(n)) for n in range(4)]
    start = clock.now()
    grants = await asyncio.gather(*(budget.take(5, backfill=False) for budget in budgets for _ in range(5)))
    ends = max(grant.start for grant in grants)
    earliest = start + (len(grants) * 5 - limit.burst - 5) * limit.interval
    assert ends >= earliest - 0.001
    assert any(not grant.denied for grant in grants)


async def test_a_link_row_written_again_outlives_whoever_saw_it_before(store: Store) -> None:
    links = Links(store.account.table("links"))
    parent, child = RecordRef(store.name("accounts"), "p"), RecordRef("orders", "c")
    seen = await links.put(parent, child)
    again = await links.put(parent, child)
    assert seen != again
    assert not await links.remove(parent, child, seen)
    assert await links.etag(parent, child) == again
    assert [row.child async for row in links.children(parent)] == [child]
    assert await links.remove(parent, child, again)
    assert await links.etag(parent, child) is None
    assert not await links.remove(parent, child, again)


async def test_the_mark_of_a_parent_mapping_is_no_child(store: Store) -> None:
    links = Links(store.account.table("links"))
    mapping = store.name("accounts")
    assert not await links.marked(mapping)
    await links.mark(mapping)
    await links.mark(mapping)
    assert await links.marked(mapping)
    assert [row async for row in links.children(RecordRef(mapping, "p"))] == []


async def test_a_parked_row_written_again_outlives_whoever_saw_it_before(store: Store) -> None:
    parked = ParkedRecords(store.account.table("parked"))
    awaited = f"record:{store.name('accounts')}:p"
    seen = await parked.add(Parked(awaited, "orders", "c", "parent_missing", 1000.0))
    again = await parked.add(Parked(awaited, "orders", "c", "parent_missing", 2000.0))
    assert (seen.since, again.since) == (1000.0, 1000.0)
    await parked.remove_unmoved(seen)
    assert await parked.get(awaited, "orders", "c") == again
    await parked.remove_unmoved(again)
    assert await parked.get(awaited, "orders", "c") is None
    await parked.remove_unmoved(again)
