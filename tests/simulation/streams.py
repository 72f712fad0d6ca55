"""Golden streams: named scenarios in `tests/streams/*.jsonl`, one step a line, without chance (issue 3, section 6).

A step is `{"do": <verb>, ...}`; the verbs are the methods of `Stage`. What is expected is written by hand in the file.
"""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from sync.flows.rebaseline import rebaseline
from sync.model import State
from sync.storage.memory import _Message
from tests.simulation.chaos import CALM
from tests.simulation.course import finished
from tests.simulation.drift_steps import DriftSteps
from tests.simulation.oracle import SmallMapping
from tests.simulation.people import unchanged
from tests.simulation.process import Process
from tests.simulation.scenario import MAPPING, Scenario
from tests.simulation.violation import Violation
from tests.simulation.world import World

FOLDER = Path(__file__).parents[1] / "streams"
WORKED = ("control", "control-poison", "live", "live-poison", "backfill", "backfill-poison")

SCENARIO = Scenario(
    seed=0,
    special="",
    weather=CALM,
    processes=1,
    contacts=0,
    length_s=0.0,
    tick_s=1.0,
    acts=0,
    addressing="key",
    delete_by_key=False,
    anchor="first",
    recreated="both",
    dynamics_skew=0.0,
    lease_s=10.0,
    page_size=1,
    chunk=2,
    limit=4000,
    window_s=300.0,
    burst=100,
    brake_min=50,
    concurrency=16,
    first_mapping=SmallMapping(),
)


def names(folder: Path = FOLDER) -> list[str]:
    """The streams there are."""
    return sorted(path.stem for path in folder.glob("*.jsonl"))


