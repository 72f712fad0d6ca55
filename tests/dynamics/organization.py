"""A Dynamics look-alike with our client in front of it, in process."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from sandbox.dynamics.options import DynamicsOptions
from sandbox.dynamics.service import DynamicsService
from sync.dynamics.client import Dynamics
from sync.http import Http
from sync.model import SourcePage
from tests.adapters import FakeClock, ServiceTransport

URL = "http://127.0.0.1:1"
COLUMNS = ("firstname", "emailaddress1", "birthdate")


@dataclass
class Organization:
    """The service, its clock and our client."""

    page_size: int = 2
    secret: str = "local-dynamics-secret"
    options: DynamicsOptions = field(default_factory=DynamicsOptions)

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.service = DynamicsService(clock=self.clock.now, rng=random.Random(1), options=self.options)
        self.http = Http(ServiceTransport({URL: self.service}, self.clock), self.clock)
        tokens = self.http.client_credentials(
            "dynamics",
            f"{URL}/local/oauth2/v2.0/token",
            client_id="local-dynamics",
            client_secret=self.secret,
            scope=f"{URL}/.default",
        )
        self.http.connect("dynamics", URL, tokens)
        self.client = Dynamics(self.http, url=URL, page_size=self.page_size)

    def seed(self, *first_names: str) -> list[str]:
        return self.service.seed([{"firstname": name} for name in first_names])

    async def start(self) -> SourcePage:
        return await self.client.start_tracking("contacts", "contactid", COLUMNS)

    async def follow(self, link: str | None) -> SourcePage:
        assert link is not None
        return await self.client.follow(link, "contacts", "contactid")

    async def delta_link(self) -> str:
        """Reads everything and gives the link of the delta after it."""
        page = await self.start()
        while page.next_link is not None:
            page = await self.follow(page.next_link)
        assert page.delta_link is not None
        return page.delta_link

    @property
    def targets(self) -> list[str]:
        """Targets asked for, tokens apart."""
        return [entry.target for entry in self.service.log if entry.note != "token"]
