"""Follow-up tasks: one per contact and delivery, for the contact's owner, off unless switched on."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.dynamics.options import DynamicsOptions
from sandbox.wire import Fault
from tests.events.stage import (
    ORG,
    TEXT,
    TRACKING_HEADER,
    Stage,
    contact_id,
    csv_of,
    sends,
    tracking_line,
    writes,
)

ON = TEXT.replace("click: {enabled: false", "click: {enabled: true").replace(
    "hard_bounce: {enabled: false", "hard_bounce: {enabled: true"
)


def tasks(stage: Stage) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stage.dynamics.dump("task")["records"]
    return found


def clicks(stage: Stage, *log_ids: int, contact: str = contact_id(0), at: float = -1800.0) -> None:
    lines = [
        tracking_line(one, contact, type="Email click", url="https://shop.test/a", at=at + one)
        for one in log_ids
    ]
    stage.drop(f"clicks-{stage.clock.at:.0f}.csv", csv_of(TRACKING_HEADER, lines))


async def test_as_shipped_there_are_none() -> None:
    stage = Stage()
    stage.contacts(1)
    clicks(stage, 1)
    await stage.settle()
    assert tasks(stage) == [] and len(stage.activities("click")) == 1


async def test_the_first_click_makes_one_task_for_the_contacts_owner_and_more_clicks_none() -> None:
    stage = Stage(text=ON.replace("URL click, due_days: 0", "URL click, due_days: 3"))
    stage.contacts(1)
    clicks(stage, 2, 1)
    await stage.settle()
    (task,) = tasks(stage)
    assert task["subject"] == "Follow up on URL click"
    assert task["description"].startswith("Adobe campaign email clicked at 2026-09-21 13:43:21 UTC\n")
    assert "https://shop.test/a" in task["description"]
    assert task["scheduledend"] == "2026-09-24T13:43:21Z"
    assert task["_regardingobjectid_value"] == contact_id(0)
    assert (task["_ownerid_value"], task["statecode"]) == (stage.options.owner_id, 0)
    since = len(stage.dynamics.log)
    clicks(stage, 1, 2, 3)
    await stage.settle()
    assert len(tasks(stage)) == 1 and len(stage.activities("click")) == 3
    assert stage.counts()["did:tasks"] == 1
    assert len(writes(stage, since)) == 1


async def test_a_hard_bounce_makes_one_and_a_soft_one_does_not() -> None:
    stage = Stage(text=ON)
    stage.contacts(2)
    sends(stage, 1, status="Failed", bounce="Hard", reason="1")
    sends(stage, 1, start=1, status="Failed", bounce="Soft")
    await stage.settle()
    (task,) = tasks(stage)
    assert task["subject"] == "Reconcile invalid e-mail address"
    assert task["description"].endswith("Unknown user")
    assert task["_regardingobjectid_value"] == contact_id(0)


@pytest.mark.parametrize("change", ["deleted", "completed"])
async def test_what_a_salesperson_did_with_it_stays(change: str) -> None:
    stage = Stage(text=ON)
    stage.contacts(1)
    clicks(stage, 1)
    await stage.settle()
    (task,) = tasks(stage)
    if change == "deleted":
        stage.dynamics.delete(task["activityid"], table="task")
    else:
        stage.dynamics.edit(
            task["activityid"], {"statecode": 1, "statuscode": 5, "subject": "Called"}, "task"
        )
    kept = tasks(stage)
    clicks(stage, 2)
    await stage.settle()
    assert tasks(stage) == kept


async def test_old_events_make_no_task_so_that_a_first_import_floods_nobody() -> None:
    stage = Stage(text=ON)
    stage.contacts(1)
    clicks(stage, 1, at=-8 * 86400.0)
    await stage.settle()
    assert tasks(stage) == [] and len(stage.activities("click")) == 1
    clicks(stage, 2)
    await stage.settle()
    assert len(tasks(stage)) == 1


@pytest.mark.parametrize("granularity", ["first_of_kind", "per_delivery"])
async def test_tasks_do_not_depend_on_the_granularity(granularity: str) -> None:
    stage = Stage(text=ON.replace("granularity: every_event", f"granularity: {granularity}"))
    stage.contacts(1)
    clicks(stage, 1)
    clicks(stage, 2)
    await stage.settle()
    assert len(tasks(stage)) == 1


async def test_a_kind_that_is_not_shown_still_makes_tasks_and_a_machines_click_does_not() -> None:
    text = ON.replace("  click:\n    enabled: true", "  click:\n    enabled: false")
    stage = Stage(text=text.replace("filter_bots: false", "filter_bots: true"))
    stage.contacts(2)
    lines = [
        tracking_line(1, contact_id(0), type="Email click", url="u"),
        tracking_line(2, contact_id(1), type="Email click", url="u", agent="SomeBot"),
    ]
    stage.drop("t.csv", csv_of(TRACKING_HEADER, lines))
    await stage.settle()
    assert [one["_regardingobjectid_value"] for one in tasks(stage)] == [contact_id(0)]
    assert {row["code"] for row in stage.rows() if row.get("kind")} == {"kind_off", "bot"}


async def test_completing_activities_leaves_tasks_open() -> None:
    stage = Stage(text=ON.replace("close: false", "close: true"))
    stage.contacts(1)
    clicks(stage, 1)
    await stage.settle()
    assert [one["statecode"] for one in tasks(stage)] == [0]
    assert [one["statecode"] for one in stage.activities("click")] == [1]


@pytest.mark.parametrize("kind", ["drop_after", "status_after", "drop_before"])
async def test_a_lost_answer_makes_no_second_task(kind: str) -> None:
    stage = Stage(text=ON, options=DynamicsOptions(origin=ORG, bulk_messages=False))
    ids = stage.contacts(30)
    for number, contact in enumerate(ids):
        clicks(stage, number, contact=contact)
    stage.dynamics.faults.add(Fault(kind, method="POST", path="$batch", status=502))
    await stage.settle()
    assert len(tasks(stage)) == len(stage.activities("click")) == 30
    assert not any(row["open"] for row in stage.rows())


async def test_an_owner_that_dynamics_refuses_costs_the_click_nothing() -> None:
    """The right to give a task to somebody else is missing: the clicks show, the tasks can be tried again."""
    stage = Stage(text=ON)
    stage.contacts(1)
    stage.dynamics.privileges(prvAssignActivity=None)
    clicks(stage, 1)
    await stage.settle()
    assert len(stage.activities("click")) == 1 and tasks(stage) == []
    (row,) = [row for row in stage.rows() if row["code"]]
    assert row["code"] == "dynamics_forbidden"
