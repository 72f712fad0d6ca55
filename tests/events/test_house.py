"""What is set aside, parked, expired and deleted."""

from __future__ import annotations

import pytest

from sync.flows.events.apply import ApplyEvents
from sync.flows.events.message import EventMessage, PartitionName, from_text
from sync.model import Lane
from sync.storage.lanes import MessageUnreadable
from tests.events.stage import (
    DELIVERY_HEADER,
    TEXT,
    Stage,
    contact_id,
    csv_of,
    delivery_line,
    sends,
    wake,
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
