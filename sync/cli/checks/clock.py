"""Clocks: claims, budgets and the overlap of reads trust them to within SKEW_S."""

from __future__ import annotations

from sync.cli.checks.finding import Finding, bad, good, warn

AREA = "Clock"


def check_clock(system: str, ahead_s: float | None, skew_s: float) -> Finding:
    """`ahead_s` is how far the service's clock is ahead of this machine's, None if it did not say."""
    if ahead_s is None:
        return warn(AREA, system, "its answers carry no Date", "Nothing, unless other checks are red too.")
    off = abs(ahead_s)
    text = f"{off:.1f} s {'ahead of' if ahead_s > 0 else 'behind'} this machine"
    fix = "Set this machine's clock (NTP); in Azure it is kept for you."
    if off > skew_s:
        return bad(AREA, system, f"{text}, more than SKEW_S ({skew_s:g} s)", fix)
    if off > skew_s / 2:
        return warn(AREA, system, f"{text}, more than half of SKEW_S ({skew_s:g} s)", fix)
    return good(AREA, system, text)
