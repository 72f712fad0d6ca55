"""latency: from a change in Dynamics to the profile in Campaign, with the shipped schedule and polling values."""

from __future__ import annotations

import random
import time

from benchmarks.engine import contacts
from benchmarks.pipeline import Say
from sandbox.demo.stack import Stack, stack

CONTACTS = 40
EDITS = 40
SECONDS = 60.0


def percentile(values: list[float], share: float) -> float:
    """The nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


def measure(say: Say) -> dict[str, float]:
    """`p50` and `p95` seconds of EDITS edits spread by chance over SECONDS."""
    with stack() as running:
        ids = running.dynamics.command("seed", records=contacts(CONTACTS))
        running.start_host()
        _wait(running, "profile.create", CONTACTS, 120)
        # Deltas take over with the second tick after the last page.
        time.sleep(35)
        seen = running.campaign.log()[1]
        changed = _edit(running, ids, say)
        written = _written(running, seen, set(changed))
    delays = [written[record] - at for record, at in changed.items()]
    return {"p50": round(percentile(delays, 0.5), 2), "p95": round(percentile(delays, 0.95), 2)}


def _edit(running: Stack, ids: list[str], say: Say) -> dict[str, float]:
    rng = random.Random(7)
    start = time.time()
    changed: dict[str, float] = {}
    moments = sorted(rng.uniform(0, SECONDS) for _ in range(EDITS))
    for number, moment in enumerate(moments):
        time.sleep(max(0.0, start + moment - time.time()))
        changed[ids[number]] = time.time()
        running.dynamics.command("edit", id=ids[number], changes={"lastname": f"Edited {number}"})
        say(f"edit {number + 1}/{EDITS}")
    return changed


def _written(running: Stack, since: int, wanted: set[str]) -> dict[str, float]:
    """When each record was updated, by the look-alike's clock."""
    found: dict[str, float] = {}
    until = time.monotonic() + 120
    while wanted - set(found) and time.monotonic() < until:
        entries, since = running.campaign.log(since)
        for entry in entries:
            if entry["note"] == "profile.update" and entry["status"] == 200:
                found.setdefault(entry["record"], entry["at"])
        time.sleep(0.5)
    return found


def _wait(running: Stack, note: str, count: int, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        entries, _ = running.campaign.log()
        if sum(entry["note"] == note for entry in entries) >= count:
            return
        time.sleep(0.5)
    raise TimeoutError(f"no {count} times {note} within {seconds:.0f} s")
