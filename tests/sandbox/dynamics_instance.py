"""A Dataverse look-alike with a token in hand, for the tests of `sandbox.dynamics`."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from sandbox.dynamics.options import DynamicsOptions
from sandbox.dynamics.service import DynamicsService
from sandbox.wire import Request, Response

START = 1_780_000_000.0  # 2026-05-28 20:26:40 UTC
ORIGIN = "https://org.test"
ROOT = "/api/data/v9.2/"
FORM = {
    "grant_type": "client_credentials",
    "client_id": "local-dynamics",
    "client_secret": "local-dynamics-secret",
    "scope": f"{ORIGIN}/.default",
}


@dataclass
class Organization:
    """The service, its clock, and a client that keeps the token."""

    options: DynamicsOptions = field(default_factory=lambda: DynamicsOptions(origin=ORIGIN))

    def __post_init__(self) -> None:
        self.time = START
        self.service = DynamicsService(clock=lambda: self.time, rng=random.Random(1), options=self.options)
        self.token = str(self.read(self.ask_token())["access_token"])

    def ask_token(self, path: str = "/local/oauth2/v2.0/token", **changes: str) -> Response:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return self.service.handle(Request("POST", path, headers, urlencode({**FORM, **changes}).encode()))

    def send(self, method: str, target: str, body: object = None, **headers: str) -> Response:
        """`target` below the service root, or a link as received."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        path = target.removeprefix(ORIGIN) if target.startswith(ORIGIN) else ROOT + target
        sent = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.service.handle(Request(method, path, sent, raw))

    def get(self, target: str, **headers: str) -> dict[str, Any]:
        """The JSON of an answer that must be 200."""
        answer = self.send("GET", target, **headers)
        assert answer.status == 200, answer.body
        return self.read(answer)

    def refused(self, method: str, target: str, body: object = None, **headers: str) -> tuple[int, str]:
        """(status, code) of an answer that must be an error."""
        answer = self.send(method, target, body, **headers)
        assert answer.status >= 400, answer.body
        return answer.status, self.read(answer)["error"]["code"]

    def seed(self, count: int) -> list[str]:
        """Contacts `Name 0`, `Name 1`, …; their ids."""
        return self.service.seed([{"lastname": f"Name {n}"} for n in range(count)])

    def full(self, size: int = 5000, select: str = "lastname") -> tuple[list[dict[str, Any]], str]:
        """All rows of a tracked full read, and its delta link."""
        return self.follow(f"contacts?$select={select}", size, "odata.track-changes")

    def follow(self, link: str, size: int = 5000, prefer: str = "") -> tuple[list[dict[str, Any]], str]:
        """All entries from a link on, page by page, and the delta link at the end."""
        entries: list[dict[str, Any]] = []
        while True:
            preferences = f"odata.maxpagesize={size}" + (f",{prefer}" if prefer else "")
            page = self.get(link, prefer=preferences)
            entries += page["value"]
            if "@odata.nextLink" not in page:
                return entries, page["@odata.deltaLink"]
            assert "@odata.deltaLink" not in page
            link, prefer = page["@odata.nextLink"], ""

    @staticmethod
    def read(answer: Response) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(answer.body)
        return content
