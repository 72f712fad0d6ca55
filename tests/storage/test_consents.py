"""Consent rows and their journal, in memory and on Azurite."""

from __future__ import annotations

import random
from dataclasses import fields, replace

from sync.consent_row import Agreement, Announced, ConsentRow, FieldState, Kept, Side
from sync.storage.consent_journal import ASKED, Entry, Journal
from sync.storage.consents import ConsentRows
from sync.storage.control import Control
from sync.storage.table import Op
from tests.storage.both import RealClock, Store, entity, store

__all__ = ["store"]


async def test_a_row_reads_back_as_written_and_moves_with_every_write(store: Store) -> None:
    rows = ConsentRows(store.account.table("consents"))
    row = ConsentRow(
        store.name("p"),
        "one",
        fields={
            "blackList": FieldState(Agreement(True, Side.CAMPAIGN, "2026-01-01 10:00:00.000Z")),
            "blackListFax": FieldState(),
            "blackListEmail": FieldState(Agreement(False), Kept(True, False, "then", Side.DYNAMICS)),
            "blackListPhone": FieldState(Agreement(True), Kept(True, False, "then")),
        },
        found=True,
        contact_created="a",
        profile_created="b",
        claim_owner="me",
        claim_until=1_800_000_000.0,
        take_over=1_800_000_100.0,
        announced={"blackList": Announced(Side.DYNAMICS, "7")},
        updated=1_800_000_000.5,
        looked=1_800_000_000.25,
    )
    written = await rows.write(row)
    assert await rows.get(row.partition, "one") == written
    assert replace(written, etag=None) == row
    again = await rows.write(written.released())
    assert await rows.write_many([written, replace(row, record_id="two")]) == {"one"}
    assert await rows.get(row.partition, "one") == again
    assert (await rows.get(row.partition, "two")).etag
    await rows.remove(row.partition, "one")
    await rows.remove(row.partition, "one")
    assert (await rows.get(row.partition, "one")).etag is None


async def test_many_writes_leave_out_what_moved(store: Store) -> None:
    table, p = store.account.table("consents"), store.name("many")
    first = await table.submit_each([Op.over(entity(p, f"{n:03d}", n=n), None) for n in range(230)])
    assert all(first)
    await table.upsert(entity(p, "007", n=-1))
    second = await table.submit_each(
        [Op.over(entity(p, f"{n:03d}", n=2 * n), etag) for n, etag in enumerate(first)]
    )
    assert [n for n, etag in enumerate(second) if etag is None] == [7]
    stored = await table.get(p, "229")
    assert stored is not None
    assert (stored.entity["n"], stored.etag) == (458, second[229])


def entry(record_id: str, **told: str) -> Entry:
    texts = {field.name: "" for field in fields(Entry) if field.name not in ("record_id", "at")}
    return Entry(record_id=record_id, **(texts | told))  # type: ignore[arg-type]


async def test_the_journal_is_told_oldest_first_and_old_lines_go_page_by_page(store: Store) -> None:
    clock = RealClock()
    journal = Journal(store.account.table("consentjournal"), clock, random.Random(1))
    mapping = store.name("m")
    began = clock.now()
    for rule in ("first", "second"):
        await journal.add(mapping, [entry("one", rule=rule, field="blackList")])
        await clock.sleep(0.01)
    await journal.add(mapping, [entry("two", rule="third", outcome=ASKED, run="r1", wrote="campaign")])
    assert [line.rule for line in await journal.of(mapping, "one")] == ["first", "second"]
    assert {line.rule async for line in journal.since(mapping, began - 1)} == {"first", "second", "third"}
    await journal.add(mapping, [entry("two", rule="fourth", outcome="done", run="r2", wrote="campaign")])
    assert [line.rule for line in await journal.of(mapping, "two")] == ["third", "fourth"]
    await journal.add(mapping, [entry("two", rule="fifth", outcome="done", run="r1", wrote="campaign")])
    told = [line.rule async for line in journal.since(mapping, began - 1)]
    assert sorted(told) == ["fifth", "first", "fourth", "second"], "an announcement goes once its end is told"
    token: str | None = None
    gone = 0
    while True:
        removed, token = await journal.expire_page(clock.now() + 1, token)
        gone += removed[mapping]
        if token is None:
            break
    assert gone == 5
    assert await journal.of(mapping, "one") == []


async def test_the_opt_in_brake_stops_at_its_limit_gives_back_and_is_approved(store: Store) -> None:
    control = Control(store.account.table("control"), RealClock(), random.Random(1))
    mapping = store.name("m")
    assert await control.opt_in(mapping, "campaign", 2, 2)
    await control.unbrake_opt_ins(mapping, "campaign", 1)
    assert await control.opt_in(mapping, "campaign", 1, 2)
    assert not await control.opt_in(mapping, "campaign", 1, 2)
    assert await control.opt_ins_stopped(mapping, "campaign")
    assert await control.opt_in(mapping, "dynamics", 1, 2)
    await control.approve_opt_ins(mapping, "campaign", 3)
    assert not await control.opt_ins_stopped(mapping, "campaign")
    assert await control.opt_in(mapping, "campaign", 5, 2)
    assert not await control.opt_in(mapping, "campaign", 1, 2)
