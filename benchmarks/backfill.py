"""backfill: how long a change takes while a replay of everything runs at half the measured capacity, against idle.

Real parts: the function app under the host, Azurite, both look-alikes. What arrives are new contacts, which no replay
creates, so that every arrival is told from the backfill's own updates.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.engine import ROOT, contacts
from benchmarks.latency import percentile
from benchmarks.pipeline import Say, first_load
from sandbox.demo.stack import Setup, Stack, stack
from sync.storage.budget import BACKFILL_SHARE

RECORDS = 50_000
ARRIVALS = 40
SECONDS = 60.0
DELTAS_S = 35.0
"""Deltas take over with the second tick after the last page."""
LONGEST_S = 180.0
WINDOW_S, BURST, CHUNK = 310.0, 100, 40
"""The shipped window with its reservation, burst, and the largest take: the budget's rate is made of them."""
MINUTE_S = 60.0


def measure(say: Say, records: int = RECORDS) -> dict[str, Any]:
    """p95 seconds idle and during the backfill, their ratio, and the rates of both."""
    with stack(Setup(azurite_on_disk=True)) as running:
        load = first_load(running, records, {}, lambda text: say(f"first load: {text}"))
        watched = Watched(running)
        running.start_host(CAMPAIGN_LIMIT=str(_limit(load.records_per_s / 2))).run_now("pull_changes")
        time.sleep(DELTAS_S)
        idle = _arrivals(watched, 1, say, "idle")
        replay = (sys.executable, "-m", "sync", "replay", "--all", "--force", "--yes")
        settings = ("--settings", str(running.settings_file))
        subprocess.run((*replay, *settings), cwd=ROOT, check=True, capture_output=True, timeout=120)
        _until(lambda: watched.look().updates > 0, "the backfill's first update")
        began, first = time.monotonic(), watched.updates
        busy = _arrivals(watched, 2, say, "during the backfill")
        rate = (watched.look().updates - first) / (time.monotonic() - began)
    return {
        "live_s": {"p95_idle": round(idle, 2), "p95_during_backfill": round(busy, 2)},
        "live_backfill_ratio": round(busy / idle, 3),
        "backfill": {
            "records": records,
            "capacity_per_s": round(load.records_per_s, 1),
            "records_per_s": round(rate, 1),
        },
    }


def _limit(rate: float) -> int:
    """The limit of which the backfill's share is `rate` calls a second."""
    return round(rate / BACKFILL_SHARE * WINDOW_S) + BURST + CHUNK


class Watched:
    """What has arrived in Campaign, read on from the end of its log."""

    def __init__(self, running: Stack) -> None:
        self.running = running
        self.updates = 0
        self.created: dict[str, float] = {}
        """When each profile was made, by the look-alike's clock."""
        self._next = running.campaign.log()[1]

    def look(self) -> Watched:
        """Read what came since."""
        entries, self._next = self.running.campaign.log(self._next)
        for entry in entries:
            if entry["note"] == "profile.update" and entry["status"] == 200:
                self.updates += 1
            elif entry["note"] == "profile.create" and entry["status"] == 201:
                self.created.setdefault(entry["record"], entry["at"])
        return self


def _arrivals(watched: Watched, seed: int, say: Say, what: str) -> float:
    """p95 seconds from new contacts, spread by chance over a minute, to their profiles."""
    rng = random.Random(seed)
    # Both runs begin at the same phase of the minute.
    time.sleep(MINUTE_S - time.time() % MINUTE_S)
    start = time.time()
    made: dict[str, float] = {}
    people = contacts(ARRIVALS, seed=10_000_000 * seed)
    for number, moment in enumerate(sorted(rng.uniform(0, SECONDS) for _ in people)):
        time.sleep(max(0.0, start + moment - time.time()))
        at = time.time()
        made.update(dict.fromkeys(watched.running.dynamics.command("seed", records=[people[number]]), at))
        say(f"{what}: {number + 1}/{ARRIVALS}")
    _until(lambda: set(made) <= set(watched.look().created), f"arrivals {what}")
    return percentile([watched.created[record] - at for record, at in made.items()], 0.95)


def _until(done: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + LONGEST_S
    while not done():
        if time.monotonic() > until:
            raise TimeoutError(f"{what}: not within {LONGEST_S:.0f} s")
        time.sleep(0.5)
