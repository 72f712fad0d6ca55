"""Puts a look-alike on a loopback port: raw targets in, answers out, and `POST /_sandbox/<command>` for scripts.

No routing and no access log: under 300 requests/s it must leave the machine to what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import signal
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from aiohttp import web

from sandbox.arguments import not_negative, port
from sandbox.wire import Request, Response, Service

HOST = "127.0.0.1"
SCRIPTS = "/_sandbox/"


@runtime_checkable
class CountsInFlight(Protocol):
    """A service that limits concurrency: told how many requests are being answered."""

    in_flight: int


@dataclass(frozen=True, slots=True)
class Listener:
    """Where and how slowly to answer."""

    name: str
    port: int = 0
    latency_s: float = 0.0
    """Each answer leaves this long after its request came."""
    certificate: Path | None = None
    """PEM file with certificate and key: https instead of http."""


class Server:
    """One look-alike on one port."""

    def __init__(self, service: Service, listener: Listener) -> None:
        self._service = service
        self._listener = listener
        self._in_flight = 0
        self._runner: web.ServerRunner | None = None

    async def start(self) -> str:
        """Listens; answers the base address."""
        listener, context = self._listener, None
        if listener.certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(listener.certificate)
        self._runner = web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, listener.port, ssl_context=context, backlog=1024)
        await site.start()
        port = self._runner.addresses[0][1]
        return f"{'https' if context else 'http'}://{HOST}:{port}"

    async def stop(self) -> None:
        """Closes the port and every connection."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        loop = asyncio.get_running_loop()
        arrived = loop.time()
        target = request.raw_path
        self._count(1)
        try:
            body = await request.content.read() if request.body_exists else b""
            if target.startswith(SCRIPTS):
                return self._script(request.method, target, body)
            answer = self._service.handle(self._read(request, target, body))
            wait = arrived + self._listener.latency_s + answer.delay_s - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
        finally:
            self._count(-1)
        if answer.drop and request.transport is not None:
            request.transport.close()
        return _written(answer)

    def _read(self, request: web.BaseRequest, target: str, body: bytes) -> Request:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if self._listener.certificate is not None:
            headers["x-forwarded-proto"] = "https"
        return Request(request.method, target, headers, body)

    def _count(self, step: int) -> None:
        self._in_flight += step
        if isinstance(self._service, CountsInFlight):
            self._service.in_flight = self._in_flight

    def _script(self, method: str, target: str, body: bytes) -> web.Response:
        """`POST /_sandbox/<command>` with a JSON object of arguments: 404 unknown command, 400 bad arguments."""
        if method != "POST":
            return _json(405, {"error": "POST is expected"})
        name = target.removeprefix(SCRIPTS).partition("?")[0]
        try:
            arguments = json.loads(body) if body.strip() else {}
            if not isinstance(arguments, dict):
                raise ValueError("a JSON object is expected")
            return _json(200, self._service.command(name, arguments))
        except KeyError as missing:
            return _json(404, {"error": f"{name}: {missing.args[0] if missing.args else ''} is not known"})
        except (TypeError, ValueError) as wrong:
            return _json(400, {"error": f"{name}: {plain(str(wrong))}"})


def plain(wrong: str) -> str:
    """Python's words about arguments, as whoever wrote the JSON object knows them."""
    if found := re.search(r"unexpected keyword argument ('\w+')", wrong):
        return f"there is no argument {found[1]}"
    if found := re.search(r"missing \d+ required .*arguments?: (.+)", wrong):
        return f"it needs {found[1]}"
    return wrong


def _written(answer: Response) -> web.Response:
    if answer.drop:
        return web.Response(status=502)
    return web.Response(status=answer.status, headers=answer.headers, body=answer.body)


def _json(status: int, content: Any) -> web.Response:
    return web.Response(
        status=status, body=json.dumps(content).encode(), headers={"content-type": "application/json"}
    )


def parser(
    name: str, examples: str, *, client_id: str, client_secret: str, token_ttl_s: int
) -> argparse.ArgumentParser:
    """The options that every look-alike has, with its own credentials as defaults."""
    parser = argparse.ArgumentParser(
        prog=f"python -m sandbox {name}",
        description=f"The {name.capitalize()} look-alike on a loopback port, until Ctrl-C.",
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port", type=port, default=0, metavar="N", help="port on 127.0.0.1; 0 (default) picks a free one"
    )
    parser.add_argument(
        "--latency-ms",
        type=not_negative,
        default=0.0,
        metavar="MS",
        help="answer this long after the request came",
    )
    parser.add_argument("--certificate", type=Path, help="PEM file with certificate and key: serve https")
    parser.add_argument("--client-id", default=client_id)
    parser.add_argument("--client-secret", default=client_secret)
    parser.add_argument("--token-ttl", type=int, default=token_ttl_s, metavar="S")
    parser.add_argument(
        "--origin", default="", help="address it calls itself by, if not the one a request came to"
    )
    parser.add_argument("--seed", type=int, default=0, help="of generated ids, PKeys and tokens")
    return parser


def listener(name: str, parsed: argparse.Namespace) -> Listener:
    """Where to listen, of the parsed options."""
    return Listener(name, parsed.port, parsed.latency_ms / 1000, parsed.certificate)


def run(service: Service, where: Listener) -> int:
    """Serves until SIGTERM or SIGINT; prints `<name> listening at <address>` when ready. 2: it cannot listen."""
    try:
        asyncio.run(_run(service, where))
    except (OSError, ssl.SSLError) as error:
        about = (
            f"port {where.port}" if where.certificate is None else f"port {where.port}, {where.certificate}"
        )
        print(f"{where.name}: cannot listen ({about}): {error.strerror or error}", file=sys.stderr)
        return 2
    return 0


async def _run(service: Service, where: Listener) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = Server(service, where)
    print(f"{where.name} listening at {await server.start()}", flush=True)
    await stop.wait()
    await server.stop()
