"""When to come back to a record that another worker holds: soon as a rule, and never after its take-over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.model import LedgerRow
from sync.planning.taken import LONGEST_LOOK_S, LOOK_AGAIN_S, look_again

CLAIM_S, GRACE_S = 300.0, 90.0
MADE = 1_000_000.0


def claimed(*, noted: bool = False) -> LedgerRow:
    """A row claimed at MADE with the shipped times."""
    until = MADE + CLAIM_S
    return LedgerRow(
        "contacts:0001:00", "a", claim_owner="w", claim_until=until, take_over=until + GRACE_S, noted=noted
    )


def test_a_claim_just_made_is_looked_at_again_after_a_second() -> None:
    assert look_again(claimed(), MADE + 0.2, CLAIM_S) == 1.0


def test_the_waits_grow_with_the_claim() -> None:
    assert look_again(claimed(), MADE + 8, CLAIM_S) == 8.0
    assert look_again(claimed(), MADE + 200, CLAIM_S) == LONGEST_LOOK_S


def test_the_last_wait_ends_at_the_takeover() -> None:
    assert look_again(claimed(), MADE + 385, CLAIM_S) == 5.0


@pytest.mark.parametrize("noted", [False, True])
def test_nobody_spins_on_a_claim_at_or_past_its_takeover(noted: bool) -> None:
    over = MADE + CLAIM_S + GRACE_S
    assert look_again(claimed(noted=noted), over - 0.01, CLAIM_S) == LOOK_AGAIN_S
    assert look_again(claimed(noted=noted), over, CLAIM_S) == LONGEST_LOOK_S
    assert look_again(claimed(noted=noted), over + 4000, CLAIM_S) == LONGEST_LOOK_S


def test_an_outcome_noted_as_unknown_is_left_alone_until_the_takeover() -> None:
    assert look_again(claimed(noted=True), MADE + 5, CLAIM_S) == CLAIM_S + GRACE_S - 5


@given(st.floats(min_value=0.0, max_value=CLAIM_S + GRACE_S - 1.0))
def test_a_crashed_claim_is_looked_at_a_few_times_only(age: float) -> None:
    looks, now = 0, MADE + age
    while now < MADE + CLAIM_S + GRACE_S:
        now += look_again(claimed(), now, CLAIM_S)
        looks += 1
    assert looks <= 25
