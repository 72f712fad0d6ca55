"""What goes wrong, how often, and how often it did: all drawn from the seed."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

READ_FATES = (
    ("lost_before", 3.0),
    ("lost_after", 2.0),
    ("throttled", 2.0),
    ("throttled_without_hint", 1.0),
    ("gateway_oops", 2.0),
    ("gateway_5xx", 2.0),
    ("garbage", 2.0),
    ("slow", 2.0),
    ("unauthorized", 1.5),
)
PAGE_FATES = (
    *READ_FATES,
    ("truncated_page", 2.5),
    ("repeated_page", 8.0),
)
DELTA_FATES = (
    *PAGE_FATES,
    ("expired_token", 5.0),
    ("metadata_changed", 5.0),
)
WRITE_FATES = (
    ("lost_before", 4.0),
    ("lost_after", 8.0),
    ("throttled", 3.0),
    ("throttled_without_hint", 1.5),
    ("gateway_oops", 3.0),
    ("gateway_5xx", 5.0),
    ("engine_500", 4.0),
    ("garbage", 3.0),
    ("slow", 8.0),
    ("unauthorized", 1.5),
)
FATES = {"read": READ_FATES, "page": PAGE_FATES, "delta": DELTA_FATES, "write": WRITE_FATES}
WEIGHTS = {
    kind: ([name for name, _ in fates], [weight for _, weight in fates]) for kind, fates in FATES.items()
}
FAULTS = tuple(
    sorted(
        {name for fates in FATES.values() for name, _ in fates}
        | {
            "crash",
            "storage_before",
            "storage_after",
            "zombie",
            "delivered_twice",
            "lease_lost",
            "late_delivery",
            "overlapping_ticks",
            "lost_tick",
            "meddled",
            "sluggish_answer",
            "stall",
        }
    )
)


@dataclass(frozen=True, slots=True)
class Weather:
    """Probabilities: per storage effect side, per HTTP call, per delivery, per tick."""

    crash: float
    storage: float
    http: float
    host: float


CALM = Weather(0.0, 0.0, 0.0, 0.0)


def draw_weather(rng: random.Random) -> Weather:
    """Some runs are dominated by one kind of trouble, some have a little of all."""
    kind = rng.random()
    if kind < 0.08:
        return CALM
    scale = rng.choice((0.3, 1.0, 1.0, 2.0))
    crash, storage, http, host = (scale * rng.choice((0.0, 0.5, 1.0, 2.5)) for _ in range(4))
    return Weather(0.004 * crash, 0.004 * storage, min(0.1 * http, 0.4), min(0.1 * host, 0.5))


class Chaos:
    """Rolls the dice and counts what fired."""

    def __init__(self, rng: random.Random, weather: Weather) -> None:
        self.rng = rng
        self.weather = weather
        self.fired: Counter[str] = Counter()
        self.death = ""

    def end(self) -> None:
        """From now on nothing goes wrong any more."""
        self.weather = CALM

    def effect(self) -> str:
        """What happens at one side of a storage effect."""
        weather = self.weather
        roll = self.rng.random()
        if roll >= weather.crash + weather.storage:
            return ""
        return "crash" if roll < weather.crash else "storage"

    def due(self, where: str) -> bool:
        """Whether a golden stream asks for a death here."""
        if self.death != where:
            return False
        self.death = ""
        return True

    def crashes(self, where: str) -> bool:
        """Whether a worker dies between two other awaits; `death` is one that a golden stream asks for."""
        return self.due(where) or self.rng.random() < self.weather.crash

    def fate(self, kind: str) -> str:
        """What happens to an HTTP call; "" is nothing."""
        if self.rng.random() >= self.weather.http:
            return ""
        names, weights = WEIGHTS[kind]
        return self.rng.choices(names, weights)[0]

    def host(self, name: str, share: float = 1.0) -> bool:
        """Whether the functions host does something it is allowed to do."""
        if self.rng.random() >= self.weather.host * share:
            return False
        self.fired[name] += 1
        return True

    def latency(self) -> float:
        """Seconds of one storage effect: mostly short, sometimes long enough for others to come between."""
        roll = self.rng.random()
        if roll < 0.93:
            return 0.002 + 0.02 * roll
        if roll > 1.0 - 0.02 * self.weather.host:
            self.fired["stall"] += 1
            return 9.0 * self.rng.random()
        return 0.05 + 4.0 * (roll - 0.93)
