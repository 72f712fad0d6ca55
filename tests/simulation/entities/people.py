"""People who create, change, move, delete and restore records of all tables of a run."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from sandbox.wire import Request
from sync.flows import replay
from sync.flows.commands import RunNow, send
from sync.storage.history import ParkedRecords
from tests.simulation.entities.cast import Role
from tests.simulation.entities.rare import Rare
from tests.simulation.process import Process

if TYPE_CHECKING:
    from tests.simulation.entities.world import EntityWorld

Who = tuple[str, str]
"""Mapping and record id."""


class NoTrouble:
    """No directed trouble: what goes wrong is the weather's."""

    def __init__(self, people: EntityPeople) -> None:
        self.people = people
        self.left = 0

    async def watch_call(self, process: Process, system: str, request: Request) -> None:
        return

    def forced_fate(self, request: Request) -> str:
        return ""

    def record_of(self, request: Request) -> Who:
        """The record that a write to Campaign is about; nobody's for a token."""
        name = request.target.partition("?")[0].rstrip("/").split("/")
        for role in self.people.world.cast:
            if role.resource not in name:
                continue
            if request.method == "POST":
                return role.name, str(json.loads(request.body).get("externalId", ""))
            key = unquote(name[-1])
            row = self.people.world.campaign.engine.tables[role.resource].by_pkey(key)
            return role.name, str(row.values.get("externalId", "")) if row is not None else key
        return "", ""


