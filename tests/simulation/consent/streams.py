"""Golden streams of consent: `tests/streams/consent/*.jsonl`, steps as in tests/simulation/streams.py and these verbs.

A stream may begin with `{"do": "terms", ...}`: the direction and policy of the consent map (else both, agreed).
"""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

from sync.consent_row import Side
from tests.simulation import streams
from tests.simulation.consent.columns import FIELDS, Columns
from tests.simulation.consent.exports import Workflow
from tests.simulation.consent.world import ConsentWorld
from tests.simulation.process import Process
from tests.simulation.violation import Violation

FOLDER = streams.FOLDER / "consent"


def names() -> list[str]:
    """The streams there are."""
    return streams.names(FOLDER)


def play(name: str) -> str:
    """Play a stream; what is wrong, or ""."""
    return streams.play(name, ConsentStage(), FOLDER)


class StreamWorld(ConsentWorld):
    """Without chance, clocks equal; `fate_of_write` befalls the next write `to` a system (by `method`)."""

    fate_of_write = ""
    to = "campaign"
    method = ""

    def __init__(self) -> None:
        super().__init__(streams.SCENARIO)
        self.use("both", "agreed")
        self.campaign.advance(-self.campaign_lead)
        self.campaign.change_options(time_filter=False, dates_creates=False)

    def draw(self, rng: random.Random) -> None:
        """Nothing is drawn."""

    def forced_fate(self, system: str, request: Any) -> str:
        meant = request.method == self.method if self.method else request.method != "GET"
        if self.fate_of_write and system == self.to and meant and "token" not in request.target:
            fate, self.fate_of_write = self.fate_of_write, ""
            return fate
        return super().forced_fate(system, request)


