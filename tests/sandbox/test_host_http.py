"""HTTP functions answer on the loopback address, guarded by the host's keys."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from sandbox.host.launch import FUNCTION_KEY, MASTER_KEY
from tests.sandbox.probe import Probe


@pytest.fixture
def client(probe: Probe) -> Iterator[httpx.Client]:
    with probe.host() as host, httpx.Client(base_url=host.url, timeout=10) as client:
        yield client


def test_calls_reach_the_function_with_route_query_and_body(client: httpx.Client) -> None:
    url = "/api/hello/Zo%C3%AB?q=a%26b"
    answer = client.post(url, content="body", headers={"x-functions-key": FUNCTION_KEY})
    assert (answer.status_code, answer.text) == (201, "POST Zoë a&b body")
    assert answer.headers["x-answer"] == "42"


def test_keys_and_methods_are_checked(client: httpx.Client) -> None:
    assert client.get("/api/ping").text == "pong"
    assert client.get("/api/hello/x").status_code == 401
    assert client.get("/api/hello/x", headers={"x-functions-key": "wrong"}).status_code == 401
    assert client.get(f"/api/hello/x?code={FUNCTION_KEY}").status_code == 201
    assert client.get(f"/api/hello/x?code={MASTER_KEY}").status_code == 201
    assert client.put(f"/api/hello/x?code={FUNCTION_KEY}").status_code == 405
    assert client.get("/api/nothing").status_code == 404


def test_a_function_that_raises_answers_500_without_a_word(client: httpx.Client) -> None:
    answer = client.get(f"/api/hello/x?fail=1&code={FUNCTION_KEY}")
    assert (answer.status_code, answer.text) == (500, "")


def test_admin_endpoints_want_the_master_key(client: httpx.Client) -> None:
    master = {"x-functions-key": MASTER_KEY}
    assert client.get("/admin/host/status").status_code == 401
    assert client.get("/admin/host/status", headers=master).json() == {"state": "Running"}
    start = "/admin/functions/tick"
    assert client.post(start, json={}, headers={"x-functions-key": FUNCTION_KEY}).status_code == 401
    assert client.post(start, content=b"input", headers=master).status_code == 400
    assert client.post(start, json={"input": ""}, headers=master).status_code == 202
