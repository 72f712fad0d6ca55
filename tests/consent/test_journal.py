"""What the journal says of a look, and how it reads."""

from __future__ import annotations

from sync.cli.consent_words import sentence
from sync.consent_row import Agreement, ConsentRow, FieldState, Side
from sync.flows.consent_record import entries_of
from sync.planning.consent import Decision, Look, Rule
from sync.planning.consent_pairs import Pair
from sync.planning.consent_plan import ConsentPlan, Verdict

PAIR = Pair("blackListEmail", "new_choice", "blackListEmail", "", 2, 1)


def looked(look: Look, decision: Decision, *, agreed: bool | None, undecidable: bool = False) -> ConsentPlan:
    verdict = Verdict(PAIR, FieldState(Agreement(agreed)), look, decision)
    wrote = (verdict,) if decision.write else ()
    names = (PAIR.name,) if undecidable else ()
    return ConsentPlan(
        ConsentRow("p", "one"), verdicts=(verdict,), written=wrote, write=decision.write, undecidable=names
    )


def test_a_value_that_means_neither_is_told_from_an_opt_out() -> None:
    decision = Decision(True, Side.CAMPAIGN, Rule.OPTED_OUT_IN_DYNAMICS)
    plan = looked(Look(campaign=False, dynamics=True), decision, agreed=False, undecidable=True)
    (line,) = entries_of(plan, "done", "run")
    assert (line.dynamics, line.dynamics_after, line.campaign, line.campaign_after) == (
        "neither",
        "neither",
        "in",
        "out",
    )
    assert "Dynamics neither (counts as out)" in sentence(line)
    assert "Campaign was set to opted out" in sentence(line)


def test_a_write_whose_answer_was_lost_leaves_that_side_unknown() -> None:
    decision = Decision(False, Side.CAMPAIGN, Rule.OPTED_IN_IN_DYNAMICS)
    plan = looked(Look(campaign=True, dynamics=False, stamp="then"), decision, agreed=True)
    (line,) = entries_of(plan, "unknown", "run")
    assert (line.campaign_after, line.dynamics_after, line.outcome) == ("unknown", "in", "unknown")
    assert "its answer was lost" in sentence(line)


def test_equal_sides_are_told_only_where_that_is_news() -> None:
    equal = Decision(True, None, Rule.EQUAL)
    both_out = Look(campaign=True, dynamics=True)
    assert entries_of(looked(both_out, equal, agreed=True), "done", "run") == []
    assert len(entries_of(looked(both_out, equal, agreed=False), "done", "run")) == 1
    assert len(entries_of(looked(both_out, equal, agreed=None), "done", "run")) == 1
    both_in = Look(campaign=False, dynamics=False)
    first = looked(both_in, Decision(False, None, Rule.EQUAL), agreed=None)
    assert entries_of(first, "done", "run") == []
