"""A world with the consent flow, and people who opt out and in on both sides."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.campaign.represent import timestamp
from sandbox.wire import Request, Response
from sync.consent_row import Side
from sync.flows import consent_exports, consent_pull
from sync.model import LedgerRow, to_iso
from sync.planning.consent import Direction
from sync.planning.load_consent import load_consent
from tests.simulation import course
from tests.simulation.chaos import CALM
from tests.simulation.consent.brake import NEVER
from tests.simulation.consent.columns import FIELDS, Columns
from tests.simulation.consent.exports import Workflow
from tests.simulation.consent.judge import Judge
from tests.simulation.consent.people import DIRECTIONS, ConsentPeople
from tests.simulation.process import Process
from tests.simulation.scenario import MAPPING, Scenario
from tests.simulation.violation import Violation
from tests.simulation.witness import Witness
from tests.simulation.world import World

SKEW_S = 120.0
ROOMY = 4000
"""Campaign calls of a scenario that is not about the budget."""
TEXT = """\
consent: contacts
direction: {direction}
policy: {policy}
clock_tolerance: 300
{columns}"""


class ConsentWitness(Witness):
    """Judges the profile's fields; consent has a judge of its own."""

    def _in_order(self, record_id: str, verb: str, body: dict[str, Any]) -> None:
        profile = {name: value for name, value in body.items() if name not in FIELDS}
        if profile or verb == "delete":
            super()._in_order(record_id, verb, profile)


