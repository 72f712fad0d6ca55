"""events: Dynamics requests per event, and a campaign of 1.35 M events under service protection, in virtual time.

Both run the app's own flow in process, over storage in memory and the Dataverse look-alike.
"""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx

from sandbox.dynamics.options import Application, DynamicsOptions, RowCosts
from sandbox.dynamics.service import DynamicsService
from sandbox.wire import Request
from sync.model import LedgerRow, State
from sync.storage.ledger import bucket_of, partition_of
from tests.events.stage import (
    DELIVERY_HEADER,
    ORG,
    START,
    TRACKING_HEADER,
    Stage,
    contact_id,
    csv_of,
    delivery_line,
    tracking_line,
)
from tests.simulation.loop import VirtualLoop

EVENTS = 100_000
CAMPAIGN = 1_350_000
"""1 M recipients, 30 % opens, 5 % clicks (anchors.md 7a)."""
MAPPING = (
    "mapping: contacts\nsource: {table: contact, entity_set: contacts, key: contactid}\n"
    "target: {resource: profile, key: externalId}\n"
    "fields:\n  - {source: firstname, target: firstName, type: string, length: 30}\n"
)
SECOND = Application("second", "second-secret", "5b7c1a52-93d1-4b1b-8f64-5e8c3c1d0b99")
USERS = {"EVENTS_USER_IDS": "second", "EVENTS_USERS_SECRET": "second-secret"}


async def know_contacts(stage: Stage, count: int) -> None:
    """Contacts in Dynamics and in the ledger of the contacts flow, as after its first load."""
    stage.contacts(count)
    context = stage.app.context
    await context.mappings.install("contacts", MAPPING, buckets=64)
    parts: dict[int, list[LedgerRow]] = {}
    for number in range(count):
        bucket = bucket_of(contact_id(number), 64)
        row = LedgerRow(partition_of("contacts", 1, bucket), contact_id(number))
        parts.setdefault(bucket, []).append(replace(row, state=State.SYNCED))
    for rows in parts.values():
        await context.ledger.write(rows)


def exports(events: int, deliveries: int) -> Iterator[tuple[str, bytes]]:
    """70 % sends, 20 % opens, 6 % clicks, and 4 % that bounce later, spread over the deliveries."""
    each = events // deliveries
    sent, opened, clicked = each * 70 // 100, each * 20 // 100, each * 6 // 100
    bounced = each - sent - opened - clicked
    sends, late, tracked = [], [], []
    for delivery in range(deliveries):
        name = f"DM{delivery}"
        sends += [
            delivery_line(delivery * sent + place, contact_id(place), delivery=name) for place in range(sent)
        ]
        for place in range(bounced):
            number = delivery * sent + place
            late.append(
                delivery_line(
                    number, contact_id(place), delivery=name, status="Failed", bounce="Hard", modified=-60.0
                )
            )
        for place in range(opened):
            number = delivery * (opened + clicked) + place
            tracked.append(tracking_line(number, contact_id(place % sent), delivery=name))
        for place in range(clicked):
            number = delivery * (opened + clicked) + opened + place
            line = tracking_line(
                number,
                contact_id(place % sent),
                delivery=name,
                type="Email click",
                url="https://shop.example/x",
            )
            tracked.append(line)
    yield "1-sends.csv", csv_of(DELIVERY_HEADER, sends)
    yield "2-tracking.csv", csv_of(TRACKING_HEADER, tracked)
    yield "3-late.csv", csv_of(DELIVERY_HEADER, late)


