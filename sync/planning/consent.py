"""decide(agreement, look) -> what a contact's opt-out is, and which side must be written: pure (design 4.7).

True is opted out, everywhere in the consent flow. Each clause is there because its absence undid an opt-out in a
model; docs/consent.md holds the truth table made from this function.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from sync.consent_row import Agreement, Announced, Kept, Side


class Direction(enum.StrEnum):
    """Which side the sync may write."""

    OFF = "off"
    TO_CAMPAIGN = "to_campaign"
    TO_DYNAMICS = "to_dynamics"
    BOTH = "both"

    def permits(self, side: Side) -> bool:
        """Whether this side may be written."""
        return self is Direction.BOTH or self.value == f"to_{side.value}"


class Policy(enum.StrEnum):
    """How a difference is decided."""

    AGREED = "agreed"
    """The side that differs from the agreed value wins (the default)."""
    ADOBE = "adobe"
    """Adobe's documented rule: times alone (adobe.md A.3)."""
    OPT_OUT_ALWAYS_WINS = "opt_out_always_wins"
    """Only the side that opted out opts in again."""


class Rule(enum.StrEnum):
    """Which clause decided; the journal keeps it."""

    EQUAL = "equal"
    OPTED_OUT_IN_CAMPAIGN = "opted_out_in_campaign"
    OPTED_OUT_IN_DYNAMICS = "opted_out_in_dynamics"
    OPTED_IN_IN_CAMPAIGN = "opted_in_in_campaign"
    OPTED_IN_IN_DYNAMICS = "opted_in_in_dynamics"
    BOTH_ACTED = "both_acted"
    OPT_IN_UNSAFE = "opt_in_unsafe"
    NEVER_AGREED = "never_agreed"
    FOUND_NEWER_IN_CAMPAIGN = "found_newer_in_campaign"
    OTHER_SIDE_OPTED_OUT = "other_side_opted_out"
    NEWER_IN_CAMPAIGN = "newer_in_campaign"
    EITHER_OPTED_OUT = "either_opted_out"
    CREATED = "created"
    CREATED_CLOSED = "created_closed"

    @property
    def sentence(self) -> str:
        return SENTENCES[self]


SENTENCES = {
    Rule.EQUAL: "both sides say the same",
    Rule.OPTED_OUT_IN_CAMPAIGN: "Campaign differs from the agreed value: the contact opted out there",
    Rule.OPTED_OUT_IN_DYNAMICS: "Dynamics differs from the agreed value: the contact opted out there",
    Rule.OPTED_IN_IN_CAMPAIGN: "Campaign differs from the agreed value: the contact opted in there",
    Rule.OPTED_IN_IN_DYNAMICS: "Dynamics differs from the agreed value and nobody touched Campaign: the contact opted in",
    Rule.BOTH_ACTED: "both sides acted, or may have (Campaign's time is not the one of the agreement): opted-out wins",
    Rule.OPT_IN_UNSAFE: "an earlier opt-in of ours may have been applied or overtaken: opted-out wins",
    Rule.NEVER_AGREED: "the two sides never agreed: opted-out wins",
    Rule.FOUND_NEWER_IN_CAMPAIGN: "the profile was there before the sync, and Campaign's value is newer",
    Rule.OTHER_SIDE_OPTED_OUT: "only the side that opted out may opt in again: opted-out wins",
    Rule.NEWER_IN_CAMPAIGN: "Campaign's time is newer than Dynamics' record (Adobe's rule)",
    Rule.EITHER_OPTED_OUT: "Dynamics' record is newer, as old, or a time is missing: opted-out wins (Adobe's rule)",
    Rule.CREATED: "the profile was created with what Dynamics had",
    Rule.CREATED_CLOSED: "the profile was created opted out: its consent could not be decided",
}


@dataclass(frozen=True, slots=True)
class Look:
    """One field on both sides, just read. Times are unix seconds; `campaign_at` None: Campaign gives no time."""

    campaign: bool
    dynamics: bool
    stamp: str = ""
    """Campaign's `…LastModified` as text; empty: none."""
    campaign_at: float | None = None
    dynamics_at: float = 0.0
    """Dynamics' record-level `modifiedon`."""
    version: str = ""
    """Dynamics' row version."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The value that holds from now on and the side that must be written for it; None: neither."""

    value: bool
    write: Side | None
    rule: Rule


