"""Golden streams of parents and children: `tests/streams/entities/*.jsonl`, steps as in tests/simulation/streams.py.

Records are named `orders:1`; lookups by the words of `LOOKUPS`. All four tables are there. A stream may begin with
`{"do": "rules", ...}`: what becomes of orders and lines whose parent is deleted (else hold), or that are deleted
themselves. A deleted row's lookups stay as they are in Dynamics.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from sync.model import State
from tests.simulation import streams
from tests.simulation.entities import cast
from tests.simulation.entities.people import Who
from tests.simulation.entities.world import EntityWorld
from tests.simulation.violation import Violation

FOLDER = streams.FOLDER / "entities"
LOOKUPS = {
    "parent": cast.PARENT,
    "primary": cast.PRIMARY,
    "employer": cast.EMPLOYER,
    "customer": cast.CUSTOMER,
    "payer": cast.PAYER,
    "order": cast.ORDER,
    "part_of": cast.PART_OF,
}


def names() -> list[str]:
    """The streams there are."""
    return streams.names(FOLDER)


def play(name: str) -> str:
    """Play a stream; what is wrong, or ""."""
    return streams.play(name, EntityStage(), FOLDER)


class StreamWorld(EntityWorld):
    """Without chance: every table and link."""

    def __init__(self) -> None:
        super().__init__(0, scenario=replace(streams.SCENARIO, page_size=5))
        self.play_with("hold")
        self.stop_at: tuple[str, int] = ("", 0)
        self.stopped: asyncio.Future[None] | None = None

    async def at_effect(self, effect: str) -> None:
        """The worker that comes to the effect to stop at waits there until it may go on."""
        name, left = self.stop_at
        if effect != name:
            return
        self.stop_at = (name, left - 1) if left > 1 else ("", 0)
        if left == 1:
            self.stopped = self.loop.create_future()
            await self.stopped

    def play_with(self, rule: str, marks: str = "") -> None:
        """The cast, with this rule for required links; `marks`: what orders and lines carry instead of a delete."""
        ties = {
            cast.ACCOUNTS: (replace(cast.PRIMARY, rule="clear"), cast.PARENT),
            cast.CONTACTS: (cast.EMPLOYER,),
            cast.ORDERS: (replace(cast.CUSTOMER, rule=rule), replace(cast.PAYER, rule="clear")),
            cast.LINES: (replace(cast.ORDER, rule=rule), replace(cast.PART_OF, rule="clear")),
        }
        marked = {cast.ORDERS: marks, cast.LINES: marks}
        self.cast = self.first = tuple(
            replace(role, ties=told, marks=marked.get(role, "")) for role, told in ties.items()
        )
        self.names = tuple(role.name for role in self.cast)
        for rows in self.dynamics.organization.tables.values():
            rows.pointing = []


class EntityStage(streams.Stage):
    """Accounts, contacts, orders and lines, step by step."""

    world: StreamWorld

    def __init__(self) -> None:
        super().__init__(StreamWorld())

    async def rules(self, required: str = "hold", marks: str = "") -> None:
        """The rule of required links, and what marks orders and lines instead of a delete; before anything else."""
        self.world.play_with(required, marks)
        self.world.bury(self.process, replace=False)
        self.process = self.world.start_process()

    def _who(self, name: str) -> Who:
        mapping, _, number = name.partition(":")
        who = (mapping, f"{ord(mapping[0]):08x}-0000-4000-8000-{int(number):012x}")
        if who not in self.world.people.everybody:
            self.world.people.everybody.append(who)
        return who

    def _named(self, who: Who) -> str:
        return f"{who[0]}:{int(who[1][-12:])}"

    def _row(self, who: Who, values: dict[str, Any]) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for name, value in values.items():
            if name in LOOKUPS:
                row[LOOKUPS[name].source] = self._who(value)[1] if value else None
            else:
                row[self.world.role(who[0]).column] = value
        return row

    # -- people -----------------------------------------------------------------------------------------------------

    async def create(self, id: str, **values: Any) -> None:
        """A record appears, or appears again."""
        who = self._who(id)
        role = self.world.role(who[0])
        record = {role.key: who[1], role.column: "one", **self._row(who, values)}
        if role.name == "contacts":
            record["lastname"] = "x"
        self.world.dynamics.seed([record], table=role.table)
        self.world.people.learn_all()

    async def edit(self, id: str, **values: Any) -> None:
        who = self._who(id)
        self.world.dynamics.edit(who[1], self._row(who, values), table=self.world.role(who[0]).table)
        self.world.people.learn_all()

    async def delete(self, id: str) -> None:
        self.world.people.delete(self._who(id))

    async def rebaseline(self, mapping: str = "contacts") -> None:
        await super().rebaseline(mapping)
        self.world.people.rare.rebaselined.add(mapping)

    async def compare(self, heal: bool = True, delete_extras: bool = True) -> None:
        """Somebody compares all mappings with Campaign."""
        self.world.people.rare.compare(delete_extras=delete_extras, heal=heal)

    # -- the host ---------------------------------------------------------------------------------------------------

    async def stop(self, queue: str, effect: str, nth: int = 1) -> None:
        """Deliver the first message and stop its worker before the `nth` such storage effect."""
        message = self._first(queue)
        self.taken = (queue, message)
        self.world.stop_at = (effect, nth)
        self.invocations += 1
        work = self.world.host.call(self.process, queue, message.body, 1, f"i{self.invocations}")
        self.begun.append(self.process.spawn(work))
        while self.world.stopped is None:
            if self.begun[-1].done():
                raise Violation(f"it never came to {effect} for the {nth}. time")
            await self.world.wait(0.01)

    async def go(self) -> None:
        """The stopped worker goes on, and ends."""
        assert self.world.stopped is not None
        self.world.stopped.set_result(None)
        self.world.stopped = None
        await self.finish()

    async def die(self) -> None:
        """The stopped worker dies there; its message is delivered again."""
        self.world.bury(self.process, replace=False)
        self.process = self.world.start_process()
        queue, message = self.taken
        message.dequeue_count = 1
        self.world.account.queues[queue].messages.append(message)
        self.world.stopped = None
        self.begun.clear()

    # -- what must be true --------------------------------------------------------------------------------------------

    async def expect(self, **records: dict[str, str]) -> None:
        """Exactly these records in Campaign, with these links ("" for none)."""
        found = {
            self._named((role.name, record_id)): (role, record)
            for role in self.world.cast
            for record_id, record in self.world.held(role).items()
        }
        if set(found) != set(records):
            raise Violation(f"records {sorted(found)} instead of {sorted(records)}")
        for name, links in records.items():
            for word, other in links.items():
                shown = found[name][1][LOOKUPS[word].target]
                wanted = self._who(other)[1] if other else ""
                if shown != wanted:
                    raise Violation(f"{name} {word} is {shown!r}, not {wanted!r}")

    async def expect_state(self, id: str, state: str, code: str = "") -> None:
        who = self._who(id)
        row = self.world.rows(who[0]).get(who[1])
        found = (row.state, row.code) if row else (None, "")
        if found != (State(state), code):
            raise Violation(f"{id} is {found}, not {state} {code}")

    async def expect_writes(
        self, id: str = "", writes: list[str] | None = None, any_order: bool = False
    ) -> None:
        """Every write so far, in order, as `create contacts:1`."""
        found = [f"{verb} {self._named((name, key))}" for verb, name, key in self.world.witness.landed]
        if (sorted(found) != sorted(writes or [])) if any_order else found != writes:
            raise Violation(f"written {found}, not {writes}")
