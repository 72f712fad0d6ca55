"""People who opt out and in on both sides, deploy another consent map and let opt-ins through."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sync.consent_row import Side
from tests.simulation.chaos import Weather
from tests.simulation.consent.brake import NEVER
from tests.simulation.consent.columns import CHOSEN, FIELDS, NEITHER
from tests.simulation.people import People

if TYPE_CHECKING:
    from tests.simulation.consent.world import ConsentWorld

DIRECTIONS = ("both", "to_campaign", "to_dynamics", "off")


class ConsentPeople(People):
    """Edit contacts as others do, and opt out and in."""

    world: ConsentWorld

    def __init__(self, world: ConsentWorld) -> None:
        super().__init__(world)
        self.last_said: dict[tuple[str, str], bool] = {}
        """What a choice said before it said neither."""

    def act(self) -> None:
        if self.rng.random() < 0.35:
            super().act()
        else:
            acts: tuple[tuple[float, Callable[[], None]], ...] = (
                (5.0, self.flip_dynamics),
                (5.0, self.flip_campaign),
                (1.0, self.flip_both),
                (1.0, self.flip_and_back),
                (0.3, self.deploy),
                (0.8 if self.world.opt_in_brake < NEVER else 0.0, self.approve_opt_ins),
            )
            self.rng.choices([act for _, act in acts], [weight for weight, _ in acts])[0]()
        self.world.judge.note_states()

    def create(self, record_id: str) -> None:
        super().create(record_id)
        columns = self.world.columns
        for name, column in FIELDS.items():
            row = self.world.dynamics.organization.tables["contact"].rows[record_id]
            if columns.choice and name == CHOSEN and row.get(column) is None and self.rng.random() < 0.3:
                self.world.dynamics.edit(record_id, {column: columns.value(name, out=False)})
                self.learn(record_id)
            if self.rng.random() < 0.3:
                # Before any look: how it was created.
                row = self.world.dynamics.organization.tables["contact"].rows[record_id]
                out = columns.out(name, row)
                if not out:
                    self.world.dynamics.edit(record_id, {column: columns.value(name, out=True)})
                    self.learn(record_id)
                    self.world.judge.acted(record_id, name, Side.DYNAMICS, out=True)
        self.world.judge.note_states()

    def delete(self, record_id: str) -> None:
        super().delete(record_id)
        self.world.judge.gone(record_id, Side.DYNAMICS)
        for name in FIELDS:
            self.last_said.pop((record_id, name), None)

    def erase_profile(self) -> None:
        there = {
            record_id
            for record_id in self.ids
            if self.world.judge.state(record_id)["blackListEmail"][0] is not None
        }
        super().erase_profile()
        for record_id in there:
            if self.world.judge.state(record_id)["blackListEmail"][0] is None:
                self.world.judge.gone(record_id, Side.CAMPAIGN)

    def _one(self) -> tuple[str, str] | None:
        """Somebody's field; often one that is opted out, as opt-ins would be rare else."""
        judge = self.world.judge
        closed = [(one, name) for one in self.ids for name, told in judge.state(one).items() if True in told]
        if closed and self.rng.random() < 0.4:
            return self.rng.choice([key for key in closed if self.alive(key[0])] or [None])
        someone = self._someone()
        return (someone, self.rng.choice(list(FIELDS))) if someone else None

    def flip_dynamics(self, chosen: tuple[str, str] | None = None) -> None:
        chosen = chosen or self._one()
        if chosen is None:
            return
        record_id, name = chosen
        value = self.world.judge.state(record_id)[name][1]
        if self.world.columns.choice and name == CHOSEN and self.rng.random() < 0.25:
            self._unsay(record_id, name)
            return
        out = self.rng.random() < 0.5 if value is None else not value
        known = self.last_said.get(chosen) if value is None else value
        ground = self.world.note_ground(record_id, name, calm=True)
        self.world.dynamics.edit(record_id, {FIELDS[name]: self.world.columns.value(name, out=out)})
        self.learn(record_id)
        self.last_said[chosen] = out
        if out is not known:
            self.world.judge.acted(record_id, name, Side.DYNAMICS, out=out, ground=ground)
        self._did("flip_dynamics", record_id)

    def _unsay(self, record_id: str, name: str) -> None:
        """Somebody sets the choice to what means neither: opted out where the map says so, else nobody's act."""
        before = self.world.judge.state(record_id)[name][1]
        if before is not None:
            self.last_said[record_id, name] = before
        self.world.note_ground(record_id, name, calm=False)
        self.world.dynamics.edit(record_id, {FIELDS[name]: self.rng.choice(NEITHER)})
        self.learn(record_id)
        if before is False and not self.world.columns.hold:
            self.world.judge.acted(record_id, name, Side.DYNAMICS, out=True)
        self._did("unsay", record_id)

    def approve_opt_ins(self) -> None:
        """Somebody lets through what the brake holds."""
        self.world.judge.brake.approve()

    def last_orders(self) -> bool:
        """Everything is at rest and judged; then more opt in and out on settled ground, some while workers die."""
        decided = super().last_orders()
        if not self.world.roomy:
            return decided
        self.world.judge.first_half()
        if self.rng.random() < 0.5:
            self.world.chaos.weather = Weather(0.03, 0.0, 0.0, 0.0)
        for _ in range(len(self.ids)):
            self.rng.choice((self.flip_dynamics, self.flip_campaign))()
            self.world.judge.note_states()
        return True

    def flip_campaign(self, chosen: tuple[str, str] | None = None) -> None:
        chosen = chosen or self._one()
        if chosen is None:
            return
        record_id, name = chosen
        value = self.world.judge.state(record_id)[name][0]
        if value is None:
            return
        ground = self.world.note_ground(record_id, name, calm=True)
        self.world.campaign.edit(record_id, {name: not value})
        self.world.judge.acted(record_id, name, Side.CAMPAIGN, out=not value, ground=ground)
        self._did("flip_campaign", record_id)

    def end(self) -> None:
        """In the end often both directions are permitted: everything made before must arrive."""
        super().end()
        if not self.world.both and self.rng.random() < 0.7:
            self.deploy("both")

    def deploy(self, direction: str = "") -> None:
        """The app is deployed with another direction."""
        world = self.world
        world.use(direction or self.rng.choice(DIRECTIONS), world.policy)
        for process in list(world.processes):
            world.bury(process, replace=False)
            world.start_process()
        world.outcomes["act_deploy"] += 1
        world.note("people", f"deploy {world.direction}")

    def flip_both(self) -> None:
        chosen = self._one()
        if chosen is not None:
            self.flip_dynamics(chosen)
            self.flip_campaign(chosen)
            self.world.note_ground(*chosen, calm=False)

    def flip_and_back(self) -> None:
        """In Campaign, where it moves the time; in Dynamics it would be one state (a stated race)."""
        chosen = self._one()
        if chosen is not None:
            self.flip_campaign(chosen)
            self.flip_campaign(chosen)
            self.world.note_ground(*chosen, calm=False)
