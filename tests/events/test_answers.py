"""What the service answers, and that no answer loses or doubles an activity."""

from __future__ import annotations

import pytest

from sandbox.wire import Fault
from sync.flows.events.context import LARGEST
from tests.events.stage import (
    DELIVERY_HEADER,
    Stage,
    contact_id,
    csv_of,
    delivery_line,
    sends,
    writes,
)


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
    assert len(writes(stage)) <= 2 * 3 + 1


async def test_rows_that_are_all_bad_cost_few_requests_and_one_log_line() -> None:
    """A delivery whose name is too long for the tenant's column: every one of its rows is refused."""
    stage = Stage()
    stage.contacts(1000)
    stage.dynamics.change_metadata(remove_column="acs_deliveryname", table="acs_emailsend")
    stage.dynamics.change_metadata(
        add_column={"name": "acs_deliveryname", "max_length": 10}, table="acs_emailsend"
    )
    lines = [
        delivery_line(number, contact_id(number), delivery="a name too long for it") for number in range(1000)
    ]
    stage.drop("a.csv", csv_of(DELIVERY_HEADER, lines))
    await stage.settle()
    assert {row["code"] for row in stage.rows()} == {"dynamics_value_refused"}
    assert len(writes(stage)) <= 50


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


async def test_a_proxys_friendly_page_is_no_proof_of_writing() -> None:
    stage = Stage()
    stage.contacts(50)
    sends(stage, 50)
    stage.dynamics.faults.add(
        Fault("status", method="POST", path="CreateMultiple", status=200, body="<html>")
    )
    await stage.settle()
    assert len(stage.activities("send")) == 50
    sends(stage, 50, status="Failed", bounce="Hard", modified=-10)  # type: ignore[arg-type]
    stage.dynamics.faults.add(
        Fault("status", method="POST", path="UpdateMultiple", status=200, body="<html>")
    )
    await stage.settle()
    assert {one["acs_bouncetype"] for one in stage.activities("send")} == {"hard"}
