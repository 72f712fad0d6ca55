"""The composition root: clients, stores and flows out of what differs between production, tests and the simulation."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sync.campaign.dialect import Dialect
from sync.campaign.profiles import Profiles
from sync.campaign.records import Addressing
from sync.connections import event_sites
from sync.dynamics.activities import ActivityWriter
from sync.dynamics.client import Dynamics
from sync.flows import pause
from sync.flows.apply import Apply
from sync.flows.consent import work_hint
from sync.flows.consent_hints import from_hint
from sync.flows.consent_pull import pull_consents
from sync.flows.context import Context
from sync.flows.control import control
from sync.flows.events.apply import ApplyEvents, return_poison
from sync.flows.events.context import FLOW, WAITS, EventContext
from sync.flows.events.house import begin_retention, delete_old_activities, old_events, wake_events
from sync.flows.events.message import from_text
from sync.flows.events.pull import PullEvents
from sync.flows.events.report import report_events
from sync.flows.expire import Page, expire_daily
from sync.flows.feed import feed_backfill
from sync.flows.health import MappingHealth, health, mapping_health
from sync.flows.jobs import wake_jobs
from sync.flows.poison import poison, set_aside
from sync.flows.pull import Pull
from sync.flows.reconcile import reconcile_sample
from sync.flows.report import Reporter
from sync.flows.targets import Targets
from sync.flows.wake import wake_parked
from sync.http import Http
from sync.model import Clock, Lane, Random
from sync.planning.consent_map import ConsentMap
from sync.settings import Settings
from sync.storage.account import Account
from sync.storage.blocked import Blocked
from sync.storage.budget import WORK_SHARE, Budget, Limit
from sync.storage.consent_journal import Journal
from sync.storage.consents import ConsentRows
from sync.storage.control import Control
from sync.storage.day_line import Day
from sync.storage.events import Events
from sync.storage.files import Files
from sync.storage.findings import Findings
from sync.storage.history import Counters, History, ParkedRecords
from sync.storage.jobs import Jobs
from sync.storage.lanes import Lanes, MessageUnreadable, from_message
from sync.storage.ledger import Ledger
from sync.storage.links import Links
from sync.storage.logs import LogSource
from sync.storage.mappings import Mappings
from sync.storage.parked_events import ParkedEvents
from sync.storage.pauses import Pauses
from sync.storage.permits import Permits
from sync.storage.watermarks import Watermarks

EXECUTION_MS, EXECUTION_WINDOW_S = 1_000_000, 300.0
"""Execution time that events take of an application user's 1,200 s in 300 s (dataverse.md 3); the rest is for reads."""
EXECUTION_BURST_MS, EXECUTION_REQUEST_MS = 100_000, 60_000


@dataclass
class App:
    """The functions of the function app, without their bindings."""

    context: Context
    account: Account
    events: EventContext
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
        """Timer: wake what a crash left parked, and jobs that lost their message."""
        await wake_parked(self.context)
        await wake_jobs(self.context)

    async def reconcile_sample(self) -> None:
        """Timer, daily: begin to compare a part of the records with Campaign."""
        await reconcile_sample(self.context)

    async def expire_rows(self) -> None:
        """Timer, daily: remove old rows."""
        await expire_daily(self.context, self._old_rows())
        await begin_retention(self.events)

    def _old_rows(self) -> dict[str, Page]:
        return {"events": old_events(self.events)}

    async def apply(self, lane: Lane, body: str, *, dequeue_count: int, invocation: str) -> None:
        """Queue `live` or `backfill`: work one chunk."""
        try:
            chunk = from_message(body)
        except MessageUnreadable:
            await set_aside(self.context, lane, body)
            return
        if await pause.set_aside(self.context, pause.part_of(lane), chunk.mapping, body):
            return
        await Apply(self.context).chunk(chunk, dequeue_count=dequeue_count, invocation=invocation)

    async def pull_email_events(self, *, invocation: str) -> None:
        """Timer: read log exports, send events whose contact has appeared, delete a few of the old activities."""
        if not await self.context.pauses.paused(FLOW, "flow:pull"):
            await PullEvents(self.events).tick(f"{invocation}:{self.context.nonce()}")
        await wake_events(self.events)
        await delete_old_activities(self.events)
        if self.reporter is not None:
            await report_events(self.events)

    async def apply_events(self, body: str, *, dequeue_count: int, invocation: str) -> None:
        """Queue `events`: work some partitions."""
        try:
            message = from_text(body)
        except MessageUnreadable:
            await set_aside(self.context, Lane.EVENTS, body)
            return
        if await pause.set_aside(self.context, pause.part_of(Lane.EVENTS), FLOW, body):
            return
        await ApplyEvents(self.events).message(message, dequeue_count=dequeue_count, invocation=invocation)

    async def consent(self, body: str, *, invocation: str) -> None:
        """Queue `consent`: look at one contact's consent."""
        try:
            contact = from_hint(body)
            told = self.context.consent_map
            part = pause.part_of(Lane.CONSENT)
            if told is None or not await pause.set_aside(self.context, part, told.consent, body):
                await work_hint(self.context, contact, invocation)
        except MessageUnreadable:
            await set_aside(self.context, Lane.CONSENT, body)

    async def pull_consents(self) -> None:
        """Timer: find profiles whose consent changed in Campaign."""
        told = self.context.consent_map
        if told is None or not await self.context.pauses.paused(told.consent, "flow:consents"):
            await pull_consents(self.context)

    async def control(self, body: str, *, invocation: str) -> None:
        """Queue `control`: run now, full read, replay, sweep."""
        try:
            await control(self.context, body, invocation=invocation, old_rows=self._old_rows())
        except MessageUnreadable:
            await set_aside(self.context, Lane.CONTROL, body)

    async def poison(self, lane: Lane, body: str) -> None:
        """A `-poison` queue: return its records to their lane."""
        if lane is Lane.EVENTS:
            await self._events_poison(body)
        else:
            await poison(self.context, lane, body)

    async def _events_poison(self, body: str) -> None:
        try:
            await return_poison(self.events, from_text(body))
        except MessageUnreadable:
            await set_aside(self.context, Lane.EVENTS, body)

    async def health(self) -> tuple[bool, list[MappingHealth]]:
        """Freshness of every mapping, and of the events flow where it is on."""
        healthy, found = await health(self.context)
        if self.events.source is not None:
            events = await mapping_health(self.context, FLOW, WAITS)
            return healthy and events.fresh, [*found, events]
        return healthy, found


