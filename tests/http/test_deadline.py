"""No request starts that could not end before its claim does (design 4.3)."""

from __future__ import annotations

import httpx
import pytest

from sync.errors import SyncError
from sync.http import Http
from tests.adapters import FakeClock

URL = "http://127.0.0.1:1/x"


class SlowTokens:
    """A token endpoint that hangs for a while."""

    def __init__(self, clock: FakeClock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds

    async def token(self, rejected: str = "") -> str:
        self._clock.advance(self._seconds)
        return f"token{rejected}"


def sent_of(clock: FakeClock, tokens: SlowTokens, *, status: int) -> tuple[Http, list[httpx.Request]]:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(status, json={})

    http = Http(httpx.MockTransport(answer), clock, timeout_s=30)
    http.connect("campaign", URL, tokens)
    return http, sent


async def test_a_call_that_waited_too_long_for_a_token_is_not_sent() -> None:
    clock = FakeClock()
    http, sent = sent_of(clock, SlowTokens(clock, 400), status=200)
    with pytest.raises(SyncError) as refused:
        await http.site("campaign").bounded(clock.now() + 300).call("PATCH", URL)
    assert refused.value.code == "too_late"
    assert sent == []


async def test_the_repeat_after_a_401_is_held_to_the_same_deadline() -> None:
    clock = FakeClock()
    http, sent = sent_of(clock, SlowTokens(clock, 20), status=401)
    with pytest.raises(SyncError) as refused:
        await http.site("campaign").bounded(clock.now() + 60).call("PATCH", URL)
    assert refused.value.code == "too_late"
    assert len(sent) == 1


async def test_without_a_deadline_nothing_is_refused() -> None:
    clock = FakeClock()
    http, sent = sent_of(clock, SlowTokens(clock, 400), status=200)
    assert (await http.site("campaign").call("GET", URL)).ok
    assert len(sent) == 1
