"""The wire between workers and the look-alikes: an httpx transport that loses, delays and garbles.

A request that has left lives on by itself: it arrives even if its sender died or gave up (a zombie), at the latest
CALL_TIMEOUT + GATEWAY after it was sent, the bound that design 4.3 states.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import httpx

from sandbox.wire import Request, Response, Service

if TYPE_CHECKING:
    from tests.simulation.process import Process
    from tests.simulation.world import World

OOPS = b'{"code":500,"message":"Oops. Something went wrong. Check your URI and try again."}'
ENGINE = b"RST-360011 An error has occurred - please contact your administrator.\nInternal failure."
HTML = b"<html><body>This site is under maintenance</body></html>"


class Wire(httpx.AsyncBaseTransport):
    """One process's connections."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._world = process.world

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        process, world = self._process, self._world
        url = request.url
        sent = Request(
            request.method,
            url.raw_path.decode("ascii"),
            {name.decode().lower(): value.decode() for name, value in request.headers.raw},
            request.content,
        )
        system = "dynamics" if url.host == world.dynamics_host else "campaign"
        await process.maybe_die(f"sending to {system}")
        future: asyncio.Future[Response] = world.loop.create_future()
        await world.people.trouble.watch_call(process, system, sent)
        timeout = float(request.extensions["timeout"]["read"])
        Flight(world, process, system, sent, future, timeout).begin()
        answer = await future
        await process.maybe_die(f"answered by {system}")
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)


class Flight:
    """One request under way."""

    def __init__(
        self,
        world: World,
        process: Process,
        system: str,
        request: Request,
        future: asyncio.Future[Response],
        timeout: float,
    ) -> None:
        self.world = world
        self.process = process
        self.system = system
        self.service: Service = world.dynamics if system == "dynamics" else world.campaign
        self.request = request
        self.future = future
        self.timeout = timeout
        self.sent_at = world.now()
        self.fate = ""

    def begin(self) -> None:
        """Draw what happens to it, and let it happen."""
        world, rng = self.world, self.world.rng
        fate = self.fate = world.forced_fate(self.system, self.request) or world.chaos.fate(self._kind())
        if fate == "repeated_page" and self.request.target not in world.pages:
            fate = self.fate = ""
        if fate:
            world.chaos.fired[fate] += 1
        there = 0.01 + 0.12 * rng.random()
        back = there + 0.01 + 0.12 * rng.random()
        if fate in ("late_answer", "late_arrival"):
            back = 0.95 * self.timeout
            there = 0.9 * self.timeout if fate == "late_arrival" else there
        elif world.chaos.host("sluggish_answer"):
            back += 0.7 * rng.random()
        applied = rng.random() < 0.5
        if fate == "slow":
            # The caller gives up at its timeout; the request lands before or after that, or even later.
            self._answer(self.timeout, httpx.ReadTimeout("simulated"))
            self._arrive_late(self.timeout * rng.random() + 0.05, self.timeout + world.gateway_s)
        elif fate == "zombie":
            self._answer(self.timeout, httpx.ReadTimeout("simulated"))
            self._arrive(self.timeout + 0.95 * world.gateway_s)
        elif fate == "lost_before":
            error = httpx.ReadError if applied else httpx.ConnectError
            self._answer(back, error("simulated"))
        elif fate == "lost_after":
            self._arrive(there)
            self._answer(back, httpx.ReadError("simulated"))
        elif fate in ("gateway_5xx", "gateway_oops"):
            self._answer(back, self._gateway(fate))
            if applied:
                self._arrive(there)
            elif self.request.method != "GET" and rng.random() < 0.5:
                self._arrive_late(back, back + world.gateway_s)
        elif fate in ("engine_500", "garbage"):
            self._answer(back, _text(500, ENGINE) if fate == "engine_500" else Response(200, _HTML, HTML))
            if applied:
                self._arrive(there)
        elif fate and fate not in ("truncated_page", "late_answer", "late_arrival"):
            self._answer(back, self._refusal(fate))
        else:
            world.loop.call_later(there, self._work_and_answer, back - there)
        if self.system == "campaign" and self.request.method != "GET" and "token" not in self.request.target:
            world.meddle(self.request, likely=fate == "slow")
        if world.tracing:
            world.note(self.process.name, f"-> {self.request.method} {self.request.target[:150]} {fate}")

    def _kind(self) -> str:
        target = self.request.target
        if self.request.method != "GET":
            return "read" if "token" in target else "write"
        if self.system == "campaign" or "WhoAmI" in target:
            return "read"
        return "delta" if "deltatoken" in target else "page"

    def _arrive(self, after: float) -> None:
        self.world.loop.call_later(after, self._work)

    def _arrive_late(self, first: float, last: float) -> None:
        self.world.chaos.fired["zombie"] += self.request.method != "GET"
        self.world.loop.call_later(first + (last - first) * self.world.rng.random() * 0.99, self._work)

    def _answer(self, after: float, answer: Response | Exception) -> None:
        self.world.loop.call_later(after, self.process.resume, self.future, answer)

    def _work(self) -> Response:
        """The request reaches the service."""
        response = self.service.handle(self.request)
        world = self.world
        world.note(self.system, f"{self.request.method} {self.request.target} {response.status} {self.fate}")
        if self.system == "campaign":
            world.witness.saw(self.request, response, self.sent_at)
        elif "track-changes" in self.request.headers.get("prefer", ""):
            world.first_read = min(world.first_read, self.sent_at)
        heard = self.fate in ("", "truncated_page", "late_answer", "late_arrival")
        world.landed(self.process, self.system, self.request, response, heard=heard)
        return response

    def _work_and_answer(self, back: float) -> None:
        response = self._work()
        if self.system == "dynamics":
            if self.fate == "truncated_page":
                response = Response(
                    response.status, response.headers, response.body[: len(response.body) // 2]
                )
            elif b"nextLink" in response.body:
                link = json.loads(response.body).get("@odata.nextLink", "")
                self.world.pages[link[link.find("/api/") :]] = response.body
        self._answer(back, response)

    def _gateway(self, fate: str) -> Response:
        if fate == "gateway_oops":
            return Response(500, {"content-type": "application/json"}, OOPS)
        return _text(self.world.rng.choice((502, 503, 504)), b"upstream request timeout")

    def _refusal(self, fate: str) -> Response:
        """Answers of a service that did nothing."""
        if fate == "repeated_page":
            body = self.world.pages[self.request.target]
            return Response(200, {"content-type": "application/json"}, body)
        if fate == "unauthorized":
            return Response(401, {"content-type": "application/json"}, b'{"error_code":"401013"}')
        if fate in ("expired_token", "metadata_changed"):
            code = "0x80044352" if fate == "expired_token" else "0x80044183"
            error = {
                "error": {"code": code, "message": "Version stamp associated with the client has expired"}
            }
            return Response(400, {"content-type": "application/json"}, json.dumps(error).encode())
        hint = {"retry-after": str(self.world.rng.randint(1, 4))} if fate == "throttled" else {}
        return Response(429, {"content-type": "application/json", **hint}, b'{"error_code":"429050"}')


_HTML = {"content-type": "text/html"}


def _text(status: int, body: bytes) -> Response:
    return Response(status, {"content-type": "text/plain"}, body)
