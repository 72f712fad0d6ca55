"""What Campaign refuses: for good, for the moment, and for another record's sake; people are told in words."""

from __future__ import annotations

import pytest

from sandbox.campaign.options import CampaignOptions
from sync.model import State
from tests.cli.office import Office

GENERAL = "RST-360011 An error has occurred - please contact your administrator."
TOO_LONG = f"{GENERAL}\nPGS-220000 PostgreSQL error: ERROR: value too long for type character varying(30)"
PASSING = f"{GENERAL}\nXTK-170999 The database is being restarted"


def posts(office: Office, record_id: str) -> int:
    """Creates that Campaign was asked for."""
    return sum(e.record == record_id for e in office.campaign.log if e.note == "profile.create")


def refuse(office: Office, body: str, times: int) -> None:
    fault = {
        "kind": "status",
        "method": "POST",
        "path": "/profile$",
        "status": 500,
        "body": body,
        "times": times,
    }
    office.campaign.command("fault", fault)


@pytest.mark.parametrize("addressing", ["key", "filter"])
def test_a_key_that_another_profile_has_sets_the_record_aside_until_one_is_corrected(addressing: str) -> None:
    office = Office(campaign_options=CampaignOptions(addressing=addressing, unique_fields=("email",)))  # type: ignore[arg-type]
    office.campaign.command("seed", {"records": [{"lastName": "Stranger", "email": "ada@example.com"}]})
    (record_id,) = office.contacts("Ada", emailaddress1="ada@example.com")
    (other,) = office.contacts("Grace", emailaddress1="grace@example.com")
    office.work()
    row = office.row(record_id)
    assert (row.state, row.code) == (State.QUARANTINED, "duplicate_other_key")
    assert office.row(other).state is State.SYNCED
    assert record_id not in office.profiles()
    shown = office.sync("status").stdout
    assert (
        "1 quarantined  duplicate_other_key: Campaign says that the record exists, but none carries" in shown
    )
    assert "do: Find the other profile in Campaign" in shown
    office.dynamics.edit(record_id, {"emailaddress1": "ada.l@example.com"})
    office.work()
    assert office.row(record_id).state is State.SYNCED
    assert office.profiles()[record_id]["email"] == "ada.l@example.com"


def test_a_500_that_is_permanent_is_asked_once() -> None:
    office = Office()
    refuse(office, TOO_LONG, -1)
    (record_id,) = office.contacts("Ada")
    office.work(40)
    row = office.row(record_id)
    assert (row.state, row.code, posts(office, record_id)) == (State.QUARANTINED, "value_too_long", 1)
    assert "value_too_long: A value is longer than the Campaign field." in office.sync("status").stdout
    office.campaign.command("clear_faults", {})
    assert office.sync("retry", "--code", "value_too_long", "--wait").exit_code == 0
    assert office.row(record_id).state is State.SYNCED


def test_a_500_that_passes_is_asked_again_and_needs_nobody() -> None:
    office = Office()
    refuse(office, PASSING, 3)
    (record_id,) = office.contacts("Ada")
    office.work(40)
    row = office.row(record_id)
    assert (row.state, row.code, row.failures, posts(office, record_id)) == (State.SYNCED, "", 0, 4)
    assert len(office.profiles()) == 1
