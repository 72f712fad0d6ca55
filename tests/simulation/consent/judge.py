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

if TYPE_CHECKING:
    from tests.simulation.consent.world import ConsentWorld

FIELDS = {"blackListEmail": "donotbulkemail", "blackListPhone": "donotphone"}
_CONTACT = re.compile(r"contactid(?:%20|\s)eq(?:%20|\s)([0-9a-f-]{36})")
Key = tuple[str, str]
"""Record and Campaign's field."""


@dataclass(frozen=True, slots=True)
class Act:
    """What a person did to a field."""

    side: Side
    out: bool
    at: float


@dataclass
class Look:
    """When one look read each side."""

    dynamics: float
    campaign: float = float("inf")
    recorded: bool = False
    """The row was released after it; a look whose worker died is none."""


@dataclass
class Record:
    """What is known of one contact."""

    acts: dict[str, list[Act]] = field(default_factory=dict)
    gone_opt_ins: list[tuple[str, Act, float]] = field(default_factory=list)
    """Opt-ins of contacts deleted since, and when: a look that read before may still act on them."""
    looks: list[Look] = field(default_factory=list)
    races: set[str] = field(default_factory=set)
    """Fields of which a race was met: at rest they are counted, not judged."""


class Judge:
    """Watches both services."""

    def __init__(self, world: ConsentWorld) -> None:
        self.world = world
        self.records: dict[str, Record] = {}
        self.violations: list[str] = []
        self.counts: Counter[str] = Counter()
        self.open: dict[tuple[str, str], Look] = {}
        """By process and record: the look whose write may come."""
        self.before: dict[Key, tuple[bool | None, bool | None]] = {}

    def of(self, record_id: str) -> Record:
        return self.records.setdefault(record_id, Record())

    # -- what people do ----------------------------------------------------------------------------------------------

    def acted(self, record_id: str, name: str, side: Side, *, out: bool, ground: bool = False) -> None:
        """A person changed a field on one side; `ground`: when both sides and the row agreed."""
        record = self.of(record_id)
        now = self.world.now()
        if record.looks and not self._claimed(record_id):
            record.looks[-1].recorded = True
        if ground:
            # Both sides and the row agreed: what was before is over, races included.
            record.acts.pop(name, None)
            record.races.discard(name)
            self.counts["act_on_settled_ground"] += 1
        record.acts.setdefault(name, []).append(Act(side, out, now))
        self._races(record, name, side, now)
        self.counts[f"act_{side}_{'out' if out else 'in'}"] += 1

    def _claimed(self, record_id: str) -> bool:
        rows = self.world.account.tables["consents"].rows
        return any(stored.entity["claim_owner"] for key, stored in rows.items() if key[1] == record_id)

    def _races(self, record: Record, name: str, side: Side, now: float) -> None:
        """Whether this act fell into one of the three windows that no client can close."""
        for look in self.open.values():
            if look not in record.looks:
                continue
            if look.dynamics <= now <= look.campaign:
                self.counts["race_between"] += 1
                record.races.add(name)
            elif side is Side.CAMPAIGN and look.campaign <= now:
                self.counts["race_late"] += 1
                record.races.add(name)
        if side is Side.DYNAMICS:
            last = max((look.dynamics for look in record.looks if look.recorded), default=0.0)
            acts = record.acts.get(name, [])
            if sum(act.side is side and act.at > last for act in acts) >= 2:
                self.counts["race_flip"] += 1
                record.races.add(name)

    def gone(self, record_id: str, side: Side) -> None:
        """A record was deleted on one side: what was done there is gone with it."""
        record = self.of(record_id)
        for name, acts in record.acts.items():
            record.gone_opt_ins += [
                (name, act, self.world.now()) for act in acts if act.side is side and not act.out
            ]
            record.acts[name] = [act for act in acts if act.side is not side]

    # -- what reaches the services ---------------------------------------------------------------------------------

    def landed(self, process: str, system: str, request: Request, response: Response) -> None:
        """A request was worked by a service."""
        if "token" in request.target and request.method == "POST":
            return
        if request.method == "GET":
            self._read(process, system, request)
            return
        self._compare(process, system, request, response)

    def _read(self, process: str, system: str, request: Request) -> None:
        target = request.target
        if system == "dynamics":
            ids = _CONTACT.findall(target)
            if len(ids) == 1 and "createdon" in target and "lastname" not in target:
                look = Look(self.world.now())
                self.open[process, ids[0]] = look
                self.of(ids[0]).looks.append(look)
            return
        record_id = target.partition("externalId_parameter=")[2] or target.rpartition("/")[2]
        look = self.open.get((process, record_id), Look(0.0))
        if look.campaign == float("inf"):
            look.campaign = self.world.now()

    def state(self, record_id: str) -> dict[str, tuple[bool | None, bool | None]]:
        """Both sides now, by field; None where a record is missing."""
        contact = self.world.dynamics.organization.tables["contact"].rows.get(record_id)
        row = next(iter(self.world.campaign.engine.tables["profile"].find("externalId", record_id)), None)
        values = row.values if row else None
        return {
            name: (
                None if values is None else bool(values.get(name, False)),
                None if contact is None else bool(contact.get(column, False)),
            )
            for name, column in FIELDS.items()
        }

    def note_states(self) -> None:
        """Remember how everything is (after a person's act)."""
        for record_id in self.world.people.ids:
            for name, both in self.state(record_id).items():
                self.before[record_id, name] = both

    def _compare(self, process: str, system: str, request: Request, response: Response) -> None:
        """What a write of ours changed."""
        side = Side.DYNAMICS if system == "dynamics" else Side.CAMPAIGN
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
                if (
                    not self.world.scenario_permits(side)
                    and name in str(_body(request))
                    and request.method == "PATCH"
                ):
                    self.violations.append(f"{side} of {record_id} written against the direction")
                if was[at] is True and both[at] is False:
                    self._opted_in(record_id, name, side, self.open.get((process, record_id)))
        for key in [key for key in self.open if key[0] == process and _names(request, key[1], self.world)]:
            del self.open[key]

    def _opted_in(self, record_id: str, name: str, side: Side, look: Look | None) -> None:
        """A write of ours removed an opt-out: only a later opt-in on the other side allows it."""
        record = self.of(record_id)
        acts = record.acts.get(name, [])
        last_out = max((act.at for act in acts if act.side is side and act.out), default=0.0)
        opt_ins = [act.at for act in acts if act.side is not side and not act.out]
        read_at = min(look.dynamics, look.campaign) if look else float("inf")
        opt_ins += [
            act.at
            for gone, act, at in record.gone_opt_ins
            if gone == name and act.side is not side and read_at <= at
        ]
        if opt_ins and max(opt_ins) > last_out:
            return
        if name in record.races:
            self.counts["exempt_undone"] += 1
            return
        read = (
            f", read at {look.dynamics - self.start:.2f} and {look.campaign - self.start:.2f}" if look else ""
        )
        self.violations.append(
            f"I4: {side} of {record_id} {name} opted in at {self.world.now() - self.start:.2f}{read}, last opt-out "
            f"there {last_out - self.start:.2f}, opt-ins elsewhere {[round(at - self.start, 2) for at in opt_ins]}"
        )

    @property
    def start(self) -> float:
        return self.world.now() - self.world.loop.virtual

    # -- the end ------------------------------------------------------------------------------------------------------

    def at_rest(self) -> list[str]:
        """What is wrong when everything has come to rest."""
        wrong = list(self.violations)
        for record_id in self.world.people.ids:
            for name, (campaign, dynamics) in self.state(record_id).items():
                if campaign is None or dynamics is None:
                    continue
                wrong += self._field(record_id, name, campaign, dynamics)
        return wrong

    def _field(self, record_id: str, name: str, campaign: bool, dynamics: bool) -> list[str]:
        if self.world.both and campaign != dynamics:
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
            self.counts["opt_in_arrived" if not (campaign or dynamics) else "opt_in_lost"] += 1
            calm = name in self.world.settled_opt_ins.get(record_id, ())
            if calm and (campaign or dynamics):
                return [
                    f"liveness: {record_id} {name}: an opt-in in {last.side} on settled ground did not arrive"
                ]
        return []


def _names(request: Request, record_id: str, world: Any) -> bool:
    """Whether a write is about a record."""
    if record_id in request.target:
        return True
    row = next(iter(world.campaign.engine.tables["profile"].find("externalId", record_id)), None)
    return (row is not None and row.pkey in request.target.replace("%40", "@")) or record_id in str(
        _body(request)
    )


def _body(request: Request) -> object:
    try:
        return json.loads(request.body or b"{}")
    except ValueError:
        return {}
