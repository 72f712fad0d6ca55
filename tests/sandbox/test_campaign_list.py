"""Lists: pages, counts, projections, order and filters (adobe.md B.4)."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.campaign.options import CampaignOptions
from tests.sandbox.campaign_instance import BASE, EXT, PLAIN, Instance


@pytest.fixture
def campaign() -> Instance:
    made = Instance()
    made.service.seed([{"externalId": f"c-{n}", "email": f"{n:02}@example.com"} for n in range(60)])
    return made


def target(href: str) -> str:
    """An absolute href as a request target."""
    return href.removeprefix("http://127.0.0.1:1")


def walk(campaign: Instance, start: str) -> list[list[Any]]:
    """The contents of all pages from `start` on."""
    pages, href = [], start
    while href:
        page = campaign.get(target(href))
        pages.append(page["content"])
        href = page.get("next", {}).get("href", "")
    return pages


def test_a_page_has_25_records_and_an_opaque_next(campaign: Instance) -> None:
    page = campaign.get(PLAIN)
    assert len(page["content"]) == 25 and page["serverSidePagination"] is True
    assert page["next"]["href"].startswith(f"http://127.0.0.1:1{PLAIN}/?_lineStart=@")
    assert "value" not in page["count"]
    assert [len(content) for content in walk(campaign, PLAIN)] == [25, 25, 10]


def test_line_count_travels_with_next(campaign: Instance) -> None:
    pages = walk(campaign, f"{EXT}?_lineCount=40")
    assert [len(content) for content in pages] == [40, 20]
    assert len({row["PKey"] for content in pages for row in content}) == 60


def test_a_full_last_page_has_no_next(campaign: Instance) -> None:
    page = campaign.get(f"{EXT}?_lineCount=60")
    assert "next" not in page and page["count"]["value"] == 60


def test_deleting_and_adding_while_paging_skips_nothing(campaign: Instance) -> None:
    page = campaign.get(f"{EXT}?_lineCount=30")
    for row in page["content"]:
        campaign.send("DELETE", f"{EXT}/{row['PKey']}")
    campaign.create(externalId="late")
    rest = [row["externalId"] for content in walk(campaign, page["next"]["href"]) for row in content]
    assert rest == [*(f"c-{n}" for n in range(30, 60)), "late"]


def test_count_is_asked_for_at_its_href(campaign: Instance) -> None:
    href = campaign.get(EXT)["count"]["href"]
    assert "/profile//_count?_lineStart=@" in href
    assert campaign.get(target(href)) == {"count": 60}
    last = campaign.get(target(campaign.get(f"{EXT}?_lineCount=40")["next"]["href"]))
    assert "next" not in last and "value" not in last["count"]
    filtered = campaign.get(f"{EXT}/byText?text=1&_lineCount=5")
    assert campaign.get(target(filtered["count"]["href"])) == {"count": 10}


def test_a_column_is_a_list_of_bare_values(campaign: Instance) -> None:
    page = campaign.get(f"{PLAIN}/email?_lineCount=2")
    assert page["content"] == ["00@example.com", "01@example.com"]
    assert campaign.get(target(page["next"]["href"]))["content"] == ["02@example.com", "03@example.com"]
    assert all(pkey.startswith("@") for pkey in campaign.get(f"{PLAIN}/PKey")["content"])
    assert campaign.refused("GET", f"{PLAIN}/cusCrmNumber")[0] == 404


def test_order_goes_both_ways_and_across_pages(campaign: Instance) -> None:
    campaign.create(externalId="z", email="zz@example.com")
    down = [value for page in walk(campaign, f"{PLAIN}/email?_order=email%20desc") for value in page]
    assert down == sorted(down, reverse=True) and len(down) == 61
    assert campaign.get(f"{PLAIN}/email?_order=email")["content"][0] == "00@example.com"
    # Adobe's client encodes the space twice (adobe.md C.2)
    assert campaign.get(f"{PLAIN}/email?_order=email%2520desc&_lineCount=1")["content"] == ["zz@example.com"]


def test_big_tables_need_force_pagination() -> None:
    campaign = Instance(CampaignOptions(big_table=30))
    campaign.service.seed([{"externalId": f"c-{n}"} for n in range(31)])
    assert "next" not in campaign.get(EXT)
    pages = walk(campaign, f"{EXT}?_forcePagination=true")
    assert [len(content) for content in pages] == [25, 6]
    campaign.service.delete("c-0")
    assert "next" in campaign.get(EXT)


def test_by_email_is_exact(campaign: Instance) -> None:
    assert [
        row["externalId"] for row in campaign.get(f"{PLAIN}/byEmail?email=07@example.com")["content"]
    ] == ["c-7"]
    assert campaign.get(f"{PLAIN}/byEmail?email=7@example.com")["content"] == []
    campaign.create(externalId='"\\é', email='"\\é@example.com')
    assert len(campaign.get(f"{PLAIN}/byEmail?email=%22%5C%C3%A9@example.com")["content"]) == 1


def test_by_text_is_a_case_sensitive_prefix(campaign: Instance) -> None:
    campaign.create(externalId="a", firstName="Ada", lastName="Byron")
    for query, found in (
        ("text=Ad&filterType=firstName", 1),
        ("text=ad&filterType=firstName", 0),
        ("text=yron&filterType=lastName", 0),
        ("text=By", 1),
        ("text=0", 10),
    ):
        assert len(campaign.get(f"{PLAIN}/byText?{query}")["content"]) == found, query


def test_filters_combine_even_with_an_encoded_slash(campaign: Instance) -> None:
    services = f"{BASE}/profileAndServices/service"
    for label, channel in (("Sport", "email"), ("Sport", "sms"), ("News", "email")):
        assert campaign.send("POST", services, {"label": label, "messageType": channel}).status == 201
    for path in ("byChannel/byText", "byChannel%2FbyText"):
        content = campaign.get(f"{services}/{path}?channel=email&text=Sp")["content"]
        assert [(row["label"], row["messageType"], row["name"]) for row in content] == [
            ("Sport", "email", "SVC1")
        ]


@pytest.mark.parametrize(
    "query",
    [
        "?_lineCount=0",
        "?_lineCount=-1",
        "?_lineCount=all",
        "?_lineStart=@AAAA",
        "?_lineStart=25",
        "?_lineStart=@!!",
        "?_order=colour",
        "?_order=location",
        "?_order=email%20sideways",
        "?modifiedSince=2026-01-01",
        "?_lineCount=5&_lineCount=6",
        "/byEmail",
        "/byEmail?email=",
        "/byText?text=a&filterType=colour",
        "/email/firstName",
        "/email/byText?text=a",
        "/birthday",
    ],
)
def test_what_no_document_describes_is_refused(campaign: Instance, query: str) -> None:
    assert campaign.refused("GET", PLAIN + query)[0] in (404, 500)


def test_the_custom_filter_by_time_finds_what_was_modified_at_or_after_its_parameter() -> None:
    instance = Instance(CampaignOptions(time_filter=True))
    instance.create(externalId="old")
    instance.time += 10
    instance.create(externalId="new")
    since = "2026-05-28T20:26:50Z"
    found = instance.get(f"{EXT}/byLastModified?lastModified_parameter={since}")
    assert [profile["externalId"] for profile in found["content"]] == ["new"]
    found = instance.get(
        f"{EXT}/byLastModified?lastModified_parameter=2026-05-28%2020:26:40.000Z&_lineCount=1"
    )
    assert [profile["externalId"] for profile in found["content"]] == ["old"]
    following = instance.get(found["next"]["href"].partition("127.0.0.1:1")[2])
    assert [profile["externalId"] for profile in following["content"]] == ["new"]


@pytest.mark.parametrize("text", ["", "yesterday", "2026-05-28T20:26:50", "1780000000"])
def test_the_filter_by_time_refuses_what_is_no_time_with_a_zone(text: str) -> None:
    instance = Instance(CampaignOptions(time_filter=True))
    status, _ = instance.refused("GET", f"{EXT}/byLastModified?lastModified_parameter={text}")
    assert status >= 400


def test_the_filter_by_time_is_there_only_where_it_is_published() -> None:
    instance = Instance()
    status, _ = instance.refused("GET", f"{EXT}/byLastModified?lastModified_parameter=2026-05-28T20:26:50Z")
    assert status == 404


def test_newest_first_is_the_order_of_last_modified() -> None:
    instance = Instance()
    for name in ("a", "b", "c"):
        instance.create(externalId=name)
        instance.time += 1
    instance.send("PATCH", f"{EXT}/a", {"lastName": "Again"})
    found = instance.get(f"{EXT}?_order=lastModified%20desc")
    assert [profile["externalId"] for profile in found["content"]] == ["a", "c", "b"]
