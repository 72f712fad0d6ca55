"""What is set aside, parked, expired and deleted."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sandbox.dynamics.options import DynamicsOptions
from sandbox.wire import Fault
from sync.errors import SyncError
from sync.flows.events.apply import ApplyEvents
from sync.flows.events.message import EventMessage, PartitionName, from_text
from sync.flows.events.status import collect_events
from sync.model import Lane
from sync.storage.lanes import MessageUnreadable
from sync.storage.parked_events import ParkedEvent
from tests.events.stage import (
    DELIVERY_HEADER,
    ORG,
    TEXT,
    Stage,
    contact_id,
    csv_of,
    delivery_line,
    notes,
    sends,
    wake,
    writes,
)


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
    await wake(stage)
    assert not stage.account.queues["events"].messages
    stage.clock.at += 3601
    await wake(stage)
    assert len(stage.account.queues["events"].messages) == 1


SIX_MONTHS = TEXT.replace("retention_months: 0", "retention_months: 6")


async def grown_old(text: str = TEXT, **options: object) -> Stage:
    """Ten old sends and ten new ones on the timeline, written while nothing was deleted."""
    stage = Stage(text=text, options=DynamicsOptions(origin=ORG, **options))  # type: ignore[arg-type]
    stage.contacts(20)
    sends(stage, 10, at=-200 * 86400.0)  # type: ignore[arg-type]
    sends(stage, 10, start=10)
    await stage.settle()
    assert len(stage.activities("send")) == 20
    return stage


async def day(stage: Stage, text: str) -> None:
    """A new worker with this configuration keeps house, and ticks."""
    stage.text = text
    stage.app = stage.start()
    await stage.app.expire_rows()
    for _ in range(4):
        stage.clock.at += 30
        await stage.app.pull_email_events(invocation="tick")


async def test_old_activities_are_deleted_only_where_that_is_switched_on() -> None:
    stage = await grown_old()
    await day(stage, TEXT)
    assert len(stage.activities("send")) == 20
    await day(stage, SIX_MONTHS)
    assert len(stage.activities("send")) == 10 and stage.counts()["did:deleted"] == 10
    since = len(stage.dynamics.log)
    sends(stage, 10, at=-200 * 86400.0)  # type: ignore[arg-type]
    await stage.settle()
    assert len(stage.activities("send")) == 10 and writes(stage, since) == []


@pytest.mark.parametrize("gone", ["acs_emailopens", "acs_emailclicks"])
async def test_a_table_that_does_not_exist_keeps_no_other_from_being_cleaned(gone: str) -> None:
    """A kind that is off, and all but one with per_delivery, may have no table at all."""
    stage = await grown_old()
    lines = [
        delivery_line(n, contact_id(n), status="Failed", bounce="Hard", at=-200 * 86400.0) for n in range(5)
    ]
    stage.drop("bounces.csv", csv_of(DELIVERY_HEADER, lines))
    await stage.settle()
    stage.dynamics.faults.add(
        Fault(
            "status", method="GET", path=gone, status=404, times=-1,
            body='{"error":{"code":"0x80060888","message":"Resource not found for the segment"}}',
        )
    )  # fmt: skip
    await day(stage, SIX_MONTHS)
    assert (len(stage.activities("send")), len(stage.activities("bounce"))) == (10, 0)


async def test_retention_waits_while_events_are_to_be_written_and_stops_when_its_time_is_over() -> None:
    stage = await grown_old()
    await stage.account.view().queue("events").put("{}", delay_s=3600)
    await day(stage, SIX_MONTHS)
    assert len(stage.activities("send")) == 20
    stage.account.queues["events"].messages.clear()
    reads = stage.app.events.writer.older

    async def slow(*args: str) -> list[str]:
        stage.clock.at += 21
        return (await reads(*args))[:1]

    stage.app.events.writer.older = slow  # type: ignore[assignment,method-assign]
    stage.clock.at += 30
    await stage.app.pull_email_events(invocation="tick")
    assert len(stage.activities("send")) == 19


async def test_a_right_to_delete_that_lacks_is_told_and_the_work_goes_on_once_it_is_there() -> None:
    stage = await grown_old()
    stage.dynamics.privileges(prvDeleteActivity=None)
    await day(stage, SIX_MONTHS)
    assert len(stage.activities("send")) == 20
    waits = (await collect_events(stage.app.context, stage.app.account)).health.paused
    assert waits == {"retention": "dynamics_forbidden"}
    stage.dynamics.privileges(prvDeleteActivity="Global")
    stage.clock.at += 61
    await stage.app.pull_email_events(invocation="tick")
    assert len(stage.activities("send")) == 10
    assert (await collect_events(stage.app.context, stage.app.account)).health.paused == {}


async def test_rows_that_are_refused_one_by_one_end_the_work_of_the_day() -> None:
    stage = await grown_old()
    stage.text = SIX_MONTHS
    stage.app = stage.start()
    asked: list[int] = []

    async def refused(rows: Sequence[object], user: int) -> list[SyncError]:
        asked.append(len(rows))
        return [SyncError("dynamics_value_refused") for _ in rows]

    stage.app.events.writer.batch = refused  # type: ignore[assignment,method-assign]
    await stage.app.expire_rows()
    await stage.app.pull_email_events(invocation="tick")
    assert asked == [10], "asked again at once they would be all that is ever seen"
    assert len(stage.activities("send")) == 20


async def test_event_rows_expire_many_to_a_transaction() -> None:
    stage = Stage(settings={"EVENTS_BUCKETS": "1"})
    stage.contacts(250)
    sends(stage, 250)
    await stage.settle()
    stage.clock.at += 401 * 86400
    seen: list[str] = []

    class Gate:
        async def before(self, name: str) -> None:
            seen.append(name)

        async def after(self, name: str) -> None:
            return

    stage.app.events.events._table = stage.account.view(Gate()).table("events")
    await stage.app.expire_rows()
    assert stage.rows() == [] and seen.count("events.submit") == 3
    assert stage.counts()["expired:events"] == 250 + 1, "the rows, and the partition's claim"
    hours = {key[0] for key in stage.account.tables["counters"].rows if key[0].startswith("email:")}
    assert len(hours) == 2 and "email:base" in hours, "hours that are over are folded for this flow too"


async def test_many_contacts_that_never_appear_are_looked_for_in_turn() -> None:
    """A minute looks at some of them and the next goes on there: Dynamics is not asked for all each minute."""
    stage = Stage()
    parked = stage.app.events.parked
    for number in range(2600):
        await parked.add(ParkedEvent(contact_id(number), "0001:DM190:000", stage.clock.at))
    stage.dynamics.seed([{"contactid": contact_id(number), "lastname": "N"} for number in (3, 2599)])
    since = len(stage.dynamics.log)
    await wake(stage)
    assert len([note for note in notes(stage, since) if note.startswith("contacts.")]) == 40
    assert len(stage.account.queues["events"].messages) == 1
    await wake(stage)
    assert len(stage.account.queues["events"].messages) == 2
    assert len(stage.account.tables["parkedevents"].rows) == 2598


async def test_contacts_that_appear_together_are_worked_together() -> None:
    stage = Stage()
    sends(stage, 200)
    await stage.settle()
    assert len(stage.account.tables["parkedevents"].rows) == 200
    stage.contacts(200)
    since = len(stage.dynamics.log)
    await wake(stage)
    await stage.settle()
    assert len(stage.activities("send")) == 200
    assert len(writes(stage, since)) == 1


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


async def test_a_poisoned_message_comes_back_partition_by_partition() -> None:
    stage = Stage(settings={"EVENTS_BUCKETS": "4"})
    stage.contacts(30)
    sends(stage, 30)
    await stage.app.pull_email_events(invocation="i")
    queue = stage.account.queues["events"]
    (message,) = queue.messages
    queue.messages.clear()
    await stage.app.poison(Lane.EVENTS, message.body)
    assert len(queue.messages) == 4
    await stage.settle()
    assert len(stage.activities("send")) == 30


async def test_a_file_that_cannot_be_used_stops_the_flow_and_no_timer_fails_for_it() -> None:
    stage = Stage()
    stage.contacts(1)
    sends(stage, 1)
    await stage.app.pull_email_events(invocation="i")
    good = stage.text
    stage.text = "events: email\nfoo: 1\n"
    stage.app = stage.start()
    await stage.work()
    await stage.app.pull_email_events(invocation="i")
    await stage.app.expire_rows()
    pause = await stage.app.context.control.paused("email", "pull")
    assert pause is not None and pause.code == "mapping_invalid" and "foo" in pause.detail
    stage.text = good
    stage.app = stage.start()
    stage.clock.at += 120
    await stage.settle()
    assert len(stage.activities("send")) == 1
