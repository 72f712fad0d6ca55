"""The scripting commands: what tests and demos do to the look-alike from outside."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.campaign_instance import EXT, Instance


@pytest.fixture
def campaign() -> Instance:
    return Instance()


def command(campaign: Instance, name: str, **arguments: Any) -> Any:
    """A command as it comes over HTTP: JSON in, JSON out."""
    result = campaign.service.command(name, json.loads(json.dumps(arguments)))
    return json.loads(json.dumps(result))


def test_seed_writes_raw_records_and_updates_known_ones(campaign: Instance) -> None:
    records = [
        {"externalId": "c-1", "email": "no address", "firstName": "ada" * 20},
        {"email": "b@example.com"},
    ]
    ids = command(campaign, "seed", records=records)["ids"]
    assert [row["PKey"] for row in command(campaign, "dump")["records"]] == ids
    assert command(campaign, "seed", records=[{"externalId": "c-1", "lastName": "B"}])["ids"] == ids[:1]
    assert command(campaign, "seed", records=[{"PKey": ids[1], "lastName": "C"}])["ids"] == ids[1:]
    first, second = command(campaign, "dump")["records"]
    assert (first["email"], first["firstName"], first["lastName"]) == ("no address", "ada" * 20, "B")
    assert (second["email"], second["lastName"]) == ("b@example.com", "C")


def test_edit_is_a_person_in_campaign(campaign: Instance) -> None:
    made = campaign.create(externalId="c-1", firstName="Ada")
    campaign.time += 10
    command(campaign, "edit", id="c-1", changes={"blackListEmail": True, "location": {"city": "Rome"}})
    command(campaign, "edit", id=made["PKey"], changes={"firstName": "Eve"})
    now = campaign.get(f"{EXT}/c-1")
    assert (now["firstName"], now["location"]["city"], now["blackListEmail"]) == ("Eve", "Rome", True)
    assert now["lastModified"] == now["blackListEmailLastModified"] == "2026-05-28 20:26:50.000Z"


def test_delete_by_either_id(campaign: Instance) -> None:
    pkey = campaign.create(externalId="c-1")["PKey"]
    campaign.create(externalId="c-2")
    assert command(campaign, "delete", id=pkey) == command(campaign, "delete", id="c-2") == {"deleted": 1}
    assert command(campaign, "dump")["records"] == []


def test_dump_shows_all_fields_without_links(campaign: Instance) -> None:
    made = campaign.create(externalId="c-1", location={"city": "Rome"})
    (dumped,) = command(campaign, "dump")["records"]
    assert dumped == {name: value for name, value in made.items() if name not in ("href", "subscriptions")}


def test_the_log_counts_calls_per_record(campaign: Instance) -> None:
    start = command(campaign, "log")["next"]
    pkey = campaign.create(externalId="c-1")["PKey"]
    campaign.send("PATCH", f"{EXT}/c-1", {"firstName": "A"})
    campaign.send("GET", f"{EXT}/{pkey}")
    campaign.send("GET", f"{EXT}/c-9")
    campaign.send("DELETE", f"{EXT}/{pkey}")
    campaign.send("GET", f"{EXT}/byText?text=a")
    campaign.send("GET", f"{EXT}/byEmail?email=a")
    campaign.send("GET", "/local/campaign/profileAndServicesExt/resourceType/profile")
    campaign.token()
    entries = command(campaign, "log", since=start)["entries"]
    assert [(entry["note"], entry["record"], entry["status"]) for entry in entries] == [
        ("profile.create", "c-1", 201),
        ("profile.update", "c-1", 200),
        ("profile.get", "c-1", 200),
        ("profile.get", "c-9", 404),
        ("profile.delete", "c-1", 200),
        ("profile.list", "", 200),
        ("profile.lookup", "", 200),
        ("metadata", "", 200),
        ("token", "", 200),
    ]
    assert command(campaign, "log", since=start + 9) == {"entries": [], "next": start + 9}


def test_a_lookup_by_filter_is_logged_with_its_id(campaign: Instance) -> None:
    command(campaign, "addressing", mode="filter")
    campaign.get(f"{EXT}/byExternalId?externalId_parameter=c-1")
    assert campaign.service.log[-1].note == "profile.lookup" and campaign.service.log[-1].record == "c-1"


def test_drop_after_applies_and_drop_before_does_not(campaign: Instance) -> None:
    command(campaign, "fault", kind="drop_after", method="POST", path="/profile")
    assert campaign.send("POST", EXT, {"externalId": "c-1"}).drop
    command(campaign, "fault", kind="drop_before", method="POST")
    assert campaign.send("POST", EXT, {"externalId": "c-2"}).drop
    assert [row["externalId"] for row in campaign.service.dump()] == ["c-1"]
    last = campaign.service.log[-1]
    assert (last.fault, last.note, last.record) == ("drop_before", "profile.create", "c-2")


def test_a_late_request_lands_in_its_turn(campaign: Instance) -> None:
    campaign.create(externalId="c-1")
    command(campaign, "fault", kind="lands_late", method="PATCH", delay_s=50)
    assert campaign.send("PATCH", f"{EXT}/c-1", {"firstName": "Late"}).drop
    campaign.time += 40
    campaign.send("PATCH", f"{EXT}/c-1", {"firstName": "Soon"})
    assert campaign.service.dump()[0]["firstName"] == "Soon"
    campaign.time += 20
    now = campaign.get(f"{EXT}/c-1")
    assert (now["firstName"], now["lastModified"]) == ("Late", "2026-05-28 20:27:30.000Z")
    for name, delay in (("Second", 20), ("First", 10)):
        command(campaign, "fault", kind="lands_late", method="PATCH", delay_s=delay)
        campaign.send("PATCH", f"{EXT}/c-1", {"firstName": name})
    campaign.time += 30
    assert campaign.service.dump()[0]["firstName"] == "Second"
    command(campaign, "fault", kind="lands_late", method="POST", delay_s=50)
    campaign.send("POST", EXT, {"externalId": "c-2"})
    command(campaign, "reset")
    campaign.time += 60
    assert campaign.service.dump() == []


def test_faults_hit_the_matching_request_so_many_times(campaign: Instance) -> None:
    command(campaign, "fault", kind="status", method="GET", path="/c-1$", status=503, times=2, after=1)
    campaign.create(externalId="c-1")
    assert [campaign.send("GET", f"{EXT}/c-1").status for _ in range(4)] == [200, 503, 503, 200]
    assert command(campaign, "clear_faults") == {"faults": [{"kind": "status", "fired": 2}]}


def test_garbage_and_delay(campaign: Instance) -> None:
    command(campaign, "fault", kind="garbage", method="POST")
    answer = campaign.send("POST", EXT, {"externalId": "c-1"})
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html")
    command(campaign, "fault", kind="delay", delay_s=3.5)
    assert campaign.send("GET", f"{EXT}/c-1").delay_s == 3.5


def test_the_clock_moves_and_jumps(campaign: Instance) -> None:
    command(campaign, "clock", advance_s=60)
    assert campaign.create()["created"] == "2026-05-28 20:27:40.000Z"
    assert command(campaign, "clock", set=1_790_000_000) == {"now": 1_790_000_000}


def test_reset_empties_and_makes_new_keys(campaign: Instance) -> None:
    before = campaign.create(externalId="c-1")["PKey"]
    command(campaign, "reset")
    assert campaign.send("GET", EXT).status == 401
    assert len(campaign.service.log) == 1 and campaign.service.dump() == []
    campaign.headers["authorization"] = f"Bearer {campaign.token()}"
    assert campaign.create(externalId="c-1")["PKey"] != before


def test_rekey_keeps_records_under_other_pkeys(campaign: Instance) -> None:
    made = campaign.create(externalId="c-1", firstName="Ada")
    command(campaign, "rekey")
    assert campaign.refused("GET", f"{EXT}/{made['PKey']}")[0] == 404
    now = campaign.get(f"{EXT}/c-1")
    assert now["firstName"] == "Ada" and now["PKey"] != made["PKey"]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("seed", {"records": [{"colour": "red"}]}),
        ("edit", {"id": "c-9", "changes": {}}),
        ("delete", {"id": "@AAAAAAAAAAAAAAAAAAAA"}),
        ("addressing", {"mode": "both"}),
        ("fault", {"kind": "explode"}),
        ("unique", {"field": "colour"}),
        ("policies", {"firstName": "shout"}),
    ],
)
def test_bad_arguments_are_an_error_not_a_surprise(
    campaign: Instance, name: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        command(campaign, name, **arguments)


def test_an_unknown_command_is_a_key_error(campaign: Instance) -> None:
    with pytest.raises(KeyError):
        command(campaign, "explode")


def test_change_metadata_removes_a_field_makes_it_read_only_and_puts_it_back(campaign: Instance) -> None:
    campaign.create(externalId="c-1", fax="1")
    described = f"{EXT.removesuffix('profile')}resourceType/profile"
    command(campaign, "change_metadata", remove_field="fax")
    assert "fax" not in campaign.get(described)["content"]
    assert "fax" not in campaign.get(f"{EXT}/c-1")
    assert "'fax' property is not valid" in campaign.send("PATCH", f"{EXT}/c-1", {"fax": "2"}).body.decode()
    command(campaign, "change_metadata", read_only_field="fax")
    assert campaign.get(described)["content"]["fax"]["readOnly"] is True
    command(campaign, "change_metadata", restore_field="fax")
    assert campaign.get(f"{EXT}/c-1")["fax"] == "1"
    assert campaign.get(described)["content"]["fax"]["readOnly"] is False
    command(campaign, "change_metadata", withdraw=True)
    assert campaign.send("GET", f"{EXT}/c-1").status == 404
    command(campaign, "change_metadata", withdraw=False)
    assert campaign.get(f"{EXT}/c-1")["fax"] == "1"
    with pytest.raises(ValueError, match="no such field"):
        command(campaign, "change_metadata", remove_field="nothing")
