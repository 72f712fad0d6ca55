"""replay: prints the cost, asks, and queues; unchanged records cost no call unless forced."""

from __future__ import annotations

import pytest

from sandbox.campaign.options import CampaignOptions
from tests.cli.office import Office


def test_an_unchanged_record_costs_no_call() -> None:
    office = Office()
    ids = office.synced("Ada", "Grace")
    written = len(office.campaign_writes())
    told = office.ask("replay", "--all", "--yes")
    assert told["cost"] == {
        "records": 2,
        "calls": {"least": 0, "most": 2},
        "seconds": pytest.approx(2 / (3860 / 310 * 0.8), abs=0.001),
        "exact": False,
    }
    office.work(3)
    assert len(office.campaign_writes()) == written
    assert {office.row(record).state.value for record in ids} == {"synced"}


def test_force_sends_it_all_the_same() -> None:
    office = Office()
    (ada, grace) = office.synced("Ada", "Grace")
    written = len(office.campaign_writes())
    told = office.ask("replay", ada, "--force", "--yes", "--wait")
    assert told["cost"]["calls"] == {"least": 1, "most": 1}
    assert office.campaign_writes()[written:] == ["profile.update"]
    assert len(office.profiles()) == 2
    assert grace in office.profiles()


def test_it_mends_a_profile_that_somebody_changed() -> None:
    office = Office()
    (ada,) = office.synced("Ada")
    office.campaign.command("edit", {"id": ada, "changes": {"firstName": "Eve"}})
    office.sync("replay", ada, "--force", "--yes", "--wait")
    assert office.profiles()[ada]["firstName"] == "Ada"


@pytest.mark.parametrize(("typed", "queued"), [("y\n", 1), ("n\n", 0), ("\n", 0), ("", 0)])
def test_it_asks_first(typed: str, queued: int) -> None:
    office = Office()
    office.synced("Ada")
    result = office.sync("replay", "--all", typed=typed)
    assert "about 1 record, 0 to 1 Campaign calls" in result.stdout
    assert result.exit_code == (0 if queued else 1)
    assert office.stored()["control"] == queued


def test_json_never_asks() -> None:
    office = Office()
    office.synced("Ada")
    assert office.ask("replay", "--all", code=2)["error"]["fix"].startswith("Add --yes")
    assert office.stored()["control"] == 0


def test_exact_counts_the_ledger() -> None:
    office = Office()
    office.synced("Ada", "Grace")
    office.lose_counters()
    assert office.ask("replay", "--all", "--yes")["cost"]["records"] == 0
    cost = office.ask("replay", "--all", "--exact", "--yes")["cost"]
    assert (cost["records"], cost["exact"]) == (2, True)


def test_the_dearer_addressing_costs_two_calls() -> None:
    office = Office(campaign_options=CampaignOptions(addressing="filter"))
    office.synced("Ada")
    assert office.ask("replay", "--all", "--force", "--yes")["cost"]["calls"] == {"least": 2, "most": 2}


def test_by_code() -> None:
    office = Office()
    office.synced("Ada")
    office.contacts("Bob", emailaddress1="nobody at nowhere")
    office.work(2)
    assert office.ask("replay", "--code", "email_invalid", "--yes")["cost"]["records"] == 1
    assert office.ask("replay", "--code", "no_such", "--yes", code=2)["error"]["code"] == "usage"


def test_what_is_on_hold_is_named() -> None:
    office = Office()
    ids = office.synced("Ada", "Grace")
    for record in ids:
        office.dynamics.command("delete", {"id": record})
    office.work(2)
    (held,) = (item["id"] for item in office.ask("deletes", "list")["deletes"])
    office.ask("deletes", "discard", held)
    assert held in office.sync("replay", held, "--yes").stderr
    assert "1 on hold" in office.sync("replay", "--all", "--force", typed="n\n").stdout
    office.work(3)
    assert office.row(held).state.value == "hold"


def test_without_a_choice_it_does_nothing() -> None:
    office = Office()
    (ada,) = office.synced("Ada")
    for arguments in (("replay",), ("replay", "--all", ada), ("replay", "--all", "--code", "email_invalid")):
        assert office.ask(*arguments, "--yes", code=2)["error"]["code"] == "usage"
