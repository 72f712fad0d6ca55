"""The composition root: settings, clients, stores and flows, once per worker.

`compose` takes everything that differs between production, tests and the simulation; `start` makes the production
parts, lazily on the running loop (a client made on another loop breaks: reference azure.md 3.5).
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from sync.campaign.profiles import Addressing, Profiles
from sync.connections import open_http
from sync.dynamics.client import Dynamics
from sync.flows.apply import Apply
from sync.flows.context import Context
from sync.flows.control import control
from sync.flows.expire import expire_rows
from sync.flows.feed import feed_backfill
from sync.flows.health import MappingHealth, health
from sync.flows.poison import poison, set_aside
from sync.flows.pull import Pull
from sync.flows.report import Reporter
from sync.flows.wake import wake_parked
from sync.http import Http
from sync.model import Clock, Lane, Random
from sync.settings import Settings
from sync.storage.account import Account
from sync.storage.budget import Budget, Limit
from sync.storage.control import Control
from sync.storage.history import Counters, History, ParkedRecords
from sync.storage.lanes import Lanes, MessageUnreadable, from_message
from sync.storage.ledger import Ledger
from sync.storage.mappings import Mappings
from sync.storage.permits import Permits
from sync.storage.watermarks import Watermarks
from sync.transport import AiohttpTransport

ROOT = Path(__file__).parent.parent


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0.0))


@dataclass
class App:
    """The functions of the function app, without their bindings."""

    context: Context
    account: Account
    reporter: Reporter | None = None
    """Logs the state for dashboards and alerts; None where nobody looks (tests, the command line)."""

    async def pull_changes(self) -> None:
        """Timer: read the deltas of all mappings."""
        await Pull(self.context).tick()

    async def feed_backfill(self) -> None:
        """Timer: keep the backfill lane at a minute's work, and once a minute log how everything stands."""
        await feed_backfill(self.context)
        if self.reporter is not None:
            await self.reporter.report()

    async def wake_parked(self) -> None:
        """Timer: wake what a crash left parked."""
        await wake_parked(self.context)

    async def expire_rows(self) -> None:
        """Timer, daily: remove old rows."""
        await expire_rows(self.context)

    async def apply(self, lane: Lane, body: str, *, dequeue_count: int, invocation: str) -> None:
        """Queue `live` or `backfill`: work one chunk."""
        try:
            chunk = from_message(body)
        except MessageUnreadable:
            await set_aside(self.context, lane, body)
            return
        await Apply(self.context).chunk(chunk, dequeue_count=dequeue_count, invocation=invocation)

    async def control(self, body: str, *, invocation: str) -> None:
        """Queue `control`: run now, full read, replay, sweep."""
        try:
            await control(self.context, body, invocation=invocation)
        except MessageUnreadable:
            await set_aside(self.context, Lane.CONTROL, body)

    async def poison(self, lane: Lane, body: str) -> None:
        """A `-poison` queue: return its records to their lane."""
        await poison(self.context, lane, body)

    async def health(self) -> tuple[bool, list[MappingHealth]]:
        """Freshness of every mapping."""
        return await health(self.context)


def compose(
    settings: Settings,
    *,
    clock: Clock,
    rng: Random,
    account: Account,
    http: Http,
    addressing: Addressing | None,
    shipped: dict[str, str],
    instance: str = "local",
) -> App:
    """Wire one worker's app from its parts; `addressing` None asks Campaign before the first chunk.

    `http` must know the sites `dynamics` and `campaign`.
    """
    limit = Limit(
        "campaign",
        settings.campaign_limit,
        settings.campaign_window_s,
        settings.campaign_burst,
        max(2 * settings.chunk_records, 4),  # the most calls one record may need
    )
    context = Context(
        settings=settings,
        clock=clock,
        rng=rng,
        dynamics=Dynamics(http, url=settings.dynamics_url, page_size=settings.dynamics_page_size),
        profiles=Profiles(
            http,
            url=settings.campaign_url,
            api_key=settings.campaign_client_id,
            addressing=addressing or Addressing.KEY,
            delete_by_key=settings.campaign_delete_by_key,
        ),
        campaign_tenant=settings.campaign_tenant,
        watermarks=Watermarks(account.table("watermarks")),
        control=Control(account.table("control"), clock, rng),
        mappings=Mappings(account.table("mappings"), clock),
        ledger=Ledger(account.table("ledger")),
        lanes=Lanes(account),
        budget=Budget(account.table("budget"), limit, clock, rng),
        dynamics_permits=Permits(account.table("budget"), "dynamics", clock, rng),
        parked=ParkedRecords(account.table("parked")),
        history=History(account.table("history"), clock, rng),
        counters=Counters(account.table("counters"), clock, instance),
        shipped=shipped,
        probed=addressing is not None,
        calls_in_flight=asyncio.Semaphore(settings.campaign_concurrency),
    )
    return App(context, account)


_worker: dict[asyncio.AbstractEventLoop, asyncio.Task[App]] = {}


async def worker_app() -> App:
    """This worker's app, started by the first function that needs it; a failed start is tried again by the next."""
    loop = asyncio.get_running_loop()
    task = _worker.get(loop)
    if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
        task = _worker[loop] = loop.create_task(start(os.environ))
    return await asyncio.shield(task)


async def start(env: Mapping[str, str], *, transport: httpx.AsyncBaseTransport | None = None) -> App:
    """The production app from environment variables; raises SettingsInvalid."""
    settings = Settings.load(env)
    clock = SystemClock()
    http = open_http(settings, clock, transport or AiohttpTransport(2 * settings.campaign_concurrency))
    account = await open_account(settings)
    chosen = settings.campaign_addressing
    app = compose(
        settings,
        clock=clock,
        rng=random.SystemRandom(),
        account=account,
        http=http,
        addressing=None if chosen == "auto" else Addressing(chosen),
        shipped=shipped_mappings(ROOT / settings.mappings_dir),
        instance=f"{env.get('WEBSITE_INSTANCE_ID', 'local')[:16]}-{os.getpid()}",
    )
    app.reporter = Reporter(app.context)
    return app


async def open_account(settings: Settings) -> Account:
    """The storage account; with a connection string (local runs) missing tables and queues are made."""
    from sync.storage.azure import AzureAccount

    if settings.uses_identity_storage:
        from azure.identity.aio import DefaultAzureCredential

        credential = DefaultAzureCredential(managed_identity_client_id=settings.storage_client_id or None)
        return AzureAccount.from_identity(settings.table_uri, settings.queue_uri, credential).view()
    azure = AzureAccount.from_connection_string(settings.storage_connection.get_secret_value())
    await azure.create()
    return azure.view()


def shipped_mappings(folder: Path) -> dict[str, str]:
    """The mapping texts that come with the code, by name."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yaml"))}
    texts.pop("events", None)  # no mapping: sync/planning/activities.py
    return texts
