"""The whole history of who opted out and in where, and the judgement of every write by it.

Two things must hold (I4). *Never undone*: a write of ours that opts a side in needs an opt-in that a person made on the
other side after the last opt-out on this one. *At rest* both sides are the same (where both may be written), and opted
out if that was the last act. Exempt, by their exact definitions, and counted:

    flip      flipped and flipped back in Dynamics between two looks
    between   an act between our two reads
    late      an act in Campaign between our read and our write

A contact's or a profile's creation is no act; what a deletion took away no longer counts.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.wire import Request, Response
from sync.consent_row import Side
from sync.flows.consent_record import LOST
from tests.simulation.consent.books import Books
from tests.simulation.consent.brake import Brake
from tests.simulation.consent.columns import FIELDS
from tests.simulation.consent.looks import Look, Looks
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.consent.world import ConsentWorld

_CONTACT = re.compile(r"contactid(?:%20|\s)eq(?:%20|\s)([0-9a-f-]{36})")
LOST_RULES = {rule.value for rule in LOST}
NAMES = {*FIELDS, *FIELDS.values()}
Key = tuple[str, str]
"""Record and Campaign's field."""


@dataclass(frozen=True, slots=True)
class Act:
    """What a person did to a field."""

    side: Side
    out: bool
    at: float
    turn: int
    """Acts in the order they were made; two may have the same time."""


@dataclass
class Record:
    """What is known of one contact."""

    acts: dict[str, list[Act]] = field(default_factory=dict)
    gone_opt_ins: list[tuple[str, Act, float]] = field(default_factory=list)
    """Opt-ins of contacts deleted since, and when: a look that read before may still act on them."""
    created: dict[str, float] = field(default_factory=dict)
    """By field: when a create that agreed on it read Dynamics, at the latest."""
    races: set[str] = field(default_factory=set)
    """Fields of which a race was met: at rest they are counted, not judged."""


