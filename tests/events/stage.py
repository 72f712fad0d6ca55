"""The events flow over storage in memory and the Dataverse look-alike, with a clock that jumps."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from sandbox.dynamics.options import DynamicsOptions
from sandbox.dynamics.service import DynamicsService
from sandbox.wire import Request
from sync.app import App, compose
from sync.campaign.records import Addressing
from sync.connections import open_http
from sync.flows.events.house import wake_events
from sync.model import Lane
from sync.planning.activities import EventKind
from sync.planning.load_events import load_events
from sync.settings import Settings
from sync.storage.account import MemoryAccount
from sync.storage.logs import MemoryLogs

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "mappings" / "events.yaml").read_text(encoding="utf-8")
ORG = "https://org.crm4.dynamics.test"
START = 1_790_000_000.0
SETTINGS = {
    "AzureWebJobsStorage": "memory",
    "DYNAMICS_URL": ORG,
    "DYNAMICS_TENANT_ID": "local",
    "DYNAMICS_CLIENT_ID": "local-dynamics",
    "DYNAMICS_CLIENT_SECRET": "local-dynamics-secret",
    "DYNAMICS_TOKEN_URL": f"{ORG}/local/oauth2/v2.0/token",
    "CAMPAIGN_URL": "https://mc.adobe.test/local/campaign",
    "CAMPAIGN_CLIENT_ID": "local-campaign",
    "CAMPAIGN_CLIENT_SECRET": "local-campaign-secret",
    "EVENTS_CONTAINER": "exports",
    "EVENTS_CONNECTION": "memory",
}
DELIVERY_HEADER = (
    "broadlogID,lastModified,deliveryName,campaignName,externalID,eventDate,status,proofMember,seedMember,"
    "bounceType,bounceReason,mirrorPageURL"
)
TRACKING_HEADER = (
    "trackinglogID,lastModified,deliveryName,campaignName,externalID,logDate,type,proofMember,seedMember,url,"
    "userAgent"
)


def contact_id(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-00000000c0de"


def time_text(seconds: float) -> str:
    """An offset from START as exports write it."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(START + seconds, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + "Z"


def delivery_line(
    log_id: object, contact: str, *, status: str = "Sent", at: float = -3600.0, modified: float | None = None,
    delivery: str = "DM190", campaign: str = "2019LoyaltyCamp", proof: int = 0, seed: int = 0,
    bounce: str = "", reason: str = "", mirror: str = "",
) -> str:  # fmt: skip
    stamp = time_text(at if modified is None else modified)
    return (
        f"{log_id},{stamp},{delivery},{campaign},{contact},{time_text(at)},{status},{proof},{seed},{bounce},{reason},"
        f"{mirror}"
    )


def tracking_line(
    log_id: object, contact: str, *, type: str = "Open", at: float = -1800.0, delivery: str = "DM190",
    campaign: str = "2019LoyaltyCamp", url: str = "", agent: str = "Mail/1",
) -> str:  # fmt: skip
    stamp = time_text(at)
    return f"{log_id},{stamp},{delivery},{campaign},{contact},{stamp},{type},0,0,{url},{agent}"


def csv_of(header: str, lines: Iterable[str]) -> bytes:
    return ("\n".join([header, *lines]) + "\n").encode()


