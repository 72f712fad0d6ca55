"""rebaseline: another environment becomes the sync's own; what was sent to the old one does not count."""

from __future__ import annotations

import pytest

from sandbox.dynamics.options import DynamicsOptions
from tests.cli.office import Office

OTHER = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def moved() -> Office:
    """A sync of three contacts, one delete parked, whose Dynamics environment is then another one."""
    office = Office()
    ids = office.synced("Ada", "Grace", "Joan")
    for record in ids[:2]:
        office.dynamics.command("delete", {"id": record})
    office.work(2)
    office.dynamics.command("environment", {"id": OTHER})
    office.work(2)
    assert office.ask("status", code=1)["mappings"][0]["waits"]["pull"]["code"] == "environment_changed"
    return office


FENCE_S = 390.0
"""Claim, gateway and skew with production times: after that no call of the epoch before can land."""


def test_it_begins_the_next_epoch_in_the_new_environment(moved: Office) -> None:
    told = moved.ask("rebaseline", "--yes")
    assert (told["epoch"], told["environment"]["organization"]) == (2, OTHER)
    assert moved.ask("status", code=1)["mappings"][0]["waits"] == {}
    moved.work()
    assert moved.ask("status", code=1)["mappings"][0]["generation"] == 0
    moved.clock.advance(FENCE_S)
    moved.work()
    (mapping,) = moved.ask("status", "--exact")["mappings"]
    assert (mapping["epoch"], mapping["generation"], mapping["phase"]) == (2, 1, "running")
    assert mapping["waits"] == {}
    assert mapping["exact"]["states"] == {"synced": 1}
    assert {name: n for name, n in mapping["states"].items() if n} == {"synced": 1}


def test_what_was_sent_before_does_not_count(moved: Office) -> None:
    written = len(moved.campaign_writes())
    moved.ask("rebaseline", "--yes")
    moved.clock.advance(FENCE_S)
    moved.work()
    # It may be there: addressed before it is posted.
    assert moved.campaign_writes()[written:] == ["profile.update"]
    assert len({record["PKey"] for record in moved.profiles().values()}) == len(moved.profiles())


def test_a_contact_that_is_new_afterwards_costs_one_call(moved: Office) -> None:
    moved.ask("rebaseline", "--yes")
    moved.clock.advance(FENCE_S)
    moved.work()
    made = len(moved.campaign.log)
    (linda,) = moved.contacts("Linda")
    moved.work()
    assert linda in moved.profiles()
    calls = [entry for entry in moved.campaign.log[made:] if entry.method != "GET" and entry.note != "token"]
    assert [(call.method, call.status) for call in calls] == [("POST", 201)]


def test_deletes_that_waited_are_forgotten(moved: Office) -> None:
    assert len(moved.ask("deletes", "list")["deletes"]) == 1
    moved.ask("rebaseline", "--yes")
    assert moved.ask("deletes", "list")["deletes"] == []


def test_messages_of_the_old_epoch_are_not_worked(moved: Office) -> None:
    (joan,) = (record for record in moved.profiles() if moved.row(record).state.value == "synced")
    moved.ask("replay", joan, "--force", "--yes")
    moved.ask("rebaseline", "--yes")
    written = len(moved.campaign_writes())
    moved.dynamics.command("fault", {"kind": "status", "path": "contacts", "status": 503, "times": -1})
    moved.work(2)
    assert len(moved.campaign_writes()) == written


@pytest.mark.parametrize(("typed", "epoch"), [("y\n", 2), ("n\n", 1), ("", 1)])
def test_it_shows_both_environments_and_asks(moved: Office, typed: str, epoch: int) -> None:
    result = moved.sync("rebaseline", typed=typed)
    assert OTHER in result.stdout
    assert DynamicsOptions().organization_id in result.stdout
    assert "Campaign calls" in result.stdout
    assert result.exit_code == (0 if epoch == 2 else 1)
    assert moved.ask("status", code=1)["mappings"][0]["epoch"] == epoch


def test_it_warns_where_the_environment_is_the_same() -> None:
    office = Office()
    office.synced("Ada")
    assert "usually enough" in office.sync("rebaseline", typed="n\n").stdout


def test_without_dynamics_nothing_begins(moved: Office) -> None:
    moved.environ["DYNAMICS_CLIENT_SECRET"] = "wrong"
    assert moved.ask("rebaseline", "--yes", code=1)["error"]["code"] == "dynamics_unauthorized"
    assert moved.ask("status", code=1)["mappings"][0]["epoch"] == 1
