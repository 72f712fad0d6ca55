"""consent: from an opt-out in one system to the other, with the shipped schedule, idle and during a first load.

Real parts: the function app under the host, Azurite, both look-alikes. Consent is switched on (it ships off).
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.engine import contacts
from benchmarks.latency import percentile
from benchmarks.pipeline import Say
from sandbox.demo.consent import switched_on
from sandbox.demo.stack import Setup, Stack, stack

EACH_WAY = 30
SECONDS = 60.0
LOAD = 4_000
"""Contacts of the first load that runs meanwhile: five minutes of the shipped call budget."""
LONGEST_S = 240.0
MINUTE_S = 60.0


def measure(say: Say) -> dict[str, Any]:
    """`to_dynamics` and `to_campaign` seconds, p50 and p95; the ratio of the p95 to Dynamics during a load to idle."""
    idle = _run(lambda text: say(f"idle: {text}"), 0)
    busy = _run(lambda text: say(f"during a first load: {text}"), LOAD)
    return {
        "consent_latency_s": {**idle, **{f"{name}_during_load": value for name, value in busy.items()}},
        "consent_load_ratio": round(busy["to_dynamics"]["p95"] / idle["to_dynamics"]["p95"], 2),
    }


def _run(say: Say, load: int) -> dict[str, dict[str, float]]:
    with tempfile.TemporaryDirectory() as folder:
        changes = {"CAMPAIGN_ADDRESSING": "key", **switched_on(Path(folder) / "mappings")}
        with stack(Setup(changes)) as running:
            people = [contact | {"donotbulkemail": False} for contact in contacts(2 * EACH_WAY + load)]
            for start in range(0, len(people), 500):
                running.dynamics.command("seed", records=people[start : start + 500])
            running.start_host().run_now("pull_changes")
            say("waiting for the first profiles")
            _until(lambda: len(running.campaign.records()) >= 2 * EACH_WAY, "the first profiles")
            ids = sorted(row["externalId"] for row in running.campaign.records())[: 2 * EACH_WAY]
            # Both runs begin at the same phase of the minute.
            time.sleep(MINUTE_S - time.time() % MINUTE_S)
            changed = _opt_out(running, ids, say)
            return _arrivals(running, ids, changed, say)


def _opt_out(running: Stack, ids: list[str], say: Say) -> dict[str, float]:
    """Half of them in Campaign, half in Dynamics, spread by chance over a minute; when each was made."""
    rng = random.Random(7)
    start = time.time()
    changed: dict[str, float] = {}
    for number, moment in enumerate(sorted(rng.uniform(0, SECONDS) for _ in ids)):
        time.sleep(max(0.0, start + moment - time.time()))
        record = ids[number]
        changed[record] = time.time()
        if number % 2:
            running.dynamics.command("edit", id=record, changes={"donotbulkemail": True})
        else:
            running.campaign.command("edit", id=record, changes={"blackListEmail": True})
        say(f"opt-out {number + 1}/{len(ids)}")
    return changed


def _arrivals(
    running: Stack, ids: list[str], changed: dict[str, float], say: Say
) -> dict[str, dict[str, float]]:
    """Waits for all of them; the times are those of the look-alikes."""
    from_campaign, from_dynamics = set(ids[::2]), set(ids[1::2])

    def opted_out() -> set[str]:
        return {row["contactid"] for row in running.dynamics.records() if row["donotbulkemail"]}

    say("waiting for Dynamics")
    _until(lambda: from_campaign <= opted_out(), "opt-outs in Dynamics")
    at_dynamics = {row["contactid"]: _seconds(row["modifiedon"]) for row in running.dynamics.records()}
    say("waiting for Campaign")
    at_campaign: dict[str, float] = {}
    until = time.monotonic() + LONGEST_S
    while from_dynamics - set(at_campaign) and time.monotonic() < until:
        for entry in running.campaign.log()[0]:
            if entry["note"] == "profile.update" and entry["status"] == 200:
                at_campaign.setdefault(entry["record"], entry["at"])
        time.sleep(1.0)
    ways = ((from_campaign, at_dynamics, "to_dynamics"), (from_dynamics, at_campaign, "to_campaign"))
    return {name: _summary([times[id] - changed[id] for id in some]) for some, times, name in ways}


def _summary(delays: list[float]) -> dict[str, float]:
    return {"p50": round(percentile(delays, 0.5), 1), "p95": round(percentile(delays, 0.95), 1)}


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _until(done: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + LONGEST_S
    while not done():
        if time.monotonic() > until:
            raise TimeoutError(f"{what}: not within {LONGEST_S:.0f} s")
        time.sleep(1.0)