async def _requests(events: int, deliveries: int) -> dict[str, float]:
    stage = Stage(options=DynamicsOptions(origin=ORG, limits=False))
    await know_contacts(stage, events // deliveries * 70 // 100)
    files = list(exports(events, deliveries))
    since = len(stage.dynamics.log)
    for name, data in files:
        stage.drop(name, data)
        await stage.settle(ticks=1)
    requests = stage.requests(since)
    shown = sum(len(stage.activities(kind)) for kind in ("send", "open", "click", "bounce"))
    since = len(stage.dynamics.log)
    for name, data in files:
        stage.drop(f"again-{name}", data)
        await stage.settle(ticks=1)
    writes = sum(
        any(verb in entry.note for verb in ("create", "update", "$batch"))
        for entry in stage.dynamics.log[since:]
    )
    return {
        "per_event": round(requests / events, 5),
        "missing_or_double": abs(events - shown),
        "writes_after_rerun": writes,
    }


def requests(events: int = EVENTS) -> dict[str, Any]:
    """Requests to Dynamics per event, probes and checks included, for ten large and a thousand small deliveries."""
    ten = asyncio.run(_requests(events, 10))
    thousand = asyncio.run(_requests(events, events // 100))
    return {
        "dynamics_requests_per_event": ten["per_event"],
        "dynamics_requests_per_event_small": thousand["per_event"],
        "events_missing_or_double": ten["missing_or_double"] + thousand["missing_or_double"],
        "event_writes_after_rerun": ten["writes_after_rerun"] + thousand["writes_after_rerun"],
    }


class VirtualClock:
    """The virtual loop's time."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    @property
    def at(self) -> float:
        return START + self._loop.virtual

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0.0))


class Timed(httpx.AsyncBaseTransport):
    """The look-alike at a distance: an answer takes as long as the work it charged."""

    def __init__(self, service: DynamicsService, refused: list[float], loop: VirtualLoop) -> None:
        self._service = service
        self._refused = refused
        self._loop = loop

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        headers = {name.decode().lower(): value.decode() for name, value in request.headers.raw}
        self._service.in_flight += 1
        try:
            await asyncio.sleep(0.02)
            answer = self._service.handle(
                Request(request.method, request.url.raw_path.decode(), headers, request.content)
            )
            if answer.status == 429:
                self._refused.append(self._loop.virtual)
            await asyncio.sleep(answer.delay_s + 0.02)
        finally:
            self._service.in_flight -= 1
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)


@dataclass
class Model:
    """What a run under service protection showed, in virtual seconds."""

    events: int
    seconds: float
    late_refusals: int
    refusals: int

    @property
    def campaign_minutes(self) -> float:
        """The whole campaign at this rate."""
        return round(self.seconds / self.events * CAMPAIGN / 60, 1)


def under_protection(events: int, *, bulk: bool, contacts: int = 5_000) -> Model:
    """Write a campaign's events with two application users while the look-alike charges execution time per row."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(_under_protection(loop, events, bulk=bulk, contacts=contacts))
    finally:
        asyncio.set_event_loop(None)
        loop.close()


async def _under_protection(loop: VirtualLoop, events: int, *, bulk: bool, contacts: int) -> Model:
    options = DynamicsOptions(origin=ORG, row_costs=RowCosts(), applications=(SECOND,), bulk_messages=bulk)
    clock = VirtualClock(loop)
    stage = Stage(settings=USERS, options=options, clock=clock)  # type: ignore[arg-type]
    refused: list[float] = []
    stage.transport = Timed(stage.dynamics, refused, loop)
    apps = [stage.start() for _ in range(2)]
    stage.app = apps[0]
    await know_contacts(stage, contacts)
    for number, delivery in enumerate(range(0, events, contacts)):
        lines = [
            delivery_line(delivery + place, contact_id(place), delivery=f"D{number}")
            for place in range(contacts)
        ]
        stage.logs.put(f"{number:04d}.csv", csv_of(DELIVERY_HEADER, lines))
    await clock.sleep(31)
    await stage.app.pull_email_events(invocation="pull")
    began = loop.virtual
    queue = stage.account.view().queue("events")

    async def worker(place: int) -> None:
        while stage.account.queues["events"].messages:
            messages = await queue.receive(1, visibility_s=600)
            if not messages:
                await clock.sleep(1.0)
            for message in messages:
                await apps[place % 2].apply_events(message.body, dequeue_count=1, invocation=f"w{place}")
                await queue.delete(message)

    await asyncio.gather(*(worker(place) for place in range(16)))
    seconds = loop.virtual - began
    written = len(stage.account.tables["events"].rows)
    assert not any(row["open"] for row in stage.rows())
    late = sum(at - began > 60 for at in refused)
    return Model(written, seconds, late, len(refused))


def protection(*, quick: bool) -> dict[str, Any]:
    """Minutes that 1.35 M events take with two application users, by bulk verbs and by `$batch`."""
    bulk = under_protection(60_000 if quick else 120_000, bulk=True)
    batch = under_protection(10_000 if quick else 20_000, bulk=False)
    return {
        "event_campaign_minutes": bulk.campaign_minutes,
        "event_campaign_minutes_batch": batch.campaign_minutes,
        "event_refusals_after_first_minute": bulk.late_refusals + batch.late_refusals,
        "event_model_rows": bulk.events,
    }


def memory() -> dict[str, Any]:
    """Peak of Python allocations while an export is read, for one file and one five times as long."""
    peaks = []
    for count in (20_000, 100_000):
        stage = Stage(settings={"EVENTS_READ_ROWS": "5000"})
        # One contact's lines, so that the storage in memory holds as many rows for both.
        lines = [delivery_line(place % 5_000, contact_id(place % 5_000)) for place in range(count)]
        stage.drop("a.csv", csv_of(DELIVERY_HEADER, lines))
        tracemalloc.start()
        asyncio.run(stage.app.pull_email_events(invocation="pull"))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return {"export_memory_growth": round(peaks[1] / peaks[0], 3)}