@dataclass(frozen=True, slots=True)
class Terms:
    """What a decision depends on beside the values."""

    policy: Policy = Policy.AGREED
    found: bool = False
    """The profile was in Campaign before any POST of ours for it."""
    tolerance: float = 300.0
    """Seconds that two clocks may differ."""


def decide(
    agreement: Agreement,
    look: Look,
    terms: Terms,
    announced: Announced | None = None,
    kept: Kept | None = None,
) -> Decision:
    """What holds now. `announced`: an opt-in whose outcome nobody recorded; `kept`: both values at the last look."""
    if look.campaign == look.dynamics:
        return Decision(look.campaign, None, Rule.EQUAL)
    if announced is not None and not _untouched(announced, look):
        return _settle(True, look, Rule.OPT_IN_UNSAFE)
    if terms.policy is Policy.ADOBE:
        return _adobe(look)
    if agreement.value is None:
        return _undecided(look, terms)
    if agreement.value is False:
        out = Rule.OPTED_OUT_IN_CAMPAIGN if look.campaign else Rule.OPTED_OUT_IN_DYNAMICS
        return _settle(True, look, out)
    return _opt_in(agreement, look, terms.policy, kept)


def _opt_in(agreement: Agreement, look: Look, policy: Policy, kept: Kept | None) -> Decision:
    """Agreed was opted out; one side now says opted in."""
    by = Side.DYNAMICS if look.campaign else Side.CAMPAIGN
    if policy is Policy.OPT_OUT_ALWAYS_WINS and agreement.by is not by:
        return _settle(True, look, Rule.OTHER_SIDE_OPTED_OUT)
    if by is Side.CAMPAIGN and kept is not None and not kept.dynamics:
        # Dynamics' opt-in was seen, and could not be written; it has opted out again since.
        return _settle(True, look, Rule.BOTH_ACTED)
    if by is Side.CAMPAIGN:
        # It moves Campaign's stamp by itself, so the stamp says nothing about it.
        return _settle(False, look, Rule.OPTED_IN_IN_CAMPAIGN)
    if not look.stamp or look.stamp != agreement.stamp:
        return _settle(True, look, Rule.BOTH_ACTED)
    return _settle(False, look, Rule.OPTED_IN_IN_DYNAMICS)


def _undecided(look: Look, terms: Terms) -> Decision:
    newer = look.campaign_at is not None and look.campaign_at > look.dynamics_at + terms.tolerance
    if terms.policy is Policy.AGREED and terms.found and newer:
        return _settle(look.campaign, look, Rule.FOUND_NEWER_IN_CAMPAIGN)
    return _settle(True, look, Rule.NEVER_AGREED)


def _adobe(look: Look) -> Decision:
    if look.campaign_at is not None and look.campaign_at > look.dynamics_at:
        return _settle(look.campaign, look, Rule.NEWER_IN_CAMPAIGN)
    return _settle(True, look, Rule.EITHER_OPTED_OUT)


def _settle(value: bool, look: Look, rule: Rule) -> Decision:
    return Decision(value, Side.DYNAMICS if look.campaign == value else Side.CAMPAIGN, rule)


def _untouched(announced: Announced, look: Look) -> bool:
    """Whether the side that was to be opted in is still as it was before that write."""
    now = look.stamp if announced.side is Side.CAMPAIGN else look.version
    return bool(now) and now == announced.stamp


def agreed(decision: Decision, look: Look, agreement: Agreement) -> Agreement:
    """The agreement once the decision is carried out. A write of ours to Campaign leaves its stamp unknown."""
    if decision.rule is Rule.EQUAL:
        by = agreement.by if agreement.value is decision.value else Side.BOTH
        return Agreement(decision.value, by, look.stamp)
    if decision.write is Side.CAMPAIGN:
        return Agreement(decision.value, Side.DYNAMICS, "")
    return Agreement(decision.value, Side.CAMPAIGN, look.stamp)
