"""A Campaign that is another generation than the one this sync was set up for, and a day's calls that are used up."""

from __future__ import annotations

from typing import Any

from sandbox.campaign.options import CampaignOptions
from tests.cli.office import Office


def checks(told: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(check["area"], check["check"]): check for check in told["checks"]}


def test_an_instance_that_was_moved_to_v8_waits_for_a_rebaseline() -> None:
    office = Office()
    (ada,) = office.synced("Ada")
    office.campaign.command("dialect", {"name": "v8"})
    office.campaign.command("rekey", {})
    office.dynamics.edit(ada, {"firstname": "Grace"})
    office.work()
    assert office.profiles()[ada]["firstName"] == "Ada"
    (mapping,) = office.ask("status", code=1)["mappings"]
    assert mapping["waits"]["apply"]["code"] == "environment_changed"
    found = checks(office.ask("doctor", code=1))
    assert "Campaign Standard, not Campaign v8" in found["Dynamics", "environment of contacts"]["text"]
    shown = office.sync("rebaseline", "--yes")
    assert "Campaign generation" in shown.stdout
    office.clock.advance(1000)
    office.work()
    assert office.profiles()[ada]["firstName"] == "Grace"
    assert len(office.profiles()) == 1


def test_doctor_sees_that_the_settings_name_the_other_generation() -> None:
    office = Office(campaign_options=CampaignOptions(dialect="v8"))
    office.environ["CAMPAIGN_DIALECT"] = "standard"
    found = checks(office.ask("doctor", code=1))
    assert found["Campaign", "generation"]["level"] == "fail"
    assert found["Campaign", "generation"]["fix"] == "Set CAMPAIGN_DIALECT to auto or v8."


def test_doctor_warns_of_fields_that_v8_does_not_update() -> None:
    office = Office(campaign_options=CampaignOptions(dialect="v8"))
    found = checks(office.ask("doctor"))
    assert found["Campaign", "generation"]["text"] == "Campaign v8"
    assert found["Mapping contacts", "location"]["level"] == "warn"


def test_the_calls_of_a_day_run_out_and_status_says_so() -> None:
    office = Office()
    office.environ |= {"CAMPAIGN_CALLS_PER_DAY": "120", "CHUNK_RECORDS": "2"}
    office.contacts(*["Ada"] * 130)
    office.work(rounds=60)
    told = office.ask("status")["budget"]["day"]
    assert told["calls"] == 120
    assert told["used"] <= 120
    assert len(office.profiles()) <= 120
    line = next(line for line in office.sync("status").stdout.splitlines() if line.startswith("a day"))
    assert "of 120 Campaign calls in the last 24 hours" in line
    forecast = checks(office.ask("doctor"))
    assert "120 a day" in forecast["Forecast", "contacts"]["text"]
    assert forecast["Forecast", "calls a day"]["level"] in ("ok", "warn")
    office.clock.advance(26 * 3600)
    office.work(rounds=20)
    assert len(office.profiles()) == 130


def test_what_v8_does_not_update_is_neither_planned_nor_found() -> None:
    office = Office(campaign_options=CampaignOptions(dialect="v8"))
    (ada,) = office.synced("Ada")
    office.dynamics.edit(ada, {"address1_city": "Rome", "firstname": "Grace"})
    planned = office.ask("mappings", "plan", "contacts", "--id", ada)
    assert "firstName" in str(planned)
    assert "Rome" not in str(planned)
    office.work()
    found = office.ask("reconcile", "--all", "--yes", "--wait")["found"]
    assert found["agrees"] == 1
