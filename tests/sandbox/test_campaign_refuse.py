"""What the engine refuses: documented texts first, then what the documents leave open (adobe.md B.8)."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.campaign.options import CampaignOptions
from tests.sandbox.campaign_instance import BASE, EXT, PLAIN, Instance


@pytest.fixture
def campaign() -> Instance:
    made = Instance()
    made.create(externalId="c-1", email="ada@example.com")
    return made


def test_duplicate_key_names_the_constraint(campaign: Instance) -> None:
    status, text = campaign.refused("POST", EXT, {"externalId": "c-1"})
    assert status == 500
    assert "A 'Profile' with the same key 'c-1' already exists." in text
    assert 'PGS-220000 PostgreSQL error: ERROR: duplicate key value violates unique constraint "nms' in text
    assert len(campaign.service.dump()) == 1


@pytest.mark.parametrize("field", ["email", "cusCrmNumber"])
def test_another_unique_field_is_a_duplicate_key_too(field: str) -> None:
    campaign = Instance(CampaignOptions(unique_fields=(field,)))
    value = "a@example.com"
    campaign.create(externalId="c-1", **{field: value})
    campaign.create(externalId="c-2")
    campaign.create(externalId="c-3")
    assert "PGS-220000" in campaign.refused("POST", EXT, {"externalId": "c-4", field: value})[1]
    assert "PGS-220000" in campaign.refused("PATCH", f"{EXT}/c-2", {field: value})[1]
    assert campaign.send("PATCH", f"{EXT}/c-1", {field: value}).status == 200
    assert campaign.send("PATCH", f"{EXT}/c-1", {field: "b@example.com"}).status == 200
    assert campaign.send("PATCH", f"{EXT}/c-2", {field: value}).status == 200


def test_a_field_with_repeated_values_cannot_become_unique(campaign: Instance) -> None:
    campaign.create(externalId="c-2", email="ada@example.com")
    with pytest.raises(ValueError, match="email cannot become unique"):
        campaign.service.command("unique", {"field": "email"})
    assert campaign.create(externalId="c-3", email="ada@example.com")


def test_invalid_pkey_is_a_500_that_cannot_parse_the_expression(campaign: Instance) -> None:
    status, text = campaign.refused("GET", f"{PLAIN}/O5iRp40EGA")
    assert status == 500
    assert "'O5iRp40EGA' attribute unknown (see definition of 'Profiles (nms:recipient)' schema)" in text
    assert "XTK-170036 Unable to parse expression '@id = @O5iRp40EGA'" in text
    assert "'@gibberish' is not a valid constant" in campaign.refused("GET", f"{EXT}/%40gibberish")[1]


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_unknown_pkey_is_a_404(campaign: Instance, method: str) -> None:
    status, text = campaign.refused(method, f"{EXT}/@AAAAAAAAAAAAAAAAAAAA", {} if method == "PATCH" else None)
    assert status == 404
    assert text.startswith("RST-360011 ") and "Unable to find document with path 'Profile'" in text


READ_ONLY = "Cannot update the 'age' property that is read-only"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"age": 3}, READ_ONLY),
        ({"lastModified": "2026-01-01 00:00:00.000Z"}, "'lastModified' property that is read-only"),
        ({"blackListEmailLastModified": ""}, "'blackListEmailLastModified' property that is read-only"),
        ({"postalAddress": {}}, "'postalAddress' property that is read-only"),
        ({"PKey": "@x"}, "'PKey' property that is read-only"),
        ({"colour": "red"}, "'colour' property is not valid for the 'profile' resource"),
        ({"denyListEmail": True}, "'denyListEmail' property is not valid for the 'profile' resource"),
        ({"location": {"planet": "x"}}, "'planet' property is not valid for the 'profile' resource"),
        (
            {"gender": "invalid"},
            "The value 'invalid' is not valid for the 'nms:recipient:gender' enumeration",
        ),
    ],
)
def test_documented_data_errors(campaign: Instance, body: dict[str, Any], text: str) -> None:
    for method, target in (("PATCH", f"{EXT}/c-1"), ("POST", EXT)):
        status, found = campaign.refused(method, target, body)
        assert status == 500 and text in found and found.startswith("RST-360011 ")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "not an address"}, "email"),
        ({"firstName": "x" * 31}, "firstName"),
        ({"location": {"zipCode": "x" * 16}}, "zipCode"),
        ({"firstName": None}, "firstName"),
        ({"firstName": 5}, "firstName"),
        ({"birthDate": None}, "birthDate"),
        ({"birthDate": "1990-02-30"}, "birthDate"),
        ({"birthDate": "1990-02-01T00:00:00Z"}, "birthDate"),
        ({"blackList": "true"}, "blackList"),
        ({"blackList": 1}, "blackList"),
        ({"gender": 2}, "gender"),
        ({"gender": "Female"}, "gender"),
        ({"gender": ""}, "gender"),
        ({"location": "Rome"}, "location"),
        ({"location": {"city": None}}, "city"),
    ],
)
def test_undocumented_values_are_refused_and_change_nothing(
    campaign: Instance, body: dict[str, Any], field: str
) -> None:
    before = campaign.service.dump()
    status, text = campaign.refused("PATCH", f"{EXT}/{before[0]['PKey']}", {"lastName": "X", **body})
    assert status == 500 and f"@{field}" in text
    assert campaign.refused("POST", EXT, body)[0] == 500
    assert campaign.service.dump() == before


def test_lengths_count_characters(campaign: Instance) -> None:
    assert campaign.create(firstName="é" * 30)["firstName"].lower() == "é" * 30


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff",
        b'{"firstName":"\\ud800"}',
        b'{"firstName":"\\u0000"}',
        b'{"age":NaN}',
    ],
)
def test_a_body_that_is_no_json_object_is_refused(campaign: Instance, body: bytes) -> None:
    assert "not a JSON object" in campaign.refused("POST", EXT, body)[1]
    assert "not a JSON object" in campaign.refused("PATCH", f"{EXT}/c-1", body)[1]


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("PUT", f"{EXT}/c-1", {}),
        ("PATCH", EXT, {"externalId": "c-1"}),
        ("POST", f"{EXT}/c-1", {}),
        ("POST", f"{EXT}/byText", {}),
        ("DELETE", EXT, None),
        ("GET", f"{EXT}/c-1/subscriptions", None),
        ("GET", f"{EXT}/c-1?expand=all", None),
        ("POST", f"{EXT}?upsert=true", {}),
        ("GET", f"{BASE}/profileAndServicesExt/cusNothing", None),
        ("GET", f"{BASE}/customResources/cusVehicle", None),
        ("GET", f"{BASE}/profileAndServices/cusVehicle", None),
        ("GET", f"{BASE}/privacy/privacyTool", None),
    ],
)
def test_what_no_document_describes_is_refused(
    campaign: Instance, method: str, target: str, body: object
) -> None:
    assert campaign.refused(method, target, body)[0] in (404, 500)
    assert len(campaign.service.dump()) == 1


def test_a_delete_has_nothing_to_say(campaign: Instance) -> None:
    pkey = campaign.service.dump()[0]["PKey"]
    assert campaign.refused("DELETE", f"{EXT}/{pkey}", {"firstName": "x"})[0] == 500
    assert len(campaign.service.dump()) == 1


@pytest.mark.parametrize("header", ["if_match", "if_none_match"])
def test_there_are_no_preconditions(campaign: Instance, header: str) -> None:
    answer = campaign.send("PATCH", f"{EXT}/c-1", {"firstName": "X"}, **{header: "*"})
    assert answer.status == 500
    assert campaign.service.dump()[0]["firstName"] == ""


def test_extended_fields_belong_to_the_extended_api(campaign: Instance) -> None:
    pkey = campaign.create(externalId="c-2", cusCrmNumber="7")["PKey"]
    assert "cusCrmNumber" not in campaign.get(f"{PLAIN}/{pkey}")
    assert (
        "'cusCrmNumber' property is not valid"
        in campaign.refused("PATCH", f"{PLAIN}/{pkey}", {"cusCrmNumber": "8"})[1]
    )
