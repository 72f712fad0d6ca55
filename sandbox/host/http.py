"""HTTP functions and the host's admin endpoints on the loopback address.

A function with level `function` wants its key in `x-functions-key` or `?code=`, the admin endpoints want the
master key.
`POST /admin/functions/NAME` with body `{"input": ""}` starts a timer function now and answers 202;
`GET /admin/host/status` answers 200 once the app runs.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from sandbox.host.settings import SettingError
from sandbox.host.worker import Function, Outcome, Worker

HttpRun = Callable[[Function, Callable[[], Awaitable[Outcome]]], Awaitable[Outcome]]
LIMIT = 100 * 1024 * 1024


class HttpServer:
    """Serves the HTTP functions of one app; `run` runs one of them, `run_now` starts a timer function by hand."""

    def __init__(
        self,
        worker: Worker,
        functions: Iterable[Function],
        *,
        run: HttpRun,
        run_now: Callable[[str], bool],
        route_prefix: str,
        function_key: str,
        master_key: str,
    ) -> None:
        self._worker = worker
        self._run = run
        self._run_now = run_now
        self._function_key = function_key
        self._master_key = master_key
        self._app = web.Application(client_max_size=LIMIT)
        self._app.router.add_get("/admin/host/status", self._status)
        self._app.router.add_post("/admin/functions/{name}", self._start_function)
        for function in functions:
            self._add(function, route_prefix)
        self._runner = web.AppRunner(self._app, access_log=None)

    async def start(self, port: int) -> str:
        """Listens; the address. Port 0 picks a free one."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port, shutdown_timeout=1)
        await site.start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        await self._runner.cleanup()

    def _add(self, function: Function, prefix: str) -> None:
        route = function.trigger.text("route", function.name).strip("/")
        if re.search(r"[:?*]", route):
            raise SettingError(
                f"{function.name}: route {route!r} has a constraint, which is not supported here"
            )
        level = function.trigger.text("authLevel", "FUNCTION").upper()
        path = "/" + "/".join(part for part in (prefix, route) if part)

        async def handle(request: web.Request) -> web.Response:
            if not self._allowed(request, level):
                return web.Response(status=401)
            return await self._call(function, request)

        for method in function.trigger.properties.get("methods") or ["*"]:
            self._app.router.add_route(str(method).upper(), path, handle)

    async def _call(self, function: Function, request: web.Request) -> web.Response:
        body = await request.read()

        def invoke() -> Awaitable[Outcome]:
            return self._worker.http(
                function,
                method=request.method,
                url=str(request.url),
                headers=dict(request.headers),
                query=dict(request.query),
                route=dict(request.match_info),
                body=body,
            )

        outcome = await self._run(function, invoke)
        if outcome.error is not None:
            return web.Response(status=500)
        answer = outcome.http
        if answer is None:
            return web.Response(status=204)
        content = answer.body
        data = content.bytes if content is not None else None
        if data is None:
            data = (content.string or content.json or "").encode() if content is not None else b""
        return web.Response(
            status=int(answer.status_code), body=data, headers={k: str(v) for k, v in answer.headers.items()}
        )

    async def _status(self, request: web.Request) -> web.Response:
        if not self._allowed(request, "ADMIN"):
            return web.Response(status=401)
        return web.json_response({"state": "Running"})

    async def _start_function(self, request: web.Request) -> web.Response:
        if not self._allowed(request, "ADMIN"):
            return web.Response(status=401)
        try:
            document = json.loads(await request.read() or b"null")
        except ValueError:
            document = None
        if not isinstance(document, dict):
            return web.Response(status=400)
        return web.Response(status=202 if self._run_now(request.match_info["name"]) else 404)

    def _allowed(self, request: web.Request, level: str) -> bool:
        if level == "ANONYMOUS":
            return True
        given = (request.headers.get("x-functions-key") or request.query.get("code") or "").encode()
        keys = [self._master_key] if level == "ADMIN" else [self._function_key, self._master_key]
        return any(hmac.compare_digest(given, key.encode()) for key in keys)
