"""compare: only what none of Campaign's rules explains is a difference."""

from __future__ import annotations

from typing import Any

import pytest

from sync.planning.compare import differing, equal


@pytest.mark.parametrize(
    ("sent", "shown", "policy"),
    [
        ("", None, ""),
        (0, "", ""),
        (False, "", ""),
        (0, False, ""),
        ("JEAN-luc", "Jean-Luc", "smartCase"),
        ("de", "DE", "upperCase"),
        ("Ada@Example.com", "ada@example.com", "email"),
        ("+49 (30) 12-34", "+49301234", "phone"),
        ("a  b ", "a b", ""),
        ("X_1", "x1", "identifier"),
        ("2026-11-24 10:30:00.000Z", "2026-11-24T10:30:00Z", ""),
        ("2026-11-24 10:30:00.000Z", "2026-11-24 11:30:00.000+01:00", ""),
        (True, True, ""),
        (True, "true", ""),
        (1.5, "1.50", ""),
        (20000, 20000.0, ""),
        ("2026-11-24", "2026-11-24", ""),
    ],
)
def test_what_a_rule_explains_is_equal(sent: Any, shown: Any, policy: str) -> None:
    assert equal(sent, shown, policy)
    assert equal(shown, sent, policy)


@pytest.mark.parametrize(
    ("sent", "shown", "policy"),
    [
        ("Ada", "ada", ""),
        ("Ada", "ada", "none"),
        ("Ada", "Eve", "smartCase"),
        ("Ada", "", ""),
        ("", "Ada", ""),
        (True, False, ""),
        (True, "", ""),
        (1, 2, ""),
        ("+49301234", "+49301235", "phone"),
        ("2026-11-24 10:30:00.000Z", "2026-11-24 10:30:00.001Z", ""),
        ("2026-11-24", "2026-11-25", ""),
        ("male", "female", ""),
        ("x1", "x2", "identifier"),
        (5, "five", ""),
    ],
)
def test_everything_else_differs(sent: Any, shown: Any, policy: str) -> None:
    assert not equal(sent, shown, policy)
    assert not equal(shown, sent, policy)


def test_paths_of_items_and_nothing_that_was_not_sent() -> None:
    sent = {"firstName": "Ada", "location": {"city": "Ulm", "zipCode": "89073"}}
    shown = {"firstName": "ADA", "location": {"city": "Bonn", "zipCode": "89073"}, "salutation": "Dr."}
    assert differing(sent, shown, {"firstName": "smartCase"}) == ("location.city",)
    assert differing(sent, {}, {}) == ("firstName", "location.city", "location.zipCode")
