"""Custom resources: keys, filters, links by business field and by PKey, and records that a link hides."""

from __future__ import annotations

import pytest

from sandbox.campaign.options import CampaignOptions
from tests.sandbox.campaign_instance import BASE, Instance

ORDERS = f"{BASE}/profileAndServicesExt/cusOrder"
LINES = f"{BASE}/profileAndServicesExt/cusOrderLine"
ACCOUNTS = f"{BASE}/customResources/cusAccount"


def post(campaign: Instance, target: str, **values: object) -> dict[str, object]:
    answer = campaign.send("POST", target, values)
    assert answer.status == 201, answer.body
    made: dict[str, object] = campaign.read(answer)
    return made


def found(campaign: Instance, target: str, key: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = campaign.get(f"{target}/byExternalId?externalId_parameter={key}")[
        "content"
    ]
    return rows


def test_each_family_has_its_own_resources() -> None:
    campaign = Instance()
    post(campaign, ACCOUNTS, externalId="a-1", name="Acme")
    assert [row["name"] for row in found(campaign, ACCOUNTS, "a-1")] == ["Acme"]
    elsewhere = ACCOUNTS.replace("customResources", "profileAndServicesExt")
    assert campaign.refused("GET", elsewhere)[0] == 404
    assert campaign.refused("GET", f"{BASE}/profileAndServicesExt/resourceType/cusAccount")[0] == 404
    assert (
        campaign.get(f"{BASE}/customResources/resourceType/cusAccount")["data"]
        == "/customResources/cusAccount/"
    )


def test_an_identification_key_is_unique_and_never_changes() -> None:
    campaign = Instance()
    made = post(campaign, ORDERS, externalId="o-1")
    assert "with the same key 'o-1'" in campaign.refused("POST", ORDERS, {"externalId": "o-1"})[1]
    assert (
        "Cannot update key" in campaign.refused("PATCH", f"{ORDERS}/{made['PKey']}", {"externalId": "o-2"})[1]
    )


def test_a_key_in_the_uri_is_for_profiles_unless_switched_on() -> None:
    campaign = Instance()
    post(campaign, ORDERS, externalId="o-1")
    assert "XTK-170036" in campaign.refused("GET", f"{ORDERS}/o-1")[1]
    campaign.service.command("custom_addressing", {"mode": "key"})
    assert campaign.send("PATCH", f"{ORDERS}/o-1", {"number": "4711"}).status == 200
    assert campaign.get(f"{ORDERS}/o-1")["number"] == "4711"
    assert "XTK-170036" in campaign.refused("DELETE", f"{ORDERS}/o-1")[1]
    # Nobody published the filter here: it is taken for a key.
    assert campaign.refused("GET", f"{ORDERS}/byExternalId?externalId_parameter=o-1")[0] == 404


def test_a_link_is_its_column_or_a_pkey() -> None:
    campaign = Instance()
    ada = campaign.create(externalId="c-1", email="ada@example.com")
    order = post(campaign, ORDERS, externalId="o-1", profileExternalId="c-1")
    assert order["profile"] is None, "Campaign Standard does not return linked values after a POST"
    shown = campaign.get(f"{ORDERS}/{order['PKey']}")["profile"]
    assert (shown["PKey"], shown["title"]) == (ada["PKey"], "ada@example.com")
    by_pkey = post(campaign, ORDERS, externalId="o-2", profile={"PKey": ada["PKey"]})
    assert by_pkey["profileExternalId"] == "c-1"


def test_a_linked_object_by_its_attributes_is_ignored() -> None:
    campaign = Instance()
    campaign.create(externalId="c-1", email="ada@example.com")
    order = post(campaign, ORDERS, externalId="o-1", profile={"email": "ada@example.com"})
    assert campaign.get(f"{ORDERS}/{order['PKey']}")["profile"] is None


@pytest.mark.parametrize(
    "body",
    [
        {"order": "o-1"},
        {"order": {"PKey": "@AAAAAAAAAAAAAAAAAAAA"}},
        {"order": {"PKey": ""}},
        {"orderExternalId": None},
        {"shippedOn": "2026-05-28"},
    ],
)
def test_what_is_not_documented_is_refused(body: dict[str, object]) -> None:
    assert Instance().refused("POST", LINES if "order" in str(body) else ORDERS, body)[0] == 500


def test_a_child_before_its_parent_is_stored_and_out_of_reach() -> None:
    campaign = Instance()
    line = post(campaign, LINES, externalId="l-1", orderExternalId="o-1", product="Lamp")
    own = f"{LINES}/{line['PKey']}"
    assert found(campaign, LINES, "l-1") == []
    assert campaign.get(LINES)["content"] == []
    assert campaign.get(f"{LINES}/_count") == {"count": 0}
    for method, body in (("GET", None), ("PATCH", {"product": "Desk"}), ("DELETE", None)):
        status, text = campaign.refused(method, own, body)
        assert (status, "Unable to find document" in text) == (404, True)
    # It is there all the same: nobody else gets its key.
    assert "with the same key 'l-1'" in campaign.refused("POST", LINES, {"externalId": "l-1"})[1]
    assert campaign.service.hidden("cusOrderLine") == ["l-1"]
    post(campaign, ORDERS, externalId="o-1")
    assert [row["product"] for row in found(campaign, LINES, "l-1")] == ["Lamp"]
    assert campaign.service.hidden("cusOrderLine") == []


def test_a_parent_that_goes_hides_its_children_or_takes_them_along() -> None:
    campaign = Instance()
    order = post(campaign, ORDERS, externalId="o-1")
    post(campaign, LINES, externalId="l-1", orderExternalId="o-1")
    assert campaign.send("DELETE", f"{ORDERS}/{order['PKey']}").status == 200
    assert campaign.service.hidden("cusOrderLine") == ["l-1"]
    post(campaign, ORDERS, externalId="o-1")
    campaign.service.command("cascading_links", {"names": ["cusOrderLine.order"]})
    campaign.service.delete("o-1", "cusOrder")
    assert campaign.service.dump("cusOrderLine") == []


def test_an_optional_link_hides_nothing() -> None:
    campaign = Instance(CampaignOptions(required_links=()))
    post(campaign, LINES, externalId="l-1", orderExternalId="nowhere")
    (line,) = found(campaign, LINES, "l-1")
    assert line["order"] is None


def test_resources_can_be_made_up() -> None:
    campaign = Instance()
    told = {
        "fields": [
            {"name": "label", "length": 40},
            {"name": "size", "kind": "enumeration", "values": ["s", "l"]},
        ],
        "key": "code",
        "links": [{"name": "account", "column": "accountId", "target": "cusAccount"}],
    }
    path = campaign.service.command("custom_resource", {"name": "cusThing", **told})["path"]
    things = BASE + path.rstrip("/")
    post(campaign, things, code="t-1", label="Thing", size="l")
    assert campaign.get(f"{things}/byCode?code_parameter=t-1")["content"][0]["size"] == "l"
    content = campaign.get(f"{BASE}/customResources/resourceType/cusThing")["content"]
    assert (content["account"]["type"], content["account"]["resTarget"]) == ("link", "cusAccount")
    with pytest.raises(ValueError, match="there is a resource"):
        campaign.service.command("custom_resource", {"name": "cusThing", **told})


def test_dates_and_times_are_stored_as_campaign_writes_them() -> None:
    campaign = Instance()
    order = post(campaign, ORDERS, externalId="o-1", shippedOn="2026-05-28T22:00:00+02:00")
    assert order["shippedOn"] == "2026-05-28 20:00:00.000Z"
