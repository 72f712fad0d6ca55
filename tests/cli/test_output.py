"""Numbers and durations as people read them, forecasts, and ids as people type them."""

from __future__ import annotations

import pytest

from sync.cli.checks.finding import Level
from sync.cli.checks.forecast import Rate, forecast
from sync.cli.output import counted, duration
from sync.cli.records import record_id
from sync.cli.session import UsageProblem


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.4, "0 s"),
        (89, "89 s"),
        (91, "2 min"),
        (5_400, "1 h 30 min"),
        (7200, "2 h"),
        (172_799, "2 days"),
        (15_000_000 / 13, "13 days"),
    ],
)
def test_durations(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_counts_have_their_noun() -> None:
    assert [counted(1, "record"), counted(0, "record"), counted(15_000_000, "record")] == [
        "1 record",
        "0 records",
        "15,000,000 records",
    ]


def test_a_forecast_of_the_design_s_example() -> None:
    found = forecast("contacts", 15_000_000, 1, Rate(13.0, 4000, 300), capped=False)
    assert "15,000,000 records × 1 call at 13.0 calls/s" in found.text
    assert "13 days" in found.text
    assert found.level is Level.WARN
    assert "licensed rate" in found.fix


def test_a_short_load_is_green() -> None:
    assert forecast("contacts", 1000, 2, Rate(10.0, 4000, 300), capped=False).level is Level.OK


@pytest.mark.parametrize(
    "typed",
    [
        "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        "{3F2504E0-4F89-41D3-9A0C-0305E82C3301}",
        " 3F2504E0-4f89-41D3-9A0C-0305e82c3301 ",
    ],
)
def test_ids_as_dynamics_shows_them(typed: str) -> None:
    assert record_id(typed) == "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


@pytest.mark.parametrize(
    "typed",
    ["", "x", "3f2504e04f8941d39a0c0305e82c3301", "3f2504e0-4f89-41d3-9a0c-0305e82c330g", "contacts(1)"],
)
def test_what_is_no_id(typed: str) -> None:
    with pytest.raises(UsageProblem, match="is not a record id"):
        record_id(typed)
