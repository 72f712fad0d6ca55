"""Event rows become activities exactly once, in few requests, whatever the service answers."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from sandbox.dynamics.options import Application, DynamicsOptions
from sandbox.wire import Fault
from sync.flows.events.apply import ApplyEvents
from sync.flows.events.context import LARGEST
from sync.flows.events.message import EventMessage, PartitionName, from_text
from sync.model import LedgerRow, State
from sync.storage.lanes import MessageUnreadable
from sync.storage.ledger import bucket_of, partition_of
from tests.events.stage import (
    DELIVERY_HEADER,
    ORG,
    TEXT,
    TRACKING_HEADER,
    Stage,
    contact_id,
    csv_of,
    delivery_line,
    tracking_line,
)


def sends(stage: Stage, count: int, start: int = 0, **more: str) -> None:
    """One delivery to so many contacts, in a file of its own."""
    lines = [
        delivery_line(number, contact_id(number), **more)  # type: ignore[arg-type]
        for number in range(start, start + count)
    ]
    stage.drop(f"sends-{stage.clock.at:.0f}.csv", csv_of(DELIVERY_HEADER, lines))


def notes(stage: Stage, since: int = 0) -> list[str]:
    """What was asked of Dynamics, parts of batches apart."""
    return [entry.note for entry in stage.dynamics.log[since:] if not entry.note.startswith("$batch/")]


def writes(stage: Stage, since: int = 0) -> list[str]:
    return [note for note in notes(stage, since) if "create" in note or "update" in note or note == "$batch"]


async def test_a_thousand_sends_are_one_request() -> None:
    stage = Stage()
    stage.contacts(1000)
    sends(stage, 1000)
    await stage.settle()
    assert len(stage.activities("send")) == 1000
    assert len(writes(stage)) == 1
    assert not any(row["open"] for row in stage.rows())


async def test_each_kind_lands_in_its_table_with_its_fields_and_regards_the_contact() -> None:
    stage = Stage()
    (contact,) = stage.contacts(1)
    sends(stage, 1, mirror="https://m.test/1")
    stage.drop(
        "t.csv",
        csv_of(
            TRACKING_HEADER,
            [tracking_line(1, contact), tracking_line(2, contact, type="Email click", url="https://x.test")],
        ),
    )
    await stage.settle()
    (send,), (opened,), (click,) = (stage.activities(kind) for kind in ("send", "open", "click"))
    for one in (send, opened, click):
        assert one["subject"] == "Campaign Name: 2019LoyaltyCamp; Delivery Name: DM190"
        assert one["_regardingobjectid_value"] == contact and one["statecode"] == 0
        assert one["acs_campaignname"] == "2019LoyaltyCamp" and one["acs_deliveryname"] == "DM190"
    assert send["acs_mirrorpageurl"] == "https://m.test/1"
    assert send["acs_datesent"] == "2026-09-21T13:13:20Z"
    assert click["acs_trackingurl"] == "https://x.test" and click["acs_dateclicked"]
    assert opened["acs_dateopened"]


async def test_a_send_that_bounces_later_is_marked_in_bulk_and_gets_its_bounce() -> None:
    stage = Stage()
    stage.contacts(50)
    sends(stage, 50)
    await stage.settle()
    since = len(stage.dynamics.log)
    sends(stage, 50, status="Failed", bounce="Hard", reason="1", modified=-10)  # type: ignore[arg-type]
    await stage.settle()
    assert {one["acs_bouncereason"] for one in stage.activities("send")} == {"Unknown user"}
    assert len(stage.activities("bounce")) == len(stage.activities("send")) == 50
    assert len(writes(stage, since)) == 2
    since = len(stage.dynamics.log)
    sends(stage, 50)
    await stage.settle()
    assert writes(stage, since) == []
    assert {one["acs_bouncetype"] for one in stage.activities("send")} == {"hard"}


async def test_counters_are_computed_anew_not_added_to() -> None:
    stage = Stage(text=TEXT.replace("granularity: every_event", "granularity: per_delivery"))
    (contact,) = stage.contacts(1)
    sends(stage, 1)
    await stage.settle()
    opens = [tracking_line(number, contact, at=-600 + number) for number in range(5)]
    stage.drop("o1.csv", csv_of(TRACKING_HEADER, opens[:3]))
    await stage.settle()
    stage.drop("o2.csv", csv_of(TRACKING_HEADER, opens))
    await stage.settle()
    (one,) = stage.activities("send")
    assert one["acs_opencount"] == 5 and one["acs_datesent"] == "2026-09-21T13:13:20Z"
    assert stage.activities("open") == []


async def test_what_a_salesperson_deleted_stays_deleted() -> None:
    stage = Stage()
    stage.contacts(30)
    sends(stage, 30)
    await stage.settle()
    for one in stage.activities("send"):
        stage.dynamics.delete(one["activityid"], table="acs_emailsend")
    sends(stage, 30, status="Failed", bounce="Hard", modified=-10)  # type: ignore[arg-type]
    await stage.settle()
    assert stage.activities("send") == [] and len(stage.activities("bounce")) == 30
    sends(stage, 30, modified=-5)  # type: ignore[arg-type]
    await stage.settle()
    assert stage.activities("send") == []
    assert stage.counts()["dropped:activity_deleted"] >= 30


async def test_a_row_that_is_there_already_counts_as_done_and_costs_the_others_nothing() -> None:
    stage = Stage()
    stage.contacts(100)
    sends(stage, 100)
    await stage.settle()
    kept = stage.activities("send")
    table = stage.account.tables["events"]
    table.rows.clear()
    table.keys.clear()
    for one in kept[:50]:
        stage.dynamics.delete(one["activityid"], table="acs_emailsend")
    since = len(stage.dynamics.log)
    sends(stage, 100)
    await stage.settle()
    assert len(stage.activities("send")) == 100
    assert writes(stage, since) == ["$batch"]
    assert not any(row["open"] for row in stage.rows())


@pytest.mark.parametrize("kind", ["drop_after", "status_after", "drop_before", "garbage"])
async def test_an_answer_that_got_lost_leads_to_no_second_activity(kind: str) -> None:
    stage = Stage()
    stage.contacts(200)
    sends(stage, 200)
    stage.dynamics.faults.add(Fault(kind, method="POST", path="CreateMultiple", status=502))
    await stage.settle()
    assert len(stage.activities("send")) == 200
    assert not any(row["open"] for row in stage.rows())
    assert stage.app.events.bulk_size < LARGEST


async def test_a_lost_correction_keeps_the_partition_until_it_cannot_land_any_more() -> None:
    stage = Stage()
    stage.contacts(30)
    sends(stage, 30)
    await stage.settle()
    sends(stage, 30, status="Failed", bounce="Hard", modified=-10)  # type: ignore[arg-type]
    stage.dynamics.faults.add(Fault("drop_after", method="POST", path="UpdateMultiple"))
    began = stage.clock.at
    await stage.settle()
    assert stage.clock.at - began >= 90
    assert {one["acs_bouncetype"] for one in stage.activities("send")} == {"hard"}


async def test_one_bad_row_is_found_by_halves_and_no_good_row_goes_twice() -> None:
    stage = Stage()
    stage.contacts(256)
    stage.dynamics.change_metadata(remove_column="acs_deliveryname", table="acs_emailsend")
    stage.dynamics.change_metadata(
        add_column={"name": "acs_deliveryname", "max_length": 10}, table="acs_emailsend"
    )
    lines = [delivery_line(number, contact_id(number)) for number in range(256)]
    lines[77] = delivery_line(77, contact_id(77), delivery="a name too long for it")
    stage.drop("a.csv", csv_of(DELIVERY_HEADER, lines))
    await stage.settle()
    assert len(stage.activities("send")) == 255
    (row,) = [row for row in stage.rows() if row["code"]]
    assert (row["log_id"], row["code"], row["open"]) == ("77", "dynamics_value_refused", False)
    assert len(writes(stage)) <= 2 * 8 + 1


async def test_tables_without_bulk_verbs_are_written_by_batch() -> None:
    stage = Stage(options=DynamicsOptions(origin=ORG, bulk_messages=False))
    stage.contacts(400)
    sends(stage, 400)
    await stage.settle()
    assert len(stage.activities("send")) == 400
    assert set(writes(stage)) == {"$batch"}
    sends(stage, 400, status="Failed", bounce="Hard", modified=-10)  # type: ignore[arg-type]
    await stage.settle()
    assert {one["acs_bouncetype"] for one in stage.activities("send")} == {"hard"}


async def test_small_groups_of_all_kinds_share_one_request() -> None:
    stage = Stage()
    ids = stage.contacts(5)
    lines = [tracking_line(n, c) for n, c in enumerate(ids)]
    lines += [tracking_line(9 + n, c, type="Email click", url="u") for n, c in enumerate(ids)]
    stage.drop("t.csv", csv_of(TRACKING_HEADER, lines))
    await stage.settle()
    assert writes(stage) == ["$batch"]
    assert len(stage.activities("open")) == len(stage.activities("click")) == 5


async def test_throttled_work_comes_back_after_the_time_the_service_named() -> None:
    stage = Stage()
    stage.contacts(50)
    sends(stage, 50)
    stage.dynamics.faults.add(
        Fault(
            "status", method="POST", path="CreateMultiple", status=429, headers={"retry-after": "40"}, times=1
        )
    )
    began = stage.clock.at
    await stage.settle()
    assert stage.clock.at - began >= 40
    assert len(stage.activities("send")) == 50


async def test_a_missing_right_stops_the_flow_and_loses_nothing() -> None:
    stage = Stage()
    stage.contacts(10)
    sends(stage, 10)
    stage.dynamics.privileges(prvCreateActivity=None)
    await stage.app.pull_email_events(invocation="i")
    await stage.work()
    pause = await stage.app.context.control.paused("email", "apply")
    assert pause is not None and pause.code == "dynamics_forbidden"
    stage.dynamics.privileges(prvCreateActivity="Global")
    await stage.settle()
    assert len(stage.activities("send")) == 10


async def test_an_unknown_contact_is_waited_for_and_matched_when_it_appears() -> None:
    stage = Stage()
    sends(stage, 1)
    await stage.settle()
    (row,) = stage.rows()
    assert row["code"] == "contact_unknown" and stage.activities("send") == []
    (parked,) = stage.account.tables["parkedevents"].rows.values()
    assert "@" not in json.dumps(dict(parked.entity))
    await stage.app.wake_events()
    assert len(stage.account.tables["parkedevents"].rows) == 1
    stage.contacts(1)
    await stage.app.wake_events()
    await stage.settle()
    assert len(stage.activities("send")) == 1
    assert stage.account.tables["parkedevents"].rows == {}
    assert {row["code"] for row in stage.rows()} == {""}


async def test_waiting_for_a_contact_ends() -> None:
    stage = Stage()
    sends(stage, 1)
    await stage.settle()
    stage.clock.at += 31 * 86400
    await stage.app.wake_events()
    assert stage.account.tables["parkedevents"].rows == {}
    assert stage.counts()["dropped:contact_unknown"] == 1


async def test_events_of_a_contact_deleted_meanwhile_are_dropped_with_the_reason() -> None:
    stage = Stage()
    ids = stage.contacts(30)
    sends(stage, 30)
    await stage.app.pull_email_events(invocation="i")
    # Known when asked, gone when written.
    stage.dynamics.delete(ids[3])
    there = stage.app.context.dynamics.read

    async def read(*args: object) -> object:
        stage.app.context.dynamics.read = there  # type: ignore[method-assign]
        found = await there(*args)  # type: ignore[arg-type]
        return {**found, ids[3]: None}

    stage.app.context.dynamics.read = read  # type: ignore[assignment,method-assign]
    await stage.settle()
    assert len(stage.activities("send")) == 29
    assert stage.counts()["dropped:contact_deleted"] == 1


async def test_the_contacts_ledger_decides_without_asking_dynamics() -> None:
    stage = Stage()
    stage.app.context.shipped["contacts"] = (
        "mapping: contacts\nsource: {table: contact, entity_set: contacts, key: contactid}\n"
        "target: {resource: profile, key: externalId}\n"
        "fields:\n  - {source: firstname, target: firstName, type: string, length: 30}\n"
    )
    context = stage.app.context
    await context.mappings.install("contacts", context.shipped["contacts"], buckets=64)
    stage.contacts(3)
    states = (State.SYNCED, State.DELETED, State.HOLD)
    for number, state in enumerate(states):
        partition = partition_of("contacts", 1, bucket_of(contact_id(number), 64))
        row = replace(LedgerRow(partition, contact_id(number)), state=state, code="profile_missing")
        await context.ledger.write([row])
    sends(stage, 3)
    await stage.settle()
    assert len(stage.activities("send")) == 1
    counts = stage.counts()
    assert (counts["dropped:contact_deleted"], counts["dropped:contact_blocked"]) == (1, 1)
    assert not [note for note in notes(stage) if note.startswith("contacts.")]


async def test_the_same_message_twice_at_once_writes_once() -> None:
    stage = Stage()
    stage.contacts(100)
    sends(stage, 100)
    await stage.app.pull_email_events(invocation="i")
    (message,) = stage.account.queues["events"].messages
    second = stage.start()
    await asyncio.gather(
        stage.app.apply_events(message.body, dequeue_count=1, invocation="a"),
        second.apply_events(message.body, dequeue_count=1, invocation="b"),
    )
    await stage.settle()
    assert len(stage.activities("send")) == 100
    assert not any(row["open"] for row in stage.rows())


async def test_activities_are_completed_where_configured() -> None:
    stage = Stage(text=TEXT.replace("close: false", "close: true"))
    stage.contacts(30)
    sends(stage, 30)
    await stage.settle()
    assert {one["statecode"] for one in stage.activities("send")} == {1}
    since = len(stage.dynamics.log)
    sends(stage, 30)
    await stage.settle()
    assert writes(stage, since) == []


async def test_a_message_of_somebody_else_is_set_aside() -> None:
    stage = Stage()
    await stage.app.apply_events("{}", dequeue_count=1, invocation="i")
    (row,) = stage.account.tables["parked"].rows.values()
    assert str(row.entity["PartitionKey"]) == "unreadable:events"
    with pytest.raises(MessageUnreadable):
        from_text('{"epoch":1}')


async def test_a_partition_that_ends_workers_again_and_again_is_parked() -> None:
    stage = Stage()
    message = EventMessage(1, (PartitionName("0001:DM190:001"),), again=8)
    await ApplyEvents(stage.app.events).message(message, dequeue_count=2, invocation="i")
    (row,) = stage.account.tables["parkedevents"].rows.values()
    assert row.entity["PartitionKey"] == "failed:"
    await stage.app.wake_events()
    assert not stage.account.queues["events"].messages
    stage.clock.at += 3601
    await stage.app.wake_events()
    assert len(stage.account.queues["events"].messages) == 1


async def test_old_activities_are_deleted_only_where_that_is_switched_on() -> None:
    for months, left in ((0, 20), (6, 10)):
        stage = Stage(text=TEXT.replace("retention_months: 0", f"retention_months: {months}"))
        stage.contacts(20)
        sends(stage, 10, at=-200 * 86400.0)  # type: ignore[arg-type]
        stage.app.events.configuration().options.__dict__["retention_months"] = 0
        sends(stage, 10, start=10)
        await stage.settle()
        stage.app.events.configuration().options.__dict__["retention_months"] = months
        await stage.app.expire_rows()
        assert len(stage.activities("send")) == left


async def test_event_rows_expire_and_nothing_is_written_again() -> None:
    stage = Stage()
    stage.contacts(5)
    sends(stage, 5)
    await stage.settle()
    stage.clock.at += 401 * 86400
    await stage.app.expire_rows()
    assert stage.rows() == []
    stage.drop("again.csv", csv_of(DELIVERY_HEADER, [delivery_line(n, contact_id(n)) for n in range(5)]))
    await stage.settle()
    assert stage.rows() == [] and len(stage.activities("send")) == 5


async def test_several_application_users_take_turns() -> None:
    more = Application("second", "second-secret", "5b7c1a52-93d1-4b1b-8f64-5e8c3c1d0b99")
    stage = Stage(
        settings={
            "EVENTS_USER_IDS": "second",
            "EVENTS_USER_SECRETS": "second-secret",
            "EVENTS_MESSAGE_ROWS": "50",
        },
        options=DynamicsOptions(origin=ORG, applications=(more,)),
    )
    stage.contacts(200)
    sends(stage, 200)
    await stage.settle()
    by = {one["_createdby_value"] for one in stage.activities("send")}
    assert by == {stage.options.user_id, more.user_id}
