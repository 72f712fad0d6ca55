"""The one HTTP client: a site per system, its bearer token, timeouts, and what a failure means to callers.

A call ends in one of four ways:
    Answer            the service answered, with success or with an error of its own
    Throttled         429, or 503 with Retry-After: nothing was applied
    UnknownOutcome    a write left and no trustworthy answer came
    SyncError         nothing was applied: never sent, token refused, or a read that can be repeated

Nothing is repeated here but a call answered 401, once, with a new token. URLs are built by hand: httpx drops
the query of a link as soon as `params=` is given, even `{}` (dataverse.md 9.3).
"""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable, Mapping
from copy import copy
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from sync.errors import SyncError, Throttled, UnknownOutcome
from sync.model import Clock
from sync.origin import origin_of
from sync.tokens import CachedTokens, Tokens

DEFAULT_RETRY_AFTER_S = 30.0
LONGEST_RETRY_AFTER_S = 86_400.0
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_GATEWAY = frozenset({408, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered; header names are found in any case."""

    system: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    write: bool

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> dict[str, Any]:
        """The JSON object answered; what is none makes a write's outcome unknown and a read repeatable."""
        try:
            content = json.loads(self.body)
        except ValueError:
            content = None
        if isinstance(content, dict):
            return content
        raise self.lost("not a JSON object")

    def lost(self, what: str) -> SyncError:
        """The error for an answer that cannot be trusted."""
        if self.write:
            return UnknownOutcome(f"{self.system}_outcome_unknown", what, status=self.status)
        return SyncError(f"{self.system}_garbled", what, status=self.status)


class Site:
    """One system at one origin: the only place its token is sent to."""

    def __init__(self, http: Http, system: str, url: str, tokens: Tokens) -> None:
        self.http = http
        self.system = system
        self._origin = origin_of(url)
        parts = urlsplit(url)
        self._prefix = f"{parts.scheme}://{parts.netloc}/"
        self._tokens = tokens
        self._end_by = math.inf
        self.repeating: Callable[[], Awaitable[None]] | None = None
        """Awaited before a request is sent a second time: by a call budget, which planned for one."""

    def bounded(self, deadline: float) -> Site:
        """The same site, for requests that must all end by `deadline` (unix seconds): a claim's (design 4.3)."""
        site = copy(self)
        site._end_by = deadline
        return site

    async def call(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, content: bytes = b""
    ) -> Answer:
        """Send one request; a 401 (nothing was applied) is repeated once with a new token.

        Nothing is sent that could not end by the deadline of `bounded`: raises `too_late`. The wait for a token comes
        before that check.
        """
        if not url.startswith(self._prefix) and not self.owns(url):
            raise SyncError("foreign_link", f"{self.system} named an address of another origin")
        token = await self._tokens.token()
        answer = await self._send(method, url, headers, content, token)
        if answer.status == 401:
            token = await self._tokens.token(rejected=token)
            if self.repeating is not None:
                await self.repeating()
            answer = await self._send(method, url, headers, content, token)
        if answer.status == 401:
            raise SyncError(f"{self.system}_unauthorized", "a fresh token was refused", status=401)
        return answer

    def owns(self, url: str) -> bool:
        """Whether a link is of this site's origin."""
        try:
            return origin_of(url) == self._origin
        except SyncError:
            return False

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str] | None, content: bytes, token: str
    ) -> Answer:
        if self.http.clock.now() + self.http.timeout_s > self._end_by:
            raise SyncError("too_late", "the claim ends before the call could")
        sent = (
            {**headers, "Authorization": f"Bearer {token}"}
            if headers
            else {"Authorization": f"Bearer {token}"}
        )
        return await self.http.send(self.system, method, url, sent, content, write=method != "GET")


