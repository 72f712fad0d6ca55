"""How many calls any 24 hours have had: counted by the hour in a text that lies in the budget's row.

A rate would spread a day's allowance evenly and halve a first load; counts let it be used at any pace and stay strict.
The hour that the window begins in counts in full, so that calls are never counted too short a time.
"""

from __future__ import annotations

from dataclasses import dataclass

HOUR_S = 3600.0
WINDOW_S = 24 * HOUR_S + 60.0
"""A day, and what two clocks may differ."""


@dataclass(frozen=True, slots=True)
class Day:
    """`calls` in any 24 hours; `work_share` is what all but consent may take of them."""

    calls: int
    work_share: float = 1.0


@dataclass(frozen=True, slots=True)
class DayLine:
    """Calls by hour since 1970."""

    hours: dict[int, int]

    @staticmethod
    def parse(text: str) -> DayLine:
        """The line of a stored text: `<hour>:<calls>` with spaces between."""
        pairs = (part.split(":") for part in text.split())
        return DayLine({int(hour): int(calls) for hour, calls in pairs})

    def __str__(self) -> str:
        return " ".join(f"{hour}:{calls}" for hour, calls in sorted(self.hours.items()) if calls)

    def used(self, now: float) -> int:
        """Calls of the last 24 hours, and those reserved for later."""
        first = _first(now)
        return sum(calls for hour, calls in self.hours.items() if hour >= first)

    def free_at(self, now: float, calls: int, most: int) -> float:
        """When so many more fit below `most`: `now`, or when the oldest hours have left the window."""
        first = _first(now)
        left = self.used(now) + calls - most
        at = now
        for hour in sorted(hour for hour in self.hours if hour >= first):
            if left <= 0:
                break
            left -= self.hours[hour]
            at = (hour + 1) * HOUR_S + WINDOW_S
        return at

    def take(self, now: float, at: float, calls: int) -> DayLine:
        """The line with calls that will be made by `at` at the latest; negative ones are given back."""
        first, hour = _first(now), int(at // HOUR_S)
        kept = {known: count for known, count in self.hours.items() if known >= first}
        return DayLine({**kept, hour: kept.get(hour, 0) + calls})


def _first(now: float) -> int:
    """The hour that the window begins in."""
    return int((now - WINDOW_S) // HOUR_S)
