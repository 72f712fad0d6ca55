"""How long a first load takes under the call budget: pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sync.cli.checks.finding import Finding, good, warn
from sync.cli.output import duration, number

AREA = "Forecast"
LONG_S = 3 * 86400
NEARLY = 0.8
"""The share of a day's calls above which somebody should know."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Campaign calls a second that a first load gets, and the settings it follows from; `per_day` 0: no such limit."""

    calls_per_s: float
    limit: int
    window_s: float
    per_day: int = 0
    seconds: Callable[[int], float] | None = None
    """How long so many calls take, where more than the rate decides."""


def forecast(mapping: str, records: int, calls: int, rate: Rate, *, capped: bool) -> Finding:
    """`calls` is what an insert costs; `capped`: there are at least so many records."""
    seconds = steady = records * calls / rate.calls_per_s
    if rate.seconds is not None:
        seconds = rate.seconds(records * calls)
    least = "at least " if capped else ""
    day = f", {number(rate.per_day)} a day" if rate.per_day else ""
    text = (
        f"{least}{number(records)} records × {calls} call{'s' if calls > 1 else ''} at {rate.calls_per_s:.1f} calls/s "
        f"(of CAMPAIGN_LIMIT {rate.limit} in {rate.window_s:g} s{day}) = {least}{duration(seconds)}"
    )
    fix = "Ask Adobe for your licensed rate and set CAMPAIGN_LIMIT and CAMPAIGN_WINDOW_S to it."
    if capped:
        return warn(AREA, mapping, text, f"Dynamics counts up to 5,000 only: look there. {fix}")
    if seconds > steady:
        fix = "CAMPAIGN_CALLS_PER_DAY makes it so long; ask Adobe for what your contract allows."
    return warn(AREA, mapping, text, fix) if seconds > LONG_S else good(AREA, mapping, text)


def day_used(used: int, per_day: int) -> Finding:
    """How much of the day's calls is used."""
    text = f"{number(used)} of {number(per_day)} Campaign calls in the last 24 hours ({used / per_day:.0%})"
    if used <= NEARLY * per_day:
        return good(AREA, "calls a day", text)
    fix = "The rest of the work waits for tomorrow once all are used; live changes and opt-outs come before first loads."
    return warn(AREA, "calls a day", text, fix)
