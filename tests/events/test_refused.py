"""What Dynamics refused is found without a scan, and tried again when a person asks."""

from __future__ import annotations

from sync.flows.events.refused import refused_events, retry_refused
from tests.events.stage import (
    DELIVERY_HEADER,
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


async def refusing(count: int, text: str = TEXT) -> Stage:
    """A stage whose send table takes no delivery name above ten characters; so many sends were refused for it."""
    stage = Stage(text=text)
    stage.contacts(count + 1)
    narrow(stage, 10)
    lines = [delivery_line(n, contact_id(n), delivery="a name too long for it") for n in range(count)]
    stage.drop("a.csv", csv_of(DELIVERY_HEADER, lines))
    await stage.settle()
    return stage


def narrow(stage: Stage, length: int) -> None:
    change = stage.dynamics.change_metadata
    change(remove_column="acs_deliveryname", table="acs_emailsend")
    change(add_column={"name": "acs_deliveryname", "max_length": length}, table="acs_emailsend")


async def told(stage: Stage) -> list[tuple[str, str, str]]:
    found = [one async for one in refused_events(stage.app.events)]
    return sorted((one.contact, one.event.kind, one.code) for one in found)


async def test_refused_events_are_listed_with_contact_kind_and_code() -> None:
    stage = await refusing(2)
    assert stage.activities("send") == []
    assert await told(stage) == [
        (contact_id(0), "send", "dynamics_value_refused"),
        (contact_id(1), "send", "dynamics_value_refused"),
    ]


async def test_once_mended_a_retry_writes_them_and_the_list_is_empty() -> None:
    stage = await refusing(30)
    narrow(stage, 200)
    since = len(stage.dynamics.log)
    assert await retry_refused(stage.app.events) == 30
    await stage.settle()
    assert len(stage.activities("send")) == 30 and len(writes(stage, since)) == 1
    assert await told(stage) == [] and await retry_refused(stage.app.events) == 0
    assert {row["code"] for row in stage.rows()} == {""}


async def test_what_is_refused_again_stays_in_the_list_with_its_first_time() -> None:
    stage = await refusing(2)
    (first, _) = [one async for one in stage.app.events.parked.refused()]
    stage.clock.at += 3600
    assert await retry_refused(stage.app.events) == 2
    await stage.settle()
    assert len(await told(stage)) == 2
    assert first in [one async for one in stage.app.events.parked.refused()]


async def test_a_retry_takes_contacts_or_a_code() -> None:
    stage = await refusing(3)
    narrow(stage, 200)
    assert await retry_refused(stage.app.events, code="dynamics_full") == 0
    assert await retry_refused(stage.app.events, contacts=[contact_id(1)]) == 1
    await stage.settle()
    assert [one["_regardingobjectid_value"] for one in stage.activities("send")] == [contact_id(1)]
    assert await retry_refused(stage.app.events, code="dynamics_value_refused") == 2
    await stage.settle()
    assert len(stage.activities("send")) == 3


async def test_a_corrected_line_mends_its_refusal_without_anybody() -> None:
    stage = await refusing(1)
    narrow(stage, 200)
    sends(stage, 1, delivery="a name too long for it", modified=-5)  # type: ignore[arg-type]
    await stage.settle()
    assert len(stage.activities("send")) == 1 and await told(stage) == []


async def test_with_one_activity_per_delivery_the_next_event_mends_it() -> None:
    stage = await refusing(1, TEXT.replace("granularity: every_event", "granularity: per_delivery"))
    narrow(stage, 200)
    opened = tracking_line(1, contact_id(0), delivery="a name too long for it")
    stage.drop("o.csv", csv_of(TRACKING_HEADER, [opened]))
    await stage.settle()
    (one,) = stage.activities("send")
    assert one["acs_opencount"] == 1 and one["acs_datesent"]
    assert await told(stage) == [] and {row["code"] for row in stage.rows()} == {""}


async def test_a_retry_never_writes_what_a_salesperson_deleted() -> None:
    stage = Stage()
    stage.contacts(1)
    sends(stage, 1)
    await stage.settle()
    (one,) = stage.activities("send")
    stage.dynamics.delete(one["activityid"], table="acs_emailsend")
    sends(stage, 1, status="Failed", bounce="Hard", modified=-10)  # type: ignore[arg-type]
    await stage.settle()
    assert await told(stage) == []
    assert await retry_refused(stage.app.events) == 0
