"""A Campaign look-alike with our client in front of it, in process."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sandbox.campaign.options import CampaignOptions
from sandbox.campaign.service import CampaignService
from sync.campaign.dialect import Dialect
from sync.campaign.profiles import Profiles
from sync.campaign.records import Addressing
from sync.http import Http
from sync.settings import Settings
from tests.adapters import FakeClock, ServiceTransport

ORIGIN = "http://127.0.0.1:2"
URL = f"{ORIGIN}/local/campaign"
ID = "7c1b1f0e-0000-4000-8000-000000000001"
NOBODY = "7c1b1f0e-0000-4000-8000-00000000000f"


spoken: list[Literal["standard", "v8"]] = ["standard"]
"""The generation that instances are of unless they say; `conftest.py` runs the tests on both."""


@dataclass
class Instance:
    """The service, its clock and our client."""

    addressing: Addressing = Addressing.KEY
    api_key: str = "local-campaign"
    url: str = URL
    delete_by_key: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        given = {"addressing": str(self.addressing), "dialect": spoken[-1], **self.options}
        options = CampaignOptions(**given)
        self.service = CampaignService(clock=self.clock.now, rng=random.Random(1), options=options)
        self.http = Http(ServiceTransport({ORIGIN: self.service}, self.clock), self.clock)
        tokens = self.http.client_credentials(
            "campaign",
            f"{ORIGIN}/ims/token/v3",
            client_id="local-campaign",
            client_secret="local-campaign-secret",
            scope=str(Settings.model_fields["campaign_scopes"].default),
        )
        self.http.connect("campaign", ORIGIN, tokens)
        self.client = Profiles(
            self.http,
            url=self.url,
            api_key=self.api_key,
            addressing=self.addressing,
            delete_by_key=self.delete_by_key,
            dialect=Dialect(options.dialect),
        )

    def calls(self) -> list[str]:
        """What was asked of the API, tokens apart: method and what the look-alike took it for."""
        return [f"{entry.method} {entry.note}" for entry in self.service.log if entry.note != "token"]

    def profile(self, external_id: str = ID) -> dict[str, Any]:
        (found,) = [record for record in self.service.dump() if record.get("externalId") == external_id]
        return found
