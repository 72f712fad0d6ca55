"""`setup dynamics`: shows, does, is there; broken off anywhere it can be run again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox.dynamics.options import DynamicsOptions
from sandbox.wire import Fault
from sync.errors import SyncError
from sync.settings import Settings
from tests.cli.office import Office, run

EVENTS = Path(__file__).parents[2] / "mappings" / "events.yaml"
TABLES = ("acs_emailsend", "acs_emailopen", "acs_emailclick", "acs_emailbounce")
ROLE = "Adobe Campaign Sync"


def writes(office: Office) -> list[str]:
    return [e.note for e in office.dynamics.log if e.method != "GET" and e.note != "token" and e.status < 300]


def state(office: Office) -> dict[str, Any]:
    """What set-up leaves behind, without generated ids."""
    organization = office.dynamics.organization
    tables = {
        name: sorted(organization.tables[name].table.columns)
        for name in TABLES
        if name in organization.tables
    }
    return {
        "tables": tables,
        "publishers": sorted(row["uniquename"] for row in organization.tables["publisher"].rows.values()),
        "solutions": sorted(row["uniquename"] for row in organization.tables["solution"].rows.values()),
        "components": len(organization.tables["solutioncomponent"].rows),
        "roles": [sorted(held.items()) for held in organization.catalogue.roles.values()],
        "unpublished": organization.catalogue.unpublished,
    }


def ready(**options: Any) -> Office:
    office = Office(dynamics_options=DynamicsOptions(**options))
    office.ask("setup", "dynamics", "--yes")
    return office


def test_a_plan_names_every_step_and_does_nothing() -> None:
    office = Office()
    told = office.ask("setup", "dynamics", "--plan")
    kinds = [step["step"] for step in told["steps"]]
    assert kinds[:3] == ["publisher", "solution", "table"]
    assert kinds[-5:] == ["role", "privileges", "in_solution", "publish", "note"]
    assert (kinds.count("table"), told["done"], told["obstacles"]) == (4, 0, [])
    assert writes(office) == []
    shown = office.sync("setup", "dynamics", "--plan").stdout
    assert "  create activity table acs_emailclick (Adobe Campaign Email URL Click)\n" in shown
    assert "  create column acs_emailclick.acs_trackingurl (Tracking URL: url, 2000 characters)\n" in shown


def test_what_was_planned_is_done_and_a_second_run_writes_nothing() -> None:
    office = Office()
    planned = office.ask("setup", "dynamics", "--plan")
    told = office.ask("setup", "dynamics", "--yes")
    assert told["done"] == len(planned["steps"]) == len(told["steps"])
    found = state(office)
    assert set(found["tables"]) == set(TABLES)
    assert {"acs_datesent", "acs_datebounced", "acs_opencount"} <= set(found["tables"]["acs_emailsend"])
    assert found["components"] == 5
    assert found["unpublished"] == set()
    before = len(writes(office))
    assert office.ask("setup", "dynamics", "--yes")["steps"] == []
    assert len(writes(office)) == before
    assert "Everything is there: 4 tables" in office.sync("setup", "dynamics").stdout


def test_a_person_is_asked_first() -> None:
    office = Office()
    result = office.sync("setup", "dynamics", typed="n\n")
    assert result.exit_code == 1
    assert writes(office) == []
    assert office.ask("setup", "dynamics", code=2)["error"]["code"] == "usage"
    result = office.sync("setup", "dynamics", typed="y\n")
    assert result.exit_code == 0
    assert "docs/dynamics-setup.md" in result.stdout


COUNT = len(writes(ready()))
"""Writes of a whole set-up; the last one is the only PATCH."""
API = r"/api/data/v9\.2/"


@pytest.mark.parametrize("after", [*range(0, COUNT - 3, 4), COUNT - 3, COUNT - 2, COUNT - 1])
def test_a_run_that_is_refused_from_some_write_on_can_be_run_again(after: int) -> None:
    office = Office()
    body = '{"error":{"code":"0x80040203","message":"no"}}'
    for method, passes in (("POST", after), ("PATCH", 0)):
        office.dynamics.add_fault(
            kind="status", method=method, path=API, status=400, body=body, times=-1, after=passes
        )
    told = office.ask("setup", "dynamics", "--yes", code=1)
    assert told["error"]["code"] == "dynamics_refused"
    assert len(writes(office)) == after
    office.dynamics.clear_faults()
    assert office.ask("setup", "dynamics", "--plan")["steps"]
    assert office.ask("setup", "dynamics", "--yes")["ok"]
    assert state(office) == state(ready())
    assert office.ask("setup", "dynamics", "--plan")["steps"] == []


@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
@pytest.mark.parametrize("after", [*range(0, COUNT - 3, 4), COUNT - 3, COUNT - 2, COUNT - 1])
def test_a_lost_answer_is_settled_by_looking_again(after: int, kind: str) -> None:
    office = Office()
    method, passes = ("POST", after) if after < COUNT - 1 else ("PATCH", 0)
    fault = Fault(kind, method, API, after=passes)
    office.dynamics.faults.add(fault)
    assert office.ask("setup", "dynamics", "--yes")["ok"]
    assert fault.fired == 1
    assert state(office) == state(ready())
    assert office.ask("setup", "dynamics", "--plan")["steps"] == []


def test_customizations_of_others_are_waited_for() -> None:
    assert state(ready(customization_s=25.0)) == state(ready())


def test_the_role_is_enough_to_write_activities_and_too_little_to_customize() -> None:
    office = ready()
    held = office.dynamics.assume(ROLE)
    assert {"prvReadContact", "prvCreateActivity", "prvWriteActivity", "prvAppendToContact"} <= set(held)
    assert not {"prvDeleteActivity", "prvWriteContact", "prvDeleteContact", "prvCreateContact"} & set(held)
    told = office.ask("setup", "dynamics", "--events", str(EVENTS), "--consent", "--yes", code=1)
    assert told["error"]["code"] == "dynamics_forbidden"


def test_consent_and_retention_ask_for_more(tmp_path: Path) -> None:
    office = ready()
    file = tmp_path / "events.yaml"
    file.write_text(EVENTS.read_text().replace("retention_months: 0", "retention_months: 13"))
    office.ask("setup", "dynamics", "--consent", "--events", str(file), "--yes")
    assert {"prvDeleteActivity", "prvWriteContact"} <= set(office.dynamics.assume(ROLE))


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("table: acs_emailopen", "table: adobe_emailopen", "table adobe_emailopen does not exist"),
        ("table: acs_emailopen", "table: contact", "is no activity table"),
        ("date_opened: acs_dateopened", "date_opened: adobe_opened", "column acs_emailopen.adobe_opened does not exist"),
        ("date_opened: acs_dateopened", "date_opened: subject", "is of type String, date_opened needs DateTime"),
        ("tracking_url: acs_trackingurl", "tracking_url: {name: acs_trackingurl, length: 3000}", "holds 2000 characters"),
        ("entity_set: acs_emailopens", "entity_set: acs_opens", "the entity set of acs_emailopen is acs_emailopens"),
        ("prefix: acs", "prefix: acsx", "exists with the prefix acs"),
    ],
)  # fmt: skip
def test_what_is_in_the_way_is_told_before_anything_is_done(
    tmp_path: Path, old: str, new: str, what: str
) -> None:
    office = ready()
    before = len(writes(office))
    file = tmp_path / "events.yaml"
    text = EVENTS.read_text()
    head, _, tail = text.partition("  open:") if "opened" in old else ("", "", text)
    file.write_text(head + ("  open:" if head else "") + tail.replace(old, new, 1))
    told = office.ask("setup", "dynamics", "--events", str(file), "--yes", code=1)
    assert any(what in one["what"] for one in told["obstacles"]), told["obstacles"]
    assert all(one["fix"] for one in told["obstacles"])
    assert len(writes(office)) == before


def test_a_missing_or_broken_file_is_told(tmp_path: Path) -> None:
    office = Office()
    assert (
        office.ask("setup", "dynamics", "--events", str(tmp_path / "no.yaml"), code=2)["error"]["code"]
        == "usage"
    )
    file = tmp_path / "events.yaml"
    file.write_text("events: email\n")
    told = office.ask("setup", "dynamics", "--events", str(file), code=1)
    assert told["error"]["code"] == "mapping_invalid"


def test_a_table_that_was_there_before_is_used_and_filled_up(tmp_path: Path) -> None:
    """Adobe's own table: kept, a column that lacks and has our prefix is added."""
    office = Office()
    office.dynamics.activity_table("adobe_open", [
        {"name": "adobe_campaign"}, {"name": "adobe_delivery"}, {"name": "adobe_when", "type": "DateTime"},
    ])  # fmt: skip
    head, mark, tail = EVENTS.read_text().partition("  open:")
    for old, new in (
        ("acs_emailopens", "adobe_opens"), ("acs_emailopen", "adobe_open"),
        ("campaign_name: acs_campaignname", "campaign_name: {name: adobe_campaign, length: 100}"),
        ("delivery_name: acs_deliveryname", "delivery_name: {name: adobe_delivery, length: 100}"),
        ("date_opened: acs_dateopened", "date_opened: adobe_when"),
    ):  # fmt: skip
        tail = tail.replace(old, new, 1)
    file = tmp_path / "events.yaml"
    file.write_text(head + mark + tail)
    told = office.ask("setup", "dynamics", "--events", str(file), "--yes")
    about = [step["what"] for step in told["steps"] if "adobe_open" in step["what"]]
    assert about[0].startswith("create column adobe_open.acs_mirrorpageurl")
    assert [what for what in about if what.startswith("create activity table")] == []
    assert "acs_mirrorpageurl" in office.dynamics.organization.tables["adobe_open"].table.columns


def test_with_the_role_alone_activities_are_written_and_contacts_are_read() -> None:
    office = ready()
    contact = office.contacts("Ada")[0]
    office.dynamics.assume(ROLE)
    client = office.compose(Settings.load(office.environ), office.clock).context.dynamics
    activity = "0a1b2c3d-0000-5000-8000-000000000001"
    target = {
        "@odata.type": "Microsoft.Dynamics.CRM.acs_emailsend",
        "activityid": activity,
        "regardingobjectid_contact_acs_emailsend@odata.bind": f"/contacts({contact})",
    }
    bulk = "acs_emailsends/Microsoft.Dynamics.CRM."
    run(client.write("POST", f"{bulk}CreateMultiple", {"Targets": [target]}))
    run(
        client.write(
            "PATCH", f"acs_emailsends({activity})", {"statecode": 1, "statuscode": 2}, {"If-Match": "*"}
        )
    )
    run(client.write("POST", "tasks", {"regardingobjectid_contact_task@odata.bind": f"/contacts({contact})"}))
    run(client.prove_global_read("contacts", "contactid"))
    with pytest.raises(SyncError) as refused:
        run(client.write("PATCH", f"contacts({contact})", {"lastname": "x"}))
    assert refused.value.code == "dynamics_forbidden"
