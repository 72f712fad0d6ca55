"""The brake on opt-ins, judged: never more than it allows, never stopped before that, and nothing waits for nobody."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sync.consent_row import Side
from sync.flows.consent_brake import approve_opt_ins
from sync.model import from_iso
from sync.storage.consent_journal import ASKED
from tests.simulation.scenario import MAPPING

if TYPE_CHECKING:
    from tests.simulation.consent.world import ConsentWorld

SIDES = (Side.CAMPAIGN, Side.DYNAMICS)
NEVER = 10_000
FIELDS_OF_A_LOOK = 2


class Brake:
    """Counts what reaches each side; the runs are shorter than the brake's hour."""

    def __init__(self, world: ConsentWorld) -> None:
        self.world = world
        self.landed: Counter[Side] = Counter()
        self.approved: Counter[Side] = Counter()
        """Fields whose opt-in somebody let through, and how often somebody did."""
        self.approvals: Counter[Side] = Counter()
        self.since: dict[Side, float] = {}

    def opted_in(self, side: Side) -> list[str]:
        """A write of ours has removed an opt-out; what is wrong with it."""
        self.landed[side] += 1
        allowed = self.world.opt_in_brake * (1 + self.approvals[side]) + self.approved[side]
        if self.landed[side] <= allowed:
            return []
        return [f"brake: {self.landed[side]} opt-ins in {side}, {allowed} are allowed"]

    def waiting(self, side: Side) -> set[str]:
        """Contacts whose opt-in towards a side is parked."""
        rows = self.world.account.tables["parked"].rows
        return {key[1].partition(":")[2] for key in rows if key[0] == f"consent:{side}"}

    def stopped(self, side: Side) -> bool:
        stored = self.world.account.tables["control"].rows.get((MAPPING, f"optin-{side}"))
        return bool(stored and stored.entity["stopped"])

    def approve(self) -> bool:
        """Somebody lets through whatever waits; whether anything did."""
        sides = [side for side in SIDES if self.stopped(side)]
        self.world.outcomes["brake_stopped"] += len(sides)
        for side in sides:
            self.world.people.begin_task(self._approve(side))
        return bool(sides)

    async def _approve(self, side: Side) -> None:
        self.since[side] = self.world.now()
        self.approvals[side] += 1
        self.approved[side] += FIELDS_OF_A_LOOK * len(self.waiting(side))
        await approve_opt_ins(self.world.person(), MAPPING, side)
        self.world.outcomes["brake_approved"] += 1
        self.world.note("people", f"approve opt-ins in {side}")

    def at_rest(self) -> list[str]:
        """Nothing is parked at an open brake, and it did not close early (where no crash makes it count too much)."""
        wrong = []
        weather = self.world.scenario.weather
        for side in SIDES:
            stopped, waiting = self.stopped(side), self.waiting(side)
            if waiting and not stopped:
                wrong.append(f"brake: opt-ins of {sorted(waiting)} in {side} wait, and nobody is asked")
            self.world.outcomes["brake_stopped"] += stopped
            if weather.crash or weather.storage or not stopped:
                continue
            if self._asked(side) + FIELDS_OF_A_LOOK <= self.world.opt_in_brake:
                wrong.append(f"brake: {side} stopped after {self._asked(side)} opt-ins")
        return wrong

    def _asked(self, side: Side) -> int:
        """Opt-ins announced in the journal since the last approval."""
        lines = [stored.entity for stored in self.world.account.tables["consentjournal"].rows.values()]
        return sum(
            (line["wrote"], line["decided"], line["outcome"]) == (side, "in", ASKED)
            and from_iso(str(line["at"])) >= self.since.get(side, 0.0) - self.world.settings.skew_s
            for line in lines
        )
