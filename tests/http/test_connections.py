"""The worker's client as the settings say: where each system's token comes from, and where it goes."""

from __future__ import annotations

from urllib.parse import parse_qs

import httpx
import pytest

from sync.connections import open_http
from sync.settings import Settings
from tests.adapters import FakeClock

BASE = {
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "DYNAMICS_URL": "https://org.crm4.dynamics.com",
    "CAMPAIGN_URL": "https://mc.adobe.io/acme/campaign",
    "CAMPAIGN_CLIENT_ID": "key",
    "CAMPAIGN_CLIENT_SECRET": "campaign-secret",
}
SECRET = {"DYNAMICS_TENANT_ID": "t", "DYNAMICS_CLIENT_ID": "c", "DYNAMICS_CLIENT_SECRET": "dynamics-secret"}


class Network:
    """Answers every host: tokens from the two token endpoints, 200 elsewhere."""

    def __init__(self) -> None:
        self.seen: list[httpx.Request] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return httpx.Response(200, json={"access_token": f"token of {request.url.host}", "expires_in": 3600})


async def test_each_system_gets_its_own_token() -> None:
    network = Network()
    http = open_http(Settings.load({**BASE, **SECRET}), FakeClock(), httpx.MockTransport(network.handle))
    await http.site("dynamics").call("GET", "https://org.crm4.dynamics.com/x")
    await http.site("campaign").call("GET", "https://mc.adobe.io/acme/campaign/x")
    sent = [(str(request.url), request.headers.get("authorization")) for request in network.seen]
    assert sent == [
        ("https://login.microsoftonline.com/t/oauth2/v2.0/token", None),
        ("https://org.crm4.dynamics.com/x", "Bearer token of login.microsoftonline.com"),
        ("https://ims-na1.adobelogin.com/ims/token/v3", None),
        ("https://mc.adobe.io/acme/campaign/x", "Bearer token of ims-na1.adobelogin.com"),
    ]
    assert parse_qs(network.seen[0].content.decode())["scope"] == ["https://org.crm4.dynamics.com/.default"]
    assert parse_qs(network.seen[2].content.decode())["client_secret"] == ["campaign-secret"]
    await http.aclose()


async def test_the_call_timeout_reaches_every_request() -> None:
    network = Network()
    settings = Settings.load({**BASE, **SECRET, "CALL_TIMEOUT_S": "7"})
    http = open_http(settings, FakeClock(), httpx.MockTransport(network.handle))
    await http.site("campaign").call("DELETE", "https://mc.adobe.io/x")
    assert {request.extensions["timeout"]["read"] for request in network.seen} == {7.0}


async def test_without_a_secret_the_identity_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []

    class Identity:
        def __init__(self, managed_identity_client_id: str | None) -> None:
            self.client_id = managed_identity_client_id

        async def get_token(self, scope: str) -> object:
            return type(
                "Token", (), {"token": f"{self.client_id} for {scope}", "expires_on": 2_000_000_000}
            )()

        async def close(self) -> None:
            closed.append("identity")

    monkeypatch.setattr("azure.identity.aio.DefaultAzureCredential", Identity)
    network = Network()
    settings = Settings.load({**BASE, "DYNAMICS_CLIENT_ID": "user-assigned"})
    http = open_http(settings, FakeClock(), httpx.MockTransport(network.handle))
    await http.site("dynamics").call("GET", "https://org.crm4.dynamics.com/x")
    (request,) = network.seen
    assert request.headers["authorization"] == (
        "Bearer user-assigned for https://org.crm4.dynamics.com/.default"
    )
    await http.aclose()
    assert closed == ["identity"]
