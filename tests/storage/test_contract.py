"""One contract for tables and queues: what holds in memory holds on Azurite (design 4.3)."""

from __future__ import annotations

import asyncio
import time

import pytest

from sync.storage.table import Op, Query, RowConflict, Verb
from tests.storage.both import Store, entity, store

__all__ = ["store"]


async def test_insert_refuses_an_existing_row(store: Store) -> None:
    table, p = store.account.table("ledger"), store.name("a")
    await table.insert(entity(p, "1", n=1))
    with pytest.raises(RowConflict):
        await table.insert(entity(p, "1", n=2))
    found = await table.get(p, "1")
    assert found is not None
    assert found.entity["n"] == 1


async def test_replace_needs_the_version_that_was_read(store: Store) -> None:
    table, p = store.account.table("ledger"), store.name("a")
    first = await table.insert(entity(p, "1", n=1))
    second = await table.replace(entity(p, "1", n=2), first)
    assert second != first
    with pytest.raises(RowConflict):
        await table.replace(entity(p, "1", n=3), first)
    await table.delete(p, "1")
    with pytest.raises(RowConflict):
        await table.replace(entity(p, "1", n=3), second)


async def test_delete_with_an_etag_is_conditional(store: Store) -> None:
    table, p = store.account.table("ledger"), store.name("a")
    first = await table.insert(entity(p, "1"))
    await table.upsert(entity(p, "1", n=1))
    with pytest.raises(RowConflict):
        await table.delete(p, "1", first)
    second = await table.upsert(entity(p, "2"))
    await table.delete(p, "2", second)
    with pytest.raises(RowConflict):
        await table.delete(p, "2", second)
    await table.delete(p, "1")
    await table.delete(p, "1")
    assert await table.get(p, "1") is None


async def test_a_transaction_is_all_or_nothing_and_names_the_row(store: Store) -> None:
    table, p = store.account.table("ledger"), store.name("a")
    etag = await table.insert(entity(p, "2", n=1))
    await table.replace(entity(p, "2", n=2), etag)
    ops = [
        Op(Verb.INSERT, entity(p, "1")),
        Op(Verb.REPLACE, entity(p, "2", n=9), etag),
        Op(Verb.INSERT, entity(p, "3")),
    ]
    with pytest.raises(RowConflict) as conflict:
        await table.submit(ops)
    assert conflict.value.index == 1
    assert await table.get(p, "1") is None
    assert await table.get(p, "3") is None


async def test_an_inserted_duplicate_in_a_transaction_names_its_row(store: Store) -> None:
    table, p = store.account.table("ledger"), store.name("a")
    await table.insert(entity(p, "2"))
    with pytest.raises(RowConflict) as conflict:
        await table.submit([Op(Verb.INSERT, entity(p, "1")), Op(Verb.INSERT, entity(p, "2"))])
    assert conflict.value.index == 1


async def test_etags_of_a_transaction_serve_the_next_write(store: Store) -> None:
    table, p = store.account.table("ledger"), store.name("a")
    etags = await table.submit([Op(Verb.INSERT, entity(p, str(n), n=n)) for n in range(3)])
    for n, etag in enumerate(etags):
        await table.replace(entity(p, str(n), n=n + 10), etag)


async def test_pages_follow_a_token_and_filters_skip_rows_without_the_property(store: Store) -> None:
    table, p = store.account.table("ledger"), store.name("a")
    await table.submit([Op(Verb.INSERT, entity(p, f"{n:02d}", n=n)) for n in range(7)])
    await table.insert(entity(p, "99", other="it's"))
    first = await table.page(Query(partition=p, where=(("n", "ge", 1),)), size=4)
    assert [row.entity["n"] for row in first.rows] == [1, 2, 3, 4]
    second = await table.page(Query(partition=p, where=(("n", "ge", 1),)), size=4, token=first.token)
    assert [row.entity["n"] for row in second.rows] == [5, 6]
    assert second.token is None
    quoted = await table.page(Query(partition=p, where=(("other", "eq", "it's"),)))
    assert [row.entity["RowKey"] for row in quoted.rows] == ["99"]


async def test_partition_ranges(store: Store) -> None:
    table = store.account.table("ledger")
    for part in ("a:1", "a:2", "b:1"):
        await table.insert(entity(store.name(part), "x", part=part))
    query = Query(partition_from=store.name("a:"), partition_below=store.name("a;"))
    assert [row.entity["part"] async for row in table.scan(query)] == ["a:1", "a:2"]


@pytest.mark.parametrize(
    ("ops", "message"),
    [
        ([Op(Verb.INSERT, entity("p", str(n))) for n in range(101)], "101 operations"),
        ([Op(Verb.INSERT, entity("p", "1")), Op(Verb.UPSERT, entity("p", "1"))], "same row twice"),
        ([Op(Verb.INSERT, entity("p", "1")), Op(Verb.INSERT, entity("q", "1"))], "one partition"),
        ([Op(Verb.INSERT, entity("p", "a/b"))], "character"),
        ([Op(Verb.INSERT, entity("p", str(n), text="x" * 30_000)) for n in range(90)], "4 MiB"),
    ],
)
async def test_what_the_service_refuses_is_refused_before_it_is_sent(
    store: Store, ops: list[Op], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        await store.account.table("ledger").submit(ops)


async def test_a_filter_of_more_than_fifteen_comparisons_is_refused(store: Store) -> None:
    where = tuple(("n", "ne", n) for n in range(15))
    with pytest.raises(ValueError, match="16 comparisons"):
        await store.account.table("ledger").page(Query(partition="p", where=where))


async def test_a_queue_delivers_again_when_the_lease_ends(store: Store) -> None:
    queue = store.account.queue("live")
    while held := await queue.receive(32):
        for message in held:
            await queue.delete(message)
    await queue.put('{"ä":1}')
    (first,) = await queue.receive(visibility_s=1)
    assert first.dequeue_count == 1
    assert await queue.receive() == []
    assert await queue.length() == 1
    await asyncio.sleep(1.2)
    (second,) = await queue.receive(visibility_s=30)
    assert (second.body, second.dequeue_count) == ('{"ä":1}', 2)
    await queue.delete(first)  # its receipt is stale: nothing happens
    assert await queue.length() == 1
    await queue.delete(second)
    assert await queue.length() == 0


async def test_the_oldest_waiting_message_tells_when_it_was_put(store: Store) -> None:
    queue = store.account.queue("control-poison")
    for message in await queue.receive():
        await queue.delete(message)
    assert await queue.oldest() is None
    before = time.time()
    await queue.put("delayed", delay_s=60)
    assert await queue.oldest() is None
    await queue.put("first")
    oldest = await queue.oldest()
    assert oldest is not None
    assert before - 1 <= oldest <= time.time() + 1
    await queue.receive()
    assert await queue.oldest() is None


async def test_a_message_above_48_kib_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="48 KiB"):
        await store.account.queue("live").put("x" * (48 * 1024 + 1))
