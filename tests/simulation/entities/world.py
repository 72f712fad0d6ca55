"""A world of several tables that point to each other."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from sandbox.dynamics.columns import Column, Kind
from sandbox.wire import Request
from sync.model import LedgerRow
from sync.storage.history import Parked, _parked
from sync.storage.ledger import from_stored
from tests.simulation import course
from tests.simulation.entities import check
from tests.simulation.entities.cast import STORY, More, Role, draw_cast, draw_more, widened
from tests.simulation.entities.people import EntityPeople
from tests.simulation.entities.witness import EntityWitness
from tests.simulation.scenario import Scenario, draw
from tests.simulation.world import World

ROUNDS = 3
"""Lost wake-ups in a row: of a child, its child, and a parent's delete."""


class EntityWorld(World):
    """The cast, and whether Dynamics clears lookups to a deleted row, are drawn from the seed."""

    people: EntityPeople  # type: ignore[assignment]
    witness: EntityWitness

    def __init__(self, seed: int, *, tracing: bool = False, scenario: Scenario | None = None) -> None:
        rng = random.Random(f"cast {seed}")
        self.more = draw_more(seed) if scenario is None else More()
        self.cast = widened(draw_cast(rng), self.more)
        self.first = self.cast
        self.names = tuple(role.name for role in self.cast)
        self.clears = rng.random() < 0.4
        drawn = draw(seed)
        special = drawn.special if drawn.special in ("brake", "storage") else ""
        super().__init__(
            scenario
            or replace(
                drawn,
                special=special,
                acts=drawn.acts + 4,
                limit=4000,
                window_s=300.0,
                burst=100,
                probing=self.more.probing,
            ),
            tracing=tracing,
        )
        for rows in self.dynamics.organization.tables.values():
            if not self.clears:
                rows.pointing = [one for one in rows.pointing if not (one.clears or one.cascades)]
        self.witness = EntityWitness(self)
        self.people = EntityPeople(self)
        if self.more.story:
            told = Column(STORY.column, Kind.MEMO, STORY.column, max_length=100_000, custom=True)
            self.dynamics.organization.change_column("cr_order", told)
        if self.more.members:
            told_fields = [{"name": "name"}, {"name": "employerExternalId"}]
            self.campaign.custom_resource("cusMember", fields=told_fields)

    def role(self, name: str) -> Role:
        return next(role for role in self.cast if role.name == name)

    def texts(self) -> dict[str, str]:
        return {role.name: role.text for role in self.first}

    def held(self, role: Role) -> dict[str, dict[str, Any]]:
        """Campaign's records of a mapping by id, hidden ones too."""
        return {record["externalId"]: record for record in self.campaign.dump(role.resource)}

    def rows(self, name: str) -> dict[str, LedgerRow]:
        """Ledger rows of a mapping's epoch by id."""
        epoch = self.at_once(self.watermarks.progress(name)).epoch
        return {
            key[1]: from_stored(stored)
            for key, stored in self.account.tables["ledger"].rows.items()
            if key[0].startswith(f"{name}:{epoch:04d}:")
        }

    def all_parked(self) -> list[Parked]:
        return [_parked(stored) for stored in self.account.tables["parked"].rows.values()]

    def meddle(self, request: Request, *, likely: bool) -> None:
        """Often: the record that is being written, or its parent, changes at the worst moment."""
        if self.chaos.host("meddled", 1.0):
            who = self.people.trouble.record_of(request)
            self.loop.call_later(0.05 + 0.5 * self.rng.random(), self.people.meddle, who)
            self.loop.call_later(0.6 + 0.3 * self.rng.random(), course.tick, self, "pull_changes")

    async def at_effect(self, effect: str) -> None:
        """Sometimes a worker is slow between its claim and its link row, and its parents change meanwhile."""
        if effect != "links.submit" or not self.chaos.host("raced", 2.0):
            return
        self.people.bereave()
        self.loop.call_later(0.2, course.tick, self, "pull_changes")
        await self.wait(1.0 + 4.0 * self.rng.random())

    def check(self, *, again: bool = False) -> None:
        """Lost wake-ups are made up for first: each timer run finds one."""
        check.at_rest(self, again=again)

    async def compare(self) -> None:
        """Where columns of related rows are sent, or an epoch ended: until both sides agree, extras included."""
        if not self.more.compares:
            return
        self.people.rare.compare(delete_extras=True)
        await self.settle()
        if self.people.approve_deletes():
            await self.settle()
        self.healed = True
        self.check()

    def commands_run(self) -> bool:
        return False

    def begin_compare(self) -> None:
        if self.more.rebaselines:
            self.people.rare.compare(delete_extras=False)

    async def settle(self) -> None:
        """Come to rest; then the wake-ups that were lost while things went wrong are made up for."""
        await course.settle(self)
        for _ in range(ROUNDS):
            await self.wait(2 * self.settings.message_lease_s + 2 * self.settings.skew_s)
            course.tick(self, "wake_parked")
            await self.wait(0.5)
            await course.settle(self)
