"""Where changes in Campaign are found when it publishes no filter and keeps no order: export files, or a clear stop."""

from __future__ import annotations

from typing import Literal

import pytest

from benchmarks.calls import Bench
from benchmarks.engine import contacts
from sync.flows import consent_pull
from sync.flows.consent_hints import from_hint
from sync.flows.consent_pull import pull_consents
from sync.flows.consent_source import Source, newest_first
from sync.storage.logs import MemoryLogs
from tests.consent.test_both_ways import Pair, consent_map

Order = Literal["kept", "ignored", "refused"]


async def loaded(order: Order, count: int = 6, **settings: str) -> tuple[Bench, list[str], MemoryLogs]:
    bench = Bench(addressing="key", consent=consent_map())
    logs = MemoryLogs(bench.clock.now)
    context = bench.app.context
    context.exports = logs
    context.settings = context.settings.model_copy(update=settings)
    bench.campaign.change_options(order=order)
    ids = bench.dynamics.seed(contacts(count))
    await bench.settle()
    bench.clock.at += 3600
    return bench, ids, logs


def export(bench: Bench, ids: list[str], *, header: str = "lastModified;externalId") -> bytes:
    shown = {row["externalId"]: row["lastModified"] for row in bench.campaign.dump()}
    return (
        ("\ufeff" + "\n".join([header, *(f"{shown[one]};{one.upper()}" for one in ids)]))
        .encode()
        .replace(b";", b",")
    )


@pytest.mark.parametrize("order", ["ignored", "refused"])
async def test_profiles_of_an_export_are_looked_at(order: Order) -> None:
    bench, ids, logs = await loaded(order)
    assert bench.app.context.source is Source.EXPORT
    bench.campaign.edit(ids[0], {"blackListEmail": True})
    bench.campaign.edit(ids[1], {"blackListPhone": True})
    logs.put("profiles-1.csv", export(bench, ids[:2]))
    logs.put("broadlog.csv", b"externalId\n" + ids[3].encode())
    await bench.settle()
    assert Pair(bench, ids[0]).email == (True, True)
    assert Pair(bench, ids[1]).contact["donotphone"] is True


async def test_a_file_is_read_once_and_who_was_looked_at_since_is_not_looked_at_again() -> None:
    bench, ids, logs = await loaded("ignored")
    bench.campaign.edit(ids[0], {"blackListEmail": True})
    logs.put("profiles-1.csv", export(bench, ids[:1]))
    await bench.settle()
    bench.clock.at += 600
    logs.put("profiles-2.csv", export(bench, ids[:1]))
    await bench.settle()
    # That look was longer after the change than the clocks of the two systems may differ.
    logs.put("profiles-3.csv", export(bench, ids[:1]))
    since = len(bench.campaign.log)
    await bench.settle()
    assert Pair(bench, ids[0]).email == (True, True)
    assert not [entry for entry in bench.campaign.log[since:] if entry.record]


async def test_a_long_file_goes_on_where_the_last_tick_stopped() -> None:
    bench, ids, logs = await loaded("ignored", count=30, pull_seconds=0.0)  # type: ignore[arg-type]
    lines = export(bench, ids * 50)
    logs.put("profiles-1.csv", lines)
    bench.clock.at += 60
    ticks = 0
    while await pull_consents(bench.app.context) and ticks < 20:
        bench.account.queues["consent"].messages.clear()
        ticks += 1
    assert ticks == 4, "a header and 1500 lines, 500 a batch, one batch a tick"


async def test_a_file_without_the_column_is_refused_and_the_next_is_read() -> None:
    bench, ids, logs = await loaded("refused")
    bench.campaign.edit(ids[0], {"blackListEmail": True})
    logs.put("profiles-1.csv", export(bench, ids[:1], header="when;email"))
    logs.put("profiles-2.csv", export(bench, ids[:1]))
    await bench.settle()
    assert Pair(bench, ids[0]).email == (True, True)


@pytest.mark.parametrize("order", ["ignored", "refused"])
async def test_without_any_of_the_three_it_stops_and_says_so_and_dynamics_is_carried_on(order: Order) -> None:
    bench, ids, _ = await loaded(order)
    context = bench.app.context
    context.exports = context.source = None
    bench.dynamics.edit(ids[0], {"donotbulkemail": True})
    await bench.settle()
    assert Pair(bench, ids[0]).email == (True, True)
    paused = await context.control.paused("contacts", "consents")
    assert paused is not None
    assert paused.code == "consents_not_found"


async def test_an_order_that_is_lost_later_stops_it_too() -> None:
    bench, ids, _ = await loaded("kept")
    context = bench.app.context
    context.exports = None
    assert context.source is Source.ORDER
    bench.campaign.change_options(order="ignored")
    for record_id in ids:
        bench.campaign.edit(record_id, {"lastName": "Other"})
        bench.clock.at += 1
    await pull_consents(context)
    paused = await context.control.paused("contacts", "consents")
    assert paused is not None
    assert paused.code == "consents_not_found"


def test_newest_first() -> None:
    old, new = "2026-01-01 10:00:00.000Z", "2026-01-02 10:00:00.000Z"
    assert newest_first([])
    assert newest_first([{"lastModified": new}, {"lastModified": new}, {}, {"lastModified": old}])
    assert not newest_first([{"lastModified": old}, {"lastModified": new}])


@pytest.fixture
def one_page_a_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consent_pull, "PAGE", 5)


@pytest.mark.usefixtures("one_page_a_tick")
@pytest.mark.parametrize("time_filter", [True, False])
async def test_an_opt_out_does_not_wait_behind_a_bulk_update(time_filter: bool) -> None:
    bench, ids = await bulk_update(time_filter)
    bench.clock.at += 60
    await pull_consents(bench.app.context)
    bench.clock.at += 400
    bench.campaign.edit(ids[0], {"blackListEmail": True})
    await pull_consents(bench.app.context)
    hinted = {from_hint(message.body).record_id for message in bench.account.queues["consent"].messages}
    assert hinted == {ids[0]}


@pytest.mark.usefixtures("one_page_a_tick")
@pytest.mark.parametrize("time_filter", [True, False])
async def test_a_change_behind_a_long_look_is_met_by_the_next(time_filter: bool) -> None:
    bench, ids = await bulk_update(time_filter)
    for tick in range(40):
        bench.clock.at += 120
        # Something is always newer than what was passed.
        bench.campaign.edit(ids[-1 - tick % 30], {"lastName": f"Later {tick}"})
        if tick == 6:
            bench.campaign.edit(ids[0], {"blackListEmail": True})
        await pull_consents(bench.app.context)
    hinted = {from_hint(message.body).record_id for message in bench.account.queues["consent"].messages}
    assert hinted == {ids[0]}


async def bulk_update(time_filter: bool) -> tuple[Bench, list[str]]:
    """Sixty profiles whose creation is behind, all of them just changed."""
    bench, _, _ = await loaded("kept", count=60, pull_seconds=0.0)  # type: ignore[arg-type]
    bench.campaign.change_options(time_filter=time_filter)
    bench.app.context.source = None
    for _ in range(40):
        bench.clock.at += 60
        await pull_consents(bench.app.context)
    bench.clock.at += 3600
    await pull_consents(bench.app.context)
    bench.account.queues["consent"].messages.clear()
    ids = [row["externalId"] for row in bench.campaign.dump()]
    for record_id in ids:
        bench.campaign.edit(record_id, {"lastName": "Bulk"})
    return bench, ids
