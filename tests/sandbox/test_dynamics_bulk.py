"""Bulk messages of the Dataverse look-alike, and preconditions inside $batch (dataverse.md 2.3, 2.4)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.dynamics.options import Application, RowCosts
from tests.sandbox.definitions import CRM, with_activity
from tests.sandbox.dynamics_instance import Organization

SENDS = "acs_emailsends"
TYPE = f"{CRM}acs_emailsend"


def row_id(number: int) -> str:
    return f"0a1b2c3d-0000-5000-8000-{number:012d}"


def targets(count: int, **more: Any) -> dict[str, Any]:
    return {
        "Targets": [
            {"@odata.type": TYPE, "activityid": row_id(n), "subject": str(n), **more} for n in range(count)
        ]
    }


def bulk(org: Organization, message: str, body: object) -> Any:
    return org.send("POST", f"{SENDS}/{CRM}{message}", body)


def refused(org: Organization, message: str, body: object) -> tuple[int, str]:
    return org.refused("POST", f"{SENDS}/{CRM}{message}", body)


def count(org: Organization) -> int:
    return len(org.get(f"{SENDS}?$select=subject")["value"])


def test_created_ids_come_in_the_order_of_the_targets() -> None:
    org = with_activity()
    body = targets(3)
    body["Targets"].reverse()
    answer = org.read(bulk(org, "CreateMultiple", body))
    assert answer["@odata.context"].endswith(f"#{CRM}CreateMultipleResponse")
    assert answer["Ids"] == [row_id(2), row_id(1), row_id(0)]
    assert [one["activityid"] for one in org.get(f"{SENDS}?$select=subject")["value"]] == [
        row_id(n) for n in range(3)
    ]


def test_one_duplicate_leaves_nothing_of_a_create() -> None:
    org = with_activity()
    assert org.send("POST", SENDS, {"activityid": row_id(2)}).status == 204
    assert refused(org, "CreateMultiple", targets(4)) == (412, "0x80040237")
    assert count(org) == 1
    twice = {"Targets": targets(1)["Targets"] * 2}
    assert (
        refused(org, "CreateMultiple", {"Targets": [{**twice["Targets"][0], "activityid": row_id(9)}] * 2})[0]
        == 412
    )
    assert count(org) == 1


def test_one_missing_row_leaves_nothing_of_an_update() -> None:
    org = with_activity()
    assert bulk(org, "CreateMultiple", targets(2)).status == 200
    answer = bulk(org, "UpdateMultiple", targets(3, acs_campaignname="A"))
    assert (answer.status, org.read(answer)["error"]["code"]) == (404, "0x80040217")
    assert org.read(answer)["error"]["message"] == f"acs_emailsend With Ids = {row_id(2)} Do Not Exist"
    assert {one["acs_campaignname"] for one in org.get(f"{SENDS}?$select=acs_campaignname")["value"]} == {
        None
    }
    assert bulk(org, "UpdateMultiple", targets(2, acs_campaignname="A")).status == 204
    assert {one["acs_campaignname"] for one in org.get(f"{SENDS}?$select=acs_campaignname")["value"]} == {"A"}


def test_of_one_row_twice_an_update_takes_the_first_and_an_upsert_refuses() -> None:
    org = with_activity()
    assert bulk(org, "CreateMultiple", targets(1)).status == 200
    first, second = ({**targets(1)["Targets"][0], "acs_campaignname": name} for name in "AB")
    assert bulk(org, "UpdateMultiple", {"Targets": [first, second]}).status == 204
    assert org.get(f"{SENDS}({row_id(0)})?$select=acs_campaignname")["acs_campaignname"] == "A"
    addressed = [{**one, "@odata.id": f"{SENDS}({row_id(0)})"} for one in (first, second)]
    assert refused(org, "UpsertMultiple", {"Targets": addressed})[0] == 412


def test_an_upsert_creates_and_updates_without_saying_which() -> None:
    org = with_activity()
    assert bulk(org, "CreateMultiple", targets(1)).status == 200
    body = {
        "Targets": [
            {"@odata.type": TYPE, "@odata.id": f"{SENDS}({row_id(n)})", "subject": "new"} for n in range(2)
        ]
    }
    answer = bulk(org, "UpsertMultiple", body)
    assert (answer.status, answer.body) == (204, b"")
    assert {one["subject"] for one in org.get(f"{SENDS}?$select=subject")["value"]} == {"new"}
    assert count(org) == 2
    assert refused(org, "UpsertMultiple", targets(1)) == (400, "0x80048d19")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"Targets": [{"subject": "x"}]}, "0x80048d19"),
        ({"Targets": [{"@odata.type": f"{CRM}task"}]}, "0x80048d19"),
        ({"Targets": []}, "0x80048d19"),
        ({"Targets": {}}, "0x80048d19"),
        ({}, "0x80048d19"),
        ([], "0x80048d19"),
        ({"Targets": [{"@odata.type": TYPE, "Subject": "x"}]}, "0x0"),
        ({"Targets": [{"@odata.type": TYPE, "subject": "x" * 201}]}, "0x80044331"),
    ],
)
def test_a_wrong_body_is_refused(body: object, code: str) -> None:
    assert refused(with_activity(), "CreateMultiple", body) == (400, code)


def probe(org: Organization, message: str, table: str) -> int:
    query = (
        "sdkmessagefilters?$select=sdkmessagefilterid&$filter=sdkmessageid/name%20eq%20@message%20and%20"
        f"primaryobjecttypecode%20eq%20@table&@message='{message}'&@table='{table}'"
    )
    return len(org.get(query)["value"])


def test_a_probe_says_which_tables_take_which_message() -> None:
    org = with_activity()
    assert probe(org, "CreateMultiple", "acs_emailsend") == probe(org, "UpdateMultiple", "contact") == 1
    assert probe(org, "UpsertMultiple", "contact") == probe(org, "CreateMultiple", "task") == 0
    without = with_activity(bulk_messages=False)
    assert probe(without, "CreateMultiple", "acs_emailsend") == 0
    assert refused(without, "CreateMultiple", targets(1)) == (404, "0x8006088a")
    assert refused(org, "DeleteMultiple", targets(1))[0] == 501
    assert org.refused("GET", "sdkmessagefilters?$select=sdkmessagefilterid")[0] == 501


def batch(
    org: Organization, parts: list[tuple[str, str, dict[str, str], object]], **headers: str
) -> tuple[int, list[int]]:
    """Status of the batch, and of each part."""
    text = ""
    for method, path, conditions, body in parts:
        lines = [f"{name}: {value}" for name, value in conditions.items()]
        text += "\r\n".join([
            "--b", "Content-Type: application/http", "Content-Transfer-Encoding: binary", "",
            f"{method} /api/data/v9.2/{path} HTTP/1.1", "Content-Type: application/json; type=entry", *lines, "",
            json.dumps(body), "",
        ])  # fmt: skip
    answer = org.send(
        "POST", "$batch", (text + "--b--\r\n").encode(), content_type="multipart/mixed; boundary=b", **headers
    )
    statuses = [
        int(line.split()[1]) for line in answer.body.decode().split("\r\n") if line.startswith("HTTP/1.1 ")
    ]
    return answer.status, statuses


def test_preconditions_hold_for_each_part_of_a_batch() -> None:
    org = with_activity()
    assert bulk(org, "CreateMultiple", targets(2)).status == 200
    org.service.delete(row_id(1), SENDS[:-1])
    new, old = {"If-None-Match": "*"}, {"If-Match": "*"}
    parts: list[tuple[str, str, dict[str, str], object]] = [
        ("PATCH", f"{SENDS}({row_id(0)})", new, {"subject": "again"}),
        ("PATCH", f"{SENDS}({row_id(1)})", old, {"subject": "gone"}),
        ("PATCH", f"{SENDS}({row_id(2)})", new, {"subject": "new"}),
        ("PATCH", f"{SENDS}({row_id(0)})", old, {"subject": "corrected"}),
    ]
    assert batch(org, parts, prefer="odata.continue-on-error") == (200, [412, 404, 204, 204])
    assert [one["subject"] for one in org.get(f"{SENDS}?$select=subject")["value"]] == ["corrected", "new"]
    assert batch(org, parts) == (400, [412])


def test_execution_time_is_charged_by_row_and_by_verb() -> None:
    org = with_activity(row_costs=RowCosts())
    answer = bulk(org, "CreateMultiple", targets(1000))
    assert answer.delay_s == pytest.approx(6.5)
    assert bulk(org, "UpdateMultiple", targets(100)).delay_s == pytest.approx(2.5)
    assert org.send("POST", SENDS, {}).delay_s == pytest.approx(0.05)
    left = org.send("GET", "WhoAmI").headers["x-ms-ratelimit-time-remaining-xrm-requests"]
    assert float(left.replace(",", "")) == pytest.approx(1200 - 9.05 - 0.15, abs=0.2)


def test_a_bulk_message_that_takes_too_long_times_out_and_leaves_nothing() -> None:
    org = with_activity(row_costs=RowCosts(create_multiple=1.0), longest_s=2.0)
    answer = bulk(org, "CreateMultiple", targets(3))
    assert (answer.status, org.read(answer)["error"]["code"], answer.delay_s) == (500, "0x80044151", 2.0)
    assert count(org) == 0
    assert bulk(org, "CreateMultiple", targets(2)).status == 200


def test_each_application_user_has_limits_of_its_own() -> None:
    second = Application("second", "second-secret", "11111111-2222-4333-8444-555555555555")
    org = with_activity(applications=(second,), request_limit=12)
    first_token = org.token
    while org.send("GET", "WhoAmI").status == 200:
        pass
    assert org.refused("GET", "WhoAmI") == (429, "0x80072322")
    org.token = str(
        org.read(org.ask_token(client_id="second", client_secret="second-secret"))["access_token"]
    )
    assert org.get("WhoAmI")["UserId"] == second.user_id
    made = org.send("POST", SENDS, {"activityid": row_id(1)})
    assert made.status == 204
    org.token = first_token
    org.time += 301
    shown = org.get(f"{SENDS}({row_id(1)})?$select=_createdby_value")
    assert shown["_createdby_value"] == second.user_id