class ConsentStage(streams.Stage):
    """Contacts, profiles and their consent, step by step."""

    worked = (*streams.WORKED, "consent", "consent-poison")
    world: StreamWorld

    def __init__(self) -> None:
        super().__init__(StreamWorld())

    # -- people -------------------------------------------------------------------------------------------------------

    async def choice(self, hold: bool) -> None:
        """`donotphone` is a choice column; what means neither holds a profile back, or counts as opted out."""
        self.world.columns = Columns(choice=True, hold=hold)
        self.world.columns.prepare(self.world.dynamics)
        await self.terms()

    async def exports(self) -> None:
        """Campaign refuses an order by time; a workflow of its writes what changed into files."""
        self.world.campaign.change_options(order="refused")
        self.world.workflow = Workflow(self.world, random.Random(1))
        await self.terms()

    async def export(self) -> None:
        """The workflow runs."""
        workflow = self.world.workflow
        assert workflow is not None
        workflow.write()
        await self.world.wait(2.0)

    async def terms(self, direction: str = "both", policy: str = "agreed") -> None:
        """The app is deployed with another consent map."""
        self.world.use(direction, policy)
        self.world.bury(self.process, replace=False)
        self.process = self.world.start_process()

    async def settings(self, **changes: Any) -> None:
        """The app is deployed with other settings."""
        self.world.opt_in_brake = changes.get("opt_in_brake", self.world.opt_in_brake)
        self.world.settings = self.world.settings.model_copy(update=changes)
        self.world.bury(self.process, replace=False)
        self.process = self.world.start_process()

    async def campaign_options(self, **options: Any) -> None:
        """Choices of the look-alike."""
        self.world.campaign.change_options(**options)
        mode = options.get("addressing", self.world.scenario.addressing)
        self.world.scenario = replace(self.world.scenario, addressing=mode)
        self.world.bury(self.process, replace=False)
        self.process = self.world.start_process()

    async def create(self, id: str, out: bool = False, **values: Any) -> None:
        """A contact appears; `out`: opted out of e-mail."""
        await super().create(id, donotbulkemail=out, **values)
        self.world.judge.note_states()
        if out:
            self.world.judge.acted(self._id(id), "blackListEmail", Side.DYNAMICS, out=True)

    async def delete(self, id: str) -> None:
        await super().delete(id)
        self.world.judge.note_states()

    async def erase(self, id: str) -> None:
        await super().erase(id)
        self.world.judge.gone(self._id(id), Side.CAMPAIGN)
        self.world.judge.note_states()

    async def there_before(self, id: str, out: bool = False) -> None:
        """A profile that is in Campaign before the sync."""
        self.world.campaign.seed([{"externalId": self._id(id), "blackListEmail": out}])
        self.world.judge.note_states()

    async def dynamics_says(self, id: str, out: bool, field: str = "blackListEmail") -> None:
        """Somebody sets a contact's consent in Dynamics."""
        value = self.world.columns.value(field, out=out)
        self.world.dynamics.edit(self._id(id), {FIELDS[field]: value})
        self.world.people.learn(self._id(id))
        self.world.judge.acted(self._id(id), field, Side.DYNAMICS, out=out)
        self.world.judge.note_states()

    async def campaign_says(self, id: str, out: bool, field: str = "blackListEmail") -> None:
        """Somebody sets a profile's consent in Campaign."""
        self.world.campaign.edit(self._id(id), {field: out})
        self.world.judge.acted(self._id(id), field, Side.CAMPAIGN, out=out)
        self.world.judge.note_states()

    # -- the host -----------------------------------------------------------------------------------------------------

    async def approve_opt_ins(self) -> None:
        """Somebody lets through what the brake holds."""
        self.world.judge.brake.approve()
        while self.world.people.tasks:
            await self.world.wait(0.01)

    async def pull_consents(self, dies: str = "") -> None:
        """Campaign alone; `dies`: where its worker dies."""
        self.world.chaos.death = dies
        await self._run(self.world.host.timer(self.process, "pull_consents"))

    async def pull(self, dies: str = "") -> None:
        await super().pull(dies)
        await self.pull_consents()

    async def pull_changes(self) -> None:
        """Dynamics alone."""
        await super().pull()

    async def fate(self, of: str, to: str = "campaign", method: str = "") -> None:
        """What befalls the next write to a system."""
        self.world.fate_of_write, self.world.to, self.world.method = of, to, method

    async def look(self, fate: str = "", to: str = "campaign", dies: str = "", most: int = 1000) -> None:
        """Work the hints that are visible; `fate` befalls the next write `to` a system."""
        await self.fate(fate, to)
        await self.work("consent", most, dies)
        self.world.fate_of_write = ""

    async def begin_look(self, fate: str, to: str = "campaign", twice: bool = False) -> None:
        """Work the first hint until its write, which meets `fate`, has left; `twice`: it will be delivered again."""
        await self.fate(fate, to)
        messages = self.world.account.queues["consent"].messages
        if not messages:
            raise Violation("nobody hinted")
        message = messages[0] if twice else messages.pop(0)
        self.invocations += 1
        process: Process = self.process
        work = self.world.host.call(process, "consent", message.body, 1, f"i{self.invocations}")
        self.begun.append(process.spawn(work))
        while self.world.fate_of_write and not self.begun[-1].done():
            await self.world.wait(0.01)
        if self.world.fate_of_write:
            raise Violation("the look wrote nothing")

    async def crash(self) -> None:
        """The worker dies now."""
        self.world.bury(self.process, replace=False)
        self.begun.clear()
        self.process = self.world.start_process()

    async def no_hints(self) -> None:
        """All hints are lost."""
        self.world.account.queues["consent"].messages.clear()

    # -- what must be true --------------------------------------------------------------------------------------------

    async def expect_out(
        self, id: str, dynamics: bool | None, campaign: bool | None, field: str = "blackListEmail"
    ) -> None:
        """Whether each side says opted out now; null: there is no record."""
        found = self.world.judge.state(self._id(id))[field]
        if found != (campaign, dynamics):
            raise Violation(f"{id} {field}: Campaign {found[0]}, Dynamics {found[1]}")

    async def expect_agreed(
        self, id: str, value: bool | None, by: str = "", field: str = "blackListEmail"
    ) -> None:
        """What the row says is agreed."""
        rows = self.world.account.tables["consents"].rows
        entity = next((row.entity for key, row in rows.items() if key[1] == self._id(id)), {"fields": "{}"})
        told = json.loads(str(entity["fields"])).get(field, [None, "", ""])
        if told[0] is not value or (by and told[1] != by):
            raise Violation(f"{id} {field}: agreed is {told}")

    async def expect_journal(self, id: str, lines: list[str], field: str = "blackListEmail") -> None:
        """What the journal says of a field, line by line, oldest first: the side, the value, the outcome."""
        found = [
            f"{line['wrote'] or '-'} {line['decided']} {line['outcome']}"
            for line in self.world.judge.books.lines(self._id(id))
            if line["field"] == field
        ]
        if found != lines:
            raise Violation(f"{id} {field}: the journal says {found}, not {lines}")

    async def expect_looks(self, id: str, count: int) -> None:
        """How often a contact has been looked at."""
        found = self.world.judge.looks.count[self._id(id)]
        if found != count:
            raise Violation(f"{found} looks, not {count}")

    async def expect_hints(self, count: int) -> None:
        """How many hints wait."""
        found = len(self.world.account.queues["consent"].messages)
        if found != count:
            raise Violation(f"{found} hints wait, not {count}")

    async def at_rest(self) -> None:
        await super().at_rest()
        wrong = self.world.judge.at_rest()
        if wrong:
            raise Violation("; ".join(wrong[:4]))
