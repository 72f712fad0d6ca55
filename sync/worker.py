"""The production app, one per worker, made lazily on the running loop: a client of another breaks (azure.md 3.5)."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Mapping

import httpx

from sync.app import App, compose
from sync.campaign.records import Addressing
from sync.connections import open_http
from sync.flows.report import Reporter
from sync.settings import Settings
from sync.shipped import ROOT, events_text, shipped_consent, shipped_mappings
from sync.storage.account import Account
from sync.storage.logs import LogSource
from sync.transport import AiohttpTransport


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0.0))


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
        consent=shipped_consent(ROOT / settings.mappings_dir),
        instance=f"{env.get('WEBSITE_INSTANCE_ID', 'local')[:16]}-{os.getpid()}",
        logs=await open_logs(settings),
        events_text=events_text(ROOT / settings.mappings_dir),
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


async def open_logs(settings: Settings) -> LogSource | None:
    """Where log exports lie; None if no container is set."""
    if not settings.events_container:
        return None
    from sync.storage.azure_logs import AzureLogs

    connection = settings.events_connection.get_secret_value()
    if connection:
        logs = AzureLogs.from_connection_string(connection, settings.events_container)
        await logs.create()
        return logs
    from azure.identity.aio import DefaultAzureCredential

    credential = DefaultAzureCredential(managed_identity_client_id=settings.storage_client_id or None)
    return AzureLogs.from_identity(settings.events_blob_uri, settings.events_container, credential)
