"""What one call comes to: an answer, or an error that says whether something may have been applied."""

from __future__ import annotations

import traceback

import httpx
import pytest

from sync.errors import Reaction, SyncError, Throttled, UnknownOutcome
from sync.http import Http
from sync.origin import origin_of
from tests.adapters import FakeClock
from tests.http.answers import ORIGIN, fixed_tokens, site

CANARY = "canary.person@example.com"


def failing(error: Exception) -> httpx.MockTransport:
    def handle(request: httpx.Request) -> httpx.Response:
        raise error

    return httpx.MockTransport(handle)


async def call_failing(error: Exception, method: str) -> SyncError:
    clock = FakeClock()
    http = Http(failing(error), clock)
    dynamics = http.connect("dynamics", ORIGIN, fixed_tokens(clock, "t"))
    with pytest.raises(SyncError) as caught:
        await dynamics.call(method, f"{ORIGIN}/x?email={CANARY}", content=CANARY.encode())
    return caught.value


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
async def test_a_request_that_was_never_sent_is_known_not_applied(
    error: type[httpx.TransportError], method: str
) -> None:
    failure = await call_failing(error(CANARY), method)
    assert (failure.code, failure.reaction) == ("dynamics_unreachable", Reaction.RETRY)
    assert not isinstance(failure, UnknownOutcome)


@pytest.mark.parametrize(
    "error", [httpx.ReadTimeout, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError]
)
async def test_a_write_that_was_sent_without_an_answer_is_unknown(error: type[httpx.TransportError]) -> None:
    assert isinstance(await call_failing(error(CANARY), "POST"), UnknownOutcome)


@pytest.mark.parametrize("error", [httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError])
async def test_a_read_without_an_answer_is_tried_again(error: type[httpx.TransportError]) -> None:
    failure = await call_failing(error(CANARY), "GET")
    assert (failure.code, failure.reaction) == ("dynamics_unreachable", Reaction.RETRY)


async def test_no_failure_shows_the_url_or_the_body() -> None:
    for method in ("GET", "PATCH"):
        failure = await call_failing(httpx.ReadError(f"{ORIGIN}/x?email={CANARY}"), method)
        shown = "".join(traceback.format_exception(failure))
        assert CANARY not in shown
        assert CANARY not in repr(failure.args)
        assert failure.__context__ is None


@pytest.mark.parametrize("status", [408, 502, 503, 504])
async def test_a_gateway_that_gave_up_leaves_a_write_unknown_and_a_read_repeatable(status: int) -> None:
    answering = site(lambda request: httpx.Response(status, text="<html>"))
    with pytest.raises(UnknownOutcome) as write:
        await answering.call("PATCH", f"{ORIGIN}/x")
    assert write.value.status == status
    with pytest.raises(SyncError) as read:
        await answering.call("GET", f"{ORIGIN}/x")
    assert read.value.code == "dynamics_unreachable"


async def test_success_that_is_not_json_is_unknown_for_a_write_and_repeatable_for_a_read() -> None:
    answering = site(lambda request: httpx.Response(200, text="<html>proxy</html>"))
    with pytest.raises(UnknownOutcome):
        (await answering.call("PATCH", f"{ORIGIN}/x")).json()
    with pytest.raises(SyncError) as read:
        (await answering.call("GET", f"{ORIGIN}/x")).json()
    assert (read.value.code, read.value.reaction) == ("dynamics_garbled", Reaction.RETRY)


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {"Retry-After": "17"}, 17.0),
        (429, {}, 30.0),
        (429, {"Retry-After": "soon"}, 30.0),
        (429, {"Retry-After": "0"}, 1.0),
        (503, {"Retry-After": "120"}, 120.0),
        (429, {"Retry-After": "Fri, 15 Jan 2027 08:01:00 GMT"}, 60.0),
        (429, {"Retry-After": "Fri, 15 Jan 2027 07:00:00 GMT"}, 1.0),
    ],
)
async def test_throttling_says_when_to_come_back(status: int, headers: dict[str, str], wait: float) -> None:
    clock = FakeClock(now=1_800_000_000.0)  # 2027-01-15 08:00:00 UTC
    answering = site(lambda request: httpx.Response(status, headers=headers), clock=clock)
    with pytest.raises(Throttled) as caught:
        await answering.call("PATCH", f"{ORIGIN}/x")
    assert (caught.value.retry_after, caught.value.reaction) == (wait, Reaction.WAIT)
    assert caught.value.code == "dynamics_throttled"


async def test_other_errors_are_left_to_the_client_that_knows_the_codes() -> None:
    answering = site(lambda request: httpx.Response(500, text="RST-360011"))
    answer = await answering.call("PATCH", f"{ORIGIN}/x")
    assert (answer.status, answer.ok, answer.text) == (500, False, "RST-360011")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:1/x",
        "http://127.0.0.1/x",
        "http://[::1]:9/x",
        "https://mc.adobe.io/acme/campaign",
    ],
)
def test_credentials_may_go_to_https_and_to_loopback(url: str) -> None:
    assert origin_of(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://127.0.0.1.example.com/",
        "http://10.0.0.1/",
        "ftp://example.com/",
        "https://user@example.com/",
        "https://",
        "https://[bad",
        "example.com",
    ],
)
def test_credentials_go_nowhere_else(url: str) -> None:
    with pytest.raises(SyncError) as caught:
        origin_of(url)
    assert caught.value.code == "insecure_url"


def test_httpx_loses_the_query_of_a_link_with_params() -> None:
    """Why `params=` is banned (dataverse.md 9.3); an httpx that mends it fails here and may lift the ban."""
    link = f"{ORIGIN}/contacts?$select=a&$deltatoken=919042%2108%2f22%2f2017%2008%3a10%3a44"
    assert "deltatoken" not in str(httpx.Request("GET", link, params={}).url)
    assert str(httpx.Request("GET", link).url) == link