class Judge:
    """Watches both services."""

    def __init__(self, world: ConsentWorld) -> None:
        self.world = world
        self.records: dict[str, Record] = {}
        self.violations: list[str] = []
        self.counts: Counter[str] = Counter()
        self.looks = Looks(world.now, self._race, self._created)
        self.books = Books(world)
        self.brake = Brake(world)
        self.decided: set[Key] = set()
        """Contacts and fields that said something at one time: what was read then may be written later."""
        self.turn = 0
        self.before: dict[Key, tuple[bool | None, bool | None]] = {}

    def of(self, record_id: str) -> Record:
        return self.records.setdefault(record_id, Record())

    # -- what people do ----------------------------------------------------------------------------------------------

    def acted(self, record_id: str, name: str, side: Side, *, out: bool, ground: bool = False) -> None:
        """A person changed a field on one side; `ground`: when both sides and the row agreed."""
        record = self.of(record_id)
        if ground:
            # Both sides and the row agreed: what was before is over, races included.
            record.acts.pop(name, None)
            record.races.discard(name)
            self.counts["act_on_settled_ground"] += 1
        self.turn += 1
        record.acts.setdefault(name, []).append(Act(side, out, self.world.now(), self.turn))
        self.looks.acted(record_id, name, side)
        if side is Side.DYNAMICS:
            last = max(self.looks.recorded.get(record_id, 0.0), record.created.get(name, 0.0))
            if last and sum(act.side is side and act.at > last for act in record.acts[name]) >= 2:
                self._race(record_id, name, "flip")
        self.counts[f"act_{side}_{'out' if out else 'in'}"] += 1

    def _created(self, record_id: str, fields: dict[str, list[Any]]) -> None:
        """A create agreed on what it had read of Dynamics, perhaps long before: when Dynamics last said so."""
        record = self.of(record_id)
        for name, (value, *_) in fields.items():
            acts = [act for act in record.acts.get(name, []) if act.side is Side.DYNAMICS]
            since = acts[-1].at - 1e-6 if acts and acts[-1].out is not value else self.world.now()
            record.created[name] = since

    def _race(self, record_id: str, name: str, kind: str) -> None:
        """One of the three windows that no client can close was met."""
        self.counts[f"race_{kind}"] += 1
        self.of(record_id).races.add(name)

    def gone(self, record_id: str, side: Side) -> None:
        """A record was deleted on one side: what was done there is gone with it."""
        record = self.of(record_id)
        for name, acts in record.acts.items():
            record.gone_opt_ins += [
                (name, act, self.world.now()) for act in acts if act.side is side and not act.out
            ]
            record.acts[name] = [act for act in acts if act.side is not side]

    # -- what reaches the services ---------------------------------------------------------------------------------

    def landed(self, process: str, system: str, request: Request, response: Response, *, heard: bool) -> None:
        """A request was worked by a service; `heard`: its sender gets the answer."""
        if "token" in request.target and request.method == "POST":
            return
        if request.method != "GET":
            self._compare(process, system, request, taken=200 <= response.status < 300)
        elif heard:
            self._read(process, system, request.target)

    def _read(self, process: str, system: str, target: str) -> None:
        if system == "dynamics":
            ids = _CONTACT.findall(target)
            if len(ids) == 1 and "createdon" in target and "lastname" not in target:
                self.looks.read(process, ids[0], Side.DYNAMICS)
            return
        self.looks.read(
            process, target.partition("externalId_parameter=")[2] or target.rpartition("/")[2], Side.CAMPAIGN
        )

    def state(self, record_id: str) -> dict[str, tuple[bool | None, bool | None]]:
        """Both sides now, by field; None where a record is missing."""
        contact = self.world.dynamics.organization.tables["contact"].rows.get(record_id)
        row = next(iter(self.world.campaign.engine.tables["profile"].find("externalId", record_id)), None)
        values = row.values if row else None
        return {
            name: (
                None if values is None else bool(values.get(name, False)),
                None if contact is None else self.world.columns.out(name, contact),
            )
            for name in FIELDS
        }

    def note_states(self) -> None:
        """Remember how everything is (after a person's act)."""
        for record_id in self.world.people.ids:
            for name, both in self.state(record_id).items():
                self.before[record_id, name] = both
                if both[1] is not None:
                    self.decided.add((record_id, name))

    def _compare(self, process: str, system: str, request: Request, *, taken: bool) -> None:
        """What a write of ours changed, if it was `taken`."""
        side = Side.DYNAMICS if system == "dynamics" else Side.CAMPAIGN
        body = _body(request)
        of_a_look = request.method == "PATCH" and bool(body) and set(body) <= NAMES
        if taken and request.method == "POST":
            self._posted(self.books.record_of(side, request), body)
        if taken and not NAMES.isdisjoint(body):
            self.books.landed(self.looks.run(process, self.books.record_of(side, request)), side, request)
        for record_id in self.world.people.ids:
            for name, both in self.state(record_id).items():
                was, self.before[record_id, name] = self.before.get((record_id, name), (None, None)), both
                at = 0 if side is Side.CAMPAIGN else 1
                if was[0] is not None and both[0] is None:
                    self.gone(record_id, Side.CAMPAIGN)
                if was[at] == both[at]:
                    continue
                self.counts[f"wrote_{side}_{both[at]}"] += 1
                if self.world.witness.frozen:
                    self.violations.append(f"I8: {side} of {record_id} written in a synced system")
                if of_a_look and not self.world.scenario_permits(side):
                    self.violations.append(f"{side} of {record_id} written against the direction")
                look = self.looks.wrote(process, record_id, name, side) if of_a_look else None
                if was[at] is True and both[at] is False:
                    self._opted_in(record_id, name, side, look)

    def _posted(self, record_id: str, body: dict[str, object]) -> None:
        """A profile was created: with its consent, and only once somebody decided it."""
        if not self.world.carried or record_id not in self.world.people.ids:
            return
        for name in FIELDS:
            if name not in body:
                self.violations.append(f"I4: {record_id} created without {name}")
            elif (record_id, name) not in self.decided:
                self.violations.append(f"I4: {record_id} created, and nobody decided {name}")

    def _opted_in(self, record_id: str, name: str, side: Side, look: Look | None) -> None:
        """A write of ours removed an opt-out: only a later opt-in on the other side allows it."""
        if look is not None:
            self.violations += self.brake.opted_in(side)
        record = self.of(record_id)
        acts = record.acts.get(name, [])
        last_out = max((act.turn for act in acts if act.side is side and act.out), default=0)
        opt_ins = [act.turn for act in acts if act.side is not side and not act.out]
        read_at = min(look.dynamics, look.campaign) if look else float("inf")
        opt_ins += [
            act.turn
            for gone, act, at in record.gone_opt_ins
            if gone == name and act.side is not side and read_at <= at
        ]
        if opt_ins and max(opt_ins) > last_out:
            return
        if name in record.races:
            self.counts["exempt_undone"] += 1
            return
        told = ", ".join(f"{act.side} {'out' if act.out else 'in'} {act.at - self.start:.2f}" for act in acts)
        read = (
            f"read at {look.dynamics - self.start:.2f} and {look.campaign - self.start:.2f}" if look else ""
        )
        at = self.world.now() - self.start
        self.violations.append(f"I4: {side} of {record_id} {name} opted in at {at:.2f}, {read}; acts: {told}")

    @property
    def start(self) -> float:
        return self.world.now() - self.world.loop.virtual

    # -- the end ------------------------------------------------------------------------------------------------------

    def first_half(self) -> None:
        """Judge what was until now, and begin anew where both sides say the same; raises Violation."""
        wrong = self.at_rest()
        if wrong:
            raise Violation("; ".join(wrong[:4]))
        for record_id, record in self.records.items():
            for name, (campaign, dynamics) in self.state(record_id).items():
                if campaign == dynamics:
                    record.acts.pop(name, None)
                    record.races.discard(name)

    def at_rest(self) -> list[str]:
        """What is wrong when everything has come to rest."""
        wrong = [*self.violations, *self.books.at_rest(), *self.brake.at_rest()]
        for record_id in self.world.people.ids:
            for name, (campaign, dynamics) in self.state(record_id).items():
                if campaign is None or dynamics is None or self._merged(record_id):
                    continue
                wrong += self._field(record_id, name, campaign, dynamics)
        return wrong

    def _merged(self, record_id: str) -> bool:
        """Whether another contact took this one's place: its profile is deleted, perhaps after an approval."""
        contact = self.world.dynamics.organization.tables["contact"].rows.get(record_id, {})
        return bool(contact.get("merged"))

    def _field(self, record_id: str, name: str, campaign: bool, dynamics: bool) -> list[str]:
        if self.world.both and campaign != dynamics:
            if record_id in self.brake.waiting(Side.DYNAMICS if dynamics else Side.CAMPAIGN):
                self.counts["brake_kept"] += 1
                return []
            return [f"I4: {record_id} {name}: Campaign {campaign}, Dynamics {dynamics}"]
        record = self.of(record_id)
        acts = record.acts.get(name, [])
        if not acts:
            return []
        last = acts[-1]
        value = campaign if last.side is Side.CAMPAIGN else dynamics
        if name in record.races:
            self.counts[f"exempt_{'kept' if value == last.out else 'lost'}"] += 1
            return []
        if last.out and not (campaign if last.side is Side.CAMPAIGN else dynamics):
            return [f"I4: {record_id} {name}: the opt-out in {last.side} was undone"]
        if last.out and self.world.both and not (campaign and dynamics):
            return [f"I4: {record_id} {name}: the opt-out in {last.side} did not arrive"]
        if not last.out and self.world.both:
            return self._opt_in_at_rest(record_id, name, last, arrived=not (campaign or dynamics))
        return []

    def _opt_in_at_rest(self, record_id: str, name: str, last: Act, *, arrived: bool) -> list[str]:
        """Liveness: made on settled ground it arrives; one that was lost all the same is in the journal with why."""
        self.counts["opt_in_arrived" if arrived else "opt_in_lost"] += 1
        if arrived:
            return []
        ground = self.world.settled_opt_ins.get(record_id, {}).get(name, "")
        what = f"{record_id} {name}: an opt-in in {last.side}"
        if ground == "calm":
            return [f"liveness: {what} on settled ground did not arrive"]
        rules = self.books.opted_out_since(record_id, name, last.at)
        if not (rules & LOST_RULES if ground else rules):
            return [f"liveness: {what} was lost ({ground or 'no'} settled ground), journal: {sorted(rules)}"]
        return []


def _body(request: Request) -> dict[str, object]:
    try:
        told = json.loads(request.body or b"{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
