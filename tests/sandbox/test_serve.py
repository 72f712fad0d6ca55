"""A look-alike on a loopback port."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sandbox.__main__ import main as sandbox
from sandbox.process import ChildProcess
from sandbox.serve import Listener, Server, plain, run
from sandbox.wire import Request, Response


class Echo:
    """Answers with what it got; `drop` and `slow` as the path says."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.most = 0
        self.seen: list[Request] = []

    def handle(self, request: Request) -> Response:
        self.seen.append(request)
        self.most = max(self.most, self.in_flight)
        if request.path == "/drop":
            return Response(0, drop=True)
        delay = 0.2 if request.path == "/slow" else 0.0
        return Response(201, {"x-method": request.method}, request.body, delay_s=delay)

    def command(self, name: str, arguments: dict[str, Any]) -> Any:
        if name != "double":
            raise KeyError(name)
        return {"doubled": int(arguments["value"]) * 2}


@pytest.fixture
async def echo() -> AsyncIterator[tuple[Echo, str, aiohttp.ClientSession]]:
    service = Echo()
    server = Server(service, Listener("echo"))
    address = await server.start()
    async with aiohttp.ClientSession() as session:
        yield service, address, session
    await server.stop()


Served = tuple[Echo, str, aiohttp.ClientSession]


async def raw(address: str, request: bytes) -> bytes:
    """What comes back for these very bytes until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    await writer.wait_closed()
    return answer


async def test_targets_arrive_raw_and_headers_in_lower_case(echo: Served) -> None:
    service, address, _ = echo
    target = "/a%2fb?$deltatoken=1%2108%2f22&x=%2F+y"
    answer = await raw(
        address, f"GET {target} HTTP/1.1\r\nHost: h\r\nX-Odd: V\r\nConnection: close\r\n\r\n".encode()
    )
    assert answer.startswith(b"HTTP/1.1 201")
    assert (service.seen[0].target, service.seen[0].headers["x-odd"]) == (target, "V")


async def test_large_bodies_pass(echo: Served) -> None:
    service, address, session = echo
    body = b"x" * 5_000_000
    async with session.patch(f"{address}/", data=BytesIO(body)) as answer:
        assert (answer.status, answer.headers["x-method"], await answer.read()) == (201, "PATCH", body)
    assert service.seen[0].body == body


async def test_a_drop_closes_without_an_answer(echo: Served) -> None:
    _, address, session = echo
    assert await raw(address, b"GET /drop HTTP/1.1\r\nHost: h\r\n\r\n") == b""
    async with session.get(f"{address}/") as answer:
        assert answer.status == 201


async def test_delays_overlap_and_requests_in_flight_are_counted(echo: Served) -> None:
    service, address, session = echo
    started = time.perf_counter()
    await asyncio.gather(*(session.get(f"{address}/slow") for _ in range(10)))
    assert time.perf_counter() - started < 1.5  # one after another: 2 s
    assert (service.most, service.in_flight) == (10, 0)


async def test_latency_counts_from_the_arrival() -> None:
    server = Server(Echo(), Listener("echo", latency_s=0.1))
    address = await server.start()
    started = time.perf_counter()
    async with aiohttp.ClientSession() as session, session.get(f"{address}/") as answer:
        assert answer.status == 201
    assert time.perf_counter() - started >= 0.1
    await server.stop()


@pytest.mark.parametrize(
    ("name", "body", "status", "content"),
    [
        ("double", b'{"value":2}', 200, {"doubled": 4}),
        ("nope", b"", 404, None),
        ("double", b"{}", 404, None),
        ("double", b'{"value":"x"}', 400, None),
        ("double", b"[]", 400, None),
        ("double", b"{", 400, None),
    ],
)
async def test_commands(echo: Served, name: str, body: bytes, status: int, content: object) -> None:
    service, address, session = echo
    async with session.post(f"{address}/_sandbox/{name}", data=body) as answer:
        assert answer.status == status
        if content is not None:
            assert await answer.json() == content
    assert service.seen == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_line_serves_and_ends_quietly(number: signal.Signals) -> None:
    with ChildProcess([sys.executable, "-m", "sandbox", "dynamics", "--port", "0"]) as child:
        (ready,) = child.wait_for(r"dynamics listening at (http://127\.0\.0\.1:\d+)\n")
        assert asyncio.run(
            raw(ready[1], b"GET /api/data/v9.2/WhoAmI HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        )
        child.process.send_signal(number)
        assert child.process.wait(10) == 0
        assert child.output() == ready[0]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"number": 3}, "there is no argument 'number'"),
        ({}, "it needs 'records' and 'table'"),
    ],
)
def test_a_wrong_argument_is_told_as_the_caller_knows_it(given: dict[str, Any], told: str) -> None:
    def seed(records: list[str], table: str) -> None: ...

    with pytest.raises(TypeError) as caught:
        seed(**given)
    assert plain(str(caught.value)) == told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("dynamics", "--port", "99999"), "a number from 0 to 65535"),
        (("campaign", "--latency-ms", "-5"), "a number of 0 or more"),
        (("dynamics", "--application", "second"), "ID:SECRET:USER"),
        (("host", "--settings", "x", "--message-lease", "ten"), "whole seconds, from 2 to 7 days"),
        (("host", "--settings", "x", "--drain", "soon"), "a number of 0 or more"),
        (("azurite", "--blob-port", "http"), "a number from 0 to 65535"),
    ],
)
def test_a_wrong_argument_is_told_in_words(
    arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        sandbox(list(arguments))
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_a_port_that_is_taken_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        assert run(Echo(), Listener("echo", taken)) == 2
    assert f"echo: cannot listen (port {taken}): " in capsys.readouterr().err
    assert run(Echo(), Listener("echo", 0, 0.0, tmp_path / "no.pem")) == 2
    assert "no.pem): No such file or directory" in capsys.readouterr().err
