"""Schema drift: what changes under a running mapping pauses that mapping alone, and it goes on once it fits again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.office import SHIPPED, Office

ACCOUNTS = Path(__file__).parents[2] / "mappings" / "examples" / "accounts.yaml"


class Two(Office):
    """Contacts and accounts side by side."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.synced("Ada", "Grace")
        self.ask("mappings", "apply", str(ACCOUNTS), "--yes")
        (self.account_id,) = self.dynamics.seed([{"name": "Acme"}], table="account")
        self.work()

    def waits(self, mapping: str) -> dict[str, Any]:
        found = self.ask("status", code=self.sync("status").exit_code)["mappings"]
        return dict(next(item["waits"] for item in found if item["mapping"] == mapping))

    def detail(self, mapping: str = "contacts") -> str:
        waits = self.waits(mapping)
        assert waits["drift"]["code"] == "schema_drift", waits
        return str(waits["drift"]["detail"])

    def name_of_account(self) -> str:
        (account,) = self.campaign.dump("cusAccount")
        return str(account["name"])


@pytest.fixture
def office() -> Two:
    return Two()


@pytest.mark.parametrize(
    ("change", "mend", "told"),
    [
        ({"remove_field": "lastName"}, {"restore_field": "lastName"}, "field `lastName` does not exist"),
        ({"read_only_field": "lastName"}, {"restore_field": "lastName"}, "field `lastName` is read-only"),
        ({"withdraw": True}, {"withdraw": False}, "resource `profile` does not exist"),
    ],
)
def test_campaign_changes(office: Two, change: dict[str, Any], mend: dict[str, Any], told: str) -> None:
    ada, grace = office.profiles()
    before = office.row(ada)
    office.campaign.change_metadata(**change)
    for record in (ada, grace):
        office.dynamics.edit(record, {"lastname": "Lovelace"})
    office.work(2)
    office.dynamics.edit(office.account_id, {"name": "Acme & Co"}, table="account")
    office.work(2)
    assert told in office.detail()
    assert office.name_of_account() == "Acme & Co", "the other mapping goes on"
    assert "drift" not in office.waits("accounts")
    shown = office.sync("status").stdout
    assert f"{told}" in shown
    assert "drift waits since 20" in shown
    row = office.row(ada)
    assert (row.state, row.attempts, row.failures, row.version) == ("synced", 0, 0, before.version)

    calls = len(office.campaign.log)
    used = office.ask("status", code=1)["budget"]["used"]
    office.work(12)  # Three minutes.
    looks = [entry for entry in office.campaign.log[calls:] if entry.note != "token"]
    assert {entry.method for entry in looks} == {"GET"}
    assert len(looks) <= 2 * 4, "one look a minute, and a missing resource is looked for in two places"
    assert used < 0.2

    office.campaign.change_metadata(**mend)
    office.work(12)
    assert {profile["lastName"] for profile in office.profiles().values()} == {"Lovelace"}
    assert office.waits("contacts") == {}


@pytest.mark.parametrize(
    ("column", "told"),
    [
        (None, "Dynamics contact: column `birthdate` does not exist"),
        ({"name": "birthdate", "type": "Integer"}, "column `birthdate` is now of type Integer"),
    ],
)
def test_dynamics_changes(office: Two, column: dict[str, Any] | None, told: str) -> None:
    (ada, _) = office.profiles()
    kept = office.dynamics.organization.tables["contact"].table.columns["birthdate"]
    office.dynamics.change_metadata(remove_column="birthdate")
    if column is not None:
        office.dynamics.change_metadata(add_column=column)
    office.dynamics.edit(ada, {"lastname": "Lovelace"})
    before = office.campaign_writes()
    office.work(4)
    assert told in office.detail()
    assert office.campaign_writes() == before
    assert office.row(ada).state == "synced"
    office.dynamics.edit(office.account_id, {"name": "Acme & Co"}, table="account")
    office.work(4)
    assert office.name_of_account() == "Acme & Co"
    office.dynamics.organization.change_column("contact", kept)
    office.work(14)
    assert office.profiles()[ada]["lastName"] == "Lovelace"
    assert office.waits("contacts") == {}


def test_taking_it_out_of_the_mapping_mends_it_at_the_next_tick(office: Two, tmp_path: Path) -> None:
    ada, _ = office.profiles()
    office.campaign.change_metadata(remove_field="middleName")
    office.dynamics.edit(ada, {"middlename": "King"})
    office.work(2)
    assert "middleName" in office.detail()
    file = tmp_path / "contacts.yaml"
    lines = SHIPPED.read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if "target: middleName" not in line))
    office.ask("mappings", "apply", str(file), "--yes")
    office.work(1)
    assert office.waits("contacts") == {}
    office.work(8)
    assert office.row(ada).mapping_version.startswith("000002-")


def test_one_bad_record_pauses_nothing(office: Two) -> None:
    ada, grace = office.profiles()
    office.campaign.command("policies", {"fax": "email"})
    office.dynamics.edit(ada, {"fax": "12345"})
    office.dynamics.edit(grace, {"lastname": "Hopper"})
    office.work(2)
    assert (office.row(ada).state, office.row(ada).code) == ("quarantined", "value_refused")
    assert office.waits("contacts") == {}
    assert office.profiles()[grace]["lastName"] == "Hopper"


def test_a_new_mapping_whose_column_is_missing_says_so_and_starts_once_it_is_there(tmp_path: Path) -> None:
    office = Office()
    office.synced("Ada")
    text = ACCOUNTS.read_text()
    office.dynamics.change_metadata(remove_column="websiteurl", table="account")
    file = tmp_path / "accounts.yaml"
    file.write_text(text)
    assert office.sync("mappings", "apply", str(file), "--yes").exit_code == 1
    office.ask("mappings", "apply", str(file), "--yes", "--offline")
    office.dynamics.seed([{"name": "Acme"}], table="account")
    office.work(2)
    (waits,) = [m["waits"] for m in office.ask("status", code=1)["mappings"] if m["mapping"] == "accounts"]
    assert "column `websiteurl` does not exist" in waits["drift"]["detail"]
    office.dynamics.change_metadata(add_column={"name": "websiteurl", "max_length": 200}, table="account")
    office.work(10)
    assert [account["name"] for account in office.campaign.dump("cusAccount")] == ["Acme"]
