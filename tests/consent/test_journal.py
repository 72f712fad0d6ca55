"""What the journal says of a look, and how it reads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync.cli.consent_words import sentence
from sync.consent_row import Agreement, ConsentRow, FieldState, Side
from sync.flows.consent_record import Made, creation_entries, seen_entries, written_entries
from sync.model import SourceRow
from sync.planning.consent import Decision, Look, Rule
from sync.planning.consent_pairs import Consents, Pair
from sync.planning.consent_plan import ConsentPlan, Creation, Verdict
from sync.planning.load_consent import load_consent
from sync.storage.consent_journal import ASKED
from tests.consent.test_both_ways import pair

TEXT = """\
consent: contacts
fields:
  - {source: new_choice, target: blackListEmail, opted_out: 2, opted_in: 1}
"""
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
    (line,) = written_entries(plan, "done", "run")
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
    (line,) = written_entries(plan, "unknown", "run")
    assert (line.campaign_after, line.dynamics_after, line.outcome) == ("unknown", "in", "unknown")
    assert "its answer was lost" in sentence(line)


def test_a_write_whose_worker_died_is_told_as_not_certain() -> None:
    decision = Decision(True, Side.DYNAMICS, Rule.OPTED_OUT_IN_CAMPAIGN)
    plan = looked(Look(campaign=True, dynamics=False), decision, agreed=False)
    (line,) = written_entries(plan, ASKED, "run")
    assert (line.campaign_after, line.dynamics_after) == ("out", "unknown")
    assert "Dynamics was asked to set opted out, or was about to be" in sentence(line)
    (refused,) = written_entries(plan, "dynamics_conflict", "run")
    assert (refused.campaign_after, refused.dynamics_after) == ("out", "in")
    assert "Dynamics was not set to opted out (dynamics_conflict)" in sentence(refused)


@pytest.mark.parametrize(
    ("outcome", "after", "told"),
    [
        ("done", "out", "the profile was created with what Dynamics had: opted out"),
        (ASKED, "unknown", "A profile was to be created opted out; its worker ended without saying"),
        ("unknown", "unknown", "A profile was to be created opted out; the answer was lost"),
        ("duplicate_key", "", "No profile was created (duplicate_key)"),
    ],
)
def test_a_creation_is_told_as_it_ended(outcome: str, after: str, told: str) -> None:
    consents = Consents(load_consent(TEXT), (PAIR,))
    made = Made(SourceRow("one", 1, {"new_choice": 2}), Creation({"blackListEmail": True}))
    (line,) = creation_entries(consents, made, outcome, "run")
    assert line.campaign_after == after
    assert told in sentence(line)


def test_equal_sides_are_told_only_where_that_is_news() -> None:
    equal = Decision(True, None, Rule.EQUAL)
    both_out = Look(campaign=True, dynamics=True)
    assert seen_entries(looked(both_out, equal, agreed=True), "run") == []
    assert len(seen_entries(looked(both_out, equal, agreed=False), "run")) == 1
    assert len(seen_entries(looked(both_out, equal, agreed=None), "run")) == 1
    both_in = Look(campaign=False, dynamics=False)
    first = looked(both_in, Decision(False, None, Rule.EQUAL), agreed=None)
    assert seen_entries(first, "run") == []


async def test_a_write_that_is_refused_for_hours_hides_no_decision() -> None:
    one = await pair()
    context = one.bench.app.context
    await one.dynamics(out=True)
    (line,) = await context.journal.of("contacts", one.id)
    for number in range(150):
        tried = replace(line, outcome=ASKED, run=f"run {number}")
        await context.journal.add("contacts", [tried])
        await context.journal.add("contacts", [replace(tried, outcome="campaign_throttled")])
    told = await context.journal.of("contacts", one.id)
    assert (told[0].rule, told[0].outcome, len(told)) == (line.rule, "done", 151)
