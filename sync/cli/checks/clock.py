"""Clocks: claims, budgets and the overlap of reads trust them to within SKEW_S."""

from __future__ import annotations

from sync.cli.checks.finding import Finding, bad, good, skipped, warn

AREA = "Clock"
COARSE_S = 1.0
"""A `Date` has whole seconds."""


def check_clock(system: str, ahead_s: float | None, skew_s: float, *, answered: bool) -> Finding:
    """`ahead_s` is how far the service's clock is ahead of this machine's, None if it did not say."""
    if ahead_s is None:
        if not answered:
            return skipped(AREA, system, "no answer to read a time from")
        return warn(AREA, system, "its answers carry no Date", "Nothing, unless other checks are red too.")
    off = abs(ahead_s)
    if off <= COARSE_S:
        return good(AREA, system, "agrees with this machine to the second")
    text = f"{off:.1f} s {'ahead of' if ahead_s > 0 else 'behind'} this machine"
    fix = "Set this machine's clock (NTP); in Azure it is kept for you."
    if off > skew_s:
        return bad(AREA, system, f"{text}, more than SKEW_S ({skew_s:g} s)", fix)
    if off > skew_s / 2:
        return warn(AREA, system, f"{text}, more than half of SKEW_S ({skew_s:g} s)", fix)
    return good(AREA, system, text)
