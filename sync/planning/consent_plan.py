"""plan_consent(row, contact, profile) -> what is written for one contact, and the row after it: pure (design 4.7).

At most one side is written at a time; opt-outs go first, and what the other side still needs is planned by the next
look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sync.consent_row import Agreement, Announced, ConsentRow, FieldState, Kept, Side
from sync.model import Row, SourceRow, from_iso
from sync.planning.consent import Decision, Look, Terms, agreed, decide
from sync.planning.consent_pairs import Consents, Pair


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided for one field; `held`: the side that should be written may not be (`forbidden`: ever)."""

    pair: Pair
    state: FieldState
    look: Look
    decision: Decision
    held: bool = False
    forbidden: bool = False

    @property
    def name(self) -> str:
        return self.pair.name

    @property
    def kept(self) -> Kept | None:
        """Both values, where the side that should be written may not be."""
        side = self.decision.write if self.forbidden else None
        look = self.look
        return Kept(look.campaign, look.dynamics, look.stamp, side) if self.held else None


@dataclass(frozen=True, slots=True)
class ConsentPlan:
    """`row` is the row before the write, made undecided where one of the two records is not the one that agreed."""

    row: ConsentRow
    contact_created: str = ""
    profile_created: str = ""
    verdicts: tuple[Verdict, ...] = ()
    undecidable: tuple[str, ...] = ()
    """Fields whose column holds a value that means neither."""
    write: Side | None = None
    written: tuple[Verdict, ...] = ()
    braked: frozenset[str] = frozenset()

    @property
    def opt_ins(self) -> tuple[Verdict, ...]:
        """The removals of opt-outs in this write."""
        return tuple(verdict for verdict in self.written if not verdict.decision.value)

    @property
    def more(self) -> bool:
        """Whether another look has to write the other side."""
        open_ones = (v for v in self.verdicts if v.decision.write is not None and not v.held)
        return any(verdict not in self.written for verdict in open_ones)

    @property
    def body(self) -> dict[str, Any]:
        """What is written, by this side's names."""
        if self.write is Side.CAMPAIGN:
            return {verdict.pair.field: verdict.decision.value for verdict in self.written}
        return {v.pair.column: v.pair.to_dynamics(v.decision.value) for v in self.written}

    def braking(self) -> ConsentPlan:
        """The same without this write's opt-ins: both values are kept until somebody approves, the rest goes on."""
        opt_ins = self.opt_ins
        verdicts = tuple(replace(v, held=True) if v in opt_ins else v for v in self.verdicts)
        side, written = _choose(verdicts)
        braked = self.braked | {verdict.name for verdict in opt_ins}
        return replace(self, verdicts=verdicts, written=written, write=side, braked=braked)

    @property
    def announced(self) -> dict[str, Announced]:
        """What the claim must say before the opt-ins of this write are sent."""
        found = {}
        for verdict in self.opt_ins:
            side = Side(verdict.decision.write or Side.BOTH)
            stamp = verdict.look.stamp if side is Side.CAMPAIGN else verdict.look.version
            found[verdict.name] = Announced(side, stamp)
        return found

    def seen(self) -> ConsentRow:
        """The row before the write: what needs none is agreed, whatever becomes of the rest."""
        return replace(self, written=()).done()

    def done(self) -> ConsentRow:
        """The row once the write has been made."""
        fields = dict(self.row.fields)
        for verdict in self.verdicts:
            if verdict.held:
                fields[verdict.name] = replace(verdict.state, kept=verdict.kept)
            elif verdict.decision.write is None or verdict in self.written:
                agreement = agreed(verdict.decision, verdict.look, verdict.state.agreement)
                fields[verdict.name] = FieldState(agreement)
        settled = {v.name for v in self.verdicts if v.decision.write is None or v in self.written}
        return replace(
            self.row,
            fields=fields,
            announced={name: told for name, told in self.row.announced.items() if name not in settled},
            contact_created=self.contact_created,
            profile_created=self.profile_created,
        )


def plan_consent(
    row: ConsentRow, contact: SourceRow | None, profile: Row | None, consents: Consents
) -> ConsentPlan:
    """Decide every field on what was read of both sides; one that is missing leaves the row undecided."""
    if contact is None or profile is None:
        return ConsentPlan(row.undecided())
    created = str(contact.values.get("createdon") or ""), str(profile.get("created") or "")
    if row.agreed and created != (row.contact_created, row.profile_created):
        # Other records under the same id: a creation is no act, so nothing is agreed.
        row = row.undecided()
    verdicts: list[Verdict] = []
    for pair in consents.pairs:
        look = look_at(consents, pair, contact, profile)
        if look is None:
            continue
        state = row.of(pair.name)
        terms = Terms(consents.map.rule, row.found, float(consents.map.clock_tolerance))
        decision = decide(state.agreement, look, terms, row.announced.get(pair.name), state.kept)
        verdicts.append(Verdict(pair, state, look, decision))
    verdicts = _hold(verdicts, consents)
    side, written = _choose(verdicts)
    undecidable = consents.undecidable(contact.values)
    return ConsentPlan(row, *created, tuple(verdicts), undecidable, side, written)


