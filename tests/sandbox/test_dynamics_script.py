"""Scripting and faults of the Dataverse look-alike."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.dynamics_instance import Organization

TRACK = "odata.track-changes,odata.maxpagesize=2"


def test_seed_upserts_and_takes_read_only_columns() -> None:
    org = Organization()
    record = {"lastname": "A", "createdon": "2020-01-02T03:04:05Z", "statecode": 1, "statuscode": 2}
    (row_id,) = org.service.command("seed", {"records": [record]})
    org.service.command("seed", {"records": [{"contactid": row_id, "firstname": "B"}]})
    (row,) = org.service.command("dump", {})["records"]
    assert (row["fullname"], row["createdon"], row["statecode"]) == ("B A", "2020-01-02T03:04:05Z", 1)


def test_a_dump_can_be_seeded_again() -> None:
    org = Organization()
    org.seed(3)
    org.service.edit(
        org.service.dump()["records"][0]["contactid"], {"creditlimit": 3, "birthdate": "1999-01-01"}
    )
    records = org.service.dump()["records"]
    other = Organization()
    other.service.seed(records)
    without_version = [{k: v for k, v in record.items() if k != "versionnumber"} for record in records]
    again = [
        {k: v for k, v in record.items() if k != "versionnumber"}
        for record in other.service.dump()["records"]
    ]
    assert again == without_version


def test_merge() -> None:
    org = Organization()
    winner, loser = org.seed(2)
    _, link = org.full(select="merged,statecode,_masterid_value")
    org.service.command("merge", {"winner": winner, "loser": loser})
    entries = org.get(link)["value"]
    assert [
        (row["contactid"], row["merged"], row["statecode"], row["_masterid_value"]) for row in entries
    ] == [
        (loser, True, 1, winner),
        (winner, False, 0, None),
    ]


def test_deactivate() -> None:
    org = Organization()
    (row_id,) = org.seed(1)
    org.service.command("deactivate", {"id": row_id})
    row = org.get(f"contacts({row_id})")
    assert (row["statecode"], row["statuscode"]) == (1, 2)


def test_the_clock_moves() -> None:
    org = Organization()
    assert org.service.command("clock", {"advance_s": 60}) == org.time + 60
    assert org.service.command("clock", {"set": 1_000_000}) == 1_000_000
    org.time += 1
    assert org.service.now() == 1_000_001


def test_reset() -> None:
    org = Organization()
    org.seed(2)
    org.service.command("reset", {})
    assert (org.service.dump(), org.service.log) == ({"records": []}, [])
    assert org.send("GET", "WhoAmI").status == 401


def test_unknown_commands_and_arguments() -> None:
    service = Organization().service
    with pytest.raises(KeyError):
        service.command("handle", {})
    with pytest.raises(TypeError):
        service.command("seed", {"rows": []})
    with pytest.raises(ValueError):
        service.command("anchor", {"at": "middle"})


def test_the_log_says_what_was_done_to_whom() -> None:
    org = Organization()
    (row_id,) = org.seed(1)
    _, link = org.full()
    org.get(link)
    org.get("contacts")
    org.get(f"contacts({row_id})")
    org.send("PATCH", f"contacts({row_id})", {})
    org.send("DELETE", f"contacts({row_id})")
    log = org.service.command("log", {"since": 0})
    assert [entry["note"] for entry in log["entries"]] == [
        "token", "contacts.full", "contacts.delta", "contacts.page", "contacts.read", "contacts.update",
        "contacts.delete",
    ]  # fmt: skip
    assert [entry["record"] for entry in log["entries"][4:]] == [row_id] * 3
    assert org.service.command("log", {"since": log["next"]})["entries"] == []


def test_a_truncated_page() -> None:
    org = Organization()
    org.seed(3)
    org.service.command("fault", {"kind": "truncate_page", "path": "contacts"})
    answer = org.send("GET", "contacts", prefer=TRACK)
    assert answer.status == 200
    with pytest.raises(ValueError):
        json.loads(answer.body)
    assert org.service.log[-1].fault == "truncate_page"
    assert len(org.full()[0]) == 3


@pytest.mark.parametrize("kind", ["repeat_page", "page_twice"])
@pytest.mark.parametrize("size", [2, 5])
def test_a_repeated_page_is_served_twice_and_then_goes_on(size: int, kind: str) -> None:
    org = Organization()
    ids = sorted(org.seed(5))
    org.service.command("fault", {"kind": kind, "path": "contacts"})
    rows, link = org.follow("contacts?$select=lastname", size, "odata.track-changes")
    assert [row["contactid"] for row in rows] == ids[:size] + ids
    assert "deltatoken" in link


@pytest.mark.parametrize("prefer", ["odata.track-changes,odata.maxpagesize=2", "odata.maxpagesize=2"])
@pytest.mark.parametrize(("kind", "same"), [("repeat_page", True), ("page_twice", False)])
def test_a_repeated_later_page_names_itself_or_a_new_link_to_the_same_rows(
    kind: str, same: bool, prefer: str
) -> None:
    org = Organization()
    ids = sorted(org.seed(5))
    second = org.get("contacts?$select=lastname", prefer=prefer)["@odata.nextLink"]
    org.service.command("fault", {"kind": kind, "path": "contacts"})
    again = org.get(second, prefer="odata.maxpagesize=2")["@odata.nextLink"]
    assert (again == second) is same
    page = org.get(again, prefer="odata.maxpagesize=2")
    assert [row["contactid"] for row in page["value"]] == ids[2:4]
    assert page["@odata.nextLink"] not in (second, again)


def test_a_repeated_untracked_last_page() -> None:
    org = Organization()
    org.seed(1)
    org.service.command("fault", {"kind": "repeat_page", "path": "contacts"})
    link = org.get("contacts?$select=lastname")["@odata.nextLink"]
    assert "@odata.nextLink" not in org.get(link)


def test_applied_then_dropped() -> None:
    org = Organization()
    (row_id,) = org.seed(1)
    org.service.command("fault", {"kind": "drop_after", "method": "PATCH"})
    assert org.send("PATCH", f"contacts({row_id})", {"lastname": "applied"}).drop
    assert org.get(f"contacts({row_id})")["lastname"] == "applied"


def test_same_calls_same_answers() -> None:
    def play() -> list[bytes]:
        org = Organization()
        org.seed(3)
        org.send("POST", "contacts", {"lastname": "x"})
        _, link = org.full(size=2)
        return [org.send("GET", target).body for target in (link, "contacts", "WhoAmI")]

    assert play() == play()


def test_in_a_merge_what_points_to_the_loser_points_to_the_winner() -> None:
    org = Organization()
    winner, loser = org.seed(2)
    rows = org.service.organization.tables["cr_order"]
    order = org.service.organization.create(
        rows, {"_cr_contactid_value": loser}, org.service.organization.new_id()
    )
    key, before = order["cr_orderid"], order["versionnumber"]
    org.service.merge(winner, loser)
    assert rows.rows[key]["_cr_contactid_value"] == winner
    assert rows.rows[key]["versionnumber"] > before
