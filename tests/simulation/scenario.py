"""What a seed decides before anything happens."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from sync.settings import Settings
from tests.simulation.chaos import CALM, Weather, draw_weather
from tests.simulation.oracle import SmallMapping

MAPPING = "contacts"
SPECIALS = ("brake", "killer", "environment", "budget", "outage", "crowd", "storage", "drift")


@dataclass(frozen=True, slots=True)
class Scenario:
    """One seed's world."""

    seed: int
    special: str
    weather: Weather
    processes: int
    contacts: int
    length_s: float
    tick_s: float
    acts: int
    addressing: str
    delete_by_key: bool
    anchor: str
    recreated: str
    dynamics_skew: float
    lease_s: float
    page_size: int
    chunk: int
    limit: int
    window_s: float
    burst: int
    brake_min: int
    concurrency: int
    first_mapping: SmallMapping
    dialect: str = "standard"
    probing: bool = False
    """Campaign is asked how its records are addressed (`auto`), by each worker."""
    rebaselines: bool = False

    def settings(self) -> Settings:
        """The app's settings, scaled to a run of a minute or two."""
        return Settings.model_validate(
            {
                "AzureWebJobsStorage": "memory",
                "DYNAMICS_URL": "https://org.crm4.dynamics.test",
                "DYNAMICS_TENANT_ID": "local",
                "DYNAMICS_CLIENT_ID": "local-dynamics",
                "DYNAMICS_CLIENT_SECRET": "local-dynamics-secret",
                "DYNAMICS_PAGE_SIZE": self.page_size,
                "CAMPAIGN_URL": "https://mc.adobe.test/local/campaign",
                "CAMPAIGN_CLIENT_ID": "local-campaign",
                "CAMPAIGN_CLIENT_SECRET": "local-campaign-secret",
                "CAMPAIGN_DIALECT": self.dialect,
                "CAMPAIGN_ADDRESSING": self.addressing,
                "CAMPAIGN_DELETE_BY_KEY": self.delete_by_key,
                "CAMPAIGN_LIMIT": self.limit,
                "CAMPAIGN_WINDOW_S": self.window_s,
                "CAMPAIGN_BURST": self.burst,
                "CAMPAIGN_CONCURRENCY": self.concurrency,
                "MESSAGE_LEASE_S": self.lease_s,
                "CALL_TIMEOUT_S": 1.0,
                "GATEWAY_S": 1.0,
                "SKEW_S": 1.0,
                "PAGES_PER_GROUP": 1,
                "CHUNK_RECORDS": self.chunk,
                "BUCKETS": 2,
                "PULL_SECONDS": 1.5,
                "OVERLAP_S": 5.0,
                "DELETE_BRAKE_PERCENT": 0.0,
                "DELETE_BRAKE_MIN": self.brake_min,
            }
        )


def draw(seed: int) -> Scenario:
    """The scenario of a seed: some numbers are reserved for what is rare."""
    rng = random.Random(f"scenario {seed}")
    special = SPECIALS[seed % 20] if seed % 20 < len(SPECIALS) else ""
    tight = special == "budget" or rng.random() < 0.1
    chunk = 1 if special == "budget" else rng.choice((1, 2, 3))
    burst = rng.choice((1, 2, 8)) if special != "budget" or rng.random() < 0.2 else 8
    limit = burst + max(2 * chunk, 4) + (rng.choice((5, 8, 14)) if special != "budget" else 5)
    addressing = rng.choice(("key", "key", "filter"))
    if special == "killer":
        addressing = "key"
    weather = CALM if special in ("killer", "outage") and rng.random() < 0.7 else draw_weather(rng)
    if special == "storage":
        weather = replace(weather, storage=0.05)
    if special == "budget":
        weather = replace(weather, host=0.8)
    return Scenario(
        seed=seed,
        special=special,
        weather=weather,
        processes=rng.choice((2, 2, 3)),
        contacts=rng.choice((2, 2, 3, 4))
        + {"crowd": 8, "budget": 10, "brake": 2, "drift": 2}.get(special, 0),
        length_s=rng.choice((30.0, 60.0, 100.0)),
        tick_s=rng.choice((3.0, 5.0, 8.0)),
        acts={"budget": 40, "drift": 6}.get(special) or rng.choice((6, 12, 20)),
        addressing=addressing,
        delete_by_key=addressing == "key" and rng.random() < 0.4,
        anchor=rng.choice(("first", "last")),
        recreated=rng.choice(("both", "row")),
        dynamics_skew=rng.uniform(-1.0, 1.0),
        lease_s=rng.choice((3.0, 5.0, 8.0, 20.0)),
        page_size=rng.choice((1, 1, 2)),
        chunk=chunk,
        limit=limit if tight else 4000,
        window_s=(120.0 if special == "budget" else rng.choice((20.0, 60.0))) if tight else 300.0,
        burst=burst if tight else 100,
        brake_min=rng.choice((0, 1)) if special in ("brake", "budget") or rng.random() < 0.05 else 50,
        concurrency=rng.choice((1, 2, 16)),
        first_mapping=SmallMapping(
            deletes=rng.choice(("mark", "mark", False)) if rng.random() < 0.2 else True,
            on_missing=rng.choice(("hold", "hold", "recreate")),
            filtered=rng.random() < 0.5,
            leaving=rng.choice(("keep", "delete", "mark")),
            labels="man/woman" if rng.random() < 0.3 else "",
            merges=rng.choice(("false", "keep", "delete", "delete")),
        ),
        # Of its own, so that older seeds stay what they were.
        dialect="v8" if random.Random(f"dialect {seed}").random() < 0.25 else "standard",
    )


def widened(scenario: Scenario) -> Scenario:
    """The scenario with what came later: drawn by itself, so that older draws stay what they were."""
    rng = random.Random(f"more {scenario.seed}")
    probing = rng.random() < 0.12
    rebaselines = rng.random() < 0.15
    first = replace(scenario.first_mapping, first_load=rng.random() < 0.2)
    return replace(scenario, probing=probing, rebaselines=rebaselines, first_mapping=first)
