"""The command line in front of in-memory storage and both look-alikes, and a function app that works on demand."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any, TypeVar

import httpx
from typer.testing import CliRunner, Result

from sandbox.campaign.options import CampaignOptions
from sandbox.campaign.service import CampaignService
from sandbox.dynamics.options import DynamicsOptions
from sandbox.dynamics.service import DynamicsService
from sandbox.wire import Service
from sync.app import App, compose
from sync.campaign.records import Addressing
from sync.cli.program import app as program
from sync.cli.session import Desk, ServerDates, Session
from sync.connections import open_http
from sync.flows.context import Context
from sync.model import Lane, LedgerRow
from sync.planning.consent_map import ConsentMap
from sync.settings import Settings
from sync.storage.account import MemoryAccount
from sync.storage.ledger import from_stored
from sync.storage.logs import MemoryLogs
from sync.storage.memory import Gate, OpenGate
from tests.adapters import FakeClock, ServiceTransport

T = TypeVar("T")
DYNAMICS = "http://127.0.0.1:1"
CAMPAIGN = "http://127.0.0.1:2"
SHIPPED = Path(__file__).parents[2] / "mappings" / "contacts.yaml"
SETTINGS = {
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "DYNAMICS_URL": DYNAMICS,
    "DYNAMICS_TOKEN_URL": f"{DYNAMICS}/local/oauth2/v2.0/token",
    "DYNAMICS_CLIENT_ID": "local-dynamics",
    "DYNAMICS_CLIENT_SECRET": "local-dynamics-secret",
    "CAMPAIGN_URL": f"{CAMPAIGN}/local/campaign",
    "CAMPAIGN_TOKEN_URL": f"{CAMPAIGN}/ims/token/v3",
    "CAMPAIGN_CLIENT_ID": "local-campaign",
    "CAMPAIGN_CLIENT_SECRET": "local-campaign-secret",
    "BUCKETS": "4",
    "DELETE_BRAKE_PERCENT": "0",
    "DELETE_BRAKE_MIN": "1",
}


class Dated(httpx.AsyncBaseTransport):
    """Adds the `Date` that every web server sends, from the look-alike's clock."""

    def __init__(self, inner: ServiceTransport, now: dict[str, Any]) -> None:
        self._inner = inner
        self._now = now

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        origin = f"{request.url.scheme}://{request.url.netloc.decode()}"
        answer.headers["date"] = formatdate(self._now[origin](), usegmt=True)
        return answer


class WorkingClock(FakeClock):
    """A clock on which the function app works whenever somebody waits."""

    def __init__(self, office: Office) -> None:
        super().__init__()
        self._office = office

    def now(self) -> float:
        return self._office.clock.now()

    async def sleep(self, seconds: float) -> None:
        self._office.clock.advance(seconds)
        await self._office.tick()


