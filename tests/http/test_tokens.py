"""Tokens: one fetch for all, renewed in time, repeated once after 401, and sent to no other origin."""

from __future__ import annotations

import asyncio
import random
from urllib.parse import parse_qs

import httpx
import pytest

from sync.errors import Reaction, SyncError, Throttled
from sync.http import Http
from sync.tokens import CachedTokens, azure_tokens
from tests.adapters import FakeClock
from tests.http.answers import ORIGIN, site

TOKEN_URL = "https://login.example.com/tenant/oauth2/v2.0/token"
SECRET = "canary-secret-8d1f"


def credentials(handler: httpx.MockTransport, clock: FakeClock) -> CachedTokens:
    return Http(handler, clock).client_credentials(
        "dynamics", TOKEN_URL, client_id="app", client_secret=SECRET, scope=f"{ORIGIN}/.default"
    )


def issuing(life: int, seen: list[httpx.Request]) -> httpx.MockTransport:
    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"access_token": f"t{len(seen)}", "expires_in": life})

    return httpx.MockTransport(handle)


async def test_a_token_is_fetched_by_client_credentials() -> None:
    seen: list[httpx.Request] = []
    tokens = credentials(issuing(3600, seen), FakeClock())
    assert await tokens.token() == "t1"
    assert parse_qs(seen[0].content.decode()) == {
        "client_id": ["app"],
        "client_secret": [SECRET],
        "grant_type": ["client_credentials"],
        "scope": [f"{ORIGIN}/.default"],
    }
    assert "authorization" not in seen[0].headers


async def test_sixteen_callers_cause_one_fetch() -> None:
    fetched = 0

    async def fetch() -> tuple[str, float]:
        nonlocal fetched
        fetched += 1
        await asyncio.sleep(0)
        return "t", 1e12

    tokens = CachedTokens(fetch, FakeClock())
    assert await asyncio.gather(*(tokens.token() for _ in range(16))) == ["t"] * 16
    assert fetched == 1


async def test_a_token_is_renewed_before_it_expires() -> None:
    clock, seen = FakeClock(), list[httpx.Request]()
    tokens = credentials(issuing(3600, seen), clock)
    await tokens.token()
    clock.advance(3600 - 121)
    assert await tokens.token() == "t1"
    clock.advance(2)
    assert await tokens.token() == "t2"


async def test_a_short_lived_token_is_used_for_most_of_its_life() -> None:
    clock, seen = FakeClock(), list[httpx.Request]()
    tokens = credentials(issuing(8, seen), clock)
    await tokens.token()
    clock.advance(5)
    assert await tokens.token() == "t1"
    clock.advance(2)
    assert await tokens.token() == "t2"


async def test_a_rejected_token_is_replaced_once_for_all_who_had_it() -> None:
    seen: list[httpx.Request] = []
    tokens = credentials(issuing(3600, seen), FakeClock())
    old = await tokens.token()
    assert await asyncio.gather(*(tokens.token(rejected=old) for _ in range(4))) == ["t2"] * 4


@pytest.mark.parametrize(
    ("answer", "code", "reaction"),
    [
        (
            httpx.Response(401, json={"error": "invalid_client", "error_description": SECRET}),
            "unauthorized",
            "stop",
        ),
        (httpx.Response(400, json={"error": "invalid_client"}), "unauthorized", "stop"),
        (httpx.Response(500, text="oops"), "unreachable", "retry"),
        (httpx.Response(502, text="oops"), "unreachable", "retry"),
        (httpx.Response(200, text="<html>"), "garbled", "retry"),
        (httpx.Response(200, json={"token": "x"}), "garbled", "retry"),
    ],
)
async def test_a_token_endpoint_that_refuses_says_why_without_the_secret(
    answer: httpx.Response, code: str, reaction: str
) -> None:
    tokens = credentials(httpx.MockTransport(lambda request: answer), FakeClock())
    with pytest.raises(SyncError) as caught:
        await tokens.token()
    assert (caught.value.code, caught.value.reaction) == (f"dynamics_{code}", Reaction(reaction))
    assert SECRET not in str(caught.value)