class ConsentWorld(World):
    """`policy` and `direction` are drawn from the seed."""

    compares = False

    beside: ClassVar[Mapping[str, str]] = {"pull_changes": "pull_consents"}
    people: ConsentPeople
    columns = Columns()
    opt_in_brake = NEVER
    workflow: Workflow | None = None

    def __init__(self, scenario: Scenario, *, tracing: bool = False) -> None:
        super().__init__(scenario, tracing=tracing)
        rng = random.Random(f"consent {scenario.seed}")
        policy = rng.choice(("agreed", "agreed", "opt_out_always_wins"))
        self.draw(random.Random(f"consent too {scenario.seed}"))
        self.use(rng.choice(("both", "both", "both", *DIRECTIONS)), policy)
        self.settings = self.settings.model_copy(
            update={
                "consent_overlap_s": SKEW_S + 10,
                "opt_in_brake": self.opt_in_brake,
                "events_settle_s": 1.0,
            }
        )
        # Small pages, so that a look at Campaign takes several, and several ticks.
        page = rng.choice((1, 2, 200))
        consent_pull.PAGE = page if self.roomy else 200
        self.campaign_lead = rng.uniform(-SKEW_S, SKEW_S)
        self.campaign.advance(self.campaign_lead)
        self.campaign.change_options(time_filter=rng.random() < 0.3, dates_creates=rng.random() < 0.3)
        self.judge = Judge(self)
        self.account.tables["consents"].rows = self.judge.looks.rows
        self.witness = ConsentWitness(self)
        self.people = ConsentPeople(self)
        if self.workflow is not None:
            self.campaign.change_options(time_filter=False, order="refused")
        self.settled_opt_ins: dict[str, dict[str, str]] = {}
        """By record and field: `calm` or `rough` weather, where the last act was made on settled ground."""

    def draw(self, rng: random.Random) -> None:
        """What else the seed decides: the columns, the brake, where changes in Campaign are found."""
        choice = rng.random() < 0.4
        self.columns = Columns(choice=choice, hold=choice and rng.random() < 0.6)
        self.columns.prepare(self.dynamics)
        if rng.random() < 0.6:
            self.opt_in_brake = rng.choice((0, 0, 0, 2))
        if rng.random() < 0.25:
            self.workflow = Workflow(self, rng)
            consent_exports.BATCH = rng.choice((1, 2, 500))

    def start_process(self) -> Process:
        process = super().start_process()
        if self.workflow is not None:
            process.app.context.exports = self.workflow.logs.with_gate(process)
        return process

    def use(self, direction: str, policy: str) -> None:
        """The consent map of the processes that start from now on."""
        self.carried = "off" not in (direction, getattr(self, "direction", direction))
        """Whether what was deployed now and before carries consent."""
        self.direction, self.policy = direction, policy
        self.deployed = self.now()
        text = TEXT.format(direction=direction, policy=policy, columns=self.columns.text)
        self.consent_map = load_consent(text)

    def may_hold(self, record_id: str, row: LedgerRow, profile: dict[str, Any] | None) -> bool:
        """Also a contact whose consent nobody decided, where the map says hold."""
        if row.code != "consent_undecided":
            return super().may_hold(record_id, row, profile)
        self.outcomes["undecided_held"] += 1
        undecided = any(dynamics is None for _, dynamics in self.judge.state(record_id).values())
        return self.columns.hold and profile is None and undecided

    @property
    def roomy(self) -> bool:
        """Whether there are calls enough to look at Campaign at every tick."""
        return self.scenario.limit == ROOMY

    @property
    def both(self) -> bool:
        return self.direction == "both"

    def scenario_permits(self, side: Side) -> bool:
        """Whether a side may be written now; a request of a process that was deployed over may still be on its way."""
        settings = self.settings
        late = self.deployed + settings.call_timeout_s + settings.gateway_s
        return self.now() < late or Direction(self.direction).permits(side)

    async def settle(self) -> None:
        """Also until Campaign has been looked at: a worker may believe for some seconds that this is paused."""
        if self.chaos.weather != CALM:
            # Workers die of what people did last.
            for _ in range(3):
                course.tick(self, "pull_changes")
                await self.wait(3.0)
            self.chaos.end()
        calm = self.now()
        for _ in range(60):
            await super().settle()
            if self.direction == "off" or not self.roomy:
                return
            if self._looked_at_campaign(calm + self.settings.skew_s):
                return
            await self.wait(1.0)
        raise Violation("liveness: Campaign is not looked at")

    def _looked_at_campaign(self, since: float) -> bool:
        stored = self.account.tables["control"].rows.get((MAPPING, f"note-{consent_pull.NOTE}"))
        place = json.loads(str(stored.entity["text"])) if stored else {}
        if self.workflow is not None and not self.workflow.all_read():
            return False
        return not place.get("link") and float(place.get("pulled_at", 0.0)) > since

    def landed(
        self, process: Process, system: str, request: Request, response: Response, *, heard: bool
    ) -> None:
        self.judge.landed(process.name, system, request, response, heard=heard)
        written = request.method in ("PATCH", "POST") and "token" not in request.target
        if written and self.chaos.weather.crash and self.chaos.rng.random() < 0.25:
            # Before it can say in the journal what it wrote.
            self.loop.call_later(0.005, self._dies, process)

    def _dies(self, process: Process) -> None:
        if process.alive:
            self.chaos.fired["crash"] += 1
            self.note(process.name, "dies of its write")
            self.bury(process)

    def note_ground(self, record_id: str, name: str, *, calm: bool) -> bool:
        """Whether the two sides and the row agree at this moment: then an opt-in made now arrives or is told lost."""
        settled = self.settled_opt_ins.setdefault(record_id, {})
        settled.pop(name, None)
        ground = self._settled(record_id, name)
        if ground and calm and self.policy == "agreed":
            settled[name] = "calm" if self.chaos.weather == CALM else "rough"
        return ground

    def _settled(self, record_id: str, name: str) -> bool:
        rows = [
            stored.entity
            for key, stored in self.account.tables["consents"].rows.items()
            if key[1] == record_id
        ]
        profile = next(iter(self.campaign.engine.tables["profile"].find("externalId", record_id)), None)
        if len(rows) != 1 or profile is None or rows[0]["claim_owner"] or rows[0]["announced"]:
            return False
        state = json.loads(str(rows[0]["fields"])).get(name, [None, "", ""])
        stamp = str(profile.values.get(f"{name}LastModified", ""))
        contact = self.dynamics.organization.tables["contact"].rows.get(record_id, {})
        same = rows[0]["profile_created"] == timestamp(profile.created)
        same = same and rows[0]["contact_created"] == to_iso(contact.get("createdon", 0))[:19] + "Z"
        agreed = same and len(state) == 3 and state[2] == stamp
        return agreed and self.judge.state(record_id)[name] == (state[0], state[0])

    async def compare(self) -> None:
        """Before that, what the brake holds is mostly let through."""
        if self.people.rng.random() < 0.7 and self.judge.brake.approve():
            await self.settle()
        await super().compare()

    async def _run(self) -> None:
        writing = self.loop.create_task(self.workflow.run()) if self.workflow is not None else None
        await super()._run()
        if writing is not None:
            writing.cancel()
        self.outcomes.update(self.judge.counts)
        wrong = self.judge.at_rest()
        self.outcomes.update(
            {name: n for name, n in self.judge.counts.items() if name.startswith(("opt_in", "exempt_"))}
        )
        self.outcomes.update(self.judge.books.counts)
        if wrong:
            raise Violation("; ".join(wrong[:4]))