class Http:
    """One per worker. `transport` is `AiohttpTransport` in production and the seam for tests."""

    def __init__(self, transport: httpx.AsyncBaseTransport, clock: Clock, *, timeout_s: float = 30.0) -> None:
        self.clock = clock
        self._transport = transport
        timeout = dict.fromkeys(("connect", "read", "write", "pool"), timeout_s)
        self._extensions = {"timeout": timeout}
        self._timeout_s = timeout_s
        self._sites: dict[str, Site] = {}
        self._closers: list[Callable[[], Awaitable[None]]] = []

    def connect(self, system: str, url: str, tokens: Tokens) -> Site:
        """Name the origin of a system (`dynamics` or `campaign`) and where its tokens come from."""
        site = self._sites[system] = Site(self, system, url, tokens)
        return site

    @property
    def timeout_s(self) -> float:
        """How long one request may take."""
        return self._timeout_s

    def site(self, system: str) -> Site:
        return self._sites[system]

    def client_credentials(
        self, system: str, token_url: str, *, client_id: str, client_secret: str, scope: str
    ) -> CachedTokens:
        """Tokens by OAuth client credentials (dataverse.md 4.6, adobe.md B.1)."""
        origin_of(token_url)
        form = {
            "client_id": client_id,
            "client_secret": client_secret,
            "grant_type": "client_credentials",
            "scope": scope,
        }
        body = urlencode(form).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}

        async def fetch() -> tuple[str, float]:
            answer = await self.send(system, "POST", token_url, headers, body, write=False)
            if not answer.ok:
                refused = 400 <= answer.status < 500
                code = f"{system}_unauthorized" if refused else f"{system}_unreachable"
                raise SyncError(code, f"the token endpoint answered {answer.status}", status=answer.status)
            content = answer.json()
            token, life = content.get("access_token"), content.get("expires_in", 3600)
            if not isinstance(token, str) or not token:
                raise answer.lost("no access_token")
            return token, self.clock.now() + float(life)

        return CachedTokens(fetch, self.clock)

    async def send(
        self, system: str, method: str, url: str, headers: Mapping[str, str], content: bytes, *, write: bool
    ) -> Answer:
        """One request without a token of its own; raises SyncError as the module says."""
        try:
            request = httpx.Request(
                method, url, headers=headers, content=content or None, extensions=self._extensions
            )
            response = await self._transport.handle_async_request(request)
            body = await response.aread()
        except _NOTHING_SENT as error:
            failure = SyncError(f"{system}_unreachable", type(error).__name__)
        except (httpx.TransportError, httpx.DecodingError) as error:
            failure = _lost(system, type(error).__name__, write=write)
        except httpx.InvalidURL:
            failure = SyncError("insecure_url", "not a URL")
        else:
            answer = Answer(system, response.status_code, response.headers, body, write)
            return self._sound(answer)
        # outside the handler, so that no httpx error (it holds the URL) hangs on as context
        raise failure

    def _sound(self, answer: Answer) -> Answer:
        """The answer, unless its status says that the service itself did not speak."""
        status = answer.status
        if status == 429 or (status == 503 and "retry-after" in answer.headers):
            raise Throttled(f"{answer.system}_throttled", self._retry_after(answer), status=status)
        if status in _GATEWAY:
            raise _lost(answer.system, f"HTTP {status}", write=answer.write, status=status)
        return answer

    def _retry_after(self, answer: Answer) -> float:
        """Seconds to wait, from seconds or an HTTP date (RFC 9110 10.2.3)."""
        text = answer.headers.get("retry-after", "").strip()
        try:
            wait = (
                float(text) if text.isdigit() else parsedate_to_datetime(text).timestamp() - self.clock.now()
            )
        except (ValueError, TypeError):
            wait = DEFAULT_RETRY_AFTER_S
        return min(max(wait, 1.0), LONGEST_RETRY_AFTER_S)

    def close_with(self, closer: Callable[[], Awaitable[None]]) -> None:
        """Something to close with this client, such as a credential."""
        self._closers.append(closer)

    async def aclose(self) -> None:
        for closer in self._closers:
            await closer()
        await self._transport.aclose()


def _lost(system: str, what: str, *, write: bool, status: int = 0) -> SyncError:
    if write:
        return UnknownOutcome(f"{system}_outcome_unknown", what, status=status)
    return SyncError(f"{system}_unreachable", what, status=status)
