"""From any state on the way, the steps lead to the wanted one, and then there are none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sync.planning.activities import ActivityColumn
from sync.planning.load_events import load_events
from sync.planning.provision import (
    FITS,
    Desired,
    Found,
    FoundColumn,
    FoundTable,
    Step,
    StepKind,
    desired,
    missing_privileges,
    obstacles,
    steps,
)

TEXT = (Path(__file__).parents[2] / "mappings" / "events.yaml").read_text()
WANT = desired(load_events(TEXT), read_tables=["account"])
EMPTY = Found(known={name: f"id-{name}" for name in (*WANT.privileges, *WANT.helpful)})


def column(one: ActivityColumn) -> FoundColumn:
    return FoundColumn(FITS[one.type][0], one.length)


def after(step: Step, want: Desired, found: Found) -> Found:
    """What the environment is like after a step."""
    match step.kind:
        case StepKind.PUBLISHER:
            return replace(found, publisher_id="p", prefix=want.prefix)
        case StepKind.SOLUTION:
            return replace(found, solution_id="s", solution_publisher=found.publisher_id)
        case StepKind.TABLE:
            assert step.table is not None
            made = FoundTable(True, step.table.entity_set, {})
            return replace(found, tables={**found.tables, step.table.name: made})
        case StepKind.COLUMN:
            assert step.table is not None
            assert step.column is not None
            old = found.tables[step.table.name]
            columns = {**old.columns, step.column.name: column(step.column)}
            return replace(found, tables={**found.tables, step.table.name: replace(old, columns=columns)})
        case StepKind.ROLE:
            return replace(found, role_id="r")
        case StepKind.PRIVILEGES:
            return replace(found, held={**found.held, **dict.fromkeys(step.privileges, "Global")})
        case StepKind.IN_SOLUTION:
            assert found.role_id
            assert found.solution_id
            return replace(found, role_in_solution=True)
        case StepKind.PUBLISH:
            return found
        case StepKind.NOTE:
            return replace(found, note=want.note)


WHOLE = steps(WANT, EMPTY)


@pytest.mark.parametrize("done", range(len(WHOLE) + 1))
def test_whatever_is_done_already_the_rest_leads_to_the_end(done: int) -> None:
    found = EMPTY
    for step in WHOLE[:done]:
        found = after(step, WANT, found)
        assert obstacles(WANT, found) == []
    left = steps(WANT, found)
    assert len(left) == len(WHOLE) - done or (left[-2].kind is StepKind.PUBLISH and done == len(WHOLE) - 1)
    for step in left:
        found = after(step, WANT, found)
    assert steps(WANT, found) == []


def test_a_run_that_broke_off_before_publishing_publishes() -> None:
    found = EMPTY
    for step in WHOLE[:-2]:
        found = after(step, WANT, found)
    assert [step.kind for step in steps(WANT, found)] == [StepKind.PUBLISH, StepKind.NOTE]


def test_the_order_makes_what_is_needed_first() -> None:
    kinds = [step.kind for step in WHOLE]
    assert kinds == sorted(
        kinds, key=lambda kind: (list(StepKind).index(kind), 0) if kind not in _MIXED else (2, 0)
    )


_MIXED = (StepKind.TABLE, StepKind.COLUMN)


def test_privileges_are_the_least_that_each_option_needs() -> None:
    events = load_events(TEXT)
    assert "prvReadAccount" in WANT.privileges
    plain = set(desired(events).privileges)
    assert plain == {
        "prvReadContact", "prvCreateActivity", "prvReadActivity", "prvWriteActivity", "prvAppendActivity",
        "prvAppendToContact",
    }  # fmt: skip
    assert set(desired(events, write_contacts=True).privileges) - plain == {"prvWriteContact"}
    kept = load_events(TEXT.replace("retention_months: 0", "retention_months: 6"))
    assert set(desired(kept).privileges) - plain == {"prvDeleteActivity"}
    owner = "  close: false\n  owner: {kind: team, id: 0d1f2f6c-4a7c-4d0e-9a63-3f1f5f0c0a01}\n"
    owned = load_events(TEXT.replace("  close: false # activities stay open\n", owner))
    assert set(desired(owned).privileges) - plain == {"prvAssignActivity"}
    tasks = load_events(TEXT.replace("click: {enabled: false", "click: {enabled: true"))
    assert set(desired(tasks).privileges) - plain == {"prvAssignActivity"}


def test_a_depth_below_the_organization_counts_as_missing() -> None:
    assert missing_privileges(["prvReadContact"], {"prvreadcontact": "Global"}) == []
    assert missing_privileges(["prvReadContact"], {"prvReadContact": "Deep"}) == ["prvReadContact"]


def test_privileges_that_only_help_are_not_asked_for_where_they_do_not_exist() -> None:
    bare = replace(EMPTY, known=dict.fromkeys(WANT.privileges, "id"))
    given = next(step for step in steps(WANT, bare) if step.kind is StepKind.PRIVILEGES)
    assert set(given.privileges) == set(WANT.privileges)
    assert obstacles(WANT, replace(EMPTY, known={}))


def test_a_changed_file_changes_the_note() -> None:
    assert (
        desired(load_events(TEXT.replace("Email Open", "Mail Open"))).note != desired(load_events(TEXT)).note
    )
