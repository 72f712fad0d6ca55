"""protection: a campaign of 1.35 M events under Dataverse's service protection, in virtual time.

The app's own flow in process, over storage in memory and a look-alike that charges execution time per row.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.events import know_contacts
from sandbox.dynamics.options import Application, DynamicsOptions, RowCosts
from sandbox.dynamics.service import DynamicsService
from sandbox.wire import Request
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

CAMPAIGN = 1_350_000
"""1 M recipients, 30 % opens, 5 % clicks (anchors.md 7a)."""
SECOND = Application("second", "second-secret", "5b7c1a52-93d1-4b1b-8f64-5e8c3c1d0b99")
USERS = {"EVENTS_USER_IDS": "second", "EVENTS_USERS_SECRET": "second-secret"}


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
    missing_or_double: int

    @property
    def campaign_minutes(self) -> float:
        """The whole campaign at this rate."""
        return round(self.seconds / self.events * CAMPAIGN / 60, 1)


def under_protection(events: int, *, bulk: bool) -> Model:
    """Write a campaign's events with two application users while the look-alike charges execution time per row."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(_under_protection(loop, events, bulk=bulk))
    finally:
        asyncio.set_event_loop(None)
        loop.close()


DELIVERY = {"send": 5_000, "open": 1_450, "click": 250, "bounce": 50}
"""Events of one delivery in the model, 200 of which are the campaign; every bounce corrects its send too."""
EACH = sum(DELIVERY.values())


def delivery_files(number: int) -> Iterator[tuple[str, bytes]]:
    """The exports of one delivery: sends, what was opened and clicked, what bounced in the end."""
    name, first = f"D{number}", number * 10_000

    def sends(count: int, **more: Any) -> list[str]:
        return [
            delivery_line(first + place, contact_id(place), delivery=name, **more) for place in range(count)
        ]

    opened, clicked = DELIVERY["open"], DELIVERY["click"]
    tracked = [tracking_line(first + place, contact_id(place), delivery=name) for place in range(opened)]
    tracked += [
        tracking_line(
            first + opened + place,
            contact_id(place),
            delivery=name,
            type="Email click",
            url="https://shop.example/x",
        )
        for place in range(clicked)
    ]
    yield f"{number:04d}-1.csv", csv_of(DELIVERY_HEADER, sends(DELIVERY["send"]))
    yield f"{number:04d}-2.csv", csv_of(TRACKING_HEADER, tracked)
    late = sends(DELIVERY["bounce"], status="Failed", bounce="Hard", modified=-60.0)
    yield f"{number:04d}-3.csv", csv_of(DELIVERY_HEADER, late)


class Campaign:
    """A campaign that is exported while it is written: new files come while little waits, and what is done is counted
    and let go, so that memory holds what is under way."""

    def __init__(self, stage: Stage, deliveries: int) -> None:
        self._stage = stage
        self._deliveries = deliveries
        self.begun = 0
        self.written = 0
        self.open: set[int] = set()

    @property
    def over(self) -> bool:
        return self.begun == self._deliveries and not self.open

    async def feed(self) -> None:
        """Until everything was exported and written."""
        stage = self._stage
        while not self.over:
            waiting = len(stage.account.queues["events"].messages)
            if waiting < 40 and self.begun < self._deliveries:
                for number in range(self.begun, min(self.begun + 4, self._deliveries)):
                    for name, data in delivery_files(number):
                        stage.logs.put(name, data)
                    self.open.add(number)
                    self.begun += 1
                await stage.app.pull_email_events(invocation="pull")
                stage.logs.content.clear()
            self._let_go()
            await stage.clock.sleep(5.0)

    def _let_go(self) -> None:
        table = self._stage.account.tables["events"]
        for number in sorted(self.open):
            start = bisect_left(table.keys, (f"0001:D{number}:", ""))
            end = bisect_left(table.keys, (f"0001:D{number};", ""))
            rows = [table.rows[key].entity for key in table.keys[start:end]]
            if len(rows) < EACH or any(row.get("open") for row in rows):
                continue
            self.written += sum(row.get("told") == "written" for row in rows)
            for key in table.keys[start:end]:
                del table.rows[key]
            del table.keys[start:end]
            self.open.remove(number)


async def _under_protection(loop: VirtualLoop, events: int, *, bulk: bool) -> Model:
    options = DynamicsOptions(origin=ORG, row_costs=RowCosts(), applications=(SECOND,), bulk_messages=bulk)
    clock = VirtualClock(loop)
    stage = Stage(settings={**USERS, "EVENTS_SETTLE_S": "0"}, options=options, clock=clock)  # type: ignore[arg-type]
    refused: list[float] = []
    stage.transport = Timed(stage.dynamics, refused, loop)
    apps = [stage.start() for _ in range(2)]
    stage.app = apps[0]
    await know_contacts(stage, DELIVERY["send"])
    campaign = Campaign(stage, max(1, events // EACH))
    began = loop.virtual
    queue = stage.account.view().queue("events")

    async def worker(place: int) -> None:
        while not campaign.over:
            messages = await queue.receive(1, visibility_s=600)
            if not messages:
                await clock.sleep(1.0)
            for message in messages:
                await apps[place % 2].apply_events(message.body, dequeue_count=1, invocation=f"w{place}")
                await queue.delete(message)

    await asyncio.gather(campaign.feed(), *(worker(place) for place in range(16)))
    seconds = loop.virtual - began
    tables = stage.dynamics.organization.tables
    shown = sum(len(tables[table.table].rows) for _, table in stage.configured.tables.all())
    late = sum(at - began > 60 for at in refused)
    return Model(campaign.written, seconds, late, len(refused), abs(shown - campaign.begun * EACH))


def measure(*, quick: bool) -> dict[str, Any]:
    """Minutes that 1.35 M events take with two application users, by bulk verbs and by `$batch`.

    By bulk verbs the whole campaign is run, but for `quick`; by `$batch` a part of it, which shows the rate.
    """
    bulk = under_protection(60_000 if quick else CAMPAIGN, bulk=True)
    batch = under_protection(10_000 if quick else 60_000, bulk=False)
    return {
        "event_campaign_minutes": bulk.campaign_minutes,
        "event_campaign_minutes_batch": batch.campaign_minutes,
        "event_refusals_after_first_minute": bulk.late_refusals + batch.late_refusals,
        "event_model_rows": bulk.events,
        "event_model_missing_or_double": bulk.missing_or_double + batch.missing_or_double,
    }
