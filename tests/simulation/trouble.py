"""Directed trouble of the rare kinds: a deadly record, an outage for one record, another environment."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import unquote

from sandbox.wire import Request
from tests.simulation.process import Process

if TYPE_CHECKING:
    from tests.simulation.people import People
    from tests.simulation.world import World

TWO_WORLDS = "99999999-0000-4000-8000-000000000099"


class Trouble:
    """What the scenario's special has in store; `left` is how often yet."""

    def __init__(self, world: World, people: People) -> None:
        self.world = world
        self.people = people
        self.victim = ""
        self.left = 0
        self.killed = 0
        self.outages = 0

    async def watch_call(self, process: Process, system: str, request: Request) -> None:
        """`killer`: this record's writes kill their worker."""
        if self.left and self.world.scenario.special == "killer" and self._is_victims(request):
            self.left -= 1
            self.killed += 1
            await process.die("a deadly record")

    def forced_fate(self, request: Request) -> str:
        """`outage`: Campaign's engine fails on this record's writes."""
        if self.left and self.world.scenario.special == "outage" and self._is_victims(request):
            self.left -= 1
            self.outages += 1
            return "engine_500"
        return ""

    def _is_victims(self, request: Request) -> bool:
        return request.method in ("POST", "PATCH") and self.record_of(request) == self.victim

    def record_of(self, request: Request) -> str:
        """The contact that a write to Campaign is about."""
        if "token" in request.target:
            return ""
        if request.method == "POST":
            return str(json.loads(request.body).get("externalId", ""))
        key = unquote(request.target.rpartition("/")[2])
        row = self.world.campaign.engine.tables["profile"].by_pkey(key)
        return str(row.values.get("externalId", "")) if row is not None else key

    async def drift(self) -> None:
        """Somebody changes a table or a resource under the running sync, and puts it back after a while."""
        world, rng = self.world, self.people.rng
        sides = ["dynamics", rng.choice(("remove", "remove", "read_only", "read_only", "withdraw"))]
        if rng.random() < 0.5:
            sides.reverse()
        over = 0.0
        for side in sides:
            # Often after the pause that the other side has caused.
            await world.wait(rng.random() * 0.4 * world.scenario.length_s + rng.choice((0.0, 70.0)))
            mend = self.change(side)
            world.outcomes[f"drift_{side if side == 'dynamics' else 'campaign'}"] += 1
            world.note("people", f"drift {side}")
            acts: list[tuple[float, Callable[[], None]]] = [
                (5.0 * world.rng.random(), self.people.edit) for _ in range(7)
            ]
            if rng.random() < 0.5:
                acts.append((20.0 * world.rng.random(), self.edit_mapping))
            for after, act in acts:
                world.loop.call_later(after, act)
                over = max(over, world.loop.virtual + after)
            await world.wait(rng.choice((3.0, 15.0, 90.0, 250.0)))
            paused = ("contacts", "pause-drift") in world.account.tables["control"].rows
            world.outcomes["drift_paused"] += paused
            mend()
            world.note("people", "mend")
        # Nobody is late: once everything is at rest, an edit would be taken for the system's own doing.
        await world.wait(max(over - world.loop.virtual, 0.0))

    def edit_mapping(self) -> None:
        """Somebody edits the mapping meanwhile."""
        paused = ("contacts", "pause-drift") in self.world.account.tables["control"].rows
        self.world.outcomes["drift_mapping_edited"] += paused
        self.people.edit_mapping()

    def change(self, what: str) -> Callable[[], None]:
        """A column of Dynamics goes (`dynamics`), a field of Campaign goes or becomes read-only, its resource goes.

        What is returned puts it back.
        """
        organization, change = self.world.dynamics.organization, self.world.campaign.change_metadata
        if what == "dynamics":
            column = organization.tables["contact"].table.columns["salutation"]
            organization.change_column("contact", removed="salutation")
            return lambda: organization.change_column("contact", column)
        if what == "withdraw":
            change(withdraw=True)
            return lambda: change(withdraw=False)
        change(
            remove_field="lastName" if what == "remove" else "",
            read_only_field="lastName" if what == "read_only" else "",
        )
        return lambda: change(restore_field="lastName")

    async def another_environment(self) -> None:
        """The app is redeployed with another tenant's settings for a while, then with its own again."""
        world = self.world
        await self._redeploy()
        settings = world.settings
        home = world.dynamics
        world.witness.forbidden_since = world.now()
        if self.people.rng.random() < 0.5:
            url = "https://mc.adobe.test/other/campaign"
            world.settings = settings.model_copy(update={"campaign_url": url})
        else:
            world.dynamics = world.make_dynamics(TWO_WORLDS)
        world.start_process()
        await world.wait(12.0)
        world.outcomes["environment_changed"] += 1
        await self._redeploy()
        world.dynamics = home
        world.settings = settings
        world.witness.forbidden_since = float("inf")
        for _ in range(world.scenario.processes):
            world.start_process()

    async def _redeploy(self) -> None:
        """All processes stop; what they sent has landed before the next ones start."""
        for process in list(self.world.processes):
            self.world.bury(process, replace=False)
        await self.world.wait(5.0)
        for process in list(self.world.processes):
            self.world.bury(process, replace=False)
