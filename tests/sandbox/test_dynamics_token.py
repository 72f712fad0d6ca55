"""Access tokens and service protection (dataverse.md 3, 4.6)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sandbox.wire import Request
from tests.sandbox.dynamics_instance import ORIGIN, Organization


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 400, "unauthorized_client"),
        ({"scope": "https://other.test/.default"}, 400, "invalid_scope"),
        ({"scope": f"{ORIGIN}//.default"}, 400, "invalid_scope"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"path": "/other/oauth2/v2.0/token"}, 400, "invalid_request"),
    ],
)
def test_the_token_endpoint_refuses(change: dict[str, str], status: int, error: str) -> None:
    answer = Organization().ask_token(**change)
    assert (answer.status, Organization.read(answer)["error"]) == (status, error)


def test_a_missing_token_is_401_with_a_challenge() -> None:
    answer = Organization().service.handle(Request("GET", "/api/data/v9.2/WhoAmI", {}))
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer authorization_uri=")


def test_a_token_expires() -> None:
    org = Organization()
    org.time += org.options.token_ttl_s - 1
    assert org.send("GET", "WhoAmI").status == 200
    org.time += 1
    assert org.send("GET", "WhoAmI").status == 401


def test_a_revoked_token_is_refused() -> None:
    org = Organization()
    org.service.command("revoke_access", {})
    assert org.send("GET", "WhoAmI").status == 401


def limited(**changes: Any) -> Organization:
    return Organization(replace(Organization().options, **changes))


def test_too_many_requests_in_a_sliding_window_are_429_with_retry_after() -> None:
    org = limited(request_limit=3)
    for _ in range(2):
        assert org.send("GET", "WhoAmI").status == 200
    org.time += 100
    last = org.send("GET", "WhoAmI")
    assert (last.status, last.headers["x-ms-ratelimit-burst-remaining-xrm-requests"]) == (200, "0")
    answer = org.send("GET", "WhoAmI")
    assert (answer.status, org.read(answer)["error"]["code"]) == (429, "0x80072322")
    assert answer.headers["retry-after"] == "200"
    assert answer.headers["x-ms-dop-hint"] == "4"


def test_retry_after_is_long_enough_and_grows_for_who_keeps_pushing() -> None:
    org = limited(request_limit=3)
    waits = []
    for _ in range(6):
        answer = org.send("GET", "WhoAmI")
        waits.append(int(answer.headers.get("retry-after", "0")))
        org.time += 10
    assert waits == [0, 0, 0, 280, 280, 280]  # ten seconds later the wait is as long: it has grown by ten
    org.time += 280 - 10
    assert org.send("GET", "WhoAmI").status == 200


def test_execution_time_is_limited() -> None:
    org = limited(time_limit_s=5, execution_s=2)
    for _ in range(3):
        assert org.send("GET", "WhoAmI").status == 200
        org.time += 3
    assert org.refused("GET", "WhoAmI") == (429, "0x80072321")


def test_concurrency_is_limited() -> None:
    org = limited(concurrency_limit=2)
    org.service.command("fault", {"kind": "delay", "delay_s": 30, "times": 2})
    assert org.send("GET", "WhoAmI").delay_s == 30
    assert org.send("GET", "WhoAmI").status == 200
    assert org.refused("GET", "WhoAmI") == (429, "0x80072326")
    org.time += 31
    assert org.send("GET", "WhoAmI").status == 200


def test_limits_can_be_off() -> None:
    org = limited(request_limit=1, limits=False)
    assert [org.send("GET", "WhoAmI").status for _ in range(3)] == [200, 200, 200]
