"""decide(): its truth table, case by case over every input, and a test for each clause of design 4.7."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sync.consent_row import Agreement, Announced, Kept, Side
from sync.planning.consent import Decision, Look, Policy, Rule, Terms, agreed, decide
from sync.planning.consent_table import as_markdown

OLD, NEW = "2026-11-01 10:00:00.000Z", "2026-11-02 10:00:00.000Z"
NOON = 1_790_000_000.0


def look(
    campaign: bool, dynamics: bool, stamp: str = OLD, lead: float | None = 0.0, version: str = "7"
) -> Look:
    """`lead`: how many seconds Campaign's time is after Dynamics'; None: Campaign gives none."""
    at = None if lead is None else NOON + lead
    return Look(campaign, dynamics, stamp, at, NOON, version)


def every_case() -> Iterator[tuple[Agreement, Look, Terms, Announced | None]]:
    """Every combination of what the rule looks at."""
    agreements = [
        Agreement(value, by, stamp)
        for value, by, stamp in itertools.product((None, False, True), Side, ("", OLD))
    ]
    looks = [
        look(campaign, dynamics, stamp, lead)
        for campaign, dynamics in itertools.product((False, True), repeat=2)
        for stamp, lead in (("", None), (OLD, -600.0), (OLD, 0.0), (OLD, 200.0), (OLD, 600.0), (NEW, 600.0))
    ]
    terms = [Terms(policy, found) for policy, found in itertools.product(Policy, (False, True))]
    announced = [
        None,
        *(
            Announced(side, stamp)
            for side, stamp in itertools.product((Side.CAMPAIGN, Side.DYNAMICS), ("", OLD, NEW, "7", "6"))
        ),
    ]
    return itertools.product(agreements, looks, terms, announced)


@pytest.mark.parametrize("policy", [Policy.AGREED, Policy.OPT_OUT_ALWAYS_WINS])
@pytest.mark.parametrize("by", list(Side))
def test_an_opt_in_that_was_kept_and_taken_back_is_an_opt_out(policy: Policy, by: Side) -> None:
    """Seed 1031: Dynamics opted in behind the brake, then out, and Campaign in between two looks."""
    kept = Kept(campaign=True, dynamics=False, stamp=OLD)
    taken_back = look(False, True, NEW, 600.0)
    assert decide(Agreement(True, by, OLD), taken_back, Terms(policy), None, kept).value is True
    still_out = Kept(campaign=True, dynamics=True, stamp=OLD)
    agreement = Agreement(True, Side.CAMPAIGN, OLD)
    assert decide(agreement, taken_back, Terms(policy), None, still_out).value is False


def test_equal_sides_are_never_written_and_different_ones_always_end_equal() -> None:
    for agreement, seen, terms, announced in every_case():
        decision = decide(agreement, seen, terms, announced)
        if seen.campaign == seen.dynamics:
            assert decision == Decision(seen.campaign, None, Rule.EQUAL)
        else:
            changed = seen.campaign if decision.write is Side.DYNAMICS else seen.dynamics
            assert decision.write in (Side.CAMPAIGN, Side.DYNAMICS)
            assert decision.value is changed


def test_an_opt_in_is_written_only_where_a_clause_allows_it() -> None:
    """The whole list of ways in which an opted-out side becomes opted in."""
    for agreement, seen, terms, announced in every_case():
        decision = decide(agreement, seen, terms, announced)
        if decision.write is None or decision.value:
            continue
        acted = Side.DYNAMICS if seen.campaign else Side.CAMPAIGN
        if terms.policy is Policy.ADOBE:
            assert decision.rule is Rule.NEWER_IN_CAMPAIGN
        elif agreement.value is None:
            assert (terms.policy, terms.found, acted) == (Policy.AGREED, True, Side.CAMPAIGN)
            assert seen.campaign_at is not None and seen.campaign_at > seen.dynamics_at + terms.tolerance
        else:
            assert agreement.value is True
            assert acted is Side.CAMPAIGN or (seen.stamp and seen.stamp == agreement.stamp)
            assert terms.policy is Policy.AGREED or agreement.by is acted
        if announced is not None:
            now = seen.stamp if announced.side is Side.CAMPAIGN else seen.version
            assert now == announced.stamp != ""


def test_opt_outs_are_never_undone_by_the_strict_policy_from_the_other_side() -> None:
    for agreement, seen, terms, announced in every_case():
        if terms.policy is not Policy.OPT_OUT_ALWAYS_WINS or seen.campaign == seen.dynamics:
            continue
        acted = Side.DYNAMICS if seen.campaign else Side.CAMPAIGN
        if agreement.value is not True or agreement.by is not acted:
            assert decide(agreement, seen, terms, announced).value is True


AGREED_IN, AGREED_OUT = Agreement(False, Side.BOTH, OLD), Agreement(True, Side.DYNAMICS, OLD)
DEFAULT = Terms()


@pytest.mark.parametrize(
    ("agreement", "seen", "expected"),
    [
        (AGREED_IN, look(True, False, lead=-9e9), Decision(True, Side.DYNAMICS, Rule.OPTED_OUT_IN_CAMPAIGN)),
        (AGREED_IN, look(False, True, lead=9e9), Decision(True, Side.CAMPAIGN, Rule.OPTED_OUT_IN_DYNAMICS)),
        (AGREED_OUT, look(False, True, NEW, -9e9), Decision(False, Side.DYNAMICS, Rule.OPTED_IN_IN_CAMPAIGN)),
        (AGREED_OUT, look(True, False, OLD, 9e9), Decision(False, Side.CAMPAIGN, Rule.OPTED_IN_IN_DYNAMICS)),
    ],
)
def test_the_side_that_differs_from_the_agreed_value_wins_whatever_the_clocks_say(
    agreement: Agreement, seen: Look, expected: Decision
) -> None:
    assert decide(agreement, seen, DEFAULT) == expected


@pytest.mark.parametrize("stamps", [(OLD, NEW), ("", OLD), (OLD, ""), ("", "")])
def test_an_opt_in_from_dynamics_over_a_moved_or_unknown_time_is_refused(stamps: tuple[str, str]) -> None:
    agreement = replace(AGREED_OUT, stamp=stamps[0])
    decision = decide(agreement, look(True, False, stamps[1]), DEFAULT)
    assert decision == Decision(True, Side.DYNAMICS, Rule.BOTH_ACTED)


@pytest.mark.parametrize("stamp", ["", OLD, NEW])
def test_an_opt_in_from_campaign_is_not_measured_by_the_time_it_moves_itself(stamp: str) -> None:
    decision = decide(replace(AGREED_OUT, stamp=stamp), look(False, True, NEW), DEFAULT)
    assert decision.rule is Rule.OPTED_IN_IN_CAMPAIGN


@pytest.mark.parametrize("sides", [(True, False), (False, True)])
@pytest.mark.parametrize("lead", [-9e9, 0.0, 9e9])
def test_without_an_agreement_opted_out_wins_even_if_campaign_is_newer(
    sides: tuple[bool, bool], lead: float
) -> None:
    # Our own create may have made that time: it is no evidence of a person's act.
    assert decide(Agreement(), look(*sides, lead=lead), Terms(found=False)).value is True


@pytest.mark.parametrize(
    ("lead", "value"), [(300.1, False), (300.0, True), (0.0, True), (-9e9, True), (None, True)]
)
def test_a_profile_found_before_any_post_is_decided_by_time_beyond_the_tolerance(
    lead: float | None, value: bool
) -> None:
    assert decide(Agreement(), look(False, True, lead=lead), Terms(found=True)).value is value
    assert decide(Agreement(), look(True, False, lead=lead), Terms(found=True)).value is True


@pytest.mark.parametrize(
    ("announced", "repeats"),
    [
        (Announced(Side.CAMPAIGN, OLD), True),
        (Announced(Side.CAMPAIGN, NEW), False),
        (Announced(Side.CAMPAIGN, ""), False),
        (Announced(Side.DYNAMICS, "7"), True),
        (Announced(Side.DYNAMICS, "6"), False),
    ],
)
def test_an_announced_opt_in_is_repeated_only_on_top_of_the_same_stamp(
    announced: Announced, repeats: bool
) -> None:
    decision = decide(AGREED_OUT, look(True, False), DEFAULT, announced)
    assert decision.rule is (Rule.OPTED_IN_IN_DYNAMICS if repeats else Rule.OPT_IN_UNSAFE)
    assert decision.value is not repeats


def test_an_opt_in_of_ours_that_landed_is_not_taken_for_a_person_s() -> None:
    """Our PATCH opted Campaign in and its answer was lost; the contact opted out again in Dynamics meanwhile."""
    announced = Announced(Side.CAMPAIGN, OLD)
    decision = decide(AGREED_OUT, look(False, True, NEW), DEFAULT, announced)
    assert decision == Decision(True, Side.CAMPAIGN, Rule.OPT_IN_UNSAFE)


@pytest.mark.parametrize(
    ("by", "sides", "value"),
    [
        (Side.CAMPAIGN, (False, True), False),
        (Side.DYNAMICS, (False, True), True),
        (Side.BOTH, (False, True), True),
        (Side.DYNAMICS, (True, False), False),
        (Side.CAMPAIGN, (True, False), True),
        (Side.BOTH, (True, False), True),
    ],
)
def test_under_the_strict_policy_only_the_side_that_opted_out_opts_in(
    by: Side, sides: tuple[bool, bool], value: bool
) -> None:
    agreement = Agreement(True, by, OLD)
    assert decide(agreement, look(*sides), Terms(Policy.OPT_OUT_ALWAYS_WINS)).value is value


def test_adobe_s_rule_undoes_an_opt_out_through_our_own_time() -> None:
    """The table shows it: our write opted Campaign in after the contact had opted out in Dynamics."""
    seen = look(False, True, NEW, lead=1.0)
    assert decide(AGREED_IN, seen, Terms(Policy.ADOBE)).value is False
    assert decide(AGREED_IN, seen, DEFAULT).value is True


@pytest.mark.parametrize(("lead", "value"), [(0.0, True), (-1.0, True), (1.0, False), (None, True)])
def test_adobe_s_rule_lets_true_win_unless_campaign_is_newer(lead: float | None, value: bool) -> None:
    assert decide(AGREED_OUT, look(False, True, lead=lead), Terms(Policy.ADOBE)).value is value


def test_a_write_of_ours_to_campaign_leaves_its_time_unknown_and_a_look_records_it() -> None:
    seen = look(False, True, OLD)
    decision = decide(AGREED_IN, seen, DEFAULT)
    after = agreed(decision, seen, AGREED_IN)
    assert after == Agreement(True, Side.DYNAMICS, "")
    again = look(True, True, NEW)
    assert agreed(decide(after, again, DEFAULT), again, after) == Agreement(True, Side.DYNAMICS, NEW)


def test_a_write_of_ours_to_dynamics_keeps_the_time_that_was_read() -> None:
    seen = look(True, False, NEW)
    assert agreed(decide(AGREED_IN, seen, DEFAULT), seen, AGREED_IN) == Agreement(True, Side.CAMPAIGN, NEW)


def test_the_truth_table_in_the_docs_is_the_code_s() -> None:
    page = Path(__file__).parents[2] / "docs" / "consent.md"
    assert as_markdown() in page.read_text(encoding="utf-8")
