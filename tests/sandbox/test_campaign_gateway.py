"""The front door: tokens, API key, tenant, rate limit (adobe.md B.1 and B.8)."""

from __future__ import annotations

import json

import pytest

from sandbox.campaign.options import CampaignOptions, RateLimit
from sandbox.wire import Request
from tests.sandbox.campaign_instance import EXT, Instance


def answer(campaign: Instance, target: str = EXT, **headers: str) -> tuple[int, dict[str, object]]:
    got = campaign.send("GET", target, **headers)
    return got.status, json.loads(got.body)


def test_a_token_is_bearer_and_expires() -> None:
    campaign = Instance(CampaignOptions(token_ttl_s=100))
    given = json.loads(campaign.ask_token().body)
    assert (given["token_type"], given["expires_in"]) == ("bearer", 100)
    campaign.time += 99
    assert answer(campaign)[0] == 200
    campaign.time += 1
    assert answer(campaign) == (401, {"error_code": "401013", "message": "Oauth token is not valid"})


def test_tokens_can_be_revoked() -> None:
    campaign = Instance()
    campaign.service.command("revoke_tokens", {})
    assert answer(campaign)[1]["error_code"] == "401013"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "wrong"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "openid,everything"}, "invalid_scope"),
    ],
)
def test_a_wrong_form_gets_no_token(changes: dict[str, str], error: str) -> None:
    got = Instance().ask_token(**changes)
    assert got.status == 400 and json.loads(got.body)["error"] == error


def test_a_token_request_is_a_posted_form() -> None:
    service = Instance().service
    assert service.handle(Request("GET", "/ims/token/v3", {})).status == 405
    assert (
        service.handle(Request("POST", "/ims/token/v3", {"content-type": "application/json"})).status == 415
    )


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"authorization": "Bearer wrong"}, 401, "401013"),
        ({"authorization": ""}, 401, "401010"),
        ({"authorization": "Basic abc"}, 401, "401010"),
        ({"x_api_key": ""}, 403, "403000"),
        ({"x_api_key": "wrong"}, 403, "403003"),
    ],
)
def test_who_is_turned_away_is_told_in_json(headers: dict[str, str], status: int, code: str) -> None:
    got = answer(Instance(), **headers)
    assert (got[0], got[1]["error_code"]) == (status, code)


@pytest.mark.parametrize(
    "target",
    ["/elsewhere/campaign/profileAndServices/profile", "/", "/ims/token/v3x", "/local/other", "/local"],
)
def test_a_wrong_tenant_leads_nowhere(target: str) -> None:
    status, content = answer(Instance(), target)
    assert (status, content["code"]) == (500, 500)


def test_the_rate_limit_slides_and_says_when_to_come_back() -> None:
    campaign = Instance(CampaignOptions(rate_limit=RateLimit(2, 10)))
    assert answer(campaign)[0] == 200
    campaign.time += 4
    assert answer(campaign)[0] == 200
    got = campaign.send("GET", EXT)
    assert json.loads(got.body) == {"error_code": "429050", "message": "Too many requests"}
    assert (got.status, got.headers["retry-after"]) == (429, "6")
    campaign.time += 6
    assert [answer(campaign)[0], answer(campaign)[0]] == [200, 429]


def test_the_rate_limit_may_keep_silent_about_when() -> None:
    campaign = Instance()
    campaign.service.command("rate_limit", {"calls": 1, "window_s": 10, "retry_after": False})
    assert answer(campaign)[0] == 200
    assert "retry-after" not in campaign.send("GET", EXT).headers
    campaign.service.command("rate_limit", {})
    assert answer(campaign)[0] == 200


def test_hrefs_follow_the_request() -> None:
    campaign = Instance()
    answer = campaign.send("POST", EXT, {}, host="api.test:8443", x_forwarded_proto="https")
    assert campaign.read(answer)["href"].startswith("https://api.test:8443/local/campaign/")


def test_hrefs_carry_the_configured_origin() -> None:
    campaign = Instance(CampaignOptions(origin="https://mc.example"))
    assert campaign.create()["href"].startswith("https://mc.example/local/campaign/")
