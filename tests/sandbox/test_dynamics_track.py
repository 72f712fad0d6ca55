"""Change tracking (dataverse.md 1)."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.sandbox.dynamics_instance import ORIGIN, Organization

TRACK = "odata.track-changes"


def test_a_full_read_answers_as_documented() -> None:
    org = Organization()
    (row_id,) = org.seed(1)
    answer = org.send("GET", "contacts?$select=lastname,birthdate", prefer=TRACK)
    page = org.read(answer)
    assert answer.headers["preference-applied"] == TRACK
    assert list(page) == ["@odata.context", "@odata.deltaLink", "value"]
    assert page["@odata.context"] == f"{ORIGIN}/api/data/v9.2/$metadata#contacts(lastname,birthdate)"
    assert re.fullmatch(
        r"https://org\.test/api/data/v9\.2/contacts\?\$select=lastname,birthdate"
        r"&\$deltatoken=\d+%2105%2f28%2f2026%2020%3a26%3a40",
        page["@odata.deltaLink"],
    )
    (row,) = page["value"]
    assert list(row) == ["@odata.etag", "lastname", "birthdate", "contactid"]
    assert (row["contactid"], row["birthdate"]) == (row_id, None)


def test_the_delta_link_is_on_the_last_page_only_and_next_links_carry_a_tracking_cookie() -> None:
    org = Organization()
    ids = org.seed(5)
    first = org.get("contacts?$select=lastname", prefer=f"odata.maxpagesize=2,{TRACK}")
    assert len(first["value"]) == 2
    assert "istracking=%22True%22" in first["@odata.nextLink"]
    assert "pagingcookie=%22%253ccookie" in first["@odata.nextLink"]
    rows, _ = org.full(size=2)
    assert [row["contactid"] for row in rows] == sorted(ids)


def test_a_delta_shows_each_row_once_with_current_values_then_deletions() -> None:
    org = Organization()
    ids = org.seed(4)
    _, link = org.full()
    org.service.edit(ids[0], {"lastname": "Older"})
    org.service.edit(ids[1], {"lastname": "B"})
    org.service.edit(ids[0], {"lastname": "A"})
    org.service.delete(ids[2])
    page = org.get(link)
    assert page["@odata.context"].endswith("#contacts(lastname)/$delta")
    assert [(row.get("lastname"), row.get("id")) for row in page["value"]] == [
        ("B", None),
        ("A", None),
        (None, ids[2]),
    ]
    assert page["value"][2] == {
        "@odata.context": f"{ORIGIN}/api/data/v9.2/$metadata#contacts/$deletedEntity",
        "id": ids[2],
        "reason": "deleted",
    }
    assert org.get(page["@odata.deltaLink"])["value"] == []


def test_a_delta_pages_across_rows_and_deletions_and_ignores_later_changes() -> None:
    org = Organization()
    ids = org.seed(6)
    _, link = org.full()
    for row_id in ids[:3]:
        org.service.edit(row_id, {"lastname": "x"})
    for row_id in ids[3:]:
        org.service.delete(row_id)
    first = org.get(link, prefer="odata.maxpagesize=2")
    org.service.edit(ids[2], {"lastname": "later"})
    rest, new_link = org.follow(first["@odata.nextLink"], 2)
    seen = [entry.get("contactid") or entry["id"] for entry in first["value"] + rest]
    assert seen == [ids[0], ids[1], ids[3], ids[4], ids[5]]
    assert [row["lastname"] for row in org.get(new_link)["value"]] == ["later"]


def test_created_and_deleted_between_two_polls_is_still_a_deletion() -> None:
    org = Organization()
    _, link = org.full()
    (row_id,) = org.seed(1)
    org.service.delete(row_id)
    assert [entry["id"] for entry in org.get(link)["value"]] == [row_id]


@pytest.mark.parametrize(("recreated", "reasons"), [("both", [None, "deleted"]), ("row", [None])])
def test_deleted_and_created_again(recreated: str, reasons: list[str | None]) -> None:
    org = Organization()
    (row_id,) = org.seed(1)
    org.service.command("recreated", {"show": recreated})
    _, link = org.full()
    org.service.delete(row_id)
    org.service.command("restore", {"id": row_id, "record": {"lastname": "Again"}})
    assert [entry.get("reason") for entry in org.get(link)["value"]] == reasons


def test_a_full_read_reports_no_deletions() -> None:
    org = Organization()
    ids = org.seed(2)
    org.service.delete(ids[0])
    rows, _ = org.full()
    assert [row["contactid"] for row in rows] == [ids[1]]


@pytest.mark.parametrize(("anchor", "found"), [("first", {"edited", "new"}), ("last", set())])
def test_the_anchor_decides_whether_the_delta_brings_what_happened_during_a_full_read(
    anchor: str, found: set[str]
) -> None:
    org = Organization()
    ids = sorted(org.seed(4))
    org.service.command("anchor", {"at": anchor})
    first = org.get("contacts?$select=lastname", prefer=f"{TRACK},odata.maxpagesize=2")
    org.service.edit(ids[0], {"lastname": "edited"})
    org.service.restore("00000000-0000-0000-0000-000000000001", {"lastname": "new"})
    rest, link = org.follow(first["@odata.nextLink"], 2)
    assert {row["lastname"] for row in first["value"] + rest}.isdisjoint({"edited", "new"})
    assert {row["lastname"] for row in org.get(link)["value"]} == found


def test_a_row_edited_ahead_of_the_cursor_shows_its_newest_values() -> None:
    org = Organization()
    ids = sorted(org.seed(4))
    first = org.get("contacts?$select=lastname", prefer=f"{TRACK},odata.maxpagesize=2")
    org.service.edit(ids[3], {"lastname": "newest"})
    rest, _ = org.follow(first["@odata.nextLink"], 2)
    assert rest[-1]["lastname"] == "newest"


@pytest.mark.parametrize(
    "option", ["$filter=statecode%20eq%200", "$orderby=lastname", "$top=1", "$expand=ownerid"]
)
def test_options_refused_while_tracking(option: str) -> None:
    org = Organization()
    answer = org.send("GET", f"contacts?{option}", prefer=TRACK)
    assert answer.status == 400
    name = option[1:].partition("=")[0]
    wanted = f'The "${{{name}}}" query parameter isn\'t supported when Change Tracking is enabled.'
    assert org.read(answer)["error"]["message"] == wanted


def test_count_of_changes() -> None:
    org = Organization()
    ids = org.seed(3)
    _, link = org.full()
    org.service.edit(ids[0], {})
    org.service.delete(ids[1])
    answer = org.send("GET", "contacts/$count?" + link.partition("&")[2])
    assert answer.body.decode("utf-8-sig") == "2"


EXPIRED = (400, "0x80044352")


def test_a_token_lives_as_long_as_the_organization_says() -> None:
    org = Organization()
    _, link = org.full()
    (row,) = org.get("organizations?$select=expirechangetrackingindays")["value"]
    assert row["expirechangetrackingindays"] == 7
    org.time += 7 * 86400
    org.token = org.read(org.ask_token())["access_token"]
    assert org.send("GET", link).status == 200
    org.time += 1
    assert org.refused("GET", link) == EXPIRED


def test_expired_by_command_also_in_the_middle_of_a_delta() -> None:
    org = Organization()
    ids = org.seed(3)
    _, link = org.full()
    for row_id in ids:
        org.service.edit(row_id, {})
    first = org.get(link, prefer="odata.maxpagesize=2")
    org.service.command("expire_token", {})
    assert org.refused("GET", link) == EXPIRED
    assert org.refused("GET", first["@odata.nextLink"]) == EXPIRED
    _, fresh = org.full()
    assert org.get(fresh)["value"] == []


def test_a_metadata_change_expires_tokens_and_a_removed_column_is_unknown() -> None:
    org = Organization()
    _, link = org.full()
    _, link_with_fax = org.full(select="fax")
    org.service.command("change_metadata", {"remove_column": "fax"})
    assert org.refused("GET", link) == EXPIRED
    assert org.refused("GET", link_with_fax) == (400, "0x0")
    assert org.refused("GET", "contacts?$select=fax", prefer=TRACK) == (400, "0x0")
    org.service.command(
        "change_metadata", {"add_column": {"name": "new_tier", "type": "String", "max_length": 5}}
    )
    rows, _ = org.full(select="new_tier")
    assert rows == []


@pytest.mark.parametrize(
    "token", ["nonsense", "99999999!05%2f28%2f2026%2020%3a26%3a40", "1!13%2f40%2f2026%2020%3a26%3a40"]
)
def test_a_token_of_somebody_else_is_invalid(token: str) -> None:
    assert Organization().refused("GET", f"contacts?$deltatoken={token}") == (400, "0x80044183")


def test_tracking_off() -> None:
    org = Organization()
    _, link = org.full()
    org.service.command("tracking", {"enabled": False})
    assert org.refused("GET", "contacts", prefer=TRACK) == (400, "0x80072491")
    assert org.refused("GET", link) == (400, "0x80072491")


def test_tracking_needs_global_read() -> None:
    org = Organization()
    org.seed(1)
    _, link = org.full()
    org.service.command("privileges", {"prvReadContact": "Local"})
    assert org.refused("GET", link) == (403, "0x80040220")
    assert org.get("contacts")["value"] == []  # the user owns none of them
    org.service.command("privileges", {"prvReadContact": None})
    assert org.refused("GET", "contacts") == (403, "0x80040220")


def test_a_next_link_must_come_back_unchanged() -> None:
    org = Organization()
    org.seed(3)
    link = org.get("contacts?$select=lastname", prefer=f"{TRACK},odata.maxpagesize=2")["@odata.nextLink"]
    assert org.refused("GET", link.replace("lastname", "firstname"))[0] == 400
    assert org.refused("GET", link.replace("%222%22", "%223%22", 1))[0] == 400


def test_the_version_log_is_swept_and_loses_nothing() -> None:
    org = Organization(replace(Organization().options, limits=False))
    ids = org.seed(3000)
    _, link = org.full()
    for row_id in ids * 3:
        org.service.edit(row_id, {"jobtitle": "x"})
    store = org.service.organization.tables["contact"]
    assert len(store._log) < 3 * len(ids)  # litter is swept
    entries, _ = org.follow(link, 700)
    assert [entry["contactid"] for entry in entries] == ids