async def test_a_throttled_token_endpoint_is_waited_for() -> None:
    answer = httpx.Response(429, headers={"Retry-After": "9"})
    with pytest.raises(Throttled) as caught:
        await credentials(httpx.MockTransport(lambda request: answer), FakeClock()).token()
    assert caught.value.retry_after == 9


async def test_a_401_is_repeated_once_with_a_new_token() -> None:
    seen: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return httpx.Response(401 if len(seen) == 1 else 204)

    assert (await site(handle).call("PATCH", f"{ORIGIN}/x", content=b"{}")).status == 204
    assert seen == ["Bearer token-1", "Bearer token-2"]


async def test_a_repeat_is_announced_to_the_budget_and_may_come_too_late_then() -> None:
    clock = FakeClock()
    told: list[float] = []

    async def repeating() -> None:
        told.append(clock.now())
        clock.advance(50)

    tired = site(lambda request: httpx.Response(401), clock=clock)
    tired.repeating = repeating
    with pytest.raises(SyncError) as caught:
        await tired.bounded(clock.now() + 60).call("PATCH", f"{ORIGIN}/x")
    assert (caught.value.code, len(told)) == ("too_late", 1)
    good = site(lambda request: httpx.Response(204), clock=clock)
    good.repeating = repeating
    await good.call("PATCH", f"{ORIGIN}/x")
    assert len(told) == 1, "a first request is none of its business"


async def test_a_second_401_stops_the_flow() -> None:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(401)

    with pytest.raises(SyncError) as caught:
        await site(handle).call("PATCH", f"{ORIGIN}/x")
    assert (caught.value.code, caught.value.reaction, len(seen)) == (
        "dynamics_unauthorized",
        Reaction.STOP,
        2,
    )


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example.com/api",
        "https://org.crm4.dynamics.com.evil.example.com/api",
        "https://org.crm4.dynamics.com@evil.example.com/api",
        "https://org.crm4.dynamics.com:8443/api",
        "http://org.crm4.dynamics.com/api",
        "//evil.example.com/",
        "/api/data",
    ],
)
async def test_a_link_of_another_origin_gets_no_token(link: str) -> None:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    with pytest.raises(SyncError) as caught:
        await site(handle).call("GET", link)
    assert caught.value.code == "foreign_link"
    assert seen == []


@pytest.mark.parametrize("link", ["https://ORG.crm4.dynamics.com/a", "https://org.crm4.dynamics.com:443/a"])
async def test_the_same_origin_spelled_otherwise_is_the_same(link: str) -> None:
    assert (await site(lambda request: httpx.Response(200)).call("GET", link)).ok


async def test_plain_http_to_another_machine_is_refused_before_a_secret_leaves() -> None:
    http = Http(httpx.MockTransport(lambda request: httpx.Response(200)), FakeClock())
    with pytest.raises(SyncError) as caught:
        http.client_credentials(
            "dynamics", "http://example.com/t", client_id="a", client_secret="b", scope="c"
        )
    assert caught.value.code == "insecure_url"


class ManagedIdentity:
    """Stands for an azure-identity credential."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.scopes: tuple[str, ...] = ()

    async def get_token(self, *scopes: str) -> Access:
        self.scopes = scopes
        if self.error is not None:
            raise self.error
        return Access()

    async def close(self) -> None:
        pass


class Access:
    token = f"identity-{random.Random(1).getrandbits(16)}"
    expires_on = 2_000_000_000


async def test_a_managed_identity_gives_the_token() -> None:
    credential = ManagedIdentity()
    tokens = azure_tokens(credential, f"{ORIGIN}/.default", FakeClock())
    assert (await tokens.token(), credential.scopes) == (Access.token, (f"{ORIGIN}/.default",))


async def test_a_managed_identity_that_is_refused_stops_the_flow() -> None:
    from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

    for error, code in (
        (ClientAuthenticationError(SECRET), "dynamics_unauthorized"),
        (ServiceRequestError(SECRET), "dynamics_unreachable"),
    ):
        with pytest.raises(SyncError) as caught:
            await azure_tokens(ManagedIdentity(error), "s", FakeClock()).token()
        assert caught.value.code == code
        assert SECRET not in str(caught.value)
