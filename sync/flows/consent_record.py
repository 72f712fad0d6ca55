"""What a look at a contact's consent leaves behind: journal lines, counters, a log event."""

from __future__ import annotations

from dataclasses import dataclass

from sync import telemetry
from sync.consent_row import Side
from sync.flows.context import Context
from sync.model import SourceRow, to_iso
from sync.planning.consent import Rule
from sync.planning.consent_pairs import Consents
from sync.planning.consent_plan import ConsentPlan, Creation, Verdict
from sync.storage.consent_journal import ASKED, Entry

LOST = (Rule.BOTH_ACTED, Rule.OPT_IN_UNSAFE, Rule.OTHER_SIDE_OPTED_OUT)
"""Decisions that undo an opt-in."""
NEITHER = "neither"
"""In the journal: a value that cannot be decided and counted as opted out."""


MAYBE_APPLIED = ("campaign_error", "campaign_garbled", "dynamics_error", "dynamics_busy")
"""Errors after which a write may have been applied all the same."""


@dataclass(frozen=True, slots=True)
class Made:
    """A POST of a profile: the contact it was made of, and its consent."""

    source: SourceRow
    creation: Creation


def word(value: bool | None) -> str:
    """`out`, `in`, or nothing."""
    return "" if value is None else "out" if value else "in"


async def record_seen(context: Context, mapping: str, plan: ConsentPlan, run: str) -> None:
    """Journal and count what needs no write, before the row says so; equal sides are told only where that is news."""
    await _tell(context, mapping, seen_entries(plan, run))
    for verdict in plan.verdicts:
        change = verdict.held - (verdict.state.kept is not None)
        if change and verdict not in plan.written:
            context.counters.count(mapping, "consent:kept", change)
    if plan.undecidable:
        context.counters.count(mapping, "consent:undecidable", len(plan.undecidable))


async def announce(context: Context, mapping: str, plan: ConsentPlan, run: str) -> None:
    """Journal a write before it is made, so that no death of a worker leaves one without a line."""
    await context.journal.add(mapping, written_entries(plan, ASKED, run))


async def record_written(context: Context, mapping: str, plan: ConsentPlan, outcome: str, run: str) -> None:
    """Journal and count how an announced write has ended."""
    await _tell(context, mapping, written_entries(plan, outcome, run))
    for verdict in plan.written:
        what = "opt_out" if verdict.decision.value else "opt_in"
        context.counters.count(mapping, f"consent:{what}:{verdict.decision.write}:{outcome}")
        if verdict.decision.rule in LOST and outcome in ("done", "unknown"):
            context.counters.count(mapping, "consent:lost_opt_in")
        if verdict.state.kept is not None and outcome == "done":
            context.counters.count(mapping, "consent:kept", -1)


async def _tell(context: Context, mapping: str, entries: list[Entry]) -> None:
    await context.journal.add(mapping, entries)
    for entry in entries:
        telemetry.event(
            "consent",
            mapping=mapping,
            record=entry.record_id,
            field=entry.field,
            decided=entry.decided,
            rule=entry.rule,
            wrote=entry.wrote,
            outcome=entry.outcome,
        )


def seen_entries(plan: ConsentPlan, run: str) -> list[Entry]:
    """The journal's lines about what a look need not write."""
    seen = [verdict for verdict in plan.verdicts if verdict not in plan.written and _is_news(verdict)]
    return [_entry(plan, verdict, "done", run) for verdict in seen]


def written_entries(plan: ConsentPlan, outcome: str, run: str) -> list[Entry]:
    """The journal's lines about a look's write."""
    return [_entry(plan, verdict, outcome, run) for verdict in plan.written]


def _is_news(verdict: Verdict) -> bool:
    state = verdict.state
    if verdict.held:
        return state.kept != verdict.kept
    if verdict.decision.write is not None:
        return False
    known = state.agreement.value
    return known is not verdict.decision.value and (known is not None or verdict.decision.value)


def _entry(plan: ConsentPlan, verdict: Verdict, outcome: str, run: str) -> Entry:
    look, decision = verdict.look, verdict.decision
    wrote = verdict in plan.written
    there = NEITHER if verdict.name in plan.undecidable else word(look.dynamics)
    after = {Side.CAMPAIGN: word(look.campaign), Side.DYNAMICS: there}
    if wrote and decision.write is not None:
        after[decision.write] = _after(decision.value, after[decision.write], outcome)
    told = (
        outcome if wrote else "braked" if verdict.name in plan.braked else "kept" if verdict.held else "done"
    )
    return Entry(
        record_id=plan.row.record_id,
        field=verdict.name,
        campaign=word(look.campaign),
        dynamics=there,
        agreed=word(verdict.state.agreement.value),
        campaign_at=look.stamp,
        dynamics_at=to_iso(look.dynamics_at) if look.dynamics_at else "",
        decided=word(decision.value),
        rule=decision.rule.value,
        wrote=decision.write.value if wrote and decision.write else "",
        campaign_after=after[Side.CAMPAIGN],
        dynamics_after=after[Side.DYNAMICS],
        outcome=told,
        run=run,
    )


def _after(wanted: bool, before: str, outcome: str) -> str:
    """What a side says once a write to it has ended so."""
    if outcome == "done":
        return word(wanted)
    return "unknown" if outcome in (ASKED, "unknown") else before


async def record_creation(
    context: Context, mapping: str, consents: Consents, made: Made, outcome: str, run: str
) -> None:
    """Journal the opt-outs of a POST: before it is made (`asked`), and when it has ended."""
    await context.journal.add(mapping, creation_entries(consents, made, outcome, run))


def creation_entries(consents: Consents, made: Made, outcome: str, run: str) -> list[Entry]:
    """A line for each opt-out that a new profile is created with."""
    entries = []
    record_id, contact, carried = made.source.record_id, made.source.values, made.creation
    for pair in consents.pairs:
        if not carried.fields or not carried.fields[pair.field]:
            continue
        closed = pair.name in carried.undecidable
        entries.append(
            Entry(
                record_id=record_id,
                field=pair.name,
                campaign="",
                dynamics="" if closed else "out",
                agreed="",
                campaign_at="",
                dynamics_at=str(contact.get("modifiedon") or ""),
                decided="out",
                rule=(Rule.CREATED_CLOSED if closed else Rule.CREATED).value,
                wrote=Side.CAMPAIGN.value,
                campaign_after=_after(True, "", outcome),
                dynamics_after="" if closed else "out",
                outcome=outcome,
                run=run,
            )
        )
    return entries