class WarpClock:
    """A clock that jumps over every sleep."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += max(seconds, 0.0)
        await asyncio.sleep(0)


class InProcess(httpx.AsyncBaseTransport):
    """Hands requests to the look-alike without a socket; acts out dropped connections."""

    def __init__(self, service: DynamicsService) -> None:
        self._service = service

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        headers = {name.decode().lower(): value.decode() for name, value in request.headers.raw}
        answer = self._service.handle(
            Request(request.method, request.url.raw_path.decode(), headers, request.content)
        )
        if answer.drop:
            raise httpx.ReadError("dropped")
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)


@dataclass
class Stage:
    """One worker's app. `text` is the events configuration."""

    text: str = TEXT
    settings: dict[str, str] = field(default_factory=dict)
    options: DynamicsOptions = field(default_factory=lambda: DynamicsOptions(origin=ORG))
    clock: WarpClock = field(default_factory=WarpClock)

    def __post_init__(self) -> None:
        self.dynamics = DynamicsService(clock=self.clock.now, rng=random.Random(1), options=self.options)
        self.transport: httpx.AsyncBaseTransport = InProcess(self.dynamics)
        self.account = MemoryAccount(self.clock.now)
        self.logs = MemoryLogs(self.clock.now)
        self.configured = load_events(self.text)
        for _, table in self.configured.tables.all():
            self.dynamics.activity_table(table.table, columns_of(table))
        self.app = self.start()

    def start(self) -> App:
        """A new worker over the same storage."""
        settings = Settings.load({**SETTINGS, **self.settings})
        return compose(
            settings,
            clock=self.clock,
            rng=random.Random(2),
            account=self.account.view(),
            http=open_http(settings, self.clock, self.transport),
            addressing=Addressing.KEY,
            shipped={},
            logs=self.logs,
            events_text=self.text,
        )

    def contacts(self, count: int) -> list[str]:
        """So many contacts in Dynamics."""
        return self.dynamics.seed(
            [{"contactid": contact_id(number), "lastname": f"N{number}"} for number in range(count)]
        )

    def drop(self, name: str, data: bytes) -> None:
        """A finished export file."""
        self.logs.put(name, data)
        self.clock.at += 31

    async def settle(self, *, ticks: int = 2) -> None:
        """Pull and work until nothing waits."""
        for _ in range(ticks):
            await self.app.pull_email_events(invocation="pull")
            while await self.work():
                self.clock.at += 1

    async def work(self) -> bool:
        """Work what is visible now; whether anything is left."""
        queue = self.account.view().queue(Lane.EVENTS.value)
        for message in await queue.receive(32, visibility_s=600):
            await self.app.apply_events(message.body, dequeue_count=message.dequeue_count, invocation="apply")
            await queue.delete(message)
        return bool(self.account.queues[Lane.EVENTS.value].messages)

    def activities(self, kind: str) -> list[dict[str, Any]]:
        table = self.configured.tables.of(EventKind(kind))
        found: list[dict[str, Any]] = self.dynamics.dump(table.table)["records"]
        return found

    def rows(self) -> list[dict[str, Any]]:
        """Event rows as stored, claims apart."""
        rows = self.account.tables["events"].rows.values()
        return [dict(row.entity) for row in rows if row.entity["RowKey"] != "!claim"]

    def counts(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for row in self.account.tables["counters"].rows.values():
            for name, value in row.entity.items():
                if name.startswith("n_"):
                    found[name[2:].replace("___", "-").replace("__", ":")] += int(value)
        return found

    def requests(self, since: int = 0) -> int:
        """Requests to Dynamics, tokens and the parts of batches apart."""
        return sum(
            entry.note != "token" and not entry.note.startswith("$batch/")
            for entry in self.dynamics.log[since:]
        )


async def wake(stage: Stage) -> None:
    """Look for contacts that have appeared."""
    stage.clock.at += 61
    await wake_events(stage.app.events)


def columns_of(table: Any) -> list[dict[str, Any]]:
    """What the look-alike's scripting takes, from a configured table."""
    types = {"text": "String", "url": "String", "datetime": "DateTime", "integer": "Integer"}
    return [
        {"name": column.name, "type": types[column.type], "max_length": column.length or 100}
        for column in table.all_columns()
    ]


def sends(stage: Stage, count: int, start: int = 0, **more: str) -> None:
    """One delivery to so many contacts, in a file of its own."""
    lines = [
        delivery_line(number, contact_id(number), **more)  # type: ignore[arg-type]
        for number in range(start, start + count)
    ]
    stage.drop(f"sends-{stage.clock.at:.0f}.csv", csv_of(DELIVERY_HEADER, lines))


def notes(stage: Stage, since: int = 0) -> list[str]:
    """What was asked of Dynamics, parts of batches apart."""
    return [entry.note for entry in stage.dynamics.log[since:] if not entry.note.startswith("$batch/")]


def writes(stage: Stage, since: int = 0) -> list[str]:
    return [note for note in notes(stage, since) if "create" in note or "update" in note or note == "$batch"]
