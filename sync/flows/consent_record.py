"""What a look at a contact's consent leaves behind: journal lines, counters, a log event."""

from __future__ import annotations

from sync import telemetry
from sync.consent_row import Side
from sync.flows.context import Context
from sync.model import Row, to_iso
from sync.planning.consent import Rule
from sync.planning.consent_pairs import Consents
from sync.planning.consent_plan import ConsentPlan, Creation, Verdict
from sync.storage.consent_journal import Entry

LOST = (Rule.BOTH_ACTED, Rule.OPT_IN_UNSAFE, Rule.OTHER_SIDE_OPTED_OUT)
"""Decisions that undo an opt-in."""
NEITHER = "neither"
"""In the journal: a value that cannot be decided and counted as opted out."""


def word(value: bool | None) -> str:
    """`out`, `in`, or nothing."""
    return "" if value is None else "out" if value else "in"


async def record(context: Context, mapping: str, plan: ConsentPlan, outcome: str, run: str) -> None:
    """Journal and count what was decided; equal sides are told only where that is news."""
    entries = entries_of(plan, outcome, run)
    await context.journal.add(mapping, entries)
    counters = context.counters
    for verdict in plan.verdicts:
        if verdict in plan.written:
            what = "opt_out" if verdict.decision.value else "opt_in"
            counters.count(mapping, f"consent:{what}:{verdict.decision.write}:{outcome}")
            if verdict.decision.rule in LOST:
                counters.count(mapping, "consent:lost_opt_in")
        if outcome == "done":
            change = verdict.held - (verdict.state.kept is not None)
            if change:
                counters.count(mapping, "consent:kept", change)
    if plan.undecidable:
        counters.count(mapping, "consent:undecidable", len(plan.undecidable))
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


def entries_of(plan: ConsentPlan, outcome: str, run: str) -> list[Entry]:
    """The journal's lines about a look."""
    return [_entry(plan, verdict, outcome, run) for verdict in plan.verdicts if _is_news(plan, verdict)]


def _is_news(plan: ConsentPlan, verdict: Verdict) -> bool:
    if verdict in plan.written:
        return True
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
        after[decision.write] = word(decision.value) if outcome == "done" else "unknown"
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


async def record_creation(
    context: Context, mapping: str, record_id: str, consents: Consents, made: Creation, contact: Row, run: str
) -> None:
    """Journal the opt-outs that a new profile was created with."""
    entries = []
    for pair in consents.pairs:
        if not made.fields or not made.fields[pair.field]:
            continue
        closed = pair.name in made.undecidable
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
                campaign_after="out",
                dynamics_after="" if closed else "out",
                outcome="done",
                run=run,
            )
        )
    await context.journal.add(mapping, entries)
