"""mappings plan: says what would happen, does none of it, and then exactly that happens."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.cli.office import SHIPPED, Office

ACCOUNTS = Path(__file__).parents[2] / "mappings" / "examples" / "accounts.yaml"
COMPUTED = {"lastModified", "title", "domain", "postalAddress"}
SHORTER = ("target: firstName, type: string, length: 30", "target: firstName, type: string, length: 3")


pytestmark = pytest.mark.usefixtures("nobody_works")


@pytest.fixture
def office() -> Office:
    return Office()


def shorter(tmp_path: Path) -> str:
    file = tmp_path / "contacts.yaml"
    file.write_text(SHIPPED.read_text().replace(*SHORTER))
    return str(file)


def plan(office: Office, *arguments: str) -> dict[str, Any]:
    return office.ask("mappings", "plan", *arguments)


def would(told: dict[str, Any]) -> dict[str, int]:
    return {name: count for name, count in told["would"].items() if count}


def everything_stored(office: Office) -> str:
    """Every row and message there is, ETags included, and how often each table was written to."""
    tables = {name: sorted(map(repr, table.rows.items())) for name, table in office.account.tables.items()}
    queues = {name: list(map(repr, queue.messages)) for name, queue in office.account.queues.items()}
    writes = {name: table.writes for name, table in office.account.tables.items()}
    return json.dumps([tables, queues, writes], sort_keys=True)


def with_related(tmp_path: Path) -> str:
    """The shipped mapping, reading a related row and a label too."""
    lines = SHIPPED.read_text().splitlines()
    kept = [line for line in lines if "target: fax" not in line and "target: middleName" not in line]
    kept.append(
        "  - {source: _parentcustomerid_value, related: {account: name}, target: fax, length: 32, invalid: blank}"
    )
    kept.append("  - {expression: label(gendercode), target: middleName, length: 30}")
    file = tmp_path / "related.yaml"
    file.write_text("\n".join(kept) + "\n")
    return str(file)


def one_of_each(office: Office) -> dict[str, str]:
    """Records of which each would end differently."""
    same, other, gone, missing, quarantined = office.synced("Same", "Other", "Gone", "Missing", "Bad")
    found, new = office.contacts("Found", "New")
    office.campaign.seed([{"externalId": found, "firstName": "Foundling"}])
    office.dynamics.edit(other, {"firstname": "Another"})
    office.dynamics.edit(quarantined, {"emailaddress1": "no address"})
    office.dynamics.edit(missing, {"firstname": "Lost"})
    office.campaign.delete(missing)
    office.dynamics.delete(gone)
    return {
        "same": same,
        "other": other,
        "gone": gone,
        "missing": missing,
        "bad": quarantined,
        "found": found,
        "new": new,
    }


def test_the_whole_table(office: Office) -> None:
    ids = one_of_each(office)
    told = plan(office, "--all")
    assert told["records"] == 7
    assert would(told) == {"create": 1, "update": 2, "delete": 1, "leave": 2, "quarantine": 1}
    assert told["codes"] == {"email_invalid": 1, "profile_missing": 1}
    by_id = {one["id"]: one for one in told["shown"]}
    assert by_id[ids["other"]]["fields"] == [{"field": "firstName", "before": "Other", "after": "Another"}]
    assert by_id[ids["found"]]["why"] == "changed; it is in Campaign already"
    assert by_id[ids["bad"]]["code"] == "email_invalid"
    assert by_id[ids["new"]]["would"] == "create"
    assert {"field": "firstName", "before": None, "after": "New"} in by_id[ids["new"]]["fields"]
    assert ids["same"] not in by_id
    # one insert, one update, one that POSTs, looks and PATCHes, one update that finds nothing, one delete
    assert told["cost"]["calls"] == 1 + 1 + 3 + 1 + 2


def test_nothing_is_written_anywhere(office: Office, tmp_path: Path) -> None:
    one_of_each(office)
    office.work(1)
    (account,) = office.dynamics.seed([{"name": "Acme"}], table="account")
    one_of_each_later = office.dynamics.seed(
        [{"firstname": "Later", "gendercode": 2, "_parentcustomerid_value": account}]
    )
    before = copy.deepcopy(everything_stored(office))
    logs = len(office.dynamics.log), len(office.campaign.log)
    for arguments in (
        ("--all",),
        ("--sample", "5"),
        ("--id", one_of_each_later[0]),
        ("--file", shorter(tmp_path), "--all"),
        ("--file", str(ACCOUNTS)),
        ("--file", with_related(tmp_path), "--id", one_of_each_later[0]),
    ):
        plan(office, *arguments)
    assert everything_stored(office) == before
    asked = [*office.dynamics.log[logs[0] :], *office.campaign.log[logs[1] :]]
    assert len(asked) > 20
    assert {entry.method for entry in asked if "token" not in entry.target} == {"GET"}


def test_related_rows_and_labels_are_planned_as_they_are_applied(office: Office, tmp_path: Path) -> None:
    office.work(1)
    (account,) = office.dynamics.seed([{"name": "Acme"}], table="account")
    office.dynamics.seed([{"firstname": "Ada", "gendercode": 2, "_parentcustomerid_value": account}])
    (told,) = plan(office, "--file", with_related(tmp_path), "--all")["shown"]
    after = {one["field"]: one["after"] for one in told["fields"]}
    assert (after["fax"], after["middleName"]) == ("Acme", "Female")


def test_a_file_that_is_not_active(office: Office, tmp_path: Path) -> None:
    office.synced("Ada", "Grace")
    told = plan(office, "--file", shorter(tmp_path), "--all")
    assert (told["version"], would(told), told["fields"]) == ("", {"update": 1, "leave": 1}, {"firstName": 1})
    (grace,) = told["shown"]
    assert grace["fields"] == [{"field": "firstName", "before": "Grace", "after": "Gra"}]


def test_a_mapping_that_is_new(office: Office) -> None:
    office.work(1)
    office.dynamics.seed([{"name": "Acme"}, {"name": "Bolt"}], table="account")
    told = plan(office, "--file", str(ACCOUNTS), "--all")
    assert (told["mapping"], would(told)) == ("accounts", {"create": 2})
    assert office.ask("mappings", "list")["mappings"][0]["mapping"] == "contacts"


def test_a_bad_file_is_refused(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("mapping: [")
    assert office.ask("mappings", "plan", "--file", str(file), code=1)["valid"] is False


def test_values_are_named_only_if_wanted(office: Office) -> None:
    (ada,) = office.synced("Ada")
    office.dynamics.edit(ada, {"firstname": "Augusta"})
    shown = office.sync("mappings", "plan", "--id", ada).stdout
    assert "firstName: 'Ada' → 'Augusta'" in shown
    assert "1 record: 1 updated" in shown
    assert "1 Campaign call, " in shown
    quiet = office.sync("mappings", "plan", "--id", ada, "--no-values").stdout
    assert "firstName" in quiet
    assert "Augusta" not in quiet
    assert "before" not in plan(office, "--id", ada, "--no-values")["shown"][0]["fields"][0]


def test_what_campaign_rewrites_is_no_change(office: Office) -> None:
    """Its data policies made `Ada` of `ada`; sending `ada` again with another name changes one field."""
    (ada,) = office.synced("ada")
    office.dynamics.edit(ada, {"lastname": "lovelace", "telephone1": "+1 (555) 0100"})
    office.work()
    assert office.profiles()[ada]["firstName"] == "Ada"
    office.dynamics.edit(ada, {"middlename": "King"})
    (told,) = plan(office, "--id", ada)["shown"]
    assert [one["field"] for one in told["fields"]] == ["middleName"]


def test_without_asking_campaign(office: Office) -> None:
    office.synced("Ada")
    office.contacts("New")
    since = len(office.campaign.log)
    assert would(plan(office, "--all", "--no-campaign")) == {"create": 1, "leave": 1}
    assert len(office.campaign.log) == since


def test_a_sample_is_no_larger_than_asked(office: Office) -> None:
    office.contacts(*(f"c{number}" for number in range(30)))
    office.work(1)
    assert plan(office, "--sample", "7")["records"] == 7
    assert plan(office, "--sample", "500")["records"] == 30
    assert office.ask("mappings", "plan", "--sample", "1", "--all", code=2)["error"]["code"] == "usage"


def test_deletes_above_the_brake_would_wait(office: Office) -> None:
    for record in office.synced("Ada", "Grace", "Hedy"):
        office.dynamics.delete(record)
    told = plan(office, "--all")
    assert (would(told), told["codes"]) == ({"delete": 1, "wait": 2}, {"delete_brake": 2})


def test_an_id_that_is_nowhere_is_left_alone(office: Office) -> None:
    office.work(1)
    told = plan(office, "--id", "3f2504e0-4f89-41d3-9a0c-0305e82c3301")
    assert (would(told), told["cost"]["calls"]) == ({"leave": 1}, 0)


@pytest.mark.parametrize("seed", range(6))
def test_what_was_planned_is_what_happens(office: Office, tmp_path: Path, seed: int) -> None:
    """Random records and edits, under the active version or a file: first planned, then applied."""
    office.environ["DELETE_BRAKE_MIN"] = "50"
    rng = random.Random(seed)
    ids = office.synced(*(rng.choice(("Ada", "Grace", "Hedwig")) + str(n) for n in range(8)))
    office.contacts(*(f"New{n}" for n in range(rng.randint(0, 3))))
    for record in rng.sample(ids, 5):
        act = rng.randrange(4)
        if act == 0:
            office.dynamics.edit(record, {"firstname": rng.choice(("Ada", "Edsger"))})
        elif act == 1:
            office.dynamics.edit(record, {"emailaddress1": rng.choice(("a@example.com", "bad"))})
        elif act == 2:
            office.dynamics.edit(record, {"jobtitle": "unmapped"})
        else:
            office.dynamics.delete(record)
    file = shorter(tmp_path) if seed % 2 else str(SHIPPED)
    told = plan(office, "--file", file, "--all", "--show", "100")
    expected = {one["id"]: one for one in told["shown"]}
    before = office.profiles()
    since = len(office.campaign.log)
    office.ask("mappings", "apply", file, "--yes", "--offline")
    office.work()
    calls = [e for e in office.campaign.log[since:] if e.note not in ("token", "metadata", "profile.get")]
    after = office.profiles()
    found: dict[str, str] = dict.fromkeys(before.keys() - after.keys(), "delete")
    found |= dict.fromkeys(after.keys() - before.keys(), "create")
    for id in before.keys() & after.keys():
        changed = {name for name in after[id] if before[id][name] != after[id][name]} - COMPUTED
        if changed:
            found[id] = "update"
            assert {one["field"] for one in expected[id]["fields"]} == changed
    quarantined = {id: "quarantine" for id, one in expected.items() if one["would"] == "quarantine"}
    assert {id: office.row(id).state for id in quarantined} == dict.fromkeys(quarantined, "quarantined")
    assert found | quarantined == {id: one["would"] for id, one in expected.items()}
    assert told["would"]["delete"] + len(calls) == told["cost"]["calls"]
