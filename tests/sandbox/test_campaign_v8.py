"""Where the same API differs on Campaign v8 (Adobe, "Recommendations & limitations" of the v8 REST APIs)."""

from __future__ import annotations

import pytest

from sandbox.campaign.options import CampaignOptions
from tests.sandbox.campaign_instance import BASE, EXT, PLAIN, Instance

GENERAL = "An error has occurred - please contact your administrator."


def v8(**options: object) -> Instance:
    return Instance(CampaignOptions(dialect="v8", **options))  # type: ignore[arg-type]


def test_a_filter_is_called_by_its_own_name() -> None:
    campaign = v8(addressing="filter")
    campaign.create(externalId="c-1")
    assert len(campaign.get(f"{EXT}/ExternalId?externalId_parameter=c-1")["content"]) == 1
    assert campaign.refused("GET", f"{EXT}/byExternalId?externalId_parameter=c-1")[0] == 404
    assert campaign.get(f"{EXT}/byEmail?email=nobody@example.com")["content"] == []


def test_a_wrong_pkey_is_404() -> None:
    status, text = v8(addressing="filter").refused("GET", f"{EXT}/O5iRp40EGA")
    assert status == 404
    assert text.startswith("Unable to decrypt PKey. (PKey=O5iRp40EGA)")


def test_an_unknown_key_is_404_without_a_code() -> None:
    status, text = v8().refused("GET", f"{EXT}/c-1")
    assert (status, text.startswith("Unable to find document")) == (404, True)


@pytest.mark.parametrize("body", [{"externalId": "c-1"}, {"gender": "invalid"}, {"email": "no address"}])
def test_refused_data_has_no_reason(body: dict[str, str]) -> None:
    campaign = v8()
    campaign.create(externalId="c-1")
    assert campaign.refused("POST", EXT, body) == (500, GENERAL)


def test_location_is_written_once() -> None:
    campaign = v8()
    made = campaign.create(externalId="c-1", location={"zipCode": "1"})
    status, text = campaign.refused("PATCH", f"{EXT}/{made['PKey']}", {"location": {"zipCode": "2"}})
    assert (status, "'zipCode' property is not valid for the 'profile' resource" in text) == (500, True)


def test_an_empty_patch_is_204() -> None:
    campaign = v8()
    answer = campaign.send("PATCH", f"{EXT}/{campaign.create(externalId='c-1')['PKey']}", {})
    assert (answer.status, answer.body) == (204, b"")


def test_linked_values_come_back_and_a_linked_object_by_attributes_is_an_error() -> None:
    campaign = v8()
    campaign.create(externalId="c-1", email="ada@example.com")
    orders = f"{BASE}/profileAndServicesExt/cusOrder"
    made = campaign.read(campaign.send("POST", orders, {"externalId": "o-1", "profileExternalId": "c-1"}))
    assert made["profile"]["title"] == "ada@example.com"
    status, text = campaign.refused("POST", orders, {"profile": {"firstName": "Ada"}})
    assert (status, "'firstName' property is not valid for the 'cusOrder' resource" in text) == (500, True)


def test_the_time_zone_is_an_extended_field() -> None:
    campaign = v8()
    pkey = campaign.create(externalId="c-1")["PKey"]
    assert "timeZone" in campaign.get(f"{EXT}/{pkey}")
    assert "timeZone" not in campaign.get(f"{PLAIN}/{pkey}")
    assert "timeZone" in Instance().create()


@pytest.mark.parametrize("path", ["history/x", "orgUnitBase", "privacy/privacyTool"])
def test_what_v8_does_not_have(path: str) -> None:
    assert v8().refused("GET", f"{BASE}/profileAndServices/{path}")[0] == 404
