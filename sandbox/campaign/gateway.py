"""The front door: access tokens, API key, tenant and rate limit (adobe.md B.1 and B.8).

Not documented, so chosen here: the codes for a missing token, a missing and a wrong API key, and the texts of
refused token requests; they follow what other Adobe APIs answer.
"""

from __future__ import annotations

import math
import random
from collections import deque
from urllib.parse import parse_qsl

from sandbox.campaign import refusal
from sandbox.campaign.options import CampaignOptions
from sandbox.wire import Request, Response, json_response

FORM = "application/x-www-form-urlencoded"


class Gateway:
    """Issues tokens and lets requests in."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._expiry: dict[str, float] = {}
        self._recent: deque[float] = deque()

    def issue(self, request: Request, options: CampaignOptions, now: float) -> Response:
        """POST /ims/token/v3 with a client-credentials form."""
        if request.method != "POST":
            return _denied(405, "invalid_request", "only POST is allowed")
        if request.headers.get("content-type", "").partition(";")[0].strip() != FORM:
            return _denied(415, "invalid_request", f"content type must be {FORM}")
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        if form.get("grant_type") != "client_credentials":
            return _denied(400, "unsupported_grant_type", "unsupported grant_type")
        if form.get("client_id") != options.client_id:
            return _denied(400, "invalid_client", "invalid client_id parameter")
        if form.get("client_secret") != options.client_secret:
            return _denied(400, "invalid_client", "invalid client_secret parameter")
        scopes = [scope.strip() for scope in form.get("scope", "").split(",")]
        if not set(scopes) <= set(options.scopes):
            return _denied(400, "invalid_scope", "invalid scope parameter")
        self._expiry = {token: expiry for token, expiry in self._expiry.items() if expiry > now}
        token = self._rng.randbytes(24).hex()
        self._expiry[token] = now + options.token_ttl_s
        return json_response(
            200, {"access_token": token, "token_type": "bearer", "expires_in": options.token_ttl_s}
        )

    def admit(self, request: Request, options: CampaignOptions, now: float) -> Response | None:
        """None, or the answer that turns the request away."""
        key = request.headers.get("x-api-key", "")
        if not key:
            return refusal.gateway(403, "403000", "Api Key is required")
        if key != options.client_id:
            return refusal.gateway(403, "403003", "Api Key is invalid")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return refusal.gateway(401, "401010", "Oauth token is missing")
        if self._expiry.get(token, 0.0) <= now:
            return refusal.gateway(401, "401013", "Oauth token is not valid")
        return self._throttle(options, now)

    def revoke(self) -> None:
        """Every token given out so far stops working."""
        self._expiry.clear()

    def _throttle(self, options: CampaignOptions, now: float) -> Response | None:
        limit = options.rate_limit
        if limit is None:
            return None
        recent = self._recent
        while recent and recent[0] <= now - limit.window_s:
            recent.popleft()
        if len(recent) < limit.calls:
            recent.append(now)
            return None
        wait = math.ceil((recent[0] if recent else now) + limit.window_s - now)
        headers = {"retry-after": str(wait)} if limit.retry_after else {}
        return refusal.gateway(429, "429050", "Too many requests", headers)


def _denied(status: int, error: str, description: str) -> Response:
    return json_response(status, {"error": error, "error_description": description})
