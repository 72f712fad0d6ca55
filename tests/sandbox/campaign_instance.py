"""A Campaign look-alike with a token in hand, for the tests of `sandbox.campaign`."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any

from sandbox.campaign.options import CampaignOptions
from sandbox.campaign.service import CampaignService
from sandbox.wire import Request, Response

START = 1_780_000_000.0  # 2026-05-28 20:26:40 UTC
BASE = "/local/campaign"
EXT = f"{BASE}/profileAndServicesExt/profile"
PLAIN = f"{BASE}/profileAndServices/profile"
FORM = {
    "grant_type": "client_credentials",
    "client_id": "local-campaign",
    "client_secret": "local-campaign-secret",
    "scope": "openid,AdobeID",
}


@dataclass
class Instance:
    """The service, its clock, and a client that keeps the token."""

    options: CampaignOptions = field(default_factory=CampaignOptions)
    seed: int = 1

    def __post_init__(self) -> None:
        self.time = START
        rng = random.Random(self.seed)
        self.service = CampaignService(clock=lambda: self.time, rng=rng, options=self.options)
        self.headers = {"host": "127.0.0.1:1", "x-api-key": "local-campaign"}
        self.headers["authorization"] = f"Bearer {self.token()}"

    def token(self, **changes: str) -> str:
        return str(json.loads(self.ask_token(**changes).body)["access_token"])

    def ask_token(self, **changes: str) -> Response:
        form = {**FORM, **changes}
        body = "&".join(f"{name}={value}" for name, value in form.items()).encode()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return self.service.handle(Request("POST", "/ims/token/v3", headers, body))

    def send(self, method: str, target: str, body: object = None, **headers: str) -> Response:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        extra = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.service.handle(Request(method, target, {**self.headers, **extra}, raw))

    def create(self, **values: Any) -> dict[str, Any]:
        """A new profile as POST echoes it."""
        answer = self.send("POST", EXT, values)
        assert answer.status == 201, answer.body
        made: dict[str, Any] = self.read(answer)
        return made

    def get(self, target: str) -> Any:
        answer = self.send("GET", target)
        assert answer.status == 200, answer.body
        return self.read(answer)

    @staticmethod
    def read(answer: Response) -> Any:
        assert answer.headers["content-type"] == "application/json"
        return json.loads(answer.body)

    def refused(self, method: str, target: str, body: object = None) -> tuple[int, str]:
        """Status and text of an answer that the engine refuses, which is always plain text."""
        answer = self.send(method, target, body)
        assert answer.status >= 400, answer.body
        assert answer.headers["content-type"].startswith("text/plain")
        return answer.status, answer.body.decode()
