"""The demo from start to verdict: load, two rounds of life, compare."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.demo.dry_run import planned
from sandbox.demo.entities import Entities, customers
from sandbox.demo.report import Report
from sandbox.demo.result import Result, take_result
from sandbox.demo.stack import Stack
from sandbox.demo.story import TICK_S, Story, make_story, spread
from sandbox.demo.tenant import make_tenant

LIMIT = 60_000
"""Campaign calls in 5 minutes that the demo allows itself; shipped are 4,000."""
STILL_S = 120.0
"""So long without any progress ends the wait: the comparison then says what is missing."""
SHOW_S = 3.0


class Stuck(RuntimeError):
    """The function app ended by itself."""


@dataclass
class Demo:
    """One run over one stack."""

    stack: Stack
    report: Report
    story: Story
    loaded: list[str]
    entities: Entities

    def play(self) -> Result:
        """All of it; the stack keeps running."""
        self._load()
        self._round("People at work: edits, new contacts, deletes", self.story.first_round())
        acts = self.story.second_round() + self.entities.second_round()
        self._round("More: edited back, created again, mended, deactivated", acts)
        result = take_result(self.stack, self.story, self.loaded, self.entities.outcome())
        self._plan()
        return result

    def _load(self) -> None:
        self.report.title("First load")
        self.story.seed()
        good, bad = len(self.loaded), len(self.story.bad)
        self.report.line(
            f"{good + bad} contacts in Dynamics, {bad} of them with data that Campaign cannot take"
        )
        self.entities.seed()
        began = time.time()
        self.stack.start_host()
        self.report.line("function app started; waiting for the first tick of its schedule")
        self.report.line(self.entities.activate())
        self._settle(began, good)
        self.report.line(f"loaded {self._profiles()} profiles in {time.time() - began:.0f} s")
        self.report.line(self.entities.loaded())

    def _plan(self) -> None:
        """After everything was counted: a plan reads Campaign too."""
        self.report.title("A dry run: `mappings plan` of an edit that is not active, on 20 contacts")
        for line in planned(self.stack):
            self.report.line(line)

    def _round(self, title: str, acts: list[Callable[[], str]]) -> None:
        self.report.title(title)
        self.story.begin_round()
        did = Counter[str]()
        shown = time.monotonic()
        for what in spread(acts, TICK_S):
            did[what.split(" ")[0]] += 1
            if time.monotonic() - shown >= SHOW_S:
                self.report.line(f"{did.total()} of {len(acts)} changes made, last: {what}")
                shown = time.monotonic()
        self.report.line(
            f"{did.total()} changes made: " + ", ".join(f"{n} {what}" for what, n in did.items())
        )
        self._settle(max(self.story.calm, time.time()), None)
        self.report.line(f"all of them worked; {self._profiles()} profiles")

    def _profiles(self) -> int:
        return len(self.stack.campaign.records())

    def _settle(self, since: float, goal: int | None) -> None:
        """Waits until a pull that began after `since` has been worked: all queues are empty, twice in a row.

        `health` only paces this; the verdict comes from both sides' records.
        """
        still = shown = time.monotonic()
        last: object = None
        quiet = 0
        while quiet < 2:
            time.sleep(0.25)
            if ended := self.stack.ended():
                raise Stuck(ended)
            calls = self.stack.campaign.log(10**9)[1]
            waiting = self.stack.storage.waiting()
            pulled = self.stack.pulled_at() > since + 0.5
            quiet = quiet + 1 if pulled and not waiting else 0
            if (calls, waiting) != last:
                last, still = (calls, waiting), time.monotonic()
            if time.monotonic() - still > STILL_S:
                self.report.line(f"no progress for {STILL_S:.0f} s, still waiting: {waiting}")
                return
            if time.monotonic() - shown >= SHOW_S:
                self.report.line(self._progress(goal, waiting, pulled=pulled))
                shown = time.monotonic()

    def _progress(self, goal: int | None, waiting: dict[str, int], *, pulled: bool) -> str:
        done = (
            f"{self._profiles()} of {goal} profiles" if goal is not None else f"{self._profiles()} profiles"
        )
        if waiting:
            return f"{done}; messages: " + ", ".join(f"{name} {count}" for name, count in waiting.items())
        return f"{done}; " + ("finishing" if pulled else f"the next tick comes within {TICK_S} s")


def prepare(stack: Stack, report: Report, *, contacts: int, seed: int) -> Demo:
    """A demo with a fresh tenant; nothing has happened yet."""
    rng = random.Random(seed)
    tenant = make_tenant(contacts, rng)
    story = make_story(stack.dynamics, tenant, rng)
    entities = Entities(stack, random.Random(seed))
    entities.make(customers(tenant))
    return Demo(stack, report, story, [c.id for c in story.contacts.values() if not c.code], entities)
