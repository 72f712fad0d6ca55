"""adopt: what was in Campaign before the sync gets its key, if nothing is doubtful and only on request."""

from __future__ import annotations

import pytest

from sandbox.campaign.options import CampaignOptions
from sync.flows.context import Context
from tests.cli.office import SHIPPED, Office


def settled() -> Office:
    """Contacts, and profiles made by hand, before the app has run."""
    office = Office(campaign_options=CampaignOptions(addressing="filter"))
    office.environ |= {"CAMPAIGN_ADDRESSING": "filter"}
    office.contacts("Ada", emailaddress1="Ada@example.com")
    office.contacts("Eve", "Evelyn", emailaddress1="eve@example.com")
    office.contacts("Bob", emailaddress1="bob@example.com")
    office.install()
    office.ask("pause", "--flow", "pull")
    emails = [
        "ada@example.com",
        "eve@example.com",
        "bob@example.com",
        "bob@example.com",
        "nobody@example.com",
        "",
    ]
    office.campaign.command("seed", {"records": [{"email": email} for email in emails]})
    return office


def test_a_report_writes_nothing_and_shows_no_values() -> None:
    office = settled()
    told = office.ask("adopt", "--yes")
    assert told["counts"]["matched"] == 1
    assert office.campaign_writes() == []
    assert "example.com" not in str(told)


def test_only_what_is_beyond_doubt_gets_a_key() -> None:
    office = settled()
    (ada, *_rest) = [row["contactid"] for row in office.dynamics.organization.tables["contact"].rows.values()]
    told = office.ask("adopt", "--write", "--yes")
    assert told["counts"] == {"empty": 1, "ambiguous": 3, "none": 1, "matched": 1, "written": 1}
    assert told["ids"] == {"matched": [ada], "written": [ada]}
    office.ask("resume")
    office.work(8)
    carrying = [
        record for record in office.campaign.command("dump", {})["records"] if record["externalId"] == ada
    ]
    assert [record["firstName"] for record in carrying] == ["Ada"], "adopted, and no second profile"
    again = office.ask("adopt", "--write", "--yes")
    assert "written" not in again["counts"]


@pytest.mark.parametrize("call", [3, 4, 5])
def test_who_is_blocked_while_it_waits_for_a_call_is_left(call: int, monkeypatch: pytest.MonkeyPatch) -> None:
    office = settled()
    (ada, *_rest) = [row["contactid"] for row in office.dynamics.organization.tables["contact"].rows.values()]
    calls = 0

    async def spend(context: Context) -> None:
        nonlocal calls
        calls += 1
        if calls == call:
            await context.blocked.add(ada, "a person", "")

    monkeypatch.setattr("sync.flows.adopt.spend_backfill", spend)
    told = office.ask("adopt", "--write", "--yes")
    assert (told["counts"]["blocked"], office.campaign_writes()) == (1, [])
    assert (ada in {entry.record for entry in office.campaign.log}) == (call > 3)


def test_two_profiles_of_one_person_are_reported_and_left() -> None:
    office = Office(campaign_options=CampaignOptions(addressing="filter"))
    office.environ |= {"CAMPAIGN_ADDRESSING": "filter"}
    office.contacts("Ada", emailaddress1="ada@example.com")
    office.work(3)
    office.campaign.command("seed", {"records": [{"email": "ada@example.com"}]})
    told = office.ask("adopt", "--write", "--yes")
    assert told["counts"] == {"keyed": 1, "owned": 1}


def test_an_instance_that_refuses_stops_it() -> None:
    office = Office()
    office.contacts("Ada", emailaddress1="ada@example.com")
    office.campaign.command("seed", {"records": [{"email": "ada@example.com"}]})
    office.install()
    office.ask("pause", "--flow", "pull")
    assert office.ask("adopt", "--write", "--yes", code=1)["error"]["code"] == "key_change"


def test_a_field_that_is_not_mapped_is_refused() -> None:
    office = Office()
    office.synced("Ada")
    assert office.ask("adopt", "--by", "gender", "--yes", code=2)["error"]["code"] == "usage"


def test_a_field_that_does_not_hold_a_column_as_it_is_is_refused() -> None:
    """Dynamics would be asked for values that it does not have, or for a column that there is not."""
    lines = [line for line in SHIPPED.read_text().splitlines() if "target: fax" not in line]
    for field in (
        "expression: firstname, length: 32",
        "source: firstname, replace: {Ada: Bob}, length: 32",
        "source: gendercode, label: true, length: 32",
        "source: _parentcustomerid_value, length: 36",
        "source: _parentcustomerid_value, related: {account: name}, length: 32",
    ):
        office = Office(shipped={"contacts": "\n".join([*lines, f"  - {{{field}, target: fax}}\n"])})
        office.install()
        error = office.ask("adopt", "--by", "fax", "--yes", code=2)["error"]
        assert "Name one of: email, firstName, " in error["fix"], field
        assert "fax" not in error["fix"]
