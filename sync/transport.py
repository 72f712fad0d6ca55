"""The production transport: httpx's transport seam over one aiohttp session.

The published `httpx-aiohttp` 0.2.0 is not used (docs/decisions/own-transport.md): it re-quotes the URL, so
that a delta link becomes another one, it reports a connection dropped after sending as a connect timeout, and
aiohttp below it repeats a DELETE by itself. Here the target stays byte for byte, the error says whether a request
was sent, and nothing is repeated.

    httpx.ConnectError, ConnectTimeout, UnsupportedProtocol     nothing was sent
    httpx.ReadTimeout, ReadError, RemoteProtocolError           it may have been applied
"""

from __future__ import annotations

import aiohttp
import httpx
from yarl import URL

KEEP_ALIVE_S = 30.0
"""An idle connection is closed by us before a server closes it under a request."""

EXACT_S = 86_400.0
"""aiohttp rounds longer timeouts up to whole seconds; a claim's deadline leaves no room for that."""


class AiohttpTransport(httpx.AsyncBaseTransport):
    """One pool of connections, made on first use on the running loop; keeps no cookies (dataverse.md 3)."""

    def __init__(self, max_connections: int = 100) -> None:
        self._max_connections = max_connections
        self._session: aiohttp.ClientSession | None = None

    def _open(self) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._max_connections, keepalive_timeout=KEEP_ALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )
        # aiohttp repeats GET, PUT and DELETE once on a dropped connection and has no public switch for it
        # (aio-libs/aiohttp client.py, `_retry_connection`); a test asserts that a dropped DELETE comes once.
        session._retry_connection = False
        self._session = session
        return session

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        session = self._session or self._open()
        seconds: float | None = request.extensions.get("timeout", {}).get("read")
        try:
            async with session.request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=request.headers,
                data=request.content or None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=seconds, ceil_threshold=EXACT_S),
            ) as answer:
                body = await answer.read()
                return httpx.Response(answer.status, headers=answer.raw_headers, content=body)
        except (aiohttp.ClientError, TimeoutError) as error:
            failure = _as_httpx(error)
        raise failure

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


def _as_httpx(error: Exception) -> httpx.TransportError:
    """The httpx error that tells the same; its text never repeats the URL."""
    name = type(error).__name__
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return httpx.ConnectTimeout(name)
    if isinstance(error, aiohttp.ClientConnectorError):
        return httpx.ConnectError(name)
    if isinstance(error, aiohttp.InvalidURL):
        return httpx.UnsupportedProtocol(name)
    if isinstance(error, TimeoutError):
        return httpx.ReadTimeout(name)
    if isinstance(error, aiohttp.ClientResponseError):
        return httpx.RemoteProtocolError(name)
    return httpx.ReadError(name)
