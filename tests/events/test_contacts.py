"""Events of contacts that are unknown, deleted or blocked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from sync.model import LedgerRow, State
from sync.storage.ledger import bucket_of, partition_of
from tests.events.stage import (
    DELIVERY_HEADER,
    TEXT,
    TRACKING_HEADER,
    Stage,
    contact_id,
    csv_of,
    delivery_line,
    notes,
    sends,
    tracking_line,
    wake,
)

WITH_TASKS = TEXT.replace("click: {enabled: false", "click: {enabled: true")

MAPPING = (
    "mapping: contacts\nsource: {table: contact, entity_set: contacts, key: contactid}\n"
    "target: {resource: profile, key: externalId}\n"
    "fields:\n  - {source: firstname, target: firstName, type: string, length: 30}\n"
)


async def test_an_unknown_contact_is_waited_for_and_matched_when_it_appears() -> None:
    stage = Stage()
    sends(stage, 1)
    await stage.settle()
    (row,) = stage.rows()
    assert row["code"] == "contact_unknown" and stage.activities("send") == []
    (parked,) = stage.account.tables["parkedevents"].rows.values()
    assert "@" not in json.dumps(dict(parked.entity))
    await wake(stage)
    assert len(stage.account.tables["parkedevents"].rows) == 1
    stage.contacts(1)
    await wake(stage)
    await stage.settle()
    assert len(stage.activities("send")) == 1
    assert stage.account.tables["parkedevents"].rows == {}
    assert {row["code"] for row in stage.rows()} == {""}


async def test_waiting_for_a_contact_ends() -> None:
    stage = Stage()
    sends(stage, 1)
    await stage.settle()
    stage.clock.at += 31 * 86400
    await wake(stage)
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
    context = stage.app.context
    await context.mappings.install("contacts", MAPPING, buckets=64)
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


@pytest.mark.parametrize(("there", "code"), [(True, ""), (False, "contact_deleted")])
async def test_a_person_kept_the_profile_of_a_contact_that_is_there_or_gone(there: bool, code: str) -> None:
    """`deletes discard`: also of one that only left the filter, who goes on getting mail."""
    stage = Stage()
    if there:
        stage.contacts(1)
    await know(stage, contact_id(0), LedgerRow("", contact_id(0), state=State.HOLD, code="delete_discarded"))
    sends(stage, 1)
    await stage.settle()
    assert {row["code"] for row in stage.rows()} == {code}
    assert len(stage.activities("send")) == there


async def test_nothing_is_kept_or_shown_of_a_blocked_person() -> None:
    """Blocked before the pull: no row; between pull and apply: a counted reason; both without asking anybody else."""
    stage = Stage()
    stage.contacts(3)
    sends(stage, 2)
    blocked = stage.app.context.blocked
    await blocked.add(contact_id(0), "somebody", "request 7")
    await stage.app.pull_email_events(invocation="i")
    assert [row["contact"] for row in stage.rows()] == [contact_id(1)]
    await blocked.add(contact_id(1), "somebody", "request 8")
    await stage.settle()
    assert stage.activities("send") == []
    assert (stage.counts()["line:contact_blocked"], stage.counts()["dropped:contact_blocked"]) == (1, 1)
    sends(stage, 1, start=2)
    await stage.settle()
    assert [one["_regardingobjectid_value"] for one in stage.activities("send")] == [contact_id(2)]


KEPT = LedgerRow("", "", state=State.SYNCED, hash="h")
DELETED = LedgerRow("", "", state=State.DELETED, code="merged")


@pytest.mark.parametrize("row", [KEPT, DELETED, replace(KEPT, state=State.FILTERED, code="filtered_out")])
async def test_events_of_a_merged_contact_go_to_the_winner(row: LedgerRow) -> None:
    """Whatever became of its profile, over two merges, without asking Dynamics; its task is for the winner's owner."""
    stage = Stage(text=WITH_TASKS)
    loser, winner, last = stage.contacts(3)
    stage.dynamics.merge(winner, loser)
    stage.dynamics.merge(last, winner)
    await know(stage, loser, replace(row, heir=winner))
    await know(stage, winner, replace(row, heir=last))
    await know(stage, last, KEPT)
    sends(stage, 1)
    await stage.settle()
    (activity,) = stage.activities("send")
    assert activity["_regardingobjectid_value"] == last
    assert not [note for note in notes(stage) if note.startswith("contacts.")]
    asked: list[str] = []
    owners = stage.app.events.writer.owners

    async def watched(contacts: Sequence[str]) -> dict[str, str]:
        asked.extend(contacts)
        return await owners(contacts)

    stage.app.events.writer.owners = watched  # type: ignore[method-assign]
    click = tracking_line(1, loser, type="Email click", url="https://x.test/")
    stage.drop("clicks.csv", csv_of(TRACKING_HEADER, [click]))
    await stage.settle()
    assert asked == [last]
    told = [*stage.activities("click"), *stage.dynamics.dump("task")["records"]]
    assert [one["_regardingobjectid_value"] for one in told] == [last, last]


