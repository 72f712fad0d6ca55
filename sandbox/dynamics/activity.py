"""What makes a table an activity: the columns it inherits, its states, who it can be about (dataverse.md 4.1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.dynamics.build import choice, lookup, numbers, stamp, system, table, text
from sandbox.dynamics.columns import Column, Kind, Table
from sandbox.dynamics.options import DynamicsOptions

ABOUT = ("account", "contact")
"""Tables of this organization that activities can be regarding."""
_STATES = {0: "Open", 1: "Completed", 2: "Canceled"}
_STATUSES = {1: "Open", 2: "Completed", 3: "Canceled"}
_TASK_STATUSES = {
    2: "Not Started",
    3: "In Progress",
    4: "Waiting on someone else",
    7: "Deferred",
    5: "Completed",
    6: "Canceled",
}


def columns(
    options: DynamicsOptions, name: str, subject_length: int, statuses: dict[int, str], first: int
) -> list[Column]:
    """All columns that an activity inherits and this look-alike has."""
    replaced = ("statecode", "statuscode")
    return [
        *(column for column in system("activityid", options) if column.name not in replaced),
        choice("statecode", _STATES, 0, kind=Kind.STATE, create=False),
        choice("statuscode", statuses, first, kind=Kind.STATUS),
        text("subject", subject_length, schema="Subject"),
        Column("description", Kind.MEMO, "description", max_length=2000, format="TextArea"),
        stamp("actualstart"),
        stamp("actualend"),
        stamp("scheduledstart"),
        stamp("scheduledend"),
        stamp("sortdate"),
        numbers("actualdurationminutes", minimum=0),
        choice("prioritycode", {0: "Low", 1: "Normal", 2: "High"}, 1),
        Column("activitytypecode", Kind.NAME, "activitytypecode", default=name, create=False, update=False),
        lookup("regardingobjectid", *ABOUT, kind=Kind.REGARDING),
    ]


def activity_table(
    options: DynamicsOptions,
    name: str,
    entity_set: str,
    own: Iterable[Column] = (),
    *,
    subject_length: int = 200,
    **more: Any,
) -> Table:
    """A custom activity table."""
    return table(
        [*columns(options, name, subject_length, _STATUSES, 1), *own],
        name=name,
        entity_set=entity_set,
        key="activityid",
        primary_name="subject",
        activity=True,
        **{"schema": name, "custom": True, "statuses": {0: (1,), 1: (2,), 2: (3,)}, **more},
    )  # fmt: skip


def task(options: DynamicsOptions) -> Table:
    """Task, with status reasons of its own."""
    return table(
        columns(options, "task", 200, _TASK_STATUSES, 2),
        name="task",
        entity_set="tasks",
        key="activityid",
        primary_name="subject",
        type_code=4212,
        activity=True,
        statuses={0: (2, 3, 4, 7), 1: (5,), 2: (6,)},
    )
