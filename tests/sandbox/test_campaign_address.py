"""The ways to find a profile by externalId: as a key, by a custom filter, not at all (adobe.md B.4)."""

from __future__ import annotations

import pytest

from sandbox.campaign.options import Addressing, CampaignOptions
from tests.sandbox.campaign_instance import EXT, PLAIN, Instance

LOOKUP = f"{EXT}/byExternalId?externalId_parameter="


def instance(mode: Addressing) -> Instance:
    return Instance(CampaignOptions(addressing=mode))


def test_a_key_reads_and_updates() -> None:
    campaign = instance("key")
    made = campaign.create(externalId="c-1")
    assert campaign.get(f"{EXT}/c-1") == made
    answer = campaign.send("PATCH", f"{EXT}/c-1", {"firstName": "Ada"})
    assert campaign.read(answer) == {"PKey": made["PKey"], "href": made["href"]}


def test_an_unknown_key_is_a_404() -> None:
    campaign = instance("key")
    status, text = campaign.refused("PATCH", f"{EXT}/c-9", {"firstName": "Ada"})
    assert status == 404
    assert text == (
        "RST-360011 An error has occurred - please contact your administrator. Unable to find document with "
        "path 'Profile' from key 'c-9' (document with schema 'profile' and name 'c-9')"
    )


def test_a_key_is_case_sensitive() -> None:
    campaign = instance("key")
    campaign.create(externalId="abc")
    assert campaign.refused("GET", f"{EXT}/ABC")[0] == 404


@pytest.mark.parametrize("value", ["c-1", "c-2", ""])
def test_the_key_column_has_no_place_in_a_patch_by_key(value: str) -> None:
    campaign = instance("key")
    campaign.create(externalId="c-1")
    status, text = campaign.refused("PATCH", f"{EXT}/c-1", {"externalId": value, "firstName": "Ada"})
    assert status == 500
    assert text == (
        f"RST-360012 Inconsistent operation on resource 'profile' - Cannot update key 'c-1' to '{value}'."
    )
    assert campaign.get(f"{EXT}/c-1")["firstName"] == ""


def test_a_key_cannot_change_by_pkey_either() -> None:
    campaign = instance("key")
    pkey = campaign.create(externalId="c-1")["PKey"]
    assert "RST-360012" in campaign.refused("PATCH", f"{EXT}/{pkey}", {"externalId": "c-2"})[1]
    assert campaign.send("PATCH", f"{EXT}/{pkey}", {"externalId": "c-1"}).status == 200


def test_a_key_works_in_the_extended_api_only() -> None:
    campaign = instance("key")
    campaign.create(externalId="c-1")
    assert "XTK-170036" in campaign.refused("GET", f"{PLAIN}/c-1")[1]
    assert "XTK-170036" in campaign.refused("PATCH", f"{PLAIN}/c-1", {})[1]


def test_delete_by_key_is_refused_until_switched_on() -> None:
    campaign = instance("key")
    campaign.create(externalId="c-1")
    status, text = campaign.refused("DELETE", f"{EXT}/c-1")
    assert status == 500 and "XTK-170036 Unable to parse expression '@id = @c-1'" in text
    campaign.service.command("delete_by_key", {"enabled": True})
    assert campaign.send("DELETE", f"{EXT}/c-1").status == 200
    assert campaign.refused("DELETE", f"{EXT}/c-1")[0] == 404
    campaign.create(externalId="c-1")
    campaign.service.command("addressing", {"mode": "filter"})
    assert campaign.refused("DELETE", f"{EXT}/c-1")[0] == 500


def test_key_mode_publishes_no_filter() -> None:
    campaign = instance("key")
    campaign.create(externalId="c-1")
    assert campaign.refused("GET", LOOKUP + "c-1")[0] == 404


def test_the_filter_finds_every_profile_with_that_id() -> None:
    campaign = instance("filter")
    pkeys = [campaign.create(externalId="c-1")["PKey"], campaign.create(externalId="c-1")["PKey"]]
    campaign.create(externalId="C-1")
    found = campaign.get(LOOKUP + "c-1")
    assert [row["PKey"] for row in found["content"]] == pkeys
    assert found["count"]["value"] == 2
    assert campaign.get(LOOKUP + "c-2")["content"] == []


def test_the_filter_follows_changes_and_deletes() -> None:
    campaign = instance("filter")
    pkey = campaign.create(externalId="c-1")["PKey"]
    assert campaign.send("PATCH", f"{EXT}/{pkey}", {"externalId": "c-2"}).status == 200
    assert campaign.get(LOOKUP + "c-1")["content"] == []
    assert campaign.get(LOOKUP + "c-2")["content"][0]["PKey"] == pkey
    campaign.send("DELETE", f"{EXT}/{pkey}")
    assert campaign.get(LOOKUP + "c-2")["content"] == []


def test_the_filter_lists_the_oldest_profile_first() -> None:
    campaign = instance("filter")
    older = campaign.create(externalId="c-0")["PKey"]
    newer = campaign.create(externalId="c-1")["PKey"]
    campaign.send("PATCH", f"{EXT}/{older}", {"externalId": "c-1"})
    assert [row["PKey"] for row in campaign.get(LOOKUP + "c-1")["content"]] == [older, newer]


def test_filter_mode_has_no_key() -> None:
    campaign = instance("filter")
    campaign.create(externalId="c-1")
    assert campaign.refused("GET", f"{EXT}/c-1")[0] == 500
    assert campaign.refused("GET", f"{PLAIN}/byExternalId?externalId_parameter=c-1")[0] == 500


@pytest.mark.parametrize(
    "query", ["", "?externalId_parameter=", "?externalId=c-1", "?externalId_parameter=c-1&x=1"]
)
def test_the_filter_needs_exactly_its_parameter(query: str) -> None:
    campaign = instance("filter")
    assert campaign.refused("GET", f"{EXT}/byExternalId{query}")[0] == 500


def test_neither_is_possible() -> None:
    campaign = instance("none")
    campaign.create(externalId="c-1")
    assert "XTK-170036" in campaign.refused("GET", f"{EXT}/c-1")[1]
    assert "XTK-170036" in campaign.refused("GET", LOOKUP + "c-1")[1]
    assert len(campaign.get(EXT)["content"]) == 1


def test_repeated_ids_cannot_become_a_key() -> None:
    campaign = instance("filter")
    campaign.create(externalId="c-1")
    campaign.create(externalId="c-1")
    with pytest.raises(ValueError, match="externalId cannot become unique"):
        campaign.service.command("addressing", {"mode": "key"})
