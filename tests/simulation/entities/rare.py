"""What people do in some seeds only: merges, rebaselines, renames of related rows, texts too long for a message."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from sync.flows import reconcile
from sync.flows.look import Reconcile
from sync.flows.rebaseline import rebaseline
from sync.storage.table import RowConflict
from tests.simulation.people import unchanged

if TYPE_CHECKING:
    from tests.simulation.entities.people import EntityPeople

LONG = 50_000
"""Characters; a queue message takes 48 KiB."""


class Rare:
    """Acts at times of their own, beside everything else."""

    def __init__(self, people: EntityPeople) -> None:
        self.people = people
        self.world = people.world
        self.rng = random.Random(f"rare {self.world.scenario.seed}")
        self.rebaselined: set[str] = set()
        """Mappings of which an epoch ended."""

    async def play(self) -> None:
        """What the seed has, each kind a few times."""
        more, world = self.world.more, self.world
        kinds: tuple[tuple[object, int, Callable[[], Awaitable[None]]], ...] = (
            (more.merges, 3, self.merge),
            (more.rebaselines, 2, self.rebaseline),
            (more.beside, 2, self.rename_related),
            (more.story, 6, self.lengthen),
        )
        acts = [act for wanted, often, act in kinds if wanted for _ in range(often)]
        self.rng.shuffle(acts)
        times = sorted(self.rng.random() * world.scenario.length_s for _ in acts)
        for moment, act in zip(times, acts, strict=True):
            await world.wait(max(moment - world.loop.virtual, 0.0))
            await act()

    async def merge(self) -> None:
        """Two contacts turn out to be one; what pointed to the loser points to the winner, in Dynamics' own time."""
        people, world = self.people, self.world
        contacts = people.rows_of(world.role("contacts"))
        living = sorted(one for one, row in contacts.rows.items() if not row.get("merged"))
        if len(living) < 2:
            return
        winner, loser = self.rng.sample(living, 2)
        world.dynamics.merge(winner, loser)
        for role in world.cast:
            for tie in role.ties:
                for record_id, row in sorted(people.rows_of(role).rows.items()):
                    if tie.parent == "contacts" and row.get(tie.source) == loser:
                        world.dynamics.edit(record_id, {tie.source: winner}, table=role.table)
        people.learn_all()
        people.did("merge", ("contacts", loser))

    async def rebaseline(self) -> None:
        """Somebody begins another epoch of one mapping, or of all of them, in the same environment."""
        names = self.world.names if self.rng.random() < 0.3 else (self.rng.choice(self.world.names),)
        person = self.world.person()
        for name in names:
            progress = await person.watermarks.progress(name)
            if progress.generation == 0:
                continue
            while True:
                with suppress(RowConflict):
                    await rebaseline(person, unchanged(progress))
                    break
            self.rebaselined.add(name)
            self.people.did("rebaseline", (name, ""))

    async def rename_related(self) -> None:
        """A row that others carry a column of is renamed, or goes and comes back, and nothing else changes."""
        people = self.people
        orders = self.world.role("orders")
        ties = {tie.source: tie.parent for tie in orders.ties}
        named = sorted(
            (ties[one.source], str(row[one.source]))
            for row in people.rows_of(orders).rows.values()
            for one in orders.beside
            if row.get(one.source)
        )
        there = [who for who in named if people.exists(who)]
        if there:
            people.rename(self.rng.choice(there))
            people.did("rename_related")

    async def lengthen(self) -> None:
        """An order gets a text that no message holds, or loses it."""
        people = self.people
        orders = self.world.role("orders")
        living = sorted(people.rows_of(orders).rows)
        if living:
            record_id = self.rng.choice(living)
            people.serial += 1
            long = self.rng.random() < 0.8
            story = f"t{people.serial}-" + "x" * (LONG if long else 5)
            people.change(("orders", record_id), {"cr_story": story}, "lengthen" if long else "shorten")

    def compare(self, *, delete_extras: bool, heal: bool = True) -> None:
        """Somebody compares all mappings with Campaign, to heal."""
        person = self.world.person()
        for name in self.world.names:
            progress = self.world.at_once(person.watermarks.progress(name))
            wanted = Reconcile(epoch=progress.epoch, heal=heal, delete_extras=delete_extras)
            self.world.at_once(reconcile.start(person, name, wanted, who="sim", total=0))
            self.people.did("compare", (name, ""))
