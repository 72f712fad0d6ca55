"""Scripted answers and canaries for the tests of the HTTP client."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from sync.http import Http, Site
from sync.model import Clock
from sync.tokens import CachedTokens
from tests.adapters import FakeClock

ORIGIN = "https://org.crm4.dynamics.com"
Handler = Callable[[httpx.Request], httpx.Response]


def fixed_tokens(clock: Clock, *tokens: str) -> CachedTokens:
    """Gives the tokens one after the other, each valid for an hour; the last one stays."""
    left = list(tokens)

    async def fetch() -> tuple[str, float]:
        token = left.pop(0) if len(left) > 1 else left[0]
        return token, clock.now() + 3600

    return CachedTokens(fetch, clock)


def site(
    handler: Handler, *, system: str = "dynamics", origin: str = ORIGIN, clock: FakeClock | None = None
) -> Site:
    """A site whose service is `handler`."""
    clock = clock or FakeClock()
    http = Http(httpx.MockTransport(handler), clock)
    return http.connect(system, origin, fixed_tokens(clock, "token-1", "token-2"))
