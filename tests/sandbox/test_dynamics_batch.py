"""`$batch` (dataverse.md 2.4)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.wire import Response
from tests.sandbox.dynamics_instance import ORIGIN, Organization

BASE = f"{ORIGIN}/api/data/v9.2/"


def operation(line: str, body: object = None, content_id: str = "") -> str:
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if content_id:
        lines.append(f"Content-ID: {content_id}")
    lines += ["", f"{line} HTTP/1.1", "Content-Type: application/json; type=entry", ""]
    return "\r\n".join([*lines, "" if body is None else json.dumps(body)])


def multipart(parts: list[str], boundary: str) -> str:
    return "".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--\r\n"


def change_set(parts: list[str]) -> str:
    return "Content-Type: multipart/mixed; boundary=changeset_1\r\n\r\n" + multipart(parts, "changeset_1")


def send(org: Organization, parts: list[str], **headers: str) -> Response:
    return send_raw(org, multipart(parts, "batch_1"), **headers)


def send_raw(org: Organization, body: str, **headers: str) -> Response:
    return org.send(
        "POST", "$batch", body.encode(), content_type='multipart/mixed; boundary="batch_1"', **headers
    )


def statuses(answer: Response) -> list[int]:
    lines = answer.body.decode().split("\r\n")
    return [int(line.split()[1]) for line in lines if line.startswith("HTTP/1.1")]


def names(org: Organization) -> list[Any]:
    return sorted(record["lastname"] for record in org.service.dump()["records"])


def test_operations_run_in_order_and_answer_in_order() -> None:
    org = Organization()
    (row_id,) = org.seed(1)
    answer = send(
        org,
        [
            operation(f"PATCH {BASE}contacts({row_id})", {"lastname": "Changed"}),
            operation(f"GET /api/data/v9.2/contacts({row_id})?$select=lastname"),
            operation("POST /api/data/v9.2/contacts", {"lastname": "New"}),
        ],
    )
    assert (answer.status, statuses(answer)) == (200, [204, 200, 204])
    boundary = answer.headers["content-type"].partition("boundary=")[2]
    assert boundary.startswith("batchresponse_")
    assert answer.body.endswith(f"\r\n--{boundary}--\r\n".encode())
    text = answer.body.decode()
    assert '"lastname":"Changed"' in text
    assert f"OData-EntityId: {BASE}contacts(" in text and "Location: " in text
    assert names(org) == ["Changed", "New"]


def test_the_first_error_stops_and_is_answered_alone() -> None:
    org = Organization()
    parts = [
        operation(f"POST {BASE}contacts", {"lastname": "Before"}),
        operation(f"POST {BASE}contacts", {"lastname": "x" * 51}),
        operation(f"POST {BASE}contacts", {"lastname": "After"}),
    ]
    answer = send(org, parts)
    assert (answer.status, statuses(answer)) == (400, [400])
    assert b"REQ_ID: " in answer.body and b"0x80044331" in answer.body
    assert names(org) == ["Before"]


def test_continue_on_error() -> None:
    org = Organization()
    parts = [operation(f"POST {BASE}contacts", {"lastname": name}) for name in ("a", "x" * 51, "b")]
    answer = send(org, parts, prefer="odata.continue-on-error")
    assert (answer.status, statuses(answer)) == (200, [204, 400, 204])
    assert names(org) == ["a", "b"]


def test_a_change_set_refers_to_what_it_made() -> None:
    org = Organization()
    parts = [
        operation(f"POST {BASE}accounts", {"name": "Parent"}, "1"),
        operation(
            f"POST {BASE}contacts", {"lastname": "C", "parentcustomerid_account@odata.bind": "$1"}, "2"
        ),
        operation("PATCH $2", {"firstname": "D"}, "3"),
    ]
    answer = send(org, [change_set(parts)])
    assert (answer.status, statuses(answer)) == (200, [204, 204, 204]), answer.body
    assert b"boundary=changesetresponse_" in answer.body and b"Content-ID: 2" in answer.body
    (account,) = org.service.dump("account")["records"]
    (contact,) = org.service.dump()["records"]
    assert (contact["_parentcustomerid_value"], contact["firstname"]) == (account["accountid"], "D")


def test_a_change_set_is_all_or_nothing() -> None:
    org = Organization()
    ids = org.seed(2)
    _, link = org.full()
    before = org.service.dump()
    parts = [
        operation(f"POST {BASE}contacts", {"lastname": "New"}, "1"),
        operation(f"PATCH {BASE}contacts({ids[0]})", {"lastname": "Changed"}, "2"),
        operation(f"DELETE {BASE}contacts({ids[1]})", None, "3"),
        operation(f"PATCH {BASE}contacts({ids[1]})", {"nope": 1}, "4"),
    ]
    after_it = operation(f"POST {BASE}contacts", {"lastname": "After"})
    answer = send(org, [change_set(parts), after_it], prefer="odata.continue-on-error")
    assert (answer.status, statuses(answer)) == (200, [400, 204])
    records = org.service.dump()["records"]
    assert [record for record in records if record["lastname"] != "After"] == before["records"]
    assert [entry["lastname"] for entry in org.get(link)["value"]] == ["After"]


def test_an_unknown_reference() -> None:
    answer = send(Organization(), [change_set([operation("PATCH $1", {}, "2")])])
    assert (answer.status, statuses(answer)) == (400, [400])
    assert b"Content-ID Reference: '$1' does not exist in the batch context." in answer.body


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body.replace("\r\n", "\n"),
        lambda body: body.removesuffix("\r\n"),
        lambda body: body.replace("--batch_1--", "--batch_2--"),
        lambda body: body.replace("Content-Transfer-Encoding: binary\r\n", ""),
        lambda body: body.replace("Content-Type: application/http", "Content-Type: text/plain"),
    ],
)
def test_framing_is_strict(spoil: Any) -> None:
    org = Organization()
    body = multipart([operation(f"POST {BASE}contacts", {"lastname": "x"})], "batch_1")
    answer = send_raw(org, spoil(body))
    assert (answer.status, org.read(answer)["error"]["code"]) == (400, "0x80048d19")
    assert names(org) == []


def test_what_a_batch_cannot_hold() -> None:
    org = Organization()
    reading = operation(f"GET {BASE}contacts")
    assert send(org, [change_set([reading.replace("binary", "binary\r\nContent-ID: 1")])]).status == 400
    assert send(org, [change_set([operation(f"POST {BASE}contacts", {})])]).status == 400
    assert statuses(send(org, [operation(f"POST {BASE}$batch")])) == [400]
    assert statuses(send(org, [operation("GET https://elsewhere.test/api/data/v9.2/contacts")])) == [400]
    assert send(org, [reading] * 1001).status == 400
    assert send(org, [reading] * 1000).status == 200


def test_a_batch_is_one_request_and_its_operations_are_logged() -> None:
    org = Organization()
    send(org, [operation(f"POST {BASE}contacts", {"lastname": "x"}), operation(f"GET {BASE}contacts")])
    assert [entry.note for entry in org.service.log[-3:]] == [
        "$batch/contacts.create",
        "$batch/contacts.page",
        "$batch",
    ]
