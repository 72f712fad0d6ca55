"""Descriptions of resources (adobe.md B.3), and that the API holds to them."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.campaign.options import VALIDATING, CampaignOptions
from tests.sandbox.campaign_instance import BASE, EXT, Instance

LENGTHS = {
    "email": 128,
    "firstName": 30,
    "lastName": 50,
    "middleName": 30,
    "salutation": 20,
    "phone": 32,
    "mobilePhone": 32,
    "fax": 32,
    "externalId": 100,
}
LOCATION = {f"address{n}": 80 for n in range(1, 5)} | {
    "city": 100,
    "countryCode": 2,
    "stateCode": 2,
    "zipCode": 15,
}


def describe(
    campaign: Instance, family: str = "profileAndServicesExt", name: str = "profile"
) -> dict[str, Any]:
    described: dict[str, Any] = campaign.get(f"{BASE}/{family}/resourceType/{name}")
    return described


def test_the_envelope_names_the_resource() -> None:
    described = describe(Instance(), "profileAndServices")
    assert (described["name"], described["schema"], described["type"]) == ("profile", "nms:recipient", "item")
    assert described["data"] == "/profileAndServices/profile/"
    assert described["help"] == "Identified profiles"


def test_text_fields_have_the_published_lengths() -> None:
    content = describe(Instance())["content"]
    assert {name: content[name]["length"] for name in LENGTHS} == {n: str(v) for n, v in LENGTHS.items()}
    nested = content["location"]["content"]
    assert {name: nested[name]["length"] for name in nested} == {n: str(v) for n, v in LOCATION.items()}


@pytest.mark.parametrize(("name", "length"), LENGTHS.items())
def test_lengths_are_kept(name: str, length: int) -> None:
    campaign = Instance(CampaignOptions(policies={}))
    campaign.create(**{name: "x" * length})
    assert f"longer than {length}" in campaign.refused("POST", EXT, {name: "x" * (length + 1)})[1]


@pytest.mark.parametrize(("name", "length"), LOCATION.items())
def test_nested_lengths_are_kept(name: str, length: int) -> None:
    campaign = Instance()
    campaign.create(location={name: "x" * length})
    status, text = campaign.refused("POST", EXT, {"location": {name: "x" * (length + 1)}})
    assert status == 500 and f"longer than {length}" in text


def test_types_policies_and_enumerations() -> None:
    content = describe(Instance())["content"]
    assert content["firstName"]["dataPolicy"] == "smartCase" and content["email"]["dataPolicy"] == "email"
    assert content["age"]["readOnly"] is True and content["email"]["readOnly"] is False
    types = {
        name: content[name]["type"]
        for name in ("email", "birthDate", "blackList", "gender", "location", "age")
    }
    assert types == {
        "email": "string",
        "birthDate": "date",
        "blackList": "boolean",
        "gender": "enumeration",
        "location": "item",
        "age": "integer",
    }
    assert set(content["gender"]["values"]) == {"unknown", "male", "female"}
    assert content["gender"]["values"]["female"]["value"] == "2"
    assert content["subscriptions"]["resTarget"] == "subscriptionRcp"


def test_metadata_describes_what_a_get_shows() -> None:
    campaign = Instance()
    for family in ("profileAndServices", "profileAndServicesExt"):
        pkey = campaign.create()["PKey"]
        shown = set(campaign.get(f"{BASE}/{family}/profile/{pkey}"))
        assert shown - {"href"} == set(describe(campaign, family)["content"])


def test_policies_shown_are_policies_used() -> None:
    content = describe(Instance(CampaignOptions(policies=VALIDATING)))["content"]
    assert {name for name in content if content[name]["dataPolicy"]} == {"email"}


def test_filters_lists_what_is_published() -> None:
    campaign = Instance()

    def names() -> list[str]:
        href = describe(campaign)["filters"]["href"]
        return list(campaign.get(href.removeprefix("http://127.0.0.1:1")))

    assert names() == ["byEmail", "byText"]
    campaign.service.command("addressing", {"mode": "filter"})
    assert names() == ["byEmail", "byText", "byExternalId"]


def test_metadata_is_also_at_the_href_it_names() -> None:
    campaign = Instance()
    described = describe(campaign)
    assert campaign.get(described["href"].removeprefix("http://127.0.0.1:1")) == described


def test_the_catalogue_lists_what_is_linked_to_profiles() -> None:
    campaign = Instance()
    listed = campaign.get(f"{BASE}/profileAndServicesExt")
    assert set(listed) == {
        "apiName",
        "profile",
        "service",
        "cusVehicle",
        "cusOrder",
        "cusOrderLine",
    }
    assert listed["cusVehicle"]["type"] == "collection"
    assert listed["cusVehicle"]["data"] == "/profileAndServicesExt/cusVehicle/"
    assert describe(campaign, "customResources", "cusProduct")["name"] == "cusProduct"


@pytest.mark.parametrize(
    "target",
    [
        "/profileAndServices/resourceType/history",
        "/profileAndServices/resourceType/cusVehicle",
        "/customResources",
    ],
)
def test_unknown_resources_have_no_description(target: str) -> None:
    assert Instance().refused("GET", BASE + target)[0] == 404


def test_custom_resources_are_written_by_pkey_alone() -> None:
    campaign = Instance()
    vehicles = f"{BASE}/profileAndServicesExt/cusVehicle"
    answer = campaign.send(
        "POST", vehicles, {"vehicleNumber": "1", "externalId": "v-1", "year": 2020, "price": 1.5}
    )
    assert answer.status == 201
    pkey = campaign.read(answer)["PKey"]
    assert campaign.send("PATCH", f"{vehicles}/{pkey}", {"active": True, "year": 2021}).status == 200
    shown = campaign.get(f"{vehicles}/{pkey}")
    assert (shown["year"], shown["active"], shown["price"], shown["vehicleName"]) == (2021, True, 1.5, "")
    assert campaign.refused("GET", f"{vehicles}/v-1")[0] == 500
    for wrong in ({"year": 1.5}, {"year": True}, {"price": "1.5"}, {"price": None}):
        assert campaign.refused("PATCH", f"{vehicles}/{pkey}", wrong)[0] == 500
    assert campaign.send("DELETE", f"{vehicles}/{pkey}", {}).status == 200
    assert campaign.refused("GET", f"{vehicles}/{pkey}")[0] == 404
