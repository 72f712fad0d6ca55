"""Old rows go, in pages, and a run that is cut short goes on where it stood."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from benchmarks.calls import Bench
from benchmarks.engine import contacts
from sync.flows import expire
from sync.flows.expire import expire_rows
from sync.flows.status import collect
from sync.storage.ledger import bucket_of, partition_of
from tests.consent.test_both_ways import consent_map

DAY_S = 24 * 3600


async def loaded(count: int) -> tuple[Bench, list[str]]:
    bench = Bench(addressing="key", delete_by_key=False)
    ids = bench.dynamics.seed(contacts(count))
    await bench.settle()
    return bench, ids


def rows(bench: Bench, table: str) -> int:
    return len(bench.account.tables[table].rows)


async def test_history_goes_after_90_days_and_is_counted() -> None:
    bench, _ = await loaded(5)
    assert rows(bench, "history") == 5
    bench.clock.at += 89 * DAY_S
    assert (await expire_rows(bench.app.context))["history"] == 0
    bench.clock.at += 2 * DAY_S
    assert await expire_rows(bench.app.context) == {"history": 5, "journal": 0, "tombstones": 0}
    assert rows(bench, "history") == 0
    (mapping,) = (await collect(bench.app.context)).mappings
    assert mapping.expired() == {"history": 5}


async def test_tombstones_go_after_400_days_and_living_rows_stay() -> None:
    bench, ids = await loaded(4)
    bench.dynamics.delete(ids[0])
    await bench.settle()
    bench.clock.at += 401 * DAY_S
    gone = await expire_rows(bench.app.context)
    assert gone["tombstones"] == 1
    assert rows(bench, "ledger") == 3


async def test_a_tombstone_with_an_unknown_outcome_stays() -> None:
    bench, ids = await loaded(2)
    bench.dynamics.delete(ids[0])
    await bench.settle()
    context = bench.app.context
    partition = partition_of("contacts", 1, bucket_of(ids[0], 64))
    row = await context.ledger.get(partition, ids[0])
    await context.ledger.write([replace(row, unresolved=True)])
    bench.clock.at += 401 * DAY_S
    assert (await expire_rows(context))["tombstones"] == 0


async def test_rows_of_an_older_epoch_go_whatever_their_state() -> None:
    bench, _ = await loaded(3)
    context = bench.app.context
    progress = await context.watermarks.progress("contacts")
    await context.watermarks.write_progress(replace(progress, epoch=2))
    bench.clock.at += 401 * DAY_S
    assert (await expire_rows(context))["tombstones"] == 3
    assert rows(bench, "ledger") == 0


async def test_counter_hours_are_folded_without_changing_the_sums() -> None:
    bench, _ = await loaded(3)
    context = bench.app.context
    before = await context.counters.totals("contacts")
    bench.clock.at += 5 * DAY_S
    await expire_rows(context)
    assert await context.counters.totals("contacts") == before
    assert {key[0] for key in bench.account.tables["counters"].rows} == {"contacts:base"}


async def opted_out_in_campaign() -> tuple[Bench, str]:
    bench = Bench(addressing="key", consent=consent_map())
    (record_id,) = bench.dynamics.seed(contacts(1))
    await bench.settle()
    bench.campaign.edit(record_id, {"blackListEmail": True})
    await bench.settle()
    return bench, record_id


async def test_the_consent_journal_goes_after_two_years_and_what_is_agreed_stays() -> None:
    bench, _ = await opted_out_in_campaign()
    assert rows(bench, "consentjournal") == 2, "the write is told before it is made"
    bench.clock.at += 729 * DAY_S
    assert (await expire_rows(bench.app.context))["journal"] == 0
    bench.clock.at += 2 * DAY_S
    assert (await expire_rows(bench.app.context))["journal"] == 2
    assert (rows(bench, "consentjournal"), rows(bench, "consents")) == (0, 1)


async def test_a_run_that_is_cut_short_goes_on_with_what_is_left_and_no_second_one_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench, record_id = await opted_out_in_campaign()
    journal, queue = bench.app.context.journal, bench.account.queues["control"]
    (line,) = await journal.of("contacts", record_id)
    await journal.add("contacts", [line] * 2_500)
    bench.clock.at += 800 * DAY_S
    monkeypatch.setattr(expire, "WORK_S", -1.0)
    await bench.app.expire_rows()
    left = [rows(bench, "consentjournal")]
    while queue.messages:
        await bench.app.expire_rows()  # tomorrow's timer: the run still goes on
        (message,) = queue.messages
        queue.messages.clear()
        assert json.loads(message.body) == {"verb": "expire", "kinds": ["journal"]}
        await bench.app.control(message.body, invocation="test")
        left.append(rows(bench, "consentjournal"))
    assert left == [1502, 502, 0]
    assert await bench.app.context.control.noted("_expire", "goes-on") == "", "the next timer begins anew"


async def test_a_run_whose_message_got_lost_is_begun_again_the_next_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench, record_id = await opted_out_in_campaign()
    journal = bench.app.context.journal
    (line,) = await journal.of("contacts", record_id)
    await journal.add("contacts", [line] * 1_500)
    bench.clock.at += 800 * DAY_S
    monkeypatch.setattr(expire, "WORK_S", -1.0)
    await bench.app.expire_rows()
    bench.account.queues["control"].messages.clear()
    bench.clock.at += DAY_S
    await bench.app.expire_rows()
    assert rows(bench, "consentjournal") == 0


async def test_what_is_agreed_with_a_contact_goes_with_its_tombstone() -> None:
    bench, record_id = await opted_out_in_campaign()
    bench.dynamics.delete(record_id)
    await bench.settle()
    assert rows(bench, "consents") == 1
    bench.clock.at += 401 * DAY_S
    await expire_rows(bench.app.context)
    assert rows(bench, "consents") == 0
