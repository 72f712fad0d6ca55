"""Who is asking, and how often: the token endpoint, bearer tokens and service protection (dataverse.md 3, 4.6)."""

from __future__ import annotations

import random
from base64 import b64decode
from collections import deque
from math import ceil
from urllib.parse import parse_qsl, unquote_plus

from sandbox.dynamics.errors import Refused
from sandbox.dynamics.options import DynamicsOptions
from sandbox.wire import Request, Response, json_response


class Tokens:
    """Access tokens of the application users, by client credentials."""

    def __init__(self, options: DynamicsOptions, rng: random.Random) -> None:
        self._options = options
        self._rng = rng
        self._issued: dict[str, tuple[float, str]] = {}
        """Token -> when it expires, and whose it is."""
        self._users = {options.client_id: (options.client_secret, options.user_id)}
        self._users |= {one.client_id: (one.client_secret, one.user_id) for one in options.applications}

    def issue(self, request: Request, origin: str, now: float) -> Response:
        """`POST /{tenant}/oauth2/v2.0/token`."""
        options = self._options
        if request.method != "POST":
            return _oauth(405, "invalid_request", "AADSTS900561: The endpoint only accepts POST requests.")
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            return _oauth(400, "invalid_request", "AADSTS900144: The request body must contain 'grant_type'.")
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        client, secret = _basic(request) or (form.get("client_id"), form.get("client_secret"))
        if request.path.split("/")[1] != options.tenant:
            return _oauth(400, "invalid_request", "AADSTS90002: Tenant not found.")
        if form.get("grant_type") != "client_credentials":
            return _oauth(
                400, "unsupported_grant_type", "AADSTS70003: The app requested an unsupported grant type."
            )
        expected, user = self._users.get(client or "", ("", ""))
        if not user:
            return _oauth(
                400, "unauthorized_client", "AADSTS700016: Application was not found in the directory."
            )
        if secret != expected:
            return _oauth(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.")
        if form.get("scope") != f"{origin}/.default":
            return _oauth(400, "invalid_scope", "AADSTS70011: The provided value for scope is not valid.")
        token = f"dynamics.{self._rng.getrandbits(160):040x}"
        self._issued = {old: issued for old, issued in self._issued.items() if issued[0] > now}
        self._issued[token] = (now + options.token_ttl_s, user)
        life = options.token_ttl_s
        answer = {"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token}
        return json_response(200, answer, {"cache-control": "no-store, no-cache"})

    def check(self, request: Request, origin: str, now: float) -> str:
        """The application user behind the request's token; 401 where it is missing or has expired."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        until, user = self._issued.get(token.strip(), (0.0, "")) if scheme.lower() == "bearer" else (0.0, "")
        if until <= now:
            authority = f"{origin}/{self._options.tenant}/oauth2/authorize"
            challenge = f"Bearer authorization_uri={authority}, resource_id={origin}/"
            raise Refused(401, "0x80042f08", "The access token is missing, invalid or expired.", {
                "www-authenticate": challenge
            })  # fmt: skip
        return user

    def revoke(self) -> None:
        """Forgets every token."""
        self._issued.clear()


def _oauth(status: int, error: str, description: str) -> Response:
    return json_response(status, {"error": error, "error_description": description})


def _basic(request: Request) -> tuple[str, str] | None:
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client, _, secret = b64decode(rest.strip()).decode("utf-8", "replace").partition(":")
    except ValueError:
        return "", ""
    return unquote_plus(client), unquote_plus(secret)


class Protection:
    """The three service protection limits of one user on one web server.

    Refused requests count too, so that Retry-After grows while a client keeps pushing.
    """

    def __init__(self, options: DynamicsOptions) -> None:
        self._options = options
        self._arrivals: deque[float] = deque()
        self._work: deque[tuple[float, float]] = deque()
        self._worked = 0.0
        self._busy: deque[float] = deque()

    def admit(self, now: float, in_flight: int) -> None:
        """Counts a request; 429 where a limit is exceeded. `in_flight`: requests being answered, this one included."""
        options = self._options
        self._forget(now)
        self._arrivals.append(now)
        if not options.limits:
            return
        if max(len(self._busy), in_flight - 1) >= options.concurrency_limit:
            limit = options.concurrency_limit
            raise self._refuse(
                "0x80072326", f"Number of concurrent requests exceeded the limit of {limit}.", 1.0
            )
        over = len(self._arrivals) - options.request_limit
        if over > 0:
            wait = self._arrivals[over] + options.window_s - now
            raise self._refuse(
                "0x80072322",
                f"Number of requests exceeded the limit of {options.request_limit} over time window of "
                f"{options.window_s:.0f} seconds.",
                wait,
            )
        if self._worked > options.time_limit_s:
            raise self._refuse(
                "0x80072321",
                f"Combined execution time of incoming requests exceeded limit of {options.time_limit_s * 1000:,.0f}"
                f"  milliseconds over time window of {options.window_s:.0f} seconds. Decrease number of concurrent "
                "requests or reduce the duration of requests and try again later.",
                self._work[0][0] + options.window_s - now,
            )

    def charge(self, now: float, seconds: float) -> None:
        """Books execution time of an admitted request that ends `seconds` from now."""
        if seconds > 0:
            self._work.append((now, seconds))
            self._worked += seconds
            self._busy.append(now + seconds)

    def headers(self) -> dict[str, str]:
        """What is left, on every answer; debugging aid only, says the documentation."""
        options = self._options
        time_left = max(0.0, options.time_limit_s - self._worked)
        return {
            "x-ms-ratelimit-burst-remaining-xrm-requests": str(
                max(0, options.request_limit - len(self._arrivals))
            ),
            "x-ms-ratelimit-time-remaining-xrm-requests": f"{time_left:,.2f}",
            "x-ms-dop-hint": str(options.dop_hint),
        }

    def clear(self) -> None:
        """Nothing has been asked yet."""
        self._arrivals.clear()
        self._work.clear()
        self._busy.clear()
        self._worked = 0.0

    def _forget(self, now: float) -> None:
        horizon = now - self._options.window_s
        while self._arrivals and self._arrivals[0] <= horizon:
            self._arrivals.popleft()
        while self._work and self._work[0][0] <= horizon:
            self._worked -= self._work.popleft()[1]
        if self._busy:
            self._busy = deque(until for until in self._busy if until > now)

    def _refuse(self, code: str, message: str, wait: float) -> Refused:
        return Refused(429, code, message, {"retry-after": str(max(1, ceil(wait)))})
