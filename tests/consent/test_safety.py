"""The brake on opt-ins, consent switched on over many contacts, and what one look costs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.calls import Bench
from benchmarks.engine import contacts
from sync.flows import consent_fit
from sync.flows.consent_brake import approve_opt_ins
from sync.flows.consent_hints import from_hint
from sync.flows.rebaseline import look, rebaseline
from sync.model import Lane, State
from sync.storage.ledger import bucket_of, partition_of
from tests.consent.test_both_ways import Pair, consent_map, pair


async def opted_out(count: int, brake: str) -> tuple[Bench, list[str]]:
    bench = Bench(addressing="key", consent=consent_map(), OPT_IN_BRAKE=brake)
    ids = bench.dynamics.seed([contact | {"donotbulkemail": True} for contact in contacts(count)])
    await bench.settle()
    return bench, ids


def still_out(bench: Bench, ids: list[str]) -> int:
    return sum(Pair(bench, record_id).profile["blackListEmail"] for record_id in ids)


async def test_an_approval_lets_all_through_that_wait() -> None:
    bench, ids = await opted_out(6, "2")
    for record_id in ids:
        bench.dynamics.edit(record_id, {"donotbulkemail": False})
    await bench.settle()
    assert still_out(bench, ids) == 4
    assert await approve_opt_ins(bench.app.context, "contacts", "campaign") == 4
    await bench.settle()
    assert still_out(bench, ids) == 0


async def test_a_write_that_was_refused_is_not_counted_by_the_brake() -> None:
    bench, (record_id, _) = await opted_out(2, "1")
    bench.campaign.command("fault", {"kind": "status", "path": "/profile", "status": 429, "times": 6})
    bench.dynamics.edit(record_id, {"donotbulkemail": False})
    await bench.settle()
    await bench.settle()
    assert still_out(bench, [record_id]) == 0
    assert not await bench.app.context.control.opt_ins_stopped("contacts", "campaign")


async def test_switched_on_over_many_contacts_it_leaves_the_lane_to_the_next_opt_out() -> None:
    """What was never looked at and is not opted out is hinted as the budget allows; opt-outs are hinted at once."""
    bench = Bench(addressing="key", consent=consent_map("off"))
    ids = bench.dynamics.seed(contacts(60))
    await bench.settle()
    bench.dynamics.edit(ids[7], {"donotbulkemail": True})
    await bench.settle()
    context = bench.app.context
    context.consent_map = consent_map("both")
    context._reading.clear()
    hints = bench.account.queues["consent"].messages
    await bench.app.pull_changes()
    await bench.app.pull_changes()
    await work(bench, Lane.CONTROL)
    await bench.app.feed_backfill()
    await context.know_addressing()
    await consent_fit.usable(context, "contacts")
    await context.budget.hold_until(bench.clock.at + 600)
    await work(bench, Lane.BACKFILL)
    assert {from_hint(message.body).record_id for message in hints} == {ids[7]}
    for _ in range(200):
        bench.clock.at += 10
        await work(bench, Lane.BACKFILL)
    assert len({from_hint(message.body).record_id for message in hints}) == 60
    await work(bench, Lane.CONSENT)
    assert Pair(bench, ids[7]).profile["blackListEmail"] is True


async def work(bench: Bench, lane: Lane) -> None:
    """Every message of a lane that is visible now."""
    queue = bench.account.view().queue(lane.value)
    for message in await queue.receive(32, visibility_s=600):
        if lane is Lane.CONTROL:
            await bench.app.control(message.body, invocation="test")
        elif lane is Lane.CONSENT:
            await bench.app.consent(message.body, invocation="test")
        else:
            await bench.app.apply(lane, message.body, dequeue_count=1, invocation="test")
        await queue.delete(message)


async def test_a_map_for_a_mapping_that_is_not_there_creates_nobody() -> None:
    """A misspelt name must not make contacts reachable that opted out."""
    astray = consent_map().model_copy(update={"consent": "kontacts"})
    bench = Bench(addressing="key", consent=astray)
    bench.dynamics.seed([contact | {"donotbulkemail": True} for contact in contacts(1)])
    for _ in range(6):
        bench.clock.at += 60
        await bench.app.pull_changes()
        await bench.app.feed_backfill()
        for lane in (Lane.CONTROL, Lane.LIVE, Lane.BACKFILL):
            await work(bench, lane)
    assert bench.campaign.dump() == []
    paused = await bench.app.context.control.paused("contacts", "apply")
    assert paused is not None
    assert paused.code == "consent_unusable"


async def test_hints_that_add_up_while_the_lane_is_behind_cost_one_look() -> None:
    one = await pair()
    bench = one.bench
    bench.campaign.edit(one.id, {"blackListEmail": True})
    for _ in range(5):
        bench.clock.at += 60
        await bench.app.pull_consents()
    bench.clock.at += 60
    since = len(bench.campaign.log)
    assert len(bench.account.queues["consent"].messages) == 5
    await work(bench, Lane.CONSENT)
    assert one.email == (True, True)
    assert [entry.note for entry in bench.campaign.log[since:] if entry.record] == ["profile.get"]


async def test_a_create_whose_time_campaign_sets_costs_no_look() -> None:
    bench = Bench(addressing="key", consent=consent_map())
    bench.campaign.change_options(dates_creates=True)
    ids = bench.dynamics.seed(contacts(5))
    await bench.settle()
    assert {entry.note for entry in bench.campaign.log if entry.record in ids} == {"profile.create"}


async def test_a_new_contact_is_not_looked_at_before_it_is_there_after_a_rebaseline_either() -> None:
    bench = Bench(addressing="key", consent=consent_map())
    bench.campaign.change_options(dates_creates=True)
    bench.dynamics.seed(contacts(2))
    await bench.settle()
    context = bench.app.context
    await rebaseline(context, await look(context, "contacts"))
    for _ in range(2):
        await bench.settle()
    assert (await context.watermarks.progress("contacts")).all_known
    (new,) = bench.dynamics.seed(contacts(1))
    await bench.settle()
    assert [entry.note for entry in bench.campaign.log if entry.record == new] == ["profile.create"]


@pytest.mark.parametrize("code", ["parent_missing", "delete_brake"])
async def test_a_contact_that_is_parked_has_its_consent_carried(code: str) -> None:
    one = await pair()
    context = one.bench.app.context
    partition = partition_of("contacts", 1, bucket_of(one.id, 64))
    row = await context.ledger.get(partition, one.id)
    await context.ledger.write([replace(row, state=State.PARKED, code=code)])
    one.bench.campaign.edit(one.id, {"blackListEmail": True})
    one.bench.clock.at += 60
    await one.bench.app.pull_consents()
    await work(one.bench, Lane.CONSENT)
    assert one.email == (True, True)