def compose(
    settings: Settings,
    *,
    clock: Clock,
    rng: Random,
    account: Account,
    http: Http,
    addressing: Addressing | None,
    shipped: dict[str, str],
    consent: ConsentMap | None = None,
    instance: str = "local",
    logs: LogSource | None = None,
    events_text: str = "",
) -> App:
    """Wire one worker's app from its parts; `addressing` None asks Campaign before the first chunk.

    Without `consent` there is no consent flow; `logs` None: no events.

    `http` must know the sites `dynamics` and `campaign`.
    """
    limit = Limit(
        "campaign",
        settings.campaign_limit,
        settings.campaign_window_s,
        settings.campaign_burst,
        max(2 * settings.chunk_records, 4),  # the most calls one record may need
        WORK_SHARE if consent is not None and consent.direction != "off" else 1.0,
    )
    per_day = settings.campaign_calls_per_day
    day = Day(per_day, limit.work_share) if per_day else None
    context = Context(
        settings=settings,
        clock=clock,
        rng=rng,
        dynamics=Dynamics(http, url=settings.dynamics_url, page_size=settings.dynamics_page_size),
        targets=Targets(
            Profiles(
                http,
                url=settings.campaign_url,
                api_key=settings.campaign_client_id,
                addressing=addressing or Addressing.KEY,
                delete_by_key=settings.campaign_delete_by_key,
                dialect=None if settings.campaign_dialect == "auto" else Dialect(settings.campaign_dialect),
            ),
            clock,
            probed=addressing is not None,
        ),
        campaign_tenant=settings.campaign_tenant,
        watermarks=Watermarks(account.table("watermarks")),
        control=Control(account.table("control"), clock, rng),
        mappings=Mappings(account.table("mappings"), clock),
        ledger=Ledger(account.table("ledger")),
        links=Links(account.table("links")),
        lanes=Lanes(account),
        budget=Budget(account.table("budget"), limit, clock, rng, day),
        dynamics_permits=Permits(account.table("budget"), "dynamics", clock, rng),
        parked=ParkedRecords(account.table("parked")),
        history=History(account.table("history"), clock, rng),
        counters=Counters(account.table("counters"), clock, instance),
        consents=ConsentRows(account.table("consents")),
        journal=Journal(account.table("consentjournal"), clock, rng),
        pauses=Pauses(account.table("control"), clock),
        blocked=Blocked(account.table("blocked"), clock),
        jobs=Jobs(account.table("control")),
        findings=Findings(account.table("findings")),
        consent_map=consent,
        exports=logs,
        shipped=shipped,
        calls_in_flight=asyncio.Semaphore(settings.campaign_concurrency),
    )
    http.site("campaign").repeating = context.spend
    return App(context, account, _events(context, account, http, logs, events_text))


def _events(
    context: Context, account: Account, http: Http, logs: LogSource | None, text: str
) -> EventContext:
    settings, table = context.settings, account.table("budget")
    writer = ActivityWriter(context.dynamics, event_sites(http, settings))
    limits = [
        Limit(
            f"dynamics-ms-{user}", EXECUTION_MS, EXECUTION_WINDOW_S, EXECUTION_BURST_MS, EXECUTION_REQUEST_MS
        )
        for user in range(writer.users)
    ]
    return EventContext(
        base=context,
        events=Events(account.table("events")),
        files=Files(account.table("exports")),
        parked=ParkedEvents(account.table("parkedevents")),
        writer=writer,
        budgets=[Budget(table, limit, context.clock, context.rng) for limit in limits],
        source=logs,
        text=text,
    )
