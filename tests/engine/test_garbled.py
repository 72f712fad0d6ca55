"""A look-up that is never answered as it should be: tried again with growing delays, then left to a person."""

from __future__ import annotations

from sandbox.campaign.options import CampaignOptions
from sync.planning.outcome import MOST_FAILURES
from tests.cli.office import SETTINGS, Office

GARBAGE = {"kind": "garbage", "method": "GET", "path": "/byExternalId", "times": -1}


def test_garbled_answers_set_the_record_aside_and_retry_brings_it_back() -> None:
    office = Office(
        campaign_options=CampaignOptions(addressing="filter"),
        environ={**SETTINGS, "CAMPAIGN_ADDRESSING": "filter"},
    )
    (ada,) = office.synced("Ada")
    office.campaign.command("fault", {**GARBAGE})
    office.dynamics.command("edit", {"id": ada, "changes": {"firstname": "Ada Augusta"}})
    asked = len(office.campaign.log)
    office.work(60)
    row = office.row(ada)
    assert (row.state.value, row.code) == ("quarantined", "campaign_garbled")
    looked = [entry for entry in office.campaign.log[asked:] if "byExternalId" in entry.target]
    assert len(looked) == MOST_FAILURES
    office.campaign.command("clear_faults", {})
    office.sync("retry", "--code", "campaign_garbled", "--wait")
    assert office.row(ada).state.value == "synced"
    assert office.profiles()[ada]["firstName"] == "Ada Augusta"