async def test_events_on_both_sides_of_a_merge_are_one_activity() -> None:
    """Written before, corrected after: it moved with the merge and keeps its id; what was parked goes to the winner."""
    stage = Stage()
    loser, winner = contact_id(0), contact_id(1)
    sends(stage, 1)
    await stage.settle()
    assert {row["code"] for row in stage.rows()} == {"contact_unknown"}
    stage.contacts(2)
    stage.dynamics.merge(winner, loser)
    await know(stage, loser, replace(KEPT, heir=winner))
    await know(stage, winner, KEPT)
    await wake(stage)
    await stage.settle()
    (activity,) = stage.activities("send")
    later = delivery_line(0, loser, modified=-60.0, status="Failed", bounce="Hard")
    stage.drop("again.csv", csv_of(DELIVERY_HEADER, [later]))
    await stage.settle()
    (again,) = stage.activities("send")
    assert again["activityid"] == activity["activityid"]
    assert again["acs_datebounced"] and not activity["acs_datebounced"]
    (bounce,) = stage.activities("bounce")
    assert {one["_regardingobjectid_value"] for one in (activity, again, bounce)} == {winner}


@pytest.mark.parametrize(
    ("row", "winner_row", "blocked", "code"),
    [
        (DELETED, DELETED, False, "contact_deleted"),
        (KEPT, replace(DELETED, code=""), False, ""),
        (KEPT, KEPT, True, "contact_blocked"),
        (DELETED, replace(KEPT, state=State.HOLD, code="profile_missing"), False, "contact_blocked"),
    ],
)
async def test_the_winner_of_a_merge_is_gone_or_blocked(
    row: LedgerRow, winner_row: LedgerRow, blocked: bool, code: str
) -> None:
    """A loser that was kept has its events as before; nothing goes past a block."""
    stage = Stage()
    loser, winner = stage.contacts(2)
    stage.dynamics.merge(winner, loser)
    await know(stage, loser, replace(row, heir=winner))
    await know(stage, winner, winner_row)
    if blocked:
        await stage.app.context.blocked.add(winner, "somebody", "request 7")
    sends(stage, 1)
    await stage.settle()
    assert {row["code"] for row in stage.rows()} == {code}
    assert [one["_regardingobjectid_value"] for one in stage.activities("send")] == [loser] * (not code)


async def know(stage: Stage, contact: str, row: LedgerRow) -> None:
    """The contacts flow has this ledger row."""
    context = stage.app.context
    await context.mappings.install("contacts", MAPPING, buckets=64)
    partition = partition_of("contacts", 1, bucket_of(contact, 64))
    known = await context.ledger.get(partition, contact)
    await context.ledger.write([replace(row, partition=partition, record_id=contact, etag=known.etag)])
