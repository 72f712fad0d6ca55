"""calls: Campaign calls per record, counted by the look-alike, for both addressing modes (in process, no network)."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass
from typing import Literal

import httpx

from benchmarks.engine import ROOT, contacts
from sandbox.campaign.options import CampaignOptions
from sandbox.campaign.service import CampaignService
from sandbox.dynamics.options import DynamicsOptions
from sandbox.dynamics.service import DynamicsService
from sandbox.wire import Request, Service
from sync.app import App, compose
from sync.connections import open_http
from sync.model import Lane
from sync.planning.consent_map import ConsentMap
from sync.settings import Settings
from sync.shipped import shipped_consent, shipped_mappings
from sync.storage.account import MemoryAccount

RECORDS = 40
DYNAMICS, CAMPAIGN = "http://127.0.0.1:1", "http://127.0.0.1:2"
SETTINGS = {
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "DYNAMICS_URL": DYNAMICS,
    "DYNAMICS_TOKEN_URL": f"{DYNAMICS}/local/oauth2/v2.0/token",
    "DYNAMICS_TENANT_ID": "local",
    "DYNAMICS_CLIENT_ID": "local-dynamics",
    "DYNAMICS_CLIENT_SECRET": "local-dynamics-secret",
    "CAMPAIGN_URL": f"{CAMPAIGN}/local/campaign",
    "CAMPAIGN_TOKEN_URL": f"{CAMPAIGN}/ims/token/v3",
    "CAMPAIGN_CLIENT_ID": "local-campaign",
    "CAMPAIGN_CLIENT_SECRET": "local-campaign-secret",
    "CAMPAIGN_LIMIT": "1000000",
}


@dataclass
class WarpClock:
    """A clock that jumps over every sleep."""

    at: float = 1_800_000_000.0

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += max(seconds, 0.0)
        await asyncio.sleep(0)


class InProcess(httpx.AsyncBaseTransport):
    """Hands requests to the look-alikes without a socket."""

    def __init__(self, services: dict[str, Service]) -> None:
        self._services = services

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        headers = {name.decode().lower(): value.decode() for name, value in request.headers.raw}
        wire = Request(request.method, url.raw_path.decode(), headers, request.content)
        answer = self._services[f"{url.scheme}://{url.netloc.decode()}"].handle(wire)
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)


LANES = (Lane.CONTROL, Lane.CONSENT, Lane.LIVE, Lane.BACKFILL)


class Bench:
    """One app over in-memory storage and both look-alikes; with the shipped consent map unless another is given."""

    def __init__(
        self,
        *,
        addressing: str,
        delete_by_key: bool = False,
        consent: ConsentMap | None = None,
        time_filter: bool = False,
        shipped: dict[str, str] | None = None,
        dialect: Literal["standard", "v8"] = "standard",
        **changes: str,
    ) -> None:
        self.clock = WarpClock()
        rng = random.Random(1)
        self.dynamics = DynamicsService(clock=self.clock.now, rng=rng, options=DynamicsOptions())
        options = CampaignOptions(
            dialect=dialect,
            addressing="key" if addressing == "key" else "filter",
            delete_by_key=delete_by_key,
            time_filter=time_filter,
        )
        self.campaign = CampaignService(clock=self.clock.now, rng=rng, options=options)
        settings = Settings.load({**SETTINGS, "CAMPAIGN_DELETE_BY_KEY": str(delete_by_key), **changes})
        self.account = MemoryAccount(self.clock.now)
        self.app: App = compose(
            settings,
            clock=self.clock,
            rng=rng,
            account=self.account.view(),
            http=open_http(
                settings, self.clock, InProcess({DYNAMICS: self.dynamics, CAMPAIGN: self.campaign})
            ),
            addressing=None,
            shipped=shipped or shipped_mappings(ROOT / "mappings"),
            consent=consent or shipped_consent(ROOT / "mappings"),
        )

    async def settle(self) -> None:
        """Pull and work until nothing waits."""
        for _ in range(6):
            self.clock.at += 60
            await self.app.pull_changes()
            await self.app.pull_consents()
            await self.app.feed_backfill()
            while await self.work():
                self.clock.at += 1

    async def work(self) -> bool:
        """Work every message that is visible now; whether anything is left to do."""
        worked = False
        for lane in LANES:
            queue = self.account.view().queue(lane.value)
            for message in await queue.receive(32, visibility_s=600):
                worked = True
                if lane is Lane.CONTROL:
                    await self.app.control(message.body, invocation="bench")
                elif lane is Lane.CONSENT:
                    await self.app.consent(message.body, invocation="bench")
                else:
                    await self.app.apply(lane, message.body, dequeue_count=1, invocation="bench")
                await queue.delete(message)
        return worked or any(self.account.queues[lane.value].messages for lane in LANES[1:])

    def calls(self, since: int) -> int:
        """Campaign calls for records since a place in the log; the addressing probe and tokens are not for one."""
        return Counter(bool(entry.record) for entry in self.campaign.log[since:])[True]


async def _one_mode(addressing: str, *, delete_by_key: bool = False) -> dict[str, float]:
    bench = Bench(addressing=addressing, delete_by_key=delete_by_key)
    ids = bench.dynamics.seed(contacts(RECORDS))
    found: dict[str, float] = {}

    async def step(name: str) -> None:
        since = len(bench.campaign.log)
        await bench.settle()
        found[name] = bench.calls(since) / RECORDS

    await bench.app.pull_changes()
    # Asked once per worker: it is for no record.
    await bench.app.context.know_addressing()
    await step("insert")
    for record_id in ids:
        bench.dynamics.edit(record_id, {"lastname": "Changed"})
    await step("update")
    for record_id in ids:
        bench.dynamics.edit(record_id, {"jobtitle": "Not mapped"})
    await step("unchanged")
    for record_id in ids:
        bench.dynamics.delete(record_id)
    await step("delete")
    return found


def measure() -> dict[str, dict[str, float]]:
    """Mean calls per record: `key`, `key_delete_by_key`, `filter`."""
    return {
        "key": asyncio.run(_one_mode("key")),
        "key_delete_by_key": asyncio.run(_one_mode("key", delete_by_key=True)),
        "filter": asyncio.run(_one_mode("filter")),
    }
