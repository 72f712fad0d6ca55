"""Rows that another worker has claimed: whether to leave them, when to come back, when to give up; pure (design 4.3)."""

from __future__ import annotations

from sync.model import Intent, LedgerRow

COMMANDS = (Intent.RETRY, Intent.FORCE, Intent.APPROVED)
"""What a person asked for."""
MOST_ATTEMPTS = 5
LOOK_AGAIN_S = 1.0
LONGEST_LOOK_S = 30.0


def busy(row: LedgerRow, owner: str, now: float) -> bool:
    """Whether somebody else holds a live claim."""
    return row.claimed and row.claim_owner != owner and now < row.take_over


def look_again(row: LedgerRow, now: float, claim_s: float) -> float:
    """Seconds after which to come back to a row that somebody else holds a claim on; a claim holds `claim_s`.

    Its worker is done within seconds as a rule, so the wait is the claim's age: a crashed worker's claim is looked
    at some twenty times before its take-over. What its worker noted as unknown nobody releases before. A claim past
    its take-over (a parent's, whose own message may come late or never) is looked at now and then.
    """
    left = row.take_over - now
    if left <= 0:
        return LONGEST_LOOK_S
    if row.noted:
        return max(LOOK_AGAIN_S, left)
    age = now - (row.claim_until - claim_s)
    return max(LOOK_AGAIN_S, min(left, age, LONGEST_LOOK_S))


def crashed_too_often(row: LedgerRow, intent: Intent) -> bool:
    """Whether five claims in a row were found open about which their worker noted nothing."""
    return row.claimed and not row.noted and row.attempts >= MOST_ATTEMPTS and intent not in COMMANDS
