"""One Campaign instance in memory: answers requests, logs them, goes wrong when told to.

Same calls, same answers: time comes from the given clock, chance from the given random source.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.campaign import refusal, scripting
from sandbox.campaign.collection import Collection, custom_filters, is_collection
from sandbox.campaign.engine import Engine
from sandbox.campaign.gateway import Gateway
from sandbox.campaign.metadata import catalogue, describe, describe_filters
from sandbox.campaign.options import CampaignOptions
from sandbox.campaign.route import TOKEN_PATH, Route, published, read_route
from sandbox.campaign.schema import Values
from sandbox.campaign.table import is_pkey
from sandbox.wire import Entry, Faults, Request, Response, apply_fault, json_response

_NOTES = {"POST": "create", "PATCH": "update", "DELETE": "delete"}
_CONDITIONS = ("if-match", "if-none-match")


@dataclass(slots=True)
class _Call:
    """A request as understood before anything is done: for the log, and to work on."""

    request: Request
    route: Route | None
    body: object = None
    note: str = ""
    record: str = ""


class CampaignService(scripting.Scripted):
    """The look-alike (`sandbox.wire.Service`)."""

    def __init__(self, *, clock: Callable[[], float], rng: random.Random, options: CampaignOptions) -> None:
        self._clock = clock
        self._shift = 0.0
        self.gateway = Gateway(rng)
        self.engine = Engine(rng, options)
        self.faults = Faults()
        self.log: list[Entry] = []
        self._late: list[tuple[float, Callable[[], Response]]] = []

    @property
    def options(self) -> CampaignOptions:
        return self.engine.options

    def now(self) -> float:
        """Unix seconds on this instance's clock."""
        return self._clock() + self._shift

    def handle(self, request: Request) -> Response:
        now = self.now()
        self.land()
        call = self._read(request)
        fault = self.faults.match(request) if self.faults.items else None
        if fault is not None and fault.kind == "lands_late":
            due = now + fault.delay_s
            self._late.append((due, lambda: self._work(call, due)))
            response = Response(status=0, drop=True)
        else:
            response = apply_fault(fault, request, lambda: self._work(call, now))
        kind = fault.kind if fault is not None else ""
        entry = Entry(now, request.method, request.target, response.status, kind, call.note, call.record)
        self.log.append(entry)
        return response

    def command(self, name: str, arguments: dict[str, Any]) -> Any:
        """One of `scripting.COMMANDS`; raises KeyError for an unknown name, ValueError for bad arguments."""
        return scripting.COMMANDS[name](self, **arguments)

    def land(self) -> None:
        """Does the work of late requests that are due by now, in the order they are due."""
        if not self._late:
            return
        now = self.now()
        due = sorted((late for late in self._late if late[0] <= now), key=lambda late: late[0])
        self._late = [late for late in self._late if late[0] > now]
        for _, work in due:
            work()

    def forget_late(self) -> None:
        """Late requests that have not landed never will."""
        self._late.clear()

    def _read(self, request: Request) -> _Call:
        """Notes and record name what was asked; the status in the log tells what came of it."""
        if request.path == TOKEN_PATH:
            return _Call(request, None, note="token")
        call = _Call(
            request, read_route(request.target, self.options.org, self.engine.resources), _parse(request.body)
        )
        route = call.route
        if route is None or not route.family:
            return call
        if route.name in ("", "resourceType") or route.rest == ("metadata",):
            call.note = "metadata"
        elif route.resource is not None:
            call.note = f"{route.name}.{self._verb(request.method, route)}"
            call.record = self._record(call, route)
        return call

    def _verb(self, method: str, route: Route) -> str:
        if method != "GET":
            return _NOTES.get(method, method.lower())
        if not is_collection(route, self.options):
            return "get"
        if not route.rest or route.resource is None:
            return "list"
        custom = custom_filters(route.resource, route.family, self.options)
        by_key = route.rest[0] == "byEmail" or custom.get(route.rest[0], "lastModified") != "lastModified"
        return "lookup" if by_key else "list"

    def _record(self, call: _Call, route: Route) -> str:
        """The key the request is about, where the request or the row it names has one."""
        key = self.engine.tables[route.name].key or "externalId"
        if not route.rest:
            body = call.body if call.note.endswith(".create") else None
            return str(body.get(key, "")) if isinstance(body, dict) else ""
        if call.note.endswith(".lookup"):
            return dict(route.query).get(f"{key}_parameter", "")
        if call.note.endswith(".list"):
            return ""
        if not is_pkey(route.rest[0]):
            return route.rest[0]
        row = self.engine.tables[route.name].by_pkey(route.rest[0])
        return str(row.values.get(key, "")) if row is not None else ""

    def _work(self, call: _Call, now: float) -> Response:
        request, route = call.request, call.route
        if call.note == "token":
            return self.gateway.issue(request, self.options, now)
        if route is None:
            return refusal.lost_route()
        turned_away = self.gateway.admit(request, self.options, now)
        if turned_away is not None:
            return turned_away
        try:
            return self._dispatch(call, route, self._base(request), now)
        except refusal.Refusal as refused:
            return refused.response(self.options.dialect)

    def _base(self, request: Request) -> str:
        headers = request.headers
        here = f"{headers.get('x-forwarded-proto', 'http')}://{headers.get('host', 'localhost')}"
        return f"{self.options.origin or here}/{self.options.org}/campaign"

    def _dispatch(self, call: _Call, route: Route, base: str, now: float) -> Response:
        method = call.request.method
        if not route.family:
            raise refusal.bad_path()
        if any(name in call.request.headers for name in _CONDITIONS):
            raise refusal.invalid("Conditional requests are not supported.")
        if call.note == "metadata":
            return self._describe(method, route, base)
        if route.resource is None:
            raise refusal.bad_path()
        if method == "GET" and is_collection(route, self.options):
            return Collection(route, self.engine.tables[route.name], self.options).answer(base, now)
        if route.query:
            if route.rest:  # a filter that is not published is taken for a key
                self.engine.locate(route, method)
            raise refusal.invalid(f"The parameter '{route.query[0][0]}' is unknown.")
        if method == "GET":
            return self.engine.get(route, base, now)
        if method == "POST":
            return self.engine.create(route, _object(call.body), base, now)
        if method == "PATCH":
            return self.engine.update(route, _object(call.body), base, now)
        if method == "DELETE" and call.body in (None, {}):
            return self.engine.delete(route)
        raise refusal.invalid(f"The '{method}' method is not supported for this resource.")

    def _describe(self, method: str, route: Route, base: str) -> Response:
        if method != "GET":
            raise refusal.invalid(f"The '{method}' method is not supported for this resource.")
        if not route.name:
            if route.family != "profileAndServicesExt":
                raise refusal.bad_path()
            return json_response(200, catalogue(self.engine.resources, route.family, base, self.options))
        if route.name == "resourceType" and len(route.rest) == 2 and route.rest[1] == "filters":
            filters = describe_filters(self.engine.resources, route.rest[0], route.family, self.options)
            if filters is None:
                raise refusal.bad_path()
            return json_response(200, filters)
        name = route.rest[0] if route.name == "resourceType" and len(route.rest) == 1 else route.name
        resource = published(self.engine.resources, route.family, name)
        if resource is None:
            raise refusal.unknown_key(name, "resourceType", "Resource type")
        return json_response(200, describe(resource, route.family, base, self.options))


def _parse(body: bytes) -> object:
    """The JSON of a body, whatever its content type says (adobe.md C.2); no JSON is an empty text."""
    if not body:
        return None
    try:
        parsed: object = json.loads(body, parse_constant=_refuse_constant)
        if b"\\u" in body:  # half a surrogate pair or a NUL, which the database cannot hold
            text = json.dumps(parsed, ensure_ascii=False).encode()
            return "" if b"\\u0000" in text else parsed
    except (ValueError, RecursionError):
        return ""
    return parsed


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _object(body: object) -> Values:
    if not isinstance(body, dict):
        raise refusal.invalid("The request body is not a JSON object.")
    return body