class EntityPeople:
    """Acts at random times."""

    def __init__(self, world: EntityWorld) -> None:
        self.world = world
        self.rng = random.Random(f"entities {world.scenario.seed}")
        self.everybody: list[Who] = []
        self.deleted: set[Who] = set()
        """Who was ever deleted."""
        self.serial = 0
        self.trouble = NoTrouble(self)
        self.rare = Rare(self)

    def begin(self) -> None:
        """Two records a table; some come later."""
        for role in self.world.cast:
            for number in range(2):
                letter = ord("c" if role.table == "contact" else role.name[0])
                self.everybody.append((role.name, f"{letter:08x}-0000-4000-8000-{number:012x}"))
        for who in self.everybody:
            if self.rng.random() < 0.7 and not self.exists(who):
                self.create(who)

    async def play(self) -> None:
        """The script."""
        scenario, world = self.world.scenario, self.world
        times = sorted(self.rng.random() * scenario.length_s for _ in range(scenario.acts))
        rare = world.loop.create_task(self.rare.play())
        for moment in times:
            await world.wait(max(moment - world.loop.virtual, 0.0))
            self.act()
        await world.wait(max(scenario.length_s - world.loop.virtual, 0.0))
        await rare

    def act(self) -> None:
        """One thing that somebody does."""
        acts: tuple[tuple[float, Callable[[], None]], ...] = (
            (4.0, self.move),
            (2.0, self.rename),
            (4.0, self.delete_or_restore),
            (1.0, self.delete_and_restore),
            (0.7, self.swing),
            (0.6, self.edit_mapping),
            (0.6, self.command),
        )
        self.rng.choices([act for _, act in acts], [weight for weight, _ in acts])[0]()

    # -- in Dynamics -----------------------------------------------------------------------------------------------

    def rows_of(self, role: Role) -> Any:
        return self.world.dynamics.organization.tables[role.table]

    def row(self, table: str, record_id: str) -> Any:
        """A row of a table, None if there is none."""
        return self.world.dynamics.organization.tables[table].rows.get(record_id)

    def nameless(self, role: Role, values: dict[str, Any]) -> bool:
        """Whether a related row is not there whose column cannot be left out."""
        told = [one for one in role.beside if one.invalid == "quarantine" and values[one.source]]
        return any(self.row(one.table, values[one.source]) is None for one in told)

    def exists(self, who: Who) -> bool:
        return who[1] in self.rows_of(self.world.role(who[0])).rows

    def alive(self, who: Who) -> bool:
        """Whether its mapping sends it: it exists, and it did not lose in a merge."""
        role = self.world.role(who[0])
        row = self.rows_of(role).rows.get(who[1])
        return row is not None and not role.loses(row)

    def current(self, who: Who) -> dict[str, Any]:
        role = self.world.role(who[0])
        return role.selected(self.rows_of(role).rows[who[1]])

    def learn_all(self) -> None:
        """Tell the witness what every record says now: a delete changes others too."""
        for who in self.everybody:
            role = self.world.role(who[0])
            rows = self.rows_of(role)
            row = rows.rows.get(who[1])
            if row is not None and not role.loses(row):
                self.world.witness.learned(who, row["versionnumber"], self.current(who))
            elif row is not None or who[1] in rows.deleted:
                self.deleted.add(who)
                gone = rows.deleted[who[1]] if row is None else row["versionnumber"]
                self.world.witness.learned(who, gone, None)
            if row is not None or who[1] in rows.deleted:
                self.world.witness.heard(role, who[1], row)

    def did(self, what: str, who: Who = ("", "")) -> None:
        self.world.outcomes[f"people_{what}"] += 1
        self.world.note("people", f"{what} {who[0]} {who[1]}")

    def _lookups(self, role: Role) -> dict[str, Any]:
        """Where it points: mostly to somebody, perhaps not there yet or any more, perhaps to itself."""
        found: dict[str, Any] = {}
        for tie in role.ties:
            choices = [record_id for name, record_id in self.everybody if name == tie.parent]
            found[tie.source] = self.rng.choice((*choices, *choices, None))
        return found

    def create(self, who: Who) -> None:
        self.serial += 1
        role = self.world.role(who[0])
        record = {role.key: who[1], role.column: f"n{self.serial}", **self._lookups(role)}
        for other in self.world.cast:
            if other.table == role.table:
                record.setdefault(other.column, f"n{self.serial}")
        if role.table == "contact":
            record.setdefault("lastname", "x")
        self.world.dynamics.seed([record], table=role.table)
        self.learn_all()
        self.did("create", who)

    def change(self, who: Who, changes: dict[str, Any], what: str) -> None:
        self.world.dynamics.edit(who[1], changes, table=self.world.role(who[0]).table)
        self.learn_all()
        self.did(what, who)

    def _someone(self) -> Who | None:
        living = [who for who in self.everybody if self.exists(who)]
        return self.rng.choice(living) if living else None

    def move(self) -> None:
        """It points elsewhere."""
        who = self._someone()
        if who is not None:
            self.change(who, self._lookups(self.world.role(who[0])), "move")

    def rename(self, who: Who | None = None) -> None:
        """Something else than its links changes."""
        who = who or self._someone()
        if who is not None:
            self.serial += 1
            self.change(who, {self.world.role(who[0]).column: f"n{self.serial}"}, "rename")

    def delete(self, who: Who) -> None:
        self.world.dynamics.delete(who[1], table=self.world.role(who[0]).table)
        self.learn_all()
        self.did("delete", who)

    def delete_or_restore(self) -> None:
        who = self.rng.choice(self.everybody)
        if self.exists(who):
            self.delete(who)
        else:
            self.create(who)

    def delete_and_restore(self) -> None:
        """Gone and back between two polls."""
        who = self._someone()
        if who is not None:
            self.delete(who)
            self.create(who)

    def swing(self) -> None:
        """All go, or all come back, in any order."""
        order = self.rng.sample(self.everybody, len(self.everybody))
        going = sum(map(self.exists, order)) > len(order) / 2
        for who in order:
            if going and self.exists(who):
                self.delete(who)
            elif not going and not self.exists(who):
                self.create(who)

    def bereave(self) -> None:
        """Somebody's parent is deleted."""
        parents = [
            (tie.parent, record_id)
            for who in self.everybody
            if self.exists(who)
            for tie in self.world.role(who[0]).ties
            if (record_id := self.current(who)[tie.source]) and self.exists((tie.parent, record_id))
        ]
        if parents:
            self.delete(self.rng.choice(parents))

    def meddle(self, who: Who) -> None:
        """Somebody changes the very record that is being written, or its parent, at the worst moment."""
        if who not in self.everybody:
            return
        if self.rng.random() < 0.5:
            parents = [
                (tie.parent, record_id)
                for tie in self.world.role(who[0]).ties
                if self.exists(who) and (record_id := self.current(who)[tie.source])
            ]
            who = self.rng.choice(parents) if parents else who
        if not self.exists(who):
            self.create(who)
        elif self.rng.random() < 0.5:
            self.delete(who)
        else:
            self.change(who, self._lookups(self.world.role(who[0])), "meddle")

    # -- in the sync -------------------------------------------------------------------------------------------------

    def edit_mapping(self) -> None:
        """Another text: a field's length, or an optional link's rule."""
        role = self.rng.choice(self.world.cast)
        if self.world.at_once(self.world.mappings.active(role.name)) is None:
            return
        ties = tuple(
            tie if tie.required else replace(tie, rule=self.rng.choice(("hold", "clear", "delete")))
            for tie in role.ties
        )
        self.use(replace(role, variant=role.variant + 1, ties=ties))

    def use(self, role: Role) -> None:
        """Activate a mapping text."""
        world = self.world
        world.cast = tuple(role if one.name == role.name else one for one in world.cast)
        world.at_once(world.mappings.activate(role.name, role.text, author="sim", comment="", buckets=2))
        self.did("mapping", (role.name, ""))

    def command(self) -> None:
        """Somebody runs a command."""
        role = self.rng.choice(self.world.cast)
        if self.rng.random() < 0.3:
            self.world.at_once(send(self.world.lanes, RunNow(mapping=role.name)))
            self.did("command_pull")
        else:
            self._replay(role.name, self.rng.choice(("replay", "retry", "force")))

    def _replay(self, name: str, intent: Any) -> None:
        world = self.world
        progress = world.at_once(world.watermarks.progress(name))
        if progress.generation == 0:
            return
        states = ("quarantined", "parked", "hold") if intent == "retry" else ()
        wanted = replay.Replay(epoch=progress.epoch, intent=intent, states=states)
        world.at_once(replay.start(world.person(), name, wanted, who="sim"))
        self.did(f"command_{intent}")

    def replay(self, intent: Any) -> None:
        """Every mapping."""
        for name in self.world.names:
            self._replay(name, intent)

    def approve_deletes(self) -> int:
        """Let every braked delete through."""
        world = self.world
        parked = ParkedRecords(world.clean.table("parked"))
        rows = [row for row in world.all_parked() if row.awaited.startswith("approval:") and not row.approved]
        for row in rows:
            world.at_once(parked.add(replace(row, approved=True)))
            self.did("approve", (row.mapping, row.record_id))
        return len(rows)

    # -- the end -------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """No more trouble from here."""

    def last_orders(self) -> bool:
        """What waits for a person is decided; whether anything was."""
        decided = self.approve_deletes() if self.rng.random() < 0.7 else 0
        again = ("crashes_worker", "campaign_error", "campaign_refused", "internal_error", "value_invalid")
        for name in self.world.names:
            if any(row.code in again for row in self.world.rows(name).values()):
                self._replay(name, "retry")
                decided += 1
        return decided > 0
