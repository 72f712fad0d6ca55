"""The production transport against a real socket: what is sent, and what its errors say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from sync.transport import AiohttpTransport

LINK = "/api/data/v9.2/contacts?$select=a,b&$deltatoken=919042%2108%2f22%2f2017%2008%3a10%3a44"
COOKIE_LINK = "/c?$skiptoken=%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie%253e%22%20/%3E"


class Server:
    """A socket that keeps every request head and answers as told."""

    def __init__(self) -> None:
        self.heads: list[str] = []
        self.answer: Callable[[str], bytes | None] = lambda head: b"{}"
        self.delay_s = 0.0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                self.heads.append(head)
                length = next(
                    (line for line in head.lower().splitlines() if line.startswith("content-length:")), ":0"
                )
                await reader.readexactly(int(length.partition(":")[2]))
                await asyncio.sleep(self.delay_s)
                body = self.answer(head)
                if body is None:
                    break
                writer.write(
                    b"HTTP/1.1 200 OK\r\nSet-Cookie: server=7\r\nContent-Length: %d\r\n\r\n" % len(body)
                    + body
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @property
    def targets(self) -> list[str]:
        return [head.split(" ")[1] for head in self.heads]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    running = Server()
    listening = await asyncio.start_server(running.serve, "127.0.0.1", 0)
    running.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield running
    listening.close()


@pytest.fixture
async def transport() -> AsyncIterator[AiohttpTransport]:
    opened = AiohttpTransport()
    yield opened
    await opened.aclose()
    await asyncio.sleep(0)


def request(method: str, url: str, *, timeout_s: float = 5.0) -> httpx.Request:
    content = b'{"a":1}' if method in ("POST", "PATCH") else None
    return httpx.Request(method, url, content=content, extensions={"timeout": {"read": timeout_s}})


@pytest.mark.parametrize("target", [LINK, COOKIE_LINK, "/p/%40x%2F1", "/q?a=1+2&b=%20&c=%2f&d=%2F&e=~%7E"])
async def test_the_target_arrives_byte_for_byte(
    server: Server, transport: AiohttpTransport, target: str
) -> None:
    answer = await transport.handle_async_request(request("GET", server.url + target))
    assert (answer.status_code, answer.content) == (200, b"{}")
    assert server.targets == [target]


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
async def test_a_request_whose_connection_drops_arrives_once_and_counts_as_sent(
    server: Server, transport: AiohttpTransport, method: str
) -> None:
    await transport.handle_async_request(request("GET", server.url + "/warm"))
    server.answer = lambda head: None
    with pytest.raises(httpx.ReadError):
        await transport.handle_async_request(request(method, server.url + "/dropped"))
    assert server.targets.count("/dropped") == 1


async def test_an_answer_cut_short_counts_as_sent(server: Server, transport: AiohttpTransport) -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"value":[')
        writer.close()

    listening = await asyncio.start_server(cut, "127.0.0.1", 0)
    with pytest.raises(httpx.ReadError):
        port = listening.sockets[0].getsockname()[1]
        await transport.handle_async_request(request("GET", f"http://127.0.0.1:{port}/"))
    listening.close()


async def test_a_slow_answer_ends_at_the_timeout_and_counts_as_sent(
    server: Server, transport: AiohttpTransport
) -> None:
    server.delay_s = 0.5
    with pytest.raises(httpx.ReadTimeout):
        await transport.handle_async_request(request("PATCH", server.url + "/slow", timeout_s=0.05))


async def test_a_port_nobody_listens_on_is_never_sent(transport: AiohttpTransport) -> None:
    listening = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    listening.close()
    await listening.wait_closed()
    with pytest.raises(httpx.ConnectError) as caught:
        await transport.handle_async_request(request("PATCH", f"http://127.0.0.1:{port}/"))
    assert str(port) not in str(caught.value)


async def test_cookies_are_not_kept(server: Server, transport: AiohttpTransport) -> None:
    named = server.url.replace("127.0.0.1", "localhost")  # aiohttp keeps none of a bare address anyway
    for _ in range(2):
        await transport.handle_async_request(request("GET", named + "/x"))
    assert "cookie" not in server.heads[1].lower()
