"""Puts look-alikes behind httpx's transport seam, in process; and a clock that only moves when told or slept on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx

from sandbox.wire import Request, Response, Service
from sync.model import Clock


class FakeClock:
    """Time that passes by `sleep` and `advance` only."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds

    async def sleep(self, seconds: float) -> None:
        self._now += max(seconds, 0.0)
        await asyncio.sleep(0)


class ServiceTransport(httpx.AsyncBaseTransport):
    """Answers from look-alikes by origin (`http://127.0.0.1:1`); the raw target reaches them byte for byte.

    `delay_s` is slept on the given clock and cut at the request's timeout, `drop` is a connection that breaks after
    the request was sent, an origin that is not there refuses the connection.
    """

    def __init__(self, services: Mapping[str, Service], clock: Clock) -> None:
        self._services = services
        self._clock = clock

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        service = self._services.get(f"{url.scheme}://{url.netloc.decode()}")
        if service is None:
            raise httpx.ConnectError("no such service")
        headers = {name.decode().lower(): value.decode() for name, value in request.headers.raw}
        answer = service.handle(Request(request.method, url.raw_path.decode(), headers, request.content))
        await self._delay(answer, request)
        if answer.drop:
            raise httpx.ReadError("dropped")
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)

    async def _delay(self, answer: Response, request: httpx.Request) -> None:
        limit = request.extensions.get("timeout", {}).get("read")
        if limit is not None and answer.delay_s > limit:
            await self._clock.sleep(limit)
            raise httpx.ReadTimeout("too slow")
        if answer.delay_s > 0:
            await self._clock.sleep(answer.delay_s)