def play(name: str, stage: Stage | None = None, folder: Path = FOLDER) -> str:
    """Play a stream; what is wrong, or ""."""
    lines = (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    steps = [json.loads(line) for line in lines if line.strip()]
    stage = stage or Stage()
    done = 0
    try:
        for step in [*steps, {"do": "at_rest"}]:
            stage.step(step)
            done += 1
    except Violation as wrong:
        return f"{name}, step {done + 1}: {wrong}"
    finally:
        stage.world.throw_away()
        stage.world.loop.close()
    return ""


class Stage(DriftSteps):
    """A world in which nothing happens unless a step says so."""

    worked: tuple[str, ...] = WORKED

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World(SCENARIO)
        self.world.rng = random.Random(1)
        for queue in self.world.account.queues.values():
            queue.messages = []
        self.process: Process = self.world.start_process()
        self.aside: dict[str, tuple[str, list[_Message]]] = {}
        self.ids: dict[str, str] = {}
        self.invocations = 0
        self.begun: list[asyncio.Task[None]] = []
        self.mends = []

    def step(self, step: dict[str, Any]) -> None:
        """One line of a stream."""
        arguments = {"called" if name == "as" else name: value for name, value in step.items()}
        verb = getattr(self, arguments.pop("do"))
        self.world.loop.run_until_complete(verb(**arguments))
        wrong = [*self.world.witness.violations, *self.world.host.unexpected]
        if wrong:
            raise Violation(wrong[0])

    def _id(self, name: str) -> str:
        if name not in self.ids:
            number = len(self.ids) + 1
            self.ids[name] = f"{number:08x}-0000-4000-8000-{ord(name[0]):012x}"
            self.world.people.ids.append(self.ids[name])
        return self.ids[name]

    # -- people -----------------------------------------------------------------------------------------------------

    async def create(self, id: str, **values: Any) -> None:
        """A contact appears, or appears again."""
        self.world.dynamics.seed([{"contactid": self._id(id), **values}])
        self.world.people.learn(self._id(id))

    async def edit(self, id: str, **values: Any) -> None:
        self.world.dynamics.edit(self._id(id), values)
        self.world.people.learn(self._id(id))

    async def delete(self, id: str) -> None:
        self.world.people.delete(self._id(id))

    async def merge(self, winner: str, loser: str) -> None:
        self.world.dynamics.merge(self._id(winner), self._id(loser))
        self.world.people.learn(self._id(winner))
        self.world.people.learn(self._id(loser))

    async def erase(self, id: str) -> None:
        """Somebody deletes the profile in Campaign."""
        self.world.campaign.delete(self._id(id))

    async def edit_profile(self, id: str, **values: Any) -> None:
        """Somebody edits the profile in Campaign."""
        self.world.campaign.edit(self._id(id), values)

    async def compare(self, heal: bool = True, delete_extras: bool = False) -> None:
        """Somebody compares everything with Campaign."""
        self.world.people.reconcile(heal=heal, delete_extras=delete_extras)

    async def block(self, id: str) -> None:
        """Somebody blocks a person and waits for the command."""
        self.world.witness.blocked[self._id(id)] = float("inf")
        await self.world.people.block_now(self._id(id))

    async def pause(self, part: str) -> None:
        await self.world.person().pauses.pause(MAPPING, [part], "stream", "")

    async def resume(self) -> None:
        """Everything goes on; what waited is brought back by the timers that follow."""
        self.world.people.resume()
        await self.world.wait(10.0)

    async def rebaseline(self, mapping: str = MAPPING) -> None:
        """Somebody begins another epoch, in the same environment."""
        person = self.world.person()
        await rebaseline(person, unchanged(await person.watermarks.progress(mapping)))
        self.world.people.rebaselined = True

    async def lose(self, queue: str) -> None:
        """All messages of a queue are lost."""
        self.world.account.queues[queue].messages.clear()

    async def mapping(self, **changes: Any) -> None:
        """Another mapping version is activated."""
        self.world.people.use(SmallMapping(**changes), "mapping")

    async def relabel(self, labels: str) -> None:
        """An admin calls the genders something else."""
        self.world.people.relabel(labels)

    async def dynamics(self, anchor: str = "", recreated: str = "", expire: bool = False) -> None:
        """Choices of the look-alike, or all its delta tokens expire."""
        if anchor:
            self.world.dynamics.anchor(anchor)
        if recreated:
            self.world.dynamics.recreated(recreated)
        if expire:
            self.world.dynamics.expire_token()

    async def brake(self, least: int) -> None:
        """The app is redeployed with another delete brake."""
        self.world.settings = self.world.settings.model_copy(update={"delete_brake_min": least})
        self.world.bury(self.process, replace=False)
        self.process = self.world.start_process()

    async def limits(self, calls: int, window_s: float, burst: int) -> None:
        """The app is redeployed with another rate limit of Campaign; one record a chunk."""
        limits = {"campaign_limit": calls, "campaign_window_s": window_s, "campaign_burst": burst}
        self.world.scenario = replace(
            self.world.scenario, limit=calls, window_s=window_s, burst=burst, chunk=1
        )
        self.world.witness.sent.clear()
        self.world.settings = self.world.settings.model_copy(update={**limits, "chunk_records": 1})
        self.world.account.tables["budget"].rows.clear()
        self.world.account.tables["budget"].keys.clear()
        self.world.bury(self.process, replace=False)
        self.process = self.world.start_process()

    async def probing(self, mode: str) -> None:
        """The app is redeployed to find out how Campaign addresses records, which is by `mode`."""
        self.world.campaign.change_options(addressing=mode)
        self.world.scenario = replace(self.world.scenario, probing=True)
        self.world.bury(self.process, replace=False)
        self.process = self.world.start_process()

    async def lease(self, s: float) -> None:
        """The app is redeployed with another message lease."""
        self.world.settings = self.world.settings.model_copy(update={"message_lease_s": s})
        self.world.bury(self.process, replace=False)
        self.process = self.world.start_process()

    async def approve(self) -> None:
        """Every braked delete is let through."""
        self.world.people.approve_deletes()

    # -- the host ---------------------------------------------------------------------------------------------------

    async def advance(self, s: float) -> None:
        await self.world.wait(s)

    async def pull(self, dies: str = "") -> None:
        """One tick; `dies`: where its worker dies."""
        self.world.chaos.death = dies
        await self._run(self.world.host.timer(self.process, "pull_changes"))

    async def feed(self) -> None:
        await self._run(self.world.host.timer(self.process, "feed_backfill"))

    async def wake(self) -> None:
        await self._run(self.world.host.timer(self.process, "wake_parked"))

    async def work(
        self, queue: str, most: int = 1000, dies: str = "", fate: str = "", keep: bool = False
    ) -> None:
        """Deliver what is visible in a queue now; `dies`: where the worker dies at the first message; `fate`: what
        befalls the first call; `keep`: the messages stay (their deletion was lost)."""
        messages = self.world.account.queues[queue].messages
        due = [message for message in messages if message.visible_at <= self.world.now()][:most]
        self.world.chaos.death = dies
        self.world.fate_once = fate
        for message in due:
            message.dequeue_count += 1
            self.invocations += 1
            process = self.process
            await self._run(
                self.world.host.call(
                    process, queue, message.body, message.dequeue_count, f"i{self.invocations}"
                )
            )
            if process.alive and not keep:
                messages[:] = [held for held in messages if held is not message]

    async def work_together(self, queue: str) -> None:
        """Deliver all messages of a queue at once to one worker, the last ones first."""
        messages = self.world.account.queues[queue].messages
        for message in reversed(messages):
            self.invocations += 1
            work = self.world.host.call(self.process, queue, message.body, 1, f"i{self.invocations}")
            self.begun.append(self.process.spawn(work))
        messages.clear()
        await self.finish()

    async def _run(self, work: Any) -> None:
        """Until it is done or its process is dead; then there is another process."""
        process = self.process
        task = process.spawn(work)
        while not task.done() and process.alive:
            await self.world.wait(0.01)
        if not process.alive:
            self.process = self.world.start_process()
        elif task.exception() is not None:
            raise Violation(f"{type(task.exception()).__name__}: {task.exception()}")

    async def begin(self, queue: str, fate: str) -> None:
        """Deliver the first message and go on when its first call, which meets `fate`, has left."""
        message = self._first(queue)
        self.world.fate_once = fate
        self.invocations += 1
        work = self.world.host.call(self.process, queue, message.body, 1, f"i{self.invocations}")
        self.begun.append(self.process.spawn(work))
        while self.world.fate_once and not self.begun[-1].done():
            await self.world.wait(0.01)
        self.world.fate_once = ""

    def _first(self, queue: str) -> _Message:
        """Take the first message out of a queue."""
        messages = self.world.account.queues[queue].messages
        if not messages:
            raise Violation(f"nothing waits in {queue}")
        return messages.pop(0)

    async def finish(self) -> None:
        """Until what was begun is done."""
        while not all(task.done() for task in self.begun):
            await self.world.wait(0.01)
        self.begun.clear()

    async def set_aside(self, queue: str, called: str) -> None:
        """All messages of a queue are delayed."""
        messages = self.world.account.queues[queue].messages
        self.aside[called] = (queue, list(messages))
        messages.clear()

    async def bring_back(self, called: str) -> None:
        """The delayed messages arrive."""
        queue, messages = self.aside.pop(called)
        self.world.account.queues[queue].messages.extend(messages)

    async def settle(self, pull: bool = True) -> None:
        """Everything runs until nothing is left to do."""
        quiet = 0
        for _ in range(400):
            busy = [name for name in self.worked if self.world.account.queues[name].messages]
            held = bool(self.world.account.queues["backfill-hold"].messages)
            for name in busy:
                await self.work(name)
            if held:
                await self.feed()
            if busy or held:
                quiet = 0
            elif not pull or quiet == 2:
                return
            else:
                await self.pull()
                quiet = quiet + 1 if finished(self.world) else 0
            visible = [m.visible_at for name in busy for m in self.world.account.queues[name].messages]
            await self.world.wait(max(min(visible, default=0.0) - self.world.now(), 1.0))
        raise Violation("it does not come to rest")

    # -- what must be true --------------------------------------------------------------------------------------------

    async def expect(self, **profiles: dict[str, str]) -> None:
        """Exactly these profiles, with these values."""
        shown = {profile["externalId"]: profile for profile in self.world.campaign.dump()}
        wanted = {self._id(name): values for name, values in profiles.items()}
        if set(shown) != set(wanted):
            raise Violation(f"profiles {sorted(shown)} instead of {sorted(wanted)}")
        for record_id, values in wanted.items():
            for name, value in values.items():
                if shown[record_id][name] != value:
                    raise Violation(f"{record_id} {name} is {shown[record_id][name]!r}, not {value!r}")

    async def expect_state(self, id: str, state: str, code: str = "") -> None:
        """The state of a ledger row."""
        row = self.world.ledger_rows().get(self._id(id))
        found = (row.state, row.code) if row else (None, "")
        if found != (State(state), code):
            raise Violation(f"{id} is {found}, not {state} {code}")

    async def expect_heir(self, id: str, heir: str) -> None:
        """Into whom a contact was merged, as far as its ledger row says."""
        row = self.world.ledger_rows()[self._id(id)]
        if row.heir != (self._id(heir) if heir else ""):
            raise Violation(f"{id} went into {row.heir or 'nobody'}")

    async def expect_writes(self, id: str, writes: list[str]) -> None:
        """Every successful write of a record so far."""
        found = self.world.witness.writes.get(self._id(id), [])
        if found != writes:
            raise Violation(f"{id} was written {found}, not {writes}")

    async def at_rest(self) -> None:
        """The end: everything settles, and all invariants hold."""
        await self.settle()
        self.world.check()