def look_at(consents: Consents, pair: Pair, contact: SourceRow, profile: Row) -> Look | None:
    """One field on both sides; None where a value cannot be decided and the map says hold."""
    here, there = consents.says(pair, contact.values), profile.get(pair.field)
    if here is None or not isinstance(there, bool):
        return None
    stamp = str(profile.get(pair.stamp) or "") if pair.stamp else ""
    return Look(
        campaign=there,
        dynamics=here,
        stamp=stamp,
        campaign_at=seconds(stamp),
        dynamics_at=seconds(str(contact.values.get("modifiedon") or "")) or 0.0,
        version=str(contact.version),
    )


def seconds(text: str) -> float | None:
    """Unix seconds of a time as either system writes it; None if it is none."""
    try:
        return from_iso(text)
    except ValueError:
        return None


def _hold(verdicts: list[Verdict], consents: Consents) -> list[Verdict]:
    """Mark what may not be written: by the direction, or as another field of the same column stays opted out."""
    closed = {v.pair.column for v in verdicts if v.decision.value}
    held = []
    for verdict in verdicts:
        side, value = verdict.decision.write, verdict.decision.value
        forbidden = side is not None and not consents.map.flows.permits(side)
        shared = side is Side.DYNAMICS and not value and verdict.pair.column in closed
        held.append(replace(verdict, held=forbidden or shared, forbidden=forbidden))
    return held


def _choose(verdicts: Sequence[Verdict]) -> tuple[Side | None, tuple[Verdict, ...]]:
    """The side to write now: one with an opt-out first."""
    wanted = [verdict for verdict in verdicts if verdict.decision.write is not None and not verdict.held]
    if not wanted:
        return None, ()
    first = next((verdict for verdict in wanted if verdict.decision.value), wanted[0])
    side = first.decision.write
    return side, tuple(verdict for verdict in wanted if verdict.decision.write is side)


def differs(
    row: ConsentRow, consents: Consents, *, contact: Row | None = None, profile: Row | None = None
) -> bool:
    """Whether what one side shows is not what the row says, or the row is undecided: a reason to look at both."""
    if contact is not None and contact.get("createdon", row.contact_created) != row.contact_created:
        return True
    if profile is not None and profile.get("created") != row.profile_created:
        return True
    return any(_field_differs(row.of(pair.name), pair, consents, contact, profile) for pair in consents.pairs)


def _field_differs(
    state: FieldState, pair: Pair, consents: Consents, contact: Row | None, profile: Row | None
) -> bool:
    kept, agreement = state.kept, state.agreement
    if not state.decided or (kept and kept.side and consents.map.flows.permits(kept.side)):
        return True
    if contact is not None and pair.column in contact:
        expected = kept.dynamics if kept else agreement.value
        if consents.says(pair, contact) is not expected:
            return True
    if profile is not None:
        expected = kept.campaign if kept else agreement.value
        stamp = kept.stamp if kept else agreement.stamp
        if profile.get(pair.field) is not expected:
            return True
        return bool(pair.stamp) and str(profile.get(pair.stamp) or "") != stamp
    return False


def opted_out(consents: Consents, contact: Row) -> bool:
    """Whether any column of a contact says opted out."""
    return any(consents.says(pair, contact) is True for pair in consents.pairs)


@dataclass(frozen=True, slots=True)
class Creation:
    """The consent part of a POST. `fields` None: the profile must not be created (`undecided: hold`)."""

    fields: Mapping[str, bool] | None
    undecidable: tuple[str, ...] = ()


def creation(consents: Consents, contact: Row) -> Creation:
    """What a new profile says; a field that cannot be decided is opted out, or holds the profile back."""
    unknown = consents.undecidable(contact)
    if unknown and consents.map.undecided == "hold":
        return Creation(None, unknown)
    return Creation(
        {pair.field: consents.says(pair, contact) is not False for pair in consents.pairs}, unknown
    )


def created_row(row: ConsentRow, consents: Consents, contact: Row, profile: Row) -> ConsentRow:
    """The row after a POST of ours: agreed is only what wrote what Dynamics had."""
    fields: dict[str, FieldState] = {}
    for pair in consents.pairs:
        value = consents.says(pair, contact)
        if value is None or profile.get(pair.field) is not value:
            continue
        stamp = str(profile.get(pair.stamp) or "") if pair.stamp else ""
        fields[pair.name] = FieldState(Agreement(value, Side.DYNAMICS, stamp))
    return replace(
        row.undecided(),
        fields=fields,
        contact_created=str(contact.get("createdon") or ""),
        profile_created=str(profile.get("created") or ""),
    )
