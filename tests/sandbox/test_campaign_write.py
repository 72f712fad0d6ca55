"""POST, PATCH and DELETE of a profile as the documents describe them (adobe.md B.5)."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.campaign.options import VALIDATING, CampaignOptions
from tests.sandbox.campaign_instance import EXT, PLAIN, Instance


@pytest.fixture
def campaign() -> Instance:
    return Instance()


def test_post_echoes_the_whole_object_with_defaults(campaign: Instance) -> None:
    made = campaign.create(externalId="c-1", email="ada@example.com", firstName="Ada", birthDate="1990-05-29")
    assert made["PKey"].startswith("@") and made["PKey"] != "c-1"
    assert made["href"] == f"http://127.0.0.1:1{EXT}/{made['PKey']}"
    assert (made["gender"], made["emailFormat"], made["timeZone"]) == ("unknown", "unknown", "none")
    assert (made["lastName"], made["blackList"], made["blackListLastModified"]) == ("", False, "")
    assert made["location"] == dict.fromkeys(
        ["address1", "address2", "address3", "address4", "city", "countryCode", "stateCode", "zipCode"], ""
    )
    assert made["created"] == made["lastModified"] == "2026-05-28 20:26:40.000Z"


def test_computed_fields_follow_what_is_stored(campaign: Instance) -> None:
    made = campaign.create(
        externalId="c-1",
        firstName="Ada",
        lastName="Byron",
        email="ada@mail.example",
        birthDate="1990-05-29",
        location={"address1": "1 Mill Road", "zipCode": "CB1", "city": "Cambridge"},
    )
    assert (made["age"], made["domain"]) == (35, "mail.example")
    assert made["title"] == "Ada Byron (ada@mail.example)"
    assert made["postalAddress"]["line3"] == "CB1 Cambridge" and made["postalAddress"]["addrDefined"] is True
    campaign.time += 86000
    assert campaign.get(f"{EXT}/c-1")["age"] == 36


def test_computed_fields_of_one_profile_never_show_in_another(campaign: Instance) -> None:
    empty = campaign.create(externalId="c-1")
    campaign.create(externalId="c-2", firstName="Ada", location={"address1": "1 Mill Road", "city": "Rome"})
    assert campaign.get(f"{EXT}/c-1") == empty
    assert empty["postalAddress"]["line1"] == empty["postalAddress"]["serialized"] == ""


def test_patch_answers_key_and_href_and_changes_only_what_it_names(campaign: Instance) -> None:
    made = campaign.create(externalId="c-1", firstName="Ada", location={"city": "Rome", "zipCode": "00100"})
    campaign.time += 5
    answer = campaign.send("PATCH", f"{PLAIN}/{made['PKey']}", {"location": {"city": "Oslo"}, "phone": "1"})
    assert answer.status == 200
    href = f"http://127.0.0.1:1{PLAIN}/{made['PKey']}"
    assert campaign.read(answer) == {"PKey": made["PKey"], "href": href}
    now = campaign.get(f"{EXT}/{made['PKey']}")
    assert (now["firstName"], now["phone"]) == ("Ada", "1")
    assert (now["location"]["city"], now["location"]["zipCode"]) == ("Oslo", "00100")
    assert (now["created"], now["lastModified"]) == (made["created"], "2026-05-28 20:26:45.000Z")


def test_an_empty_patch_changes_nothing(campaign: Instance) -> None:
    made = campaign.create(externalId="c-1", firstName="Ada")
    campaign.time += 5
    assert campaign.send("PATCH", f"{EXT}/c-1", {}).status == 200
    assert campaign.get(f"{EXT}/c-1") == made


def test_an_empty_string_clears_text_date_and_nested_item(campaign: Instance) -> None:
    campaign.create(externalId="c-1", firstName="Ada", birthDate="1990-01-01", location={"city": "Rome"})
    campaign.send("PATCH", f"{EXT}/c-1", {"firstName": "", "birthDate": "", "location": {"city": ""}})
    now = campaign.get(f"{EXT}/c-1")
    assert (now["firstName"], now["birthDate"], now["age"], now["location"]["city"]) == ("", "", 0, "")


def test_only_a_changed_opt_out_is_dated(campaign: Instance) -> None:
    campaign.create(externalId="c-1", blackListEmail=True)
    campaign.time += 60
    campaign.send("PATCH", f"{EXT}/c-1", {"blackListEmail": True, "blackListPhone": True, "blackList": False})
    now = campaign.get(f"{EXT}/c-1")
    assert now["blackListEmailLastModified"] == "2026-05-28 20:26:40.000Z"
    assert now["blackListPhoneLastModified"] == "2026-05-28 20:27:40.000Z"
    assert (now["blackListLastModified"], now["blackListFaxLastModified"]) == ("", "")
    campaign.send("PATCH", f"{EXT}/c-1", {"blackList": True})
    now = campaign.get(f"{EXT}/c-1")
    assert now["blackListLastModified"] == now["blackListAllLastModified"] == "2026-05-28 20:27:40.000Z"


def test_delete_takes_an_empty_object_as_body(campaign: Instance) -> None:
    made = campaign.create(externalId="c-1")
    answer = campaign.send("DELETE", f"{PLAIN}/{made['PKey']}", {})
    assert (answer.status, answer.body) == (200, b"")
    assert campaign.refused("GET", f"{PLAIN}/{made['PKey']}")[0] == 404
    assert campaign.refused("DELETE", f"{PLAIN}/{made['PKey']}")[0] == 404
    assert campaign.create(externalId="c-1")["PKey"] != made["PKey"]


def test_a_body_is_json_whatever_its_content_type_says(campaign: Instance) -> None:
    answer = campaign.send("POST", f"{PLAIN}/", {"firstName": "Ada"}, content_type="text/plain;charset=UTF-8")
    assert answer.status == 201
    assert campaign.send("POST", f"{PLAIN}.json", {"firstName": "Ada"}).status == 201


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({"firstName": "JEAN-luc"}, {"firstName": "Jean-Luc"}),
        ({"lastName": "o'brien"}, {"lastName": "O'Brien"}),
        ({"mobilePhone": "+44 (0)20 7946-0000"}, {"mobilePhone": "+4402079460000"}),
        ({"email": "Ada+x@Example.COM"}, {"email": "Ada+x@Example.COM"}),
    ],
)
def test_data_policies_rewrite_names_and_phones(
    campaign: Instance, sent: dict[str, Any], stored: dict[str, Any]
) -> None:
    made = campaign.create(externalId="c-1", **sent)
    assert {name: made[name] for name in stored} == stored


def test_rewriting_can_be_switched_off() -> None:
    campaign = Instance(CampaignOptions(policies=VALIDATING))
    assert campaign.create(firstName="ada", phone="1 2")["firstName"] == "ada"
    campaign.service.command("policies", {"lastName": "smartCase"})
    assert campaign.create(lastName="byron", firstName="ada")["lastName"] == "Byron"


def test_the_same_calls_get_the_same_answers() -> None:
    first, second, other = Instance(), Instance(), Instance(seed=2)
    assert first.create(externalId="c-1") == second.create(externalId="c-1")
    assert other.create(externalId="c-1")["PKey"] != first.get(f"{EXT}/c-1")["PKey"]


@pytest.mark.parametrize("dates_creates", [True, False])
def test_whether_a_create_dates_the_opt_outs_it_sets_to_false_is_a_choice(dates_creates: bool) -> None:
    instance = Instance(CampaignOptions(dates_creates=dates_creates))
    made = instance.create(externalId="a", blackListEmail=False, blackListPhone=True)
    assert bool(made["blackListEmailLastModified"]) is dates_creates
    assert made["blackListPhoneLastModified"]
    assert not made["blackListFaxLastModified"]
