"""deletes: what the brake parked is carried out or kept, as a person decides."""

from __future__ import annotations

import pytest

from sync.model import Intent, State
from sync.storage.lanes import from_message
from tests.cli.office import Office


@pytest.fixture
def braked() -> tuple[Office, list[str]]:
    """Three contacts deleted, one delete let through: the two that wait."""
    office = Office()
    ids = office.synced("Ada", "Grace", "Joan")
    for record in ids:
        office.dynamics.command("delete", {"id": record})
    office.work(2)
    waiting = [item["id"] for item in office.ask("deletes", "list")["deletes"]]
    assert len(waiting) == 2
    return office, waiting


def test_list_shows_what_waits(braked: tuple[Office, list[str]]) -> None:
    office, waiting = braked
    shown = office.sync("deletes", "list").stdout
    assert all(record in shown for record in waiting)
    assert "2 deletes in all" in shown


def test_approve_carries_out(braked: tuple[Office, list[str]]) -> None:
    office, (first, second) = braked
    assert office.ask("deletes", "approve", "{" + first.upper() + "}")["approved"] == 1
    assert {item["id"]: item["approved"] for item in office.ask("deletes", "list")["deletes"]} == {
        first: True,
        second: False,
    }
    (message,) = office.account.queues["live"].messages
    assert from_message(message.body).intent is Intent.APPROVED
    office.work(2)
    assert office.row(first).state is State.DELETED
    assert office.row(second).state is State.PARKED
    assert set(office.profiles()) == {second}
    assert [item["id"] for item in office.ask("deletes", "list")["deletes"]] == [second]


def test_approve_does_not_delete_what_came_back(braked: tuple[Office, list[str]]) -> None:
    office, (first, _) = braked
    office.dynamics.command("restore", {"id": first, "record": {"firstname": "Ida"}})
    office.ask("deletes", "approve", first, "--wait")
    assert office.row(first).state is State.SYNCED
    assert office.profiles()[first]["firstName"] == "Ida"


def test_discard_keeps_the_profile(braked: tuple[Office, list[str]]) -> None:
    office, (first, second) = braked
    assert office.ask("deletes", "discard", first) == {
        "mapping": "contacts",
        "held": 1,
        "moved_on": 0,
        "busy": 0,
    }
    row = office.row(first)
    assert (row.state, row.code) == (State.HOLD, "delete_discarded")
    office.ask("replay", "--all", "--yes")
    office.work(5)
    assert first in office.profiles()
    assert office.row(first).state is State.HOLD
    assert [item["id"] for item in office.ask("deletes", "list")["deletes"]] == [second]
    states = office.ask("status", "--exact")["mappings"][0]
    assert {name: n for name, n in states["states"].items() if n} == states["exact"]["states"]


def test_discarded_and_created_again_is_sent_again(braked: tuple[Office, list[str]]) -> None:
    office, (first, _) = braked
    office.ask("deletes", "discard", first)
    office.dynamics.command("restore", {"id": first, "record": {"firstname": "Ida"}})
    office.work(2)
    assert office.row(first).state is State.SYNCED
    assert office.profiles()[first]["firstName"] == "Ida"


def test_all(braked: tuple[Office, list[str]]) -> None:
    office, waiting = braked
    assert office.ask("deletes", "approve", "--all", "--wait")["approved"] == 2
    assert not office.profiles()
    assert {office.row(record).state for record in waiting} == {State.DELETED}
    for verb in (("list",), ("approve", "--all", "--wait"), ("discard", "--all")):
        assert office.sync("deletes", *verb).stdout == "No delete of contacts waits for a decision.\n"


def test_a_delete_in_work_is_not_discarded(braked: tuple[Office, list[str]]) -> None:
    office, (first, _) = braked
    row = office.row(first)
    table = office.account.tables["ledger"]
    key = (row.partition, row.record_id)
    table.rows[key] = type(table.rows[key])({**table.rows[key].entity, "claim_owner": "somebody"}, "e")
    assert office.ask("deletes", "discard", first, code=1)["busy"] == 1
    assert len(office.ask("deletes", "list")["deletes"]) == 2


def test_a_record_whose_delete_does_not_wait(braked: tuple[Office, list[str]]) -> None:
    office, waiting = braked
    (gone,) = {row for _, row in office.account.tables["ledger"].rows} - set(waiting)
    told = office.ask("deletes", "approve", waiting[0], gone, code=1)["error"]
    assert (told["code"], told["record"]) == ("unknown_record", gone)
    assert not any(item["approved"] for item in office.ask("deletes", "list")["deletes"])


def test_a_choice_is_needed(braked: tuple[Office, list[str]]) -> None:
    office, (first, _) = braked
    for verb in ("approve", "discard"):
        assert office.ask("deletes", verb, code=2)["error"]["code"] == "usage"
        assert office.ask("deletes", verb, first, "--all", code=2)["error"]["code"] == "usage"