@dataclass
class Office:
    """One tenant. `environ` are the settings of app and command line; `gate` stands before the command line's storage."""

    dynamics_options: DynamicsOptions = field(default_factory=DynamicsOptions)
    campaign_options: CampaignOptions = field(default_factory=CampaignOptions)
    environ: dict[str, str] = field(default_factory=lambda: dict(SETTINGS))
    gate: Gate = field(default_factory=OpenGate)
    consent: ConsentMap | None = None
    shipped: dict[str, str] = field(default_factory=lambda: {"contacts": SHIPPED.read_text()})

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.account = MemoryAccount(self.clock.now)
        self.logs = MemoryLogs(self.clock.now)
        self.dynamics = DynamicsService(
            clock=self.clock.now, rng=random.Random(1), options=self.dynamics_options
        )
        self.campaign = CampaignService(
            clock=self.clock.now, rng=random.Random(2), options=self.campaign_options
        )
        self.services: dict[str, Service] = {DYNAMICS: self.dynamics, CAMPAIGN: self.campaign}

    def compose(self, settings: Settings, clock: FakeClock, *, gate: Gate | None = None) -> Session:
        """An app of its own, as every process has."""
        now = {DYNAMICS: self.dynamics.now, CAMPAIGN: self.campaign.now}
        dates = ServerDates(Dated(ServiceTransport(self.services, clock), now), clock)
        chosen = settings.campaign_addressing
        app = compose(
            settings,
            clock=clock,
            rng=random.Random(3),
            account=self.account.view(gate),
            http=open_http(settings, clock, dates),
            addressing=None if chosen == "auto" else Addressing(chosen),
            shipped=self.shipped,
            consent=self.consent,
        )
        return Session(app, dates, self.logs if settings.events_container else None)

    @asynccontextmanager
    async def open(self, settings: Settings) -> AsyncIterator[Session]:
        yield self.compose(settings, WorkingClock(self), gate=self.gate)

    def sync(self, *arguments: str, typed: str = "") -> Result:
        """`python -m sync …`; `typed` is what a person answers."""
        desk = Desk(opener=self.open, environ=self.environ)
        return CliRunner().invoke(program, list(arguments), input=typed, obj=desk, catch_exceptions=False)

    def ask(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        """The JSON object of a command that ends with `code`."""
        result = self.sync(*arguments, "--json")
        assert result.exit_code == code, result.output
        told: dict[str, Any] = json.loads(result.stdout)
        return told

    # -- the function app ----------------------------------------------------------------------------------------

    def work(self, rounds: int = 8) -> None:
        """The function app works until the lanes are empty, and the tick after."""
        asyncio.run(self._work(rounds))

    def install(self) -> None:
        """The mapping is there, and nothing has been read yet."""

        async def activate() -> None:
            context = self.compose(Settings.load(self.environ), self.clock).context
            await context.mappings.install("contacts", self.shipped["contacts"], buckets=4)

        asyncio.run(activate())

    def reconcile(self) -> None:
        """The daily timer ticks."""
        asyncio.run(self.compose(Settings.load(self.environ), self.clock).app.reconcile_sample())

    async def _work(self, rounds: int) -> None:
        for _ in range(rounds):
            await self.tick()

    def compose_app(self) -> App:
        """A worker of the function app."""
        return self.compose(Settings.load(self.environ), self.clock).app

    def compose_context(self) -> Context:
        return self.compose_app().context

    async def pull(self) -> None:
        """The timer that reads, alone."""
        await self.compose_app().pull_changes()

    async def work_lanes(self) -> None:
        """What is in the lanes, without a timer."""
        app = self.compose_app()
        for lane in (Lane.LIVE, Lane.BACKFILL):
            await self._drain(app, lane)

    async def tick(self) -> None:
        """One round of the timers and everything visible in the queues."""
        app = self.compose_app()
        await app.pull_changes()
        await self._drain(app, Lane.CONTROL)
        await app.feed_backfill()
        await app.wake_parked()
        await app.pull_consents()
        for lane in (Lane.CONSENT, Lane.LIVE, Lane.BACKFILL):
            await self._drain(app, lane)
        await app.context.counters.flush(now=True)
        self.clock.advance(15)

    async def _drain(self, app: App, lane: Lane) -> None:
        queue = app.context.lanes.queue(lane)
        while messages := await queue.receive(32, visibility_s=600):
            for message in messages:
                if lane is Lane.CONTROL:
                    await app.control(message.body, invocation=message.receipt)
                elif lane is Lane.CONSENT:
                    await app.consent(message.body, invocation=message.receipt)
                else:
                    await app.apply(
                        lane, message.body, dequeue_count=message.dequeue_count, invocation=message.receipt
                    )
                await queue.delete(message)

    # -- looking and preparing -----------------------------------------------------------------------------------

    def contacts(self, *first_names: str, **values: str) -> list[str]:
        """New contacts in Dynamics."""
        return self.dynamics.seed([{"firstname": name, **values} for name in first_names])

    def synced(self, *first_names: str) -> list[str]:
        """New contacts, their profiles already in Campaign."""
        ids = self.contacts(*first_names)
        self.work()
        assert {self.row(record).state.value for record in ids} == {"synced"}
        return ids

    def row(self, record_id: str, epoch: int = 1) -> LedgerRow:
        found = [
            from_stored(stored)
            for (partition, row), stored in self.account.tables["ledger"].rows.items()
            if row == record_id and f":{epoch:04d}:" in partition
        ]
        assert len(found) == 1, f"{record_id}: {len(found)} ledger rows in epoch {epoch}"
        return found[0]

    def lose_counters(self) -> None:
        """As after a crash before anything was flushed."""
        table = self.account.tables["counters"]
        table.rows.clear()
        table.keys.clear()

    def profiles(self) -> dict[str, dict[str, Any]]:
        """Campaign's profiles by external id."""
        return {record["externalId"]: record for record in self.campaign.command("dump", {})["records"]}

    def campaign_writes(self) -> list[str]:
        """What was written to Campaign, in order."""
        return [entry.note for entry in self.campaign.log if entry.method != "GET" and entry.note != "token"]

    def stored(self) -> dict[str, int]:
        """How many rows and messages there are, by table and queue."""
        tables = {name: len(table.rows) for name, table in self.account.tables.items()}
        return tables | {name: len(queue.messages) for name, queue in self.account.queues.items()}


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)
