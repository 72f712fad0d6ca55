"""What both look-alikes share: a request, an answer, scripted faults and the request log.

A look-alike is a plain object with `handle(Request) -> Response`: no sockets, no clock of its own. `sandbox.serve`
puts it on a loopback port, the simulation calls it directly; both act out `Response.delay_s` and `Response.drop`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request: `target` is the raw path and query as sent, `headers` have lower-case names."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


@dataclass(slots=True)
class Response:
    """One HTTP answer. `drop`: the connection closes without an answer. `delay_s`: the answer waits."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay_s: float = 0.0
    drop: bool = False


class Service(Protocol):
    """A look-alike."""

    def handle(self, request: Request) -> Response: ...

    def command(self, name: str, arguments: dict[str, Any]) -> Any:
        """A scripting command (`POST /_sandbox/<name>` over HTTP); raises KeyError for an unknown name."""
        ...


@dataclass(slots=True)
class Fault:
    """Something to go wrong for matching requests.

    kind: `status` (answer `status` with `body`/`headers` instead of working), `drop_before` (close, nothing applied),
    `drop_after` (apply, then close without an answer), `status_after` (apply, then answer `status`),
    `delay` (work, answer after `delay_s`), `garbage` (work, answer 200 with a body that is not JSON),
    and whatever else one look-alike names (`truncate_page`, `repeat_page`).
    """

    kind: str
    method: str = "*"
    path: str = ".*"
    """Regular expression, searched in the raw target."""
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    delay_s: float = 0.0
    times: int = 1
    """How many matching requests it hits; -1 is all."""
    after: int = 0
    """How many matching requests pass first."""
    fired: int = 0

    def take(self, request: Request) -> bool:
        """Whether this fault hits the request now; counts down."""
        if self.method not in ("*", request.method) or not re.search(self.path, request.target):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times == 0:
            return False
        if self.times > 0:
            self.times -= 1
        self.fired += 1
        return True


@dataclass(slots=True)
class Faults:
    """The scripted faults of one look-alike, first match wins."""

    items: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> Fault:
        self.items.append(fault)
        return fault

    def clear(self) -> None:
        self.items.clear()

    def match(self, request: Request) -> Fault | None:
        return next((fault for fault in self.items if fault.take(request)), None)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the request log; `at` is the look-alike's clock (unix seconds)."""

    at: float
    method: str
    target: str
    status: int
    fault: str = ""
    note: str = ""
    """What it did, for counting: e.g. `profile.create`, `profile.update`, `profile.delete`, `profile.get`."""
    record: str = ""
    """The id it did it to (externalId / contactid), where known."""


def apply_fault(fault: Fault | None, request: Request, work: Callable[[], Response]) -> Response:
    """Do `work` (or not) as the fault says."""
    if fault is None:
        return work()
    if fault.kind == "drop_before":
        return Response(status=0, drop=True)
    if fault.kind == "status":
        return Response(fault.status, dict(fault.headers), fault.body.encode())
    answer = work()
    if fault.kind == "drop_after":
        return Response(status=0, drop=True)
    if fault.kind == "status_after":
        return Response(fault.status, dict(fault.headers), fault.body.encode())
    if fault.kind == "delay":
        answer.delay_s += fault.delay_s
    if fault.kind == "garbage":
        return Response(200, {"content-type": "text/html"}, b"<html>proxy</html>")
    return answer


def json_response(status: int, content: Any, headers: dict[str, str] | None = None) -> Response:
    """An answer with a JSON body."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(status, {"content-type": "application/json", **(headers or {})}, body)
