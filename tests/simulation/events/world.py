"""One run of the events flow: the contacts' world with mails, exports and salespeople instead of edits."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from sandbox.dynamics.options import DynamicsOptions
from sandbox.dynamics.service import DynamicsService
from sandbox.wire import Request
from sync.model import Lane
from sync.planning.events import plan_contact
from sync.planning.follow_up import follow_ups
from sync.planning.load_events import load_events
from sync.storage.events import row_of
from sync.storage.logs import MemoryLogs
from sync.storage.table import StorageFault
from tests.events.stage import TEXT, columns_of
from tests.simulation import host as hosts
from tests.simulation.chaos import CALM
from tests.simulation.course import LONGEST_S, tick
from tests.simulation.events.mail import Mail
from tests.simulation.events.oracle import DATES, differences
from tests.simulation.host import Host
from tests.simulation.oracle import SmallMapping
from tests.simulation.process import Process
from tests.simulation.scenario import draw
from tests.simulation.violation import Violation
from tests.simulation.world import DYNAMICS, World

LANES = ("events", "events-poison")
GRANULARITIES = ("every_event", "every_event", "first_of_kind", "per_delivery")
SPECIALS = ("garble", "zombie", "tangle", "waver", "torn", "grave", "lapse", "tidy")
"""Some numbers are reserved for what is rare: bulk answers that are none, writes that land late and messages delivered
again and again for it, partitions on which many work at once, lines that say now this and now that, uploads that are read
when one digit is missing, storage that fails until a message is poison, corrections that land after they were given up,
salespeople who delete all the time."""
SPECIAL_OF = 20
"""Of so many seeds in a row each kind gets one."""
TASKS = {"Follow up on URL click": "click", "Reconcile invalid e-mail address": "hard_bounce"}


class EventHost(Host):
    """Triggers of the events lane alone."""

    def attach(self, queues: dict[str, Any]) -> None:
        self.queues = queues
        for name in LANES:
            queues[name].messages = hosts.NoticedList(
                lambda message, name=name: self._notice(name, message)  # type: ignore[misc]
            )

    async def call(self, process: Process, name: str, body: str, count: int, invocation: str) -> None:
        if name.endswith("-poison"):
            await process.app.poison(Lane.EVENTS, body)
        else:
            await process.app.apply_events(body, dequeue_count=count, invocation=invocation)

    async def timer(self, process: Process, name: str) -> None:
        """The one timer of this flow."""
        self.invocations += 1
        try:
            await process.app.pull_email_events(invocation=f"t{self.invocations}")
        except StorageFault:
            self.world.outcomes[f"{name}_failed"] += 1
        except Exception as error:
            self.surprise(name, error)

    def waiting(self) -> float | None:
        times = [message.visible_at for name in LANES for message in self.queues[name].messages]
        return min(times, default=None)


class EventWorld(World):
    """`granularity`, follow-up tasks and whether tables take bulk verbs are drawn from the seed."""

    def __init__(self, seed: int, *, tracing: bool = False) -> None:
        rng = random.Random(f"events {seed}")
        self.special = dict(enumerate(SPECIALS)).get(seed % SPECIAL_OF, "")
        self.granularity = rng.choice(GRANULARITIES)
        if self.special in ("zombie", "tangle", "lapse"):
            self.granularity = "per_delivery"
        if self.special in ("waver", "torn"):
            self.granularity = "every_event"
        self.bulk = rng.random() < 0.7 or self.special == "garble"
        self.text = TEXT.replace("granularity: every_event", f"granularity: {self.granularity}")
        self.most_rows = rng.choice((1, 4, 2000))
        self.with_tasks = rng.random() < 0.5
        if self.with_tasks:
            for name in TASKS.values():
                self.text = self.text.replace(f"{name}: {{enabled: false", f"{name}: {{enabled: true")
        self.configured = load_events(self.text)
        # Losers and winners have both got the mail: only dates tell their activities apart.
        apart = self.granularity == "every_event" and not self.with_tasks
        self.merges = apart and random.Random(f"merges {seed}").random() < 0.7
        scenario = replace(draw(seed), special="", seed=seed)
        if rng.random() < 0.3:
            scenario = replace(scenario, weather=replace(scenario.weather, crash=0.015))
        if self.special in ("zombie", "tangle", "waver"):
            scenario = replace(scenario, acts=60, lease_s=5.0)
        if self.special == "zombie":
            scenario = replace(scenario, acts=40, length_s=40.0, tick_s=1.0)
        if self.special == "lapse":
            scenario = replace(scenario, acts=30, length_s=20.0, tick_s=0.7, lease_s=5.0)
        if self.special == "torn":
            scenario = replace(scenario, tick_s=1.0, length_s=40.0)
        if self.special == "tidy":
            scenario = replace(scenario, acts=60, length_s=150.0, lease_s=5.0)
        if self.special == "grave":
            scenario = replace(scenario, weather=replace(scenario.weather, crash=0.0, storage=0.12))
        super().__init__(scenario, tracing=tracing)
        self.settings = self.settings.model_copy(
            update={
                "events_container": "exports",
                "events_settle_s": 0.0 if self.special in ("lapse", "torn") else rng.choice((0.0, 2.0)),
                "events_partial_s": 6.0,
                "events_read_rows": rng.choice((1, 3, 50)),
                "events_message_rows": rng.choice((1, 4, 50)),
                "events_buckets": 1 if self.special in ("tangle", "waver", "lapse") else rng.choice((1, 2)),
                "events_pull_seconds": 5.0,
            }
        )
        if self.special == "lapse":
            self.settings = self.settings.model_copy(update={"gateway_s": 10.0})
            self.gateway_s = self.settings.gateway_s
        self.logs = MemoryLogs(self.now)
        self.logs.piece = rng.choice((60, 400, 100_000))
        self.outcomes[f"granularity_{self.granularity}"] += 1
        self.outcomes["with_tasks"] += self.with_tasks
        self.outcomes["tables_without_bulk"] += not self.bulk
        if self.merges:
            text = SmallMapping(merges="keep").text
            self.at_once(self.mappings.activate("contacts", text, author="sim", comment="", buckets=2))
        self.host = EventHost(self)
        self.host.attach(self.account.queues)
        self.mail = Mail(self)
        self.people = self.mail  # type: ignore[assignment]
        if self.special in ("tangle", "waver"):
            self.chaos.latency = self._tangled  # type: ignore[method-assign]

    def forced_fate(self, system: str, request: Request) -> str:
        """What the special seeds do to writes, until all goes well again."""
        writes = request.method == "POST" and ("Multiple" in request.target or "$batch" in request.target)
        if not writes or self.chaos.weather is CALM:
            return ""
        if self.special == "garble" and "Multiple" in request.target and self.rng.random() < 0.7:
            return "garbage"
        if self.special == "zombie" and self.rng.random() < 0.25:
            return "zombie"
        corrects = "UpdateMultiple" in request.target or b"If-Match" in request.body
        if self.special == "lapse" and corrects and self.rng.random() < 0.5:
            return "zombie"
        return ""

    def _tangled(self) -> float:
        """Storage so slow that others come between any two effects."""
        return self.rng.choice((0.005, 0.02, 0.3, 1.5)) if self.chaos.weather is not CALM else 0.005

    def make_dynamics(self, organization: str) -> DynamicsService:
        rng = random.Random(f"dynamics {self.scenario.seed}")
        options = DynamicsOptions(origin=DYNAMICS, limits=False, bulk_messages=self.bulk)
        service = DynamicsService(clock=self.now, rng=rng, options=options)
        for _, table in self.configured.tables.all():
            service.activity_table(table.table, columns_of(table))
        return service

    def start_process(self) -> Process:
        process = super().start_process()
        events = process.app.events
        events.source = self.logs.with_gate(process)
        events.text = self.text
        events.fewest_in_bulk = 2
        events.bulk_size = 4
        events.most_rows = self.most_rows
        return process

    # -- looking at both sides -------------------------------------------------------------------------------------

    def shown(self) -> list[dict[str, Any]]:
        """Every activity that Dynamics has."""
        found: list[dict[str, Any]] = []
        for _, table in self.configured.tables.all():
            records = self.dynamics.dump(table.table)["records"]
            found += [{"table": table.table, **record} for record in records]
        return found

    def tasks(self) -> list[dict[str, Any]]:
        """Every follow-up task."""
        return [{"table": "task", **record} for record in self.dynamics.dump("task")["records"]]

    def identity(self, one: dict[str, Any]) -> tuple[str, str, str]:
        """(kind, contact, date), or (kind, contact, delivery) where one activity stands for many events."""
        contact = self.mail.heir(str(one["_regardingobjectid_value"]))
        if one["table"] == "task":
            delivery = str(one["description"]).partition(", delivery ")[2].partition("\n")[0]
            return f"task {TASKS[one['subject']]}", contact, delivery
        kinds = {table.table: kind.value for kind, table in self.configured.tables.all()}
        kind = kinds[one["table"]]
        if self.granularity != "every_event":
            return kind, contact, str(one["acs_deliveryname"])
        return kind, contact, str(one[DATES[kind]])

    def event_rows(self) -> list[dict[str, Any]]:
        return [
            dict(row.entity)
            for row in self.account.tables["events"].rows.values()
            if row.entity["RowKey"] != "!claim"
        ]

    @property
    def under_way_s(self) -> float:
        """Within what time a write that was planned has landed, if it ever does."""
        return self.settings.message_lease_s + self.settings.gateway_s + 3 * self.settings.skew_s + 12.0

    def settled_activities(self) -> set[str]:
        """Ids that no request under way and no worker with old rows can write any more."""
        bound = self.under_way_s
        by_contact: dict[tuple[str, str], list[Any]] = {}
        for (partition, key), stored in self.account.tables["events"].rows.items():
            if key != "!claim":
                by_contact.setdefault((partition, key.partition(":")[0]), []).append(row_of(stored))
        found: set[str] = set()
        for rows in by_contact.values():
            told = {row.key: row for row in rows}
            planned = plan_contact(rows, self.configured)
            tasks = follow_ups(rows, planned.left, self.configured, now=self.now())
            for activity in (*planned.activities, *tasks):
                row = told.get(activity.key)
                if row is not None and row.told == "written" and self.now() - row.updated > bound:
                    found.add(activity.id)
        return found

    # -- the run -----------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        for _ in range(self.scenario.processes):
            self.start_process()
        self.mail.begin()
        ticks = self.loop.create_task(self._event_ticks())
        await self.mail.play()
        self.chaos.end()
        ticks.cancel()
        self.mail.finish()
        await self._settle()
        self._check()
        await self._again()
        self._check()

    async def _event_ticks(self) -> None:
        while True:
            await self.wait(self.scenario.tick_s * (0.6 + 0.8 * self.rng.random()))
            if self.chaos.host("lost_tick", 0.5):
                continue
            for _ in range(1 + self.chaos.host("overlapping_ticks")):
                tick(self, "pull_tick")

    async def _settle(self) -> None:
        """Files read, lanes empty, contacts that appeared matched, several times in a row."""
        began, quiet = self.loop.virtual, 0
        while quiet < 3:
            if self.loop.virtual - began > LONGEST_S:
                raise Violation("liveness: not at rest")
            await self.host.until_idle()
            if self.host.unexpected:
                raise Violation(f"an exception no function may end with: {self.host.unexpected[0]}")
            visible = self.host.waiting()
            if visible is not None:
                quiet = 0
                await self.wait(min(max(visible - self.now(), 0.0), 600.0) + 0.4)
                continue
            tick(self, "pull_tick")
            # A lease that a dead worker holds, and the pause between two looks for parked events.
            await self.wait(self.settings.events_pull_seconds + self.settings.message_lease_s + 61.0)
            await self.host.until_idle()
            quiet = quiet + 1 if self.host.waiting() is None and self._all_read() else 0

    def _all_read(self) -> bool:
        """Whether every file was read in the version it has."""
        rows = [row.entity for row in self.account.tables["exports"].rows.values() if "state" in row.entity]
        read = {(row["name"], row["file_etag"]) for row in rows if row["state"] != "reading"}
        return all((name, file.etag) in read for name, (_, file) in self.logs.content.items())

    def _check(self) -> None:
        wrong = [*self.host.unexpected, *differences(self)]
        wrong += [f"I7: {row['RowKey']} is open at rest" for row in self.event_rows() if row["open"]]
        parked = {key[0].partition(":")[2] for key in self.account.tables["parkedevents"].rows}
        wrong += [f"I7: parked for {contact}" for contact in sorted(parked - self.mail.gone)]
        codes = {"", "soft_bounce", "contact_unknown", "contact_deleted", "activity_deleted"}
        wrong += [
            f"I7: {row['RowKey']} {row['code']}" for row in self.event_rows() if row["code"] not in codes
        ]
        states = {
            str(row.entity.get("state", "done")) for row in self.account.tables["exports"].rows.values()
        }
        wrong += [f"a file is {state}" for state in sorted(states - {"done"})]
        for code in (row["code"] for row in self.event_rows()):
            self.outcomes[f"code_{code or 'shown'}"] += 1
        if wrong:
            raise Violation("; ".join(wrong[:6]))

    async def _again(self) -> None:
        """All files once more, and nothing may be written to Dynamics (I8)."""
        since = len(self.dynamics.log)
        stored = self.account.tables["events"].writes
        self.mail.drop_again()
        await self._settle()
        writes = [entry for entry in self.dynamics.log[since:] if entry.method in ("POST", "PATCH", "DELETE")]
        wrote = [entry.note for entry in writes if entry.note != "token"]
        if wrote:
            raise Violation(f"I8: {wrote} in a synced system")
        if self.account.tables["events"].writes != stored:
            raise Violation("I8: event rows were written by files that were read before")
