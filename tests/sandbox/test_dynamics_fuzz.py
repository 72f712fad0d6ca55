"""Whatever a client sends, the look-alike answers: never an exception, never a 500, always readable JSON."""

from __future__ import annotations

import json
import random

import pytest

from tests.sandbox.definitions import (
    CRM,
    IN_SOLUTION,
    MERGED,
    SEND,
    activity,
    label,
    moment,
    text,
    with_activity,
)
from tests.sandbox.dynamics_instance import ROOT, Organization

ID = "00000000-0000-4000-8000-000000000001"
TARGETS = [
    "contacts?$select=firstname,lastname&$filter=modifiedon%20ge%202026-05-28T20:26:40Z%20and%20not%20(statecode+eq+1)",
    f"contacts?$filter=contactid eq {ID}",
    f"contacts?$filter=Microsoft.Dynamics.CRM.In(PropertyName='contactid',PropertyValues=[\"{ID}\"])",
    "contacts?$orderby=createdon desc,firstname&$top=3&$count=true",
    "contacts?$select=lastname&$deltatoken=1000051%2105%2f28%2f2026%2020%3a26%3a40",
    "contacts?$skiptoken=%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie%22%20istracking=%22True%22%20/%3E",
    "contacts/$count?$filter=creditlimit gt 5.5",
    f"contacts({ID})?$select=firstname",
    "contacts(externaluseridentifier='a''b')",
    "EntityDefinitions(LogicalName='contact')/Attributes?$select=LogicalName&$filter=LogicalName eq 'x'",
    f"systemusers({ID})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges",
]
BODIES = [
    b'{"firstname":"a","birthdate":"1980-01-01","creditlimit":1.5,"gendercode":1,"donotemail":true,"statecode":0}',
    b'{"lastname":"\\ud83d\\ude00","parentcustomerid_contact@odata.bind":"/contacts(x)","lastusedincampaign":null}',
    (
        b"--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        b"GET /api/data/v9.2/contacts?$top=1 HTTP/1.1\r\nAccept: */*\r\n\r\n\r\n--b--\r\n"
    ),
]
SPLICES = [
    *("'", '"', "(", ")", "[", "{", "%", "%zz", "%00", "&", "=", ",", "$", "+", "/", "*", "-", ":", "\r\n"),
    *(
        "\ud800",
        "\\ud800",
        "é",
        "²",
        "9" * 50,
        "1e999",
        "NaN",
        "null",
        "not ",
        "eq",
        "9999-12-31",
        "0000-00-00",
    ),
]


def mutate(rng: random.Random, text: str) -> str:
    for _ in range(rng.randint(0, 2)):
        at = rng.randrange(len(text) + 1)
        splice = rng.choice(SPLICES)
        text = text[:at] + splice + text[at + rng.choice([0, 0, 1, len(splice), 8]) :]
    return text


@pytest.mark.parametrize("seed", range(8))
def test_every_answer_is_readable(seed: int) -> None:
    rng = random.Random(seed)
    org = Organization()
    org.service.seed([{"contactid": ID, "firstname": "a", "externaluseridentifier": "a'b"}])
    seen: set[int] = set()
    for _ in range(400):
        if rng.random() < 0.6:
            target, body = rng.choice(TARGETS), b""
            target, method = mutate(rng, target), "GET"
        else:
            target, method = rng.choice(
                [("contacts", "POST"), (f"contacts({ID})", "PATCH"), ("$batch", "POST")]
            )
            source = rng.choice(BODIES).decode()
            body = mutate(rng, source).encode(errors="surrogatepass")
        kind = "multipart/mixed;boundary=b" if target == "$batch" else "application/json"
        prefer = rng.choice(
            ["", "odata.track-changes", mutate(rng, 'odata.maxpagesize=2,odata.include-annotations="*"')]
        )
        answer = org.send(
            method, f"{ROOT}{target}".removeprefix(ROOT), body, content_type=kind, prefer=prefer
        )
        seen.add(answer.status)
        assert answer.status < 500 or answer.status == 501
        if answer.headers.get("content-type", "").startswith("application/json") and answer.body:
            json.loads(answer.body)
    assert {200, 400, 404} <= seen


def test_deep_nesting_is_refused() -> None:
    org = Organization()
    assert org.refused("GET", f"contacts?$filter={'(' * 5000}firstname eq 'a'{')' * 5000}")[0] == 400
    assert org.refused("GET", f"contacts?$filter={'not ' * 5000}firstname eq 'a'")[0] == 400


def test_a_json_body_nested_too_deeply_is_refused() -> None:
    assert Organization().refused("POST", "contacts", b"[" * 100_000) == (400, "0x80048d19")


JUNK: list[object] = [
    None,
    True,
    0,
    -1,
    1.5,
    10**30,
    "",
    "x",
    "acs_x",
    [],
    [[]],
    {},
    {"Value": {}},
    ["a"],
    {"a": [1]},
]
CHOICE = {
    **text("acs_kind"),
    "@odata.type": f"{CRM}PicklistAttributeMetadata",
    "OptionSet": {"IsGlobal": False, "Options": [{"Value": 1, "Label": label("One")}]},
}
OPTION = {"EntityLogicalName": "x", "AttributeLogicalName": "y", "Value": 1, "Label": label("A")}
COMPONENT = {
    "ComponentId": ID,
    "ComponentType": 20,
    "SolutionUniqueName": "a",
    "AddRequiredComponents": False,
}
ROLE = {"PrivilegeId": ID, "Depth": "Global"}
ENTRY = {
    "@odata.type": f"{CRM}acs_emailsend",
    "subject": "x",
    "activityid": ID,
    "@odata.id": f"acs_emailsends({ID})",
}
WRITES: list[tuple[str, str, object]] = [
    ("POST", "EntityDefinitions", activity(SchemaName="acs_other")),
    ("PUT", SEND, activity(LogicalName="acs_emailsend", MetadataId="x", EntitySetName="acs_emailsends")),
    ("POST", f"{SEND}/Attributes", text("acs_more")),
    ("POST", f"{SEND}/Attributes", moment("acs_when")),
    ("POST", f"{SEND}/Attributes", CHOICE),
    ("POST", "EntityDefinitions(LogicalName='account')/Keys", {"SchemaName": "acs_K", "KeyAttributes": ["name"]}),
    ("POST", "CreateEntities", {"Entities": [{**activity(SchemaName="acs_third"), "IsActivity": False}]}),
    ("POST", "InsertOptionValue", OPTION),
    ("POST", "AddSolutionComponent", COMPONENT),
    ("POST", "PublishXml", {"ParameterXml": "<importexportxml/>"}),
    ("POST", f"roles({ID})/{CRM}AddPrivilegesRole", {"Privileges": [ROLE]}),
    ("POST", f"acs_emailsends/{CRM}CreateMultiple", {"Targets": [ENTRY]}),
    ("POST", f"acs_emailsends/{CRM}UpdateMultiple", {"Targets": [ENTRY, ENTRY]}),
    ("POST", f"acs_emailsends/{CRM}UpsertMultiple", {"Targets": [ENTRY]}),
    ("POST", "acs_emailsends", {"regardingobjectid_contact@odata.bind": "/contacts(x)"}),
]  # fmt: skip


def spoiled(rng: random.Random, value: object) -> object:
    """The value with some of its parts replaced by junk."""
    if rng.random() < 0.08:
        return rng.choice(JUNK)
    if isinstance(value, dict):
        return {name: spoiled(rng, one) for name, one in value.items() if rng.random() > 0.02}
    if isinstance(value, list):
        return [spoiled(rng, one) for one in value]
    return value


@pytest.mark.parametrize("seed", range(8))
def test_whatever_a_definition_or_a_bulk_message_holds_it_is_answered(seed: int) -> None:
    rng = random.Random(seed)
    org = with_activity()
    org.service.organization.tables["role"].put(ID, {"roleid": ID, "name": "Role"})
    seen: set[int] = set()
    for _ in range(300):
        method, target, body = rng.choice(WRITES)
        answer = org.send(method, target, json.dumps(spoiled(rng, body)).encode(), **IN_SOLUTION, **MERGED)
        seen.add(answer.status)
        assert answer.status < 500 or answer.status == 501
        if answer.body:
            json.loads(answer.body)
    assert {204, 400, 404} <= seen
