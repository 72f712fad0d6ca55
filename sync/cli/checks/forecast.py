"""How long a first load takes under the call budget: pure."""

from __future__ import annotations

from dataclasses import dataclass

from sync.cli.checks.finding import Finding, good, warn
from sync.cli.output import duration, number

AREA = "Forecast"
LONG_S = 3 * 86400


@dataclass(frozen=True, slots=True)
class Rate:
    """Campaign calls a second that a first load gets, and the settings it follows from."""

    calls_per_s: float
    limit: int
    window_s: float


def forecast(mapping: str, records: int, calls: int, rate: Rate, *, capped: bool) -> Finding:
    """`calls` is what an insert costs; `capped`: there are at least so many records."""
    seconds = records * calls / rate.calls_per_s
    least = "at least " if capped else ""
    text = (
        f"{least}{number(records)} records × {calls} call{'s' if calls > 1 else ''} at {rate.calls_per_s:.1f} calls/s "
        f"(of CAMPAIGN_LIMIT {rate.limit} in {rate.window_s:g} s) = {least}{duration(seconds)}"
    )
    fix = "Ask Adobe for your licensed rate and set CAMPAIGN_LIMIT and CAMPAIGN_WINDOW_S to it."
    if capped:
        return warn(AREA, mapping, text, f"Dynamics counts up to 5,000 only: look there. {fix}")
    return warn(AREA, mapping, text, fix) if seconds > LONG_S else good(AREA, mapping, text)
