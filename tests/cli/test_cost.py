"""The cost calculator: its constants are those of the code, its arithmetic is checked by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sync.cli import cost_model
from sync.cli.cost_model import Load, Prices, bill, calls
from sync.cli.program import app
from sync.settings import Settings

ROOT = Path(__file__).parents[2]
QUIET = Load(contacts=0, changes_per_day=0, always_ready=0)


def cost(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["cost", *arguments])


def usd(load: Load, **prices: float) -> dict[str, float]:
    return {line.item: line.usd for line in bill(load, Prices(**prices))}


def test_calls_per_record_are_the_measured_ones() -> None:
    measured = json.loads((ROOT / "benchmarks" / "results.json").read_text())["campaign_calls"]
    for did, by_mode in cost_model.CALLS_PER_RECORD.items():
        for mode, count in by_mode.items():
            assert measured[mode][did] == count


def test_ticks_and_polls_are_the_shipped_ones() -> None:
    defaults = {name: field.default for name, field in Settings.names().items()}
    assert defaults["PULL_SCHEDULE"] == defaults["FEED_SCHEDULE"] == "*/15 * * * * *"
    assert cost_model.PULLS == cost_model.FEEDS == 24 * 3600 / 15
    assert defaults["WAKE_SCHEDULE"] == "0 * * * * *"
    assert cost_model.WAKES == 24 * 60
    assert defaults["EVENTS_SCHEDULE"] == "*/30 * * * * *"
    assert cost_model.EVENT_PULLS == 24 * 3600 / 30
    assert defaults["CONSENT_SCHEDULE"] == "0 * * * * *"
    assert cost_model.LOOKS == 24 * 60
    host = json.loads((ROOT / "host.json").read_text())
    assert host["extensions"]["queues"]["maxPollingInterval"] == f"00:00:{cost_model.POLL_S:02.0f}"
    triggers = re.findall(r"@app\.queue_trigger", (ROOT / "function_app.py").read_text())
    assert len(triggers) == cost_model.POLLED_QUEUES
    alerts = list((ROOT / "infra" / "queries").glob("*.kql"))
    assert len(alerts) == cost_model.ALERTS


def test_a_ready_instance_costs_its_memory_all_month() -> None:
    load = Load(contacts=0, changes_per_day=0, always_ready=1, gb=2)
    assert usd(load, ready_gb_s=0.000004)["instances kept ready"] == pytest.approx(
        2 * 30.4 * 86400 * 0.000004
    )


def test_idle_timers_cost_a_second_each_beyond_the_free_grant() -> None:
    seconds = (5760 + 5760 + 1440 + 1440) * 30.4
    assert usd(QUIET, run_gb_s=1, free_gb_s=0)["runs on demand"] == pytest.approx(seconds * 2)
    assert usd(QUIET, run_gb_s=1, free_gb_s=1e9)["runs on demand"] == 0


def test_every_line_grows_with_what_it_is_for() -> None:
    small = usd(Load(1000, 100, 0), free_log_gb=0)
    large = usd(Load(1_000_000, 100_000, 100_000), free_log_gb=0)
    for item in ("runs on them", "function runs", "queue operations", "table operations", "stored", "logs"):
        assert large[item] > small[item], item
    assert "private network" not in small
    assert usd(Load(1000, 100, private=True))["private network"] > 30


def test_the_forecast_of_the_design_comes_out() -> None:
    """15 M records at 13 calls/s = 13 days."""
    told = calls(Load(15_000_000, 0), calls_per_s=13, share=1, licensed_per_s=13)
    assert told.first_load == 15_000_000
    assert told.first_load_s / 86400 == pytest.approx(13.35, abs=0.01)
    twice = calls(Load(15_000_000, 1000, addressing="filter"), calls_per_s=13, share=1, licensed_per_s=13)
    assert (twice.first_load, twice.per_day) == (30_000_000, 2000)


def test_the_command_prints_a_total_and_the_calls() -> None:
    shown = cost("--contacts", "500000", "--changes-per-day", "20000")
    assert shown.exit_code == 0
    assert "USD a month" in shown.output
    assert "First load: 500,000 Campaign calls, 13 h 57 min." in shown.output
    told = json.loads(cost("--contacts", "1", "--changes-per-day", "2", "--json").stdout)
    assert told["usd_per_month"] == pytest.approx(sum(line["usd"] for line in told["lines"]), abs=0.05)
    assert told["campaign_calls"]["per_day"] == 2


def test_a_price_can_be_replaced_and_a_wrong_one_is_explained() -> None:
    base = ("--contacts", "1", "--changes-per-day", "2", "--json")
    free = json.loads(
        cost(*base, *(arg for name in Prices.names() for arg in ("--price", f"{name}=0"))).stdout
    )
    assert free["usd_per_month"] == 0
    wrong = cost("--contacts", "1", "--changes-per-day", "2", "--price", "gold=1")
    assert wrong.exit_code == 2
    assert "run_gb_s" in wrong.output
    assert cost("--contacts", "1", "--changes-per-day", "2", "--price", "alert=much").exit_code == 2


def test_the_page_has_every_price_with_its_default() -> None:
    page = (ROOT / "docs" / "cost.md").read_text()
    for name in Prices.names():
        assert f"| `{name}` | {getattr(Prices(), name):,g} |" in page


def test_the_shown_output_is_what_the_command_prints() -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    start = page.index("$ python -m sync cost --contacts 500000 --changes-per-day 20000\n")
    shown = page[start : page.index("```", start)].splitlines()[1:]
    printed = cost("--contacts", "500000", "--changes-per-day", "20000").output
    assert shown == [line.rstrip() for line in printed.splitlines()]
