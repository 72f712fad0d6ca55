"""Requests to one Campaign instance: headers, JSON bodies, errors classed (adobe.md B.1, B.5)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import copy
from typing import Any
from urllib.parse import quote

from sync.campaign.dialect import Dialect, Instance
from sync.campaign.errors import error_from
from sync.http import Answer, Http


class Campaign:
    """`http` must know the site `campaign`; `url` ends in `/campaign`, paths start with `/`."""

    def __init__(self, http: Http, *, url: str, api_key: str, dialect: Dialect | None = None) -> None:
        self._site = http.site("campaign")
        self.instance = Instance(dialect)
        self.base = url.rstrip("/")
        self._reading = {"X-Api-Key": api_key, "Accept": "application/json", "Cache-Control": "no-cache"}
        self._writing = {**self._reading, "Content-Type": "application/json;charset=utf-8"}

    def bounded(self, deadline: float) -> Campaign:
        """The same, for calls that must all end by `deadline`."""
        campaign = copy(self)
        campaign._site = self._site.bounded(deadline)
        return campaign

    async def get(self, path: str, *, by_key: bool = False) -> dict[str, Any]:
        """The JSON object behind a path, or behind a link of Campaign's own (absolute, or below the base)."""
        url = path if path.startswith(("https://", "http://")) else self.base + path
        answer = await self._site.call("GET", url, self._reading)
        if not answer.ok:
            raise error_from(answer, by_key=by_key)
        return answer.json()

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create; the object as Campaign stored it."""
        answer = await self._send("POST", path, body)
        return answer.json()

    async def patch(self, path: str, body: Mapping[str, Any], *, by_key: bool = False) -> None:
        """Update; v8 answers one that changes nothing without a body (adobe.md D)."""
        answer = await self._send("PATCH", path, body, by_key=by_key)
        if answer.status != 204:
            answer.json()

    async def delete(self, path: str, *, by_key: bool = False) -> None:
        """Delete; a success has no body that matters (adobe.md B.5)."""
        answer = await self._site.call("DELETE", self.base + path, self._reading)
        if not answer.ok:
            raise error_from(answer, by_key=by_key)
        if answer.body[:1] == b"<":
            raise answer.lost("not Campaign's answer")

    async def _send(self, method: str, path: str, body: Mapping[str, Any], *, by_key: bool = False) -> Answer:
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        answer = await self._site.call(method, self.base + path, self._writing, content)
        if not answer.ok:
            raise error_from(answer, fields=_names(body), by_key=by_key)
        return answer


def _names(body: Mapping[str, Any]) -> set[str]:
    """Names of the fields in a body, nested items' too."""
    nested = (name for value in body.values() if isinstance(value, dict) for name in value)
    return {*body, *nested}


def escaped(part: str) -> str:
    """A PKey or id as one part of a path: `@x/1` becomes `%40x%2F1` (adobe.md C.2)."""
    return quote(part, safe="")
