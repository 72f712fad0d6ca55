"""Event rows become activities exactly once, in few requests."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import httpx

from sandbox.dynamics.options import Application, DynamicsOptions
from sync.dynamics.activities import Target, Verb
from sync.model import EventRow
from tests.events.stage import (
    DELIVERY_HEADER,
    ORG,
    TEXT,
    TRACKING_HEADER,
    Stage,
    contact_id,
    csv_of,
    delivery_line,
    sends,
    tracking_line,
    writes,
)


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


async def test_a_first_that_counts_no_longer_gives_way_to_the_next() -> None:
    stage = Stage(text=TEXT.replace("granularity: every_event", "granularity: first_of_kind"))
    (contact,) = stage.contacts(1)

    def bounced(log_id: int, how: str, at: float, modified: float) -> str:
        return delivery_line(
            log_id, contact, status="Failed", bounce=how, reason="1", at=at, modified=modified
        )

    lines = [bounced(1, "Hard", -3600, -3600), bounced(2, "Hard", -1800, -1800)]
    stage.drop("d1.csv", csv_of(DELIVERY_HEADER, lines))
    await stage.settle()
    (shown,) = stage.activities("bounce")
    stage.drop("d2.csv", csv_of(DELIVERY_HEADER, [bounced(1, "Soft", -3600, -10)]))
    await stage.settle()
    (now,) = stage.activities("bounce")
    assert shown["acs_datebounced"] == "2026-09-21T13:13:20Z"
    assert now["acs_datebounced"] == "2026-09-21T13:43:20Z"


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


async def test_several_application_users_take_turns() -> None:
    more = Application("second", "second-secret", "5b7c1a52-93d1-4b1b-8f64-5e8c3c1d0b99")
    stage = Stage(
        settings={
            "EVENTS_USER_IDS": "second",
            "EVENTS_USERS_SECRET": "second-secret",
            "EVENTS_MESSAGE_ROWS": "50",
        },
        options=DynamicsOptions(origin=ORG, applications=(more,)),
    )
    stage.contacts(200)
    sends(stage, 200)
    await stage.settle()
    by = {one["_createdby_value"] for one in stage.activities("send")}
    assert by == {stage.options.user_id, more.user_id}


class Counted(httpx.AsyncBaseTransport):
    """The look-alike answers late, and it is counted how many requests it has at once."""

    def __init__(self, stage: Stage) -> None:
        self._inner, self._now = stage.transport, 0
        self.most = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._now += 1
        self.most = max(self.most, self._now)
        for _ in range(20):
            await asyncio.sleep(0)
        self._now -= 1
        return await self._inner.handle_async_request(request)


async def test_writes_keep_within_the_parallelism_that_the_last_answer_asked_for() -> None:
    """One less, which is left to contacts and consent; told by the answer of a write as well as of a read."""
    stage = Stage(settings={"EVENTS_MESSAGE_ROWS": "1"}, options=DynamicsOptions(origin=ORG, dop_hint=3))
    stage.contacts(60)
    stage.transport = counted = Counted(stage)
    stage.app = stage.start()
    await stage.app.events.writer.learn("acs_emailsend")
    dynamics = stage.app.context.dynamics
    dynamics.dop_hint = 9
    target = Target("acs_emailsends", "acs_emailsend", contact_id(999), {"subject": "S"}, contact_id(1))
    await stage.app.events.writer.bulk(Verb.CREATE, [target], 0)
    assert dynamics.dop_hint == 3
    counted.most = 0
    sends(stage, 60)
    await stage.app.pull_email_events(invocation="pull")
    bodies = [message.body for message in stage.account.queues["events"].messages]
    assert len(bodies) > 8
    await asyncio.gather(
        *(stage.app.apply_events(body, dequeue_count=1, invocation=f"w{n}") for n, body in enumerate(bodies))
    )
    assert counted.most == 2
    await stage.settle()  # who waited too long for a permit comes back
    assert len(stage.activities("send")) == 61


async def test_a_correction_planned_on_old_rows_never_covers_a_newer_one() -> None:
    """Needs the claim read before the rows: too rare for the simulation's seeds, so it is played here."""
    stage = Stage(text=TEXT.replace("granularity: every_event", "granularity: per_delivery"))
    (contact,) = stage.contacts(1)
    stage.drop("1.csv", csv_of(TRACKING_HEADER, [tracking_line(1, contact, at=-900)]))
    await stage.settle()
    stage.drop("2.csv", csv_of(TRACKING_HEADER, [tracking_line(2, contact, at=-800)]))
    await stage.app.pull_email_events(invocation="pull")
    (message,) = stage.account.queues["events"].messages
    slow = stage.start()
    reads = slow.events.events.of_contacts

    async def overtaken(*args: object) -> object:
        """The rows as they are now, and then somebody else works the partition."""
        slow.events.events.of_contacts = reads  # type: ignore[method-assign]
        rows = await reads(*args)  # type: ignore[arg-type]
        stage.drop("3.csv", csv_of(TRACKING_HEADER, [tracking_line(3, contact, at=-700)]))
        await stage.app.pull_email_events(invocation="pull")
        await stage.work()
        return rows

    slow.events.events.of_contacts = overtaken  # type: ignore[assignment,method-assign]
    await slow.apply_events(message.body, dequeue_count=1, invocation="slow")
    await stage.settle()
    (one,) = stage.activities("send")
    assert one["acs_opencount"] == 3


async def test_two_messages_that_name_one_partition_write_each_row_once_and_in_bulk() -> None:
    """Sends and opens of the same quarter of an hour: without the claim both would create all rows, and both fail."""
    stage = Stage(settings={"EVENTS_BUCKETS": "1"})
    ids = stage.contacts(300)
    sends(stage, 300)
    stage.drop("o.csv", csv_of(TRACKING_HEADER, [tracking_line(n, c) for n, c in enumerate(ids)]))
    await stage.app.pull_email_events(invocation="pull")
    first, second = stage.account.queues["events"].messages
    workers = [stage.start(), stage.start()]
    await asyncio.gather(
        workers[0].apply_events(first.body, dequeue_count=1, invocation="a"),
        workers[1].apply_events(second.body, dequeue_count=1, invocation="b"),
    )
    await stage.settle()
    assert len(stage.activities("send")) == len(stage.activities("open")) == 300
    assert sorted(writes(stage)) == ["acs_emailopens.create_multiple", "acs_emailsends.create_multiple"]


async def test_a_partition_of_any_size_is_worked_a_part_at_a_time() -> None:
    stage = Stage(settings={"EVENTS_BUCKETS": "1"})
    stage.contacts(2500)
    sends(stage, 2500)
    stage.app.events.most_rows = 400
    held = []
    reads = stage.app.events.events.of_contacts

    async def counted(partition: str, contacts: Sequence[str]) -> dict[str, list[EventRow]]:
        held.append(len(contacts))
        return await reads(partition, contacts)

    stage.app.events.events.of_contacts = counted  # type: ignore[method-assign]
    await stage.settle()
    assert len(stage.activities("send")) == 2500 and not any(row["open"] for row in stage.rows())
    assert max(held) == 400
