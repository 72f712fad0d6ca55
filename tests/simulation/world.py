"""One run: two look-alikes, one storage account, a few worker processes, people, and what goes wrong."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections import Counter
from collections.abc import Coroutine, Mapping
from typing import Any, ClassVar, TypeVar

from sandbox.campaign.options import CampaignOptions
from sandbox.campaign.service import CampaignService
from sandbox.dynamics.options import DynamicsOptions
from sandbox.dynamics.service import DynamicsService
from sandbox.wire import Request, Response
from sync.app import compose
from sync.campaign.records import Addressing
from sync.flows.context import Context
from sync.http import Http
from sync.model import LedgerRow, from_iso
from sync.planning.consent_map import ConsentMap
from sync.storage.account import Account, MemoryAccount
from sync.storage.history import Parked
from sync.storage.lanes import Lanes
from sync.storage.ledger import from_stored
from sync.storage.mappings import Mappings
from sync.storage.watermarks import Watermarks
from tests.simulation import course
from tests.simulation.chaos import Chaos
from tests.simulation.host import Host
from tests.simulation.loop import Stuck, VirtualLoop, at
from tests.simulation.network import Wire
from tests.simulation.people import People
from tests.simulation.process import Process, RunOver
from tests.simulation.scenario import MAPPING, Scenario
from tests.simulation.trace import Traced
from tests.simulation.violation import Violation
from tests.simulation.witness import Witness

T = TypeVar("T")
EPOCH = 1_790_000_000.0
DYNAMICS = "https://org.crm4.dynamics.test"
CAMPAIGN = "https://mc.adobe.test/local/campaign"


class World:
    """Everything of one run; `tracing` keeps the lines, otherwise only their hash."""

    consent_map: ConsentMap | None = None
    names: tuple[str, ...] = (MAPPING,)
    """The mappings that are synced."""
    compares = True
    """Whether Campaign is compared; where consent asks it every second, a tight budget leaves nothing for that."""
    beside: ClassVar[Mapping[str, str]] = {}
    """Timers that tick together with another."""

    def __init__(self, scenario: Scenario, *, tracing: bool = False) -> None:
        self.scenario = scenario
        self.tracing = tracing
        self.lines: list[str] = []
        self._hash = hashlib.blake2b(digest_size=16)
        self.loop = VirtualLoop()
        self.rng = random.Random(f"world {scenario.seed}")
        self.over = False
        self.graveyard: list[asyncio.Future[Any]] = []
        self.dead: list[Process] = []
        self.processes: list[Process] = []
        self.outcomes: Counter[str] = Counter()
        self.pages: dict[str, bytes] = {}
        self.settings = scenario.settings()
        self.gateway_s = self.settings.gateway_s
        self.chaos = Chaos(random.Random(f"chaos {scenario.seed}"), scenario.weather)
        self.dynamics = self.make_dynamics(DynamicsOptions().organization_id)
        options = CampaignOptions(
            dialect="v8" if scenario.dialect == "v8" else "standard",
            addressing="key" if scenario.addressing == "key" else "filter",
            custom_addressing="key" if scenario.addressing == "key" else "filter",
            delete_by_key=scenario.delete_by_key,
            origin="https://mc.adobe.test",
        )
        self.campaign = CampaignService(
            clock=self.now, rng=random.Random(f"campaign {scenario.seed}"), options=options
        )
        self.dynamics_host = "org.crm4.dynamics.test"
        self.account = MemoryAccount(self.now)
        self.host = Host(self)
        self.host.attach(self.account.queues)
        self.clean: Account = self.account.view()
        self.witness = Witness(self)
        self.people = People(self)
        self.made = 0
        self.healed = False
        """Every record has been compared with Campaign, and sent again if it differed."""
        self._person: Context | None = None
        self.fate_once = ""
        self.first_read = float("inf")
        """When the first full read began."""
        self.patience = 0.0
        """Seconds that what people did last needs until it is noticed."""
        if tracing:
            Traced(self).listen()

    # -- time, chance, trace ---------------------------------------------------------------------------------------

    def now(self) -> float:
        """The true time; look-alikes and storage have it, workers have it with their skew."""
        return EPOCH + self.loop.virtual

    def note(self, who: str, what: str) -> None:
        """One line of the trace."""
        line = f"{self.loop.virtual:.4f} {who} {what}"
        self._hash.update(line.encode())
        if self.tracing:
            self.lines.append(line)

    def digest(self) -> str:
        return self._hash.hexdigest()

    async def wait(self, seconds: float) -> None:
        await at(self.loop, self.loop.virtual + seconds)

    async def never(self) -> None:
        """What a dead process waits for."""
        if self.over:
            raise RunOver
        future: asyncio.Future[None] = self.loop.create_future()
        self.graveyard.append(future)
        await future

    # -- processes -------------------------------------------------------------------------------------------------

    def make_dynamics(self, organization: str) -> DynamicsService:
        scenario = self.scenario
        options = DynamicsOptions(
            origin=DYNAMICS,
            organization_id=organization,
            anchor=scenario.anchor,
            recreated=scenario.recreated,
            limits=False,
        )
        rng = random.Random(f"dynamics {scenario.seed} {organization}")
        service = DynamicsService(clock=self.now, rng=rng, options=options)
        service.clock(advance_s=scenario.dynamics_skew)
        return service

    @property
    def _addressing(self) -> Addressing | None:
        return None if self.scenario.probing else Addressing(self.scenario.addressing)

    def person(self) -> Context:
        """What the command line of a person works with: storage that nothing happens to, and the true time."""
        if self._person is None:
            self._person = compose(
                self.settings,
                clock=_TrueClock(self),
                rng=random.Random(f"person {self.scenario.seed}"),
                account=self.clean,
                http=self._http(Process(self, "person", 0.0)),
                addressing=self._addressing,
                shipped={},
                consent=self.consent_map,
            ).context
        return self._person

    def texts(self) -> dict[str, str]:
        """The mapping texts that come with the app."""
        return {MAPPING: self.scenario.first_mapping.text}

    def start_process(self) -> Process:
        """A new worker process in the current environment."""
        self.made += 1
        self.outcomes["worker_probing"] += self.scenario.probing
        skew = (self.rng.random() - 0.5) * self.settings.skew_s
        process = Process(self, f"w{self.made}", skew)
        process.app = compose(
            self.settings,
            clock=process,
            rng=process.rng,
            account=self.account.view(process),
            http=self._http(process),
            addressing=self._addressing,
            shipped=self.texts(),
            consent=self.consent_map,
            instance=process.name,
        )
        self.processes.append(process)
        return process

    def _http(self, process: Process) -> Http:
        http = Http(Wire(process), process, timeout_s=self.settings.call_timeout_s)
        settings = self.settings
        tokens = http.client_credentials(
            "dynamics",
            f"{DYNAMICS}/local/oauth2/v2.0/token",
            client_id="local-dynamics",
            client_secret="local-dynamics-secret",
            scope=settings.dynamics_scope,
        )
        http.connect("dynamics", settings.dynamics_url, tokens)
        tokens = http.client_credentials(
            "campaign",
            "https://mc.adobe.test/ims/token/v3",
            client_id="local-campaign",
            client_secret="local-campaign-secret",
            scope="openid,AdobeID",
        )
        http.connect("campaign", settings.campaign_url, tokens)
        return http

    async def at_effect(self, effect: str) -> None:
        """A worker comes to a storage effect; for worlds that stop one there."""

    def landed(
        self, process: Process, system: str, request: Request, response: Response, *, heard: bool
    ) -> None:
        """A request reached a service, and its sender will get the answer (`heard`); for worlds that watch more."""

    def bury(self, process: Process, *, replace: bool = True) -> None:
        """A process is gone; another one comes after a while."""
        process.alive = False
        self.processes.remove(process)
        self.dead.append(process)
        self.host.ended(process.running)
        if replace:
            self.loop.call_later(0.1 + 2.0 * self.rng.random(), self._replace)

    def _replace(self) -> None:
        if not self.over:
            self.start_process()

    def some_process(self) -> Process | None:
        """A live process, or None while all are down."""
        return self.rng.choice(self.processes) if self.processes else None

    def forced_fate(self, system: str, request: Request) -> str:
        """A fault that the scenario directs at this call."""
        if system != "campaign" or "token" in request.target:
            return ""
        fate, self.fate_once = self.fate_once, ""
        return fate or self.people.trouble.forced_fate(request)

    def meddle(self, request: Request, *, likely: bool) -> None:
        """Perhaps a person changes the record of a write that is under way, and a pull sees it at once."""
        if not self.chaos.host("meddled", 3.0 if likely else 0.15):
            return
        record_id = self.people.trouble.record_of(request)
        self.loop.call_later(0.05 + 0.5 * self.rng.random(), self.people.meddle, record_id)
        self.loop.call_later(0.6 + 0.3 * self.rng.random(), course.tick, self, "pull_changes")

    # -- looking into storage ----------------------------------------------------------------------------------------

    def at_once(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of something that waits for nothing (clean storage views)."""
        try:
            work.send(None)
        except StopIteration as done:
            result: T = done.value
            return result
        raise AssertionError("it waited")

    @property
    def lanes(self) -> Lanes:
        return Lanes(self.clean)

    @property
    def mappings(self) -> Mappings:
        return Mappings(self.clean.table("mappings"), _TrueClock(self))

    @property
    def watermarks(self) -> Watermarks:
        return Watermarks(self.clean.table("watermarks"))

    def clean_parked(self) -> list[Parked]:
        """Deletes that wait for approval."""
        rows = self.account.tables["parked"].rows.values()
        return [
            Parked(
                str(row.entity["PartitionKey"]),
                MAPPING,
                str(row.entity["RowKey"]).partition(":")[2],
                str(row.entity["reason"]),
                from_iso(str(row.entity["since"])),
                bool(row.entity["approved"]),
            )
            for row in rows
            if row.entity["PartitionKey"] == f"approval:{MAPPING}"
        ]

    def commands_run(self) -> bool:
        """Whether somebody waits for a command."""
        return bool(self.people.tasks)

    def running_jobs(self) -> list[str]:
        """Jobs that are not over."""
        rows = self.account.tables["control"].rows
        return [
            row
            for (_, row), stored in rows.items()
            if row[:4] == "job-" and stored.entity["state"] == "running"
        ]

    def last_look(self) -> dict[str, int]:
        """What the last comparison with Campaign found."""
        rows = self.account.tables["control"].rows
        looks = [(row, stored.entity) for (_, row), stored in rows.items() if row[:4] == "job-"]
        found = [str(entity["found"]) for _, entity in sorted(looks) if entity["verb"] == "reconcile"]
        told: dict[str, int] = json.loads(found[-1]) if found else {}
        return told

    def ledger_rows(self) -> dict[str, LedgerRow]:
        """Ledger rows of the current epoch by record id."""
        epoch = self.at_once(self.watermarks.progress(MAPPING)).epoch
        rows = [from_stored(stored) for stored in self.account.tables["ledger"].rows.values()]
        return {row.record_id: row for row in rows if f":{epoch:04d}:" in row.partition}

    # -- the run -----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Play it; raises Violation."""
        try:
            self.loop.run_until_complete(self._run())
        except Stuck:
            raise Violation("stuck: nothing is left to happen, and something waits") from None
        finally:
            self.throw_away()

    async def _run(self) -> None:
        for _ in range(self.scenario.processes):
            self.start_process()
        self.people.begin()
        ticks = self.loop.create_task(course.ticks(self))
        await self.people.play()
        self.chaos.end()
        self.people.end()
        ticks.cancel()
        await self.wait(self.patience)
        await self.settle()
        if self.people.last_orders():
            await self.settle()
        self.check()
        await self.compare()
        await course.again(self)
        self.check(again=True)
        self._count_history()

    async def settle(self) -> None:
        """Let everything come to rest."""
        await course.settle(self)

    def may_hold(self, record_id: str, row: LedgerRow, profile: dict[str, Any] | None) -> bool:
        """Whether a living contact may be on hold at rest."""
        erased = record_id in self.people.erased and self.people.mapping.on_missing == "hold"
        return erased and profile is None

    def begin_compare(self) -> None:
        self.people.reconcile(heal=True, delete_extras=False)

    async def compare(self) -> None:
        """Compare everything with Campaign and heal what differs; afterwards nothing may differ any more."""
        # What an epoch before has left is found by this alone.
        self.people.reconcile(heal=True, delete_extras=self.people.rebaselined)
        await self.settle()
        if self.people.rebaselined and self.people.approve_deletes():
            await self.settle()
        self.healed = self.compares
        self.check()

    def check(self, *, again: bool = False) -> None:
        """Everything that must hold at rest; raises Violation."""
        from tests.simulation import check

        check.at_rest(self, again=again)

    def _count_history(self) -> None:
        """What was done to records, by the sync's own account."""
        for stored in self.account.tables["history"].rows.values():
            self.outcomes[f"did_{stored.entity['did']}"] += 1
            if stored.entity["code"]:
                self.outcomes[f"code_{stored.entity['code']}"] += 1

    # -- the end ---------------------------------------------------------------------------------------------------

    def throw_away(self) -> None:
        """Discard what is suspended without letting its `finally` act."""
        self.over = True
        for process in (*self.processes, *self.dead):
            process.alive = False
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        for task in tasks:
            coroutine: Any = task.get_coro()
            try:
                coroutine.close()
            except (RunOver, RuntimeError):
                continue
        self.loop.set_exception_handler(lambda loop, context: None)
        self.graveyard.clear()


class _TrueClock:
    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> float:
        return self._world.now()

    async def sleep(self, seconds: float) -> None:
        await self._world.wait(seconds)
