"""The Dataverse Web API look-alike: one request in, one answer out, everything logged."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from json import dumps
from urllib.parse import unquote

from sandbox.dynamics.actions import Actions
from sandbox.dynamics.batch import Batch
from sandbox.dynamics.bulk import PREFIX, Bulk
from sandbox.dynamics.customizing import Customizing
from sandbox.dynamics.errors import Refused, bad, no_segment, not_allowed
from sandbox.dynamics.founding import privilege_id
from sandbox.dynamics.metadata import Metadata
from sandbox.dynamics.options import DynamicsOptions
from sandbox.dynamics.organization import Organization
from sandbox.dynamics.pages import JSON, Pages
from sandbox.dynamics.query import Call, parse_query
from sandbox.dynamics.reading import Reading
from sandbox.dynamics.scripting import Scripting
from sandbox.dynamics.security import Protection, Tokens
from sandbox.dynamics.work import Work
from sandbox.dynamics.writing import Writing, dispatch
from sandbox.wire import Entry, Request, Response, apply_fault

_ROOT = re.compile(r"/api/data/v9\.[012](?=/|$)")
_SET = re.compile(r"(\w+)(?:\((.*)\))?((?:/[^/]*)*)", re.S)
_PRIVILEGES = re.compile(
    r"systemusers\(([0-9a-fA-F-]{36})\)/Microsoft\.Dynamics\.CRM\.RetrieveUserPrivileges(?:\(\))?"
)
LONGEST_TARGET = 32768
REPEATING = ("repeat_page", "page_twice")
"""Faults of this look-alike, with `truncate_page`: half a body."""


class DynamicsService(Scripting):
    """One organization with its token endpoint. `clock` gives unix seconds; ids come from `rng`."""

    def __init__(self, *, clock: Callable[[], float], rng: random.Random, options: DynamicsOptions) -> None:
        self.options = options
        self._clock = clock
        super().__init__(Organization(options, self.now, rng))
        self.tokens = Tokens(options, rng)
        self.protections = {
            user: Protection(options)
            for user in (options.user_id, *(one.user_id for one in options.applications))
        }
        self.protection = self.protections[options.user_id]
        self._pages = Pages(self.organization)
        self._reading = Reading(self._pages)
        self._work = Work(options)
        self._writing = Writing(self._pages, self._work)
        customizing = Customizing(self.organization)
        self._bulk = Bulk(self._pages, self._work)
        self._actions = Actions(self._pages, customizing, self._bulk)
        self._metadata = Metadata(self.organization, customizing)
        self.in_flight = 0
        """Requests being answered now, as the server in front counts them; this one included."""
        self._requests = 0
        self._note = ""
        self._record = ""

    def now(self) -> float:
        return self._clock() + self.shift

    def handle(self, request: Request) -> Response:
        """Answers one request; never raises for what a client can send."""
        fault = self.faults.match(request) if self.faults.items else None
        self._note = self._record = ""
        started = self.now()
        self._pages.repeat = fault.kind if fault is not None and fault.kind in REPEATING else ""
        answer = apply_fault(fault, request, lambda: self._answer(request))
        if fault is not None:
            if fault.kind == "truncate_page" and answer.status == 200:
                answer.body = answer.body[: len(answer.body) // 2]
            self.protections[self.organization.caller].charge(started, fault.delay_s)
        kind = fault.kind if fault is not None else ""
        self.log.append(
            Entry(started, request.method, request.target, answer.status, kind, self._note, self._record)
        )
        return answer

    def origin(self, headers: Mapping[str, str]) -> str:
        """The organization URL as this client knows it."""
        if self.options.origin:
            return self.options.origin
        return f"{headers.get('x-forwarded-proto', 'http')}://{headers.get('host', '127.0.0.1')}"

    def _answer(self, request: Request) -> Response:
        now, origin = self.now(), self.origin(request.headers)
        path, _, query = request.target.partition("?")
        if path.endswith("/oauth2/v2.0/token"):
            self._note = "token"
            return self.tokens.issue(request, origin, now)
        self._requests += 1
        self._work.seconds = 0.0
        protection = self.protection
        try:
            self.organization.caller = self.tokens.check(request, origin, now)
            protection = self.protections[self.organization.caller]
            protection.admit(now, self.in_flight)
            if not request.target.isascii():
                raise bad("Bad Request - Invalid URL", "0x0")
            if len(request.target) > LONGEST_TARGET:
                raise Refused(414, "0x80060888", "The request address is too long.")
            answer = self._route(request, path, query, origin)
        except Refused as refused:
            answer = refused.response()
        else:
            self._work.seconds += self.options.execution_s
        protection.charge(now, self._work.seconds)
        if self.options.row_costs is not None:
            answer.delay_s += self._work.seconds
        request_id = self._request_id()
        answer.headers |= {
            "odata-version": "4.0",
            "x-ms-service-request-id": request_id,
            "req_id": request_id,
            **protection.headers(),
        }
        return answer

    def _route(self, request: Request, path: str, query: str, origin: str) -> Response:
        root = _ROOT.match(path)
        if root is None:
            raise no_segment(path.strip("/"))
        call = Call(
            request.method, unquote(path[root.end() :]).lstrip("/"), parse_query(query), request.headers, request.body,
            f"{origin}{root.group()}",
        )  # fmt: skip
        return self.perform(call)

    def perform(self, call: Call) -> Response:
        """Works one operation, alone or from a batch."""
        if self.organization.catalogue.keys:
            self.organization.build_keys()
        if call.query.solution and call.path != "CreateEntities":
            raise bad("The query parameter SolutionUniqueName is not supported")
        if call.path in ("WhoAmI", "WhoAmI()"):
            return self._function(call, "WhoAmI", {
                "BusinessUnitId": self.options.business_unit_id,
                "UserId": self.organization.caller,
                "OrganizationId": self.organization.id,
            })  # fmt: skip
        if call.path == "$batch":
            return self._batch(call)
        if call.path.startswith("EntityDefinitions"):
            self._note = "metadata"
            return self._metadata.answer(call)
        done = self._actions.answer(call)
        if done is not None:
            answer, self._note, self._record = done
            return answer
        asked = _PRIVILEGES.fullmatch(call.path)
        if asked is not None:
            return self._user_privileges(call, asked.group(1).lower())
        found = _SET.fullmatch(call.path)
        name = found.group(1) if found else call.path
        rows = self.organization.sets.get(name)
        if found is None or rows is None:
            raise no_segment(name)
        if found.group(2) is None and found.group(3).startswith(PREFIX):
            answer, what, record = self._bulk.answer(rows, found.group(3), call)
        else:
            answer, what, record = dispatch(
                self._writing, self._reading, rows, found.group(2), found.group(3), call
            )
        self._note, self._record = f"{name}.{what}", record
        return answer

    def _batch(self, call: Call) -> Response:
        """Each operation gets a log line of its own, noted `$batch/contacts.create`; the batch one without a record."""
        if call.query.options:
            raise bad("Query options are not supported on $batch.")

        def one(inner: Call) -> Response:
            self._note = self._record = ""
            status = 0
            try:
                answer = self.perform(inner)
                status = answer.status
                return answer
            except Refused as refused:
                status = refused.status
                raise
            finally:
                note, target = f"$batch/{self._note}", f"{inner.path}?{inner.query.kept}"
                self.log.append(Entry(self.now(), inner.method, target, status, "", note, self._record))

        try:
            return Batch(one, self.organization.atomically, self._request_id()).run(call)
        finally:
            self._note, self._record = "$batch", ""

    def _request_id(self) -> str:
        return f"{self._requests:08x}-0000-4000-8000-000000000000"

    def _function(self, call: Call, name: str, content: dict[str, object]) -> Response:
        """An OData function's complex result."""
        if call.method != "GET":
            raise not_allowed(call.method)
        if call.query.options:
            raise bad("Query options are not supported on this function.")
        self._note = name
        context = f"{call.root}/$metadata#Microsoft.Dynamics.CRM.{name}Response"
        body = dumps({"@odata.context": context, **content}, separators=(",", ":"))
        return Response(200, {"content-type": JSON}, body.encode())

    def _user_privileges(self, call: Call, user: str) -> Response:
        """RetrieveUserPrivileges of the application user: what `doctor` checks roles with."""
        if user not in self.protections:
            raise Refused(404, "0x80040217", f"systemuser With Id = {user} Does Not Exist")
        unit = self.options.business_unit_id
        held = [
            {
                "Depth": depth,
                "PrivilegeId": privilege_id(name),
                "BusinessUnitId": unit,
                "PrivilegeName": name,
                "RecordFilterId": "00000000-0000-0000-0000-000000000000",
                "RecordFilterUniqueName": "",
            }
            for name, depth in self.organization.privileges.items()
        ]
        return self._function(call, "RetrieveUserPrivileges", {"RolePrivileges": held})
