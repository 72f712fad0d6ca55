"""doctor: green on a sound pair of systems, and for each thing wrong one red line with its code and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.campaign.options import CampaignOptions
from sync.storage.table import StorageFault
from tests.cli.office import CAMPAIGN, SETTINGS, Office

Checks = dict[tuple[str, str], dict[str, Any]]


def checks(told: dict[str, Any]) -> Checks:
    return {(check["area"], check["check"]): check for check in told["checks"]}


def red(told: dict[str, Any]) -> Checks:
    return {key: check for key, check in checks(told).items() if check["level"] == "fail"}


def test_all_is_green_before_the_first_start() -> None:
    office = Office()
    office.contacts("Ada", "Grace")
    told = office.ask("doctor")
    assert told["ok"]
    assert told["counts"] == {"ok": 18, "warn": 0, "fail": 0, "skip": 1}
    assert checks(told)["Email events", "container"]["level"] == "skip", "they are off as shipped"
    assert "2 records × 1 call" in checks(told)["Forecast", "contacts"]["text"]
    assert "insert 1, update 1, delete 2" in checks(told)["Campaign", "addressing"]["text"]


def test_it_changes_nothing() -> None:
    office = Office()
    office.contacts("Ada")
    office.work()
    before, written = office.stored(), len(office.campaign_writes())
    office.ask("doctor")
    assert office.stored() == before
    assert len(office.campaign_writes()) == written
    assert {entry.method for entry in office.dynamics.log if entry.note != "token"} == {"GET"}


def test_people_see_a_line_a_check_and_a_sum() -> None:
    result = Office().sync("doctor")
    assert result.exit_code == 0
    assert "  ok    change tracking of contact  is on\n" in result.stdout
    assert result.stdout.rstrip().endswith("18 ok, 1 skip")


def change(name: str, **arguments: Any) -> Callable[[Office], None]:
    """What somebody does in Dynamics."""
    return lambda office: office.dynamics.command(name, arguments)


def setting(**values: str) -> Callable[[Office], None]:
    return lambda office: office.environ.update(values)


@pytest.mark.parametrize(
    ("mistake", "area", "check", "code"),
    [
        (change("tracking", enabled=False), "Dynamics", "change tracking of contact", "change_tracking_off"),
        (change("privileges", prvReadContact="Basic"), "Dynamics", "read contact", "dynamics_forbidden"),
        (change("privileges", prvReadContact=None), "Dynamics", "read contact", "dynamics_forbidden"),
        (change("change_metadata", remove_column="fax"), "Mapping contacts", "fax", "unknown_column"),
        (setting(DYNAMICS_CLIENT_SECRET="wrong"), "Dynamics", "credentials", "dynamics_unauthorized"),
        (setting(DYNAMICS_CLIENT_ID="wrong"), "Dynamics", "credentials", "dynamics_unauthorized"),
        (setting(DYNAMICS_URL="http://127.0.0.1:3"), "Dynamics", "credentials", "dynamics_unauthorized"),
        (
            setting(DYNAMICS_TOKEN_URL="http://127.0.0.1:3/token"),
            "Dynamics",
            "credentials",
            "dynamics_unreachable",
        ),
        (setting(CAMPAIGN_CLIENT_SECRET="wrong"), "Campaign", "credentials", "campaign_unauthorized"),
        (
            setting(CAMPAIGN_TOKEN_URL="http://127.0.0.1:3/token"),
            "Campaign",
            "credentials",
            "campaign_unreachable",
        ),
        (setting(CAMPAIGN_ADDRESSING="key"), "Campaign", "addressing", "no_addressing"),
    ],
)
def test_a_mistake_is_one_red_line(
    mistake: Callable[[Office], None], area: str, check: str, code: str
) -> None:
    office = Office()
    if code == "no_addressing":
        office = Office(campaign_options=CampaignOptions(addressing="filter"))
    mistake(office)
    found = red(office.ask("doctor", code=1))
    assert set(found) == {(area, check)}
    assert found[area, check]["code"] == code
    assert found[area, check]["fix"]


def test_missing_settings_are_all_listed() -> None:
    office = Office(environ={"DYNAMICS_URL": "https://org.crm4.dynamics.com", "MESSAGE_LEASE_S": "never"})
    found = red(office.ask("doctor", code=1))
    names = {name for _, name in found}
    assert {"AzureWebJobsStorage", "CAMPAIGN_URL", "CAMPAIGN_CLIENT_ID", "MESSAGE_LEASE_S"} <= names
    assert {check["code"] for check in found.values()} == {"settings_invalid"}


def test_without_a_file_it_says_where_settings_were_looked_for(tmp_path: Path) -> None:
    assert "--settings FILE" in Office(environ={}).sync("doctor").stdout
    file = tmp_path / "local.settings.json"
    file.write_text('{"Values": {}}')
    assert "--settings FILE" not in Office(environ={}).sync("doctor", "--settings", str(file)).stdout


def test_a_misspelt_setting_is_yellow() -> None:
    found = Office(environ={**SETTINGS, "CAMPAIGN_WINDOWS": "60"}).ask("doctor")["checks"]
    assert [check["fix"] for check in found if check["check"] == "CAMPAIGN_WINDOWS"] == [
        "Did you mean CAMPAIGN_WINDOW_S?"
    ]


def test_no_addressing_at_all() -> None:
    office = Office(campaign_options=CampaignOptions(addressing="none"))
    assert red(office.ask("doctor", code=1))["Campaign", "addressing"]["code"] == "no_addressing"


def test_the_dearer_addressing_is_yellow() -> None:
    office = Office(campaign_options=CampaignOptions(addressing="filter"))
    office.contacts("Ada")
    told = checks(office.ask("doctor"))
    assert told["Campaign", "addressing"]["level"] == "warn"
    assert "× 2 calls" in told["Forecast", "contacts"]["text"]


def test_settings_that_name_another_environment() -> None:
    office = Office()
    office.synced("Ada")
    office.dynamics.command("environment", {"id": "11111111-2222-4333-8444-555555555555"})
    found = red(office.ask("doctor", code=1))
    assert set(found) == {("Dynamics", "environment of contacts")}
    assert found["Dynamics", "environment of contacts"]["code"] == "environment_changed"
    assert "rebaseline" in found["Dynamics", "environment of contacts"]["fix"]


def test_settings_that_name_another_campaign_tenant() -> None:
    office = Office()
    office.synced("Ada")
    office.environ["CAMPAIGN_URL"] = f"{CAMPAIGN}/other/campaign"
    found = red(office.ask("doctor", code=1))
    assert found["Dynamics", "environment of contacts"]["code"] == "environment_changed"
    assert "not other" in found["Dynamics", "environment of contacts"]["text"]


def test_a_short_life_of_delta_links_is_yellow() -> None:
    office = Office()
    office.dynamics.command("environment", {"expire_change_tracking_in_days": 2})
    assert checks(office.ask("doctor"))["Dynamics", "delta link life"]["level"] == "warn"


@pytest.mark.parametrize(
    ("ahead", "level"), [(5, "ok"), (20, "warn"), (-20, "warn"), (45, "fail"), (-45, "fail")]
)
def test_a_clock_that_is_off(ahead: int, level: str) -> None:
    office = Office()
    office.campaign.command("clock", {"advance_s": ahead})
    told = office.ask("doctor", code=1 if level == "fail" else 0)
    assert checks(told)["Clock", "Campaign"]["level"] == level
    assert checks(told)["Clock", "Dynamics"]["level"] == "ok"
    assert ("ahead of" if ahead > 0 else "behind") in checks(told)["Clock", "Campaign"]["text"]


def test_a_count_at_the_cap_says_at_least() -> None:
    office = Office()
    office.contacts(*["Ada"] * 5001)
    forecast = checks(office.ask("doctor"))["Forecast", "contacts"]
    assert forecast["level"] == "warn"
    assert forecast["text"].startswith("at least 5,000 records")


def test_a_campaign_field_that_is_not_there() -> None:
    office = Office()
    office.work(1)
    text = office.ask("mappings", "show")["text"].replace("target: mobilePhone", "target: mobilPhone")
    install(office, text)
    found = red(office.ask("doctor", code=1))
    assert found["Mapping contacts", "mobilPhone"]["code"] == "unknown_field"
    assert "mobilePhone" in found["Mapping contacts", "mobilPhone"]["fix"]


def test_a_stored_mapping_that_is_no_yaml() -> None:
    office = Office()
    office.work(1)
    install(office, "mapping: [")
    found = red(office.ask("doctor", code=1))
    assert [check["code"] for check in found.values()] == ["mapping_invalid"]


def install(office: Office, text: str) -> None:
    """A text past `mappings apply`, which would refuse it."""
    table = office.account.tables["mappings"]
    stored = table.rows["contacts", "active"]
    table.rows["contacts", "active"] = type(stored)(
        {**stored.entity, "text": text, "version": "x"}, stored.etag
    )


class Broken:
    """Storage that fails."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    async def before(self, effect: str) -> None:
        raise StorageFault(self.kind)

    async def after(self, effect: str) -> None:
        raise AssertionError


@pytest.mark.parametrize(
    ("kind", "code"),
    [("ServiceRequestError", "storage_unreachable"), ("ClientAuthenticationError", "storage_forbidden")],
)
def test_storage_that_fails_does_not_hide_the_systems(kind: str, code: str) -> None:
    told = Office(gate=Broken(kind)).ask("doctor", code=1)
    assert {check["code"] for check in red(told).values()} == {code}
    assert checks(told)["Mapping contacts", "columns"]["level"] == "ok"


def test_tables_not_made_yet() -> None:
    office = Office(gate=Broken("ResourceNotFoundError"))
    told = checks(office.ask("doctor"))
    assert told["Storage", "tables"]["level"] == "warn"
    assert "start it once" in told["Storage", "tables"]["fix"]
    del office.environ["AzureWebJobsStorage"]
    office.environ["AzureWebJobsStorage__accountName"] = "account"
    assert set(red(office.ask("doctor", code=1))) == {("Storage", "tables"), ("Storage", "queues")}
