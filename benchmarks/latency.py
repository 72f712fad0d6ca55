"""latency: from a change in Dynamics to the profile in Campaign, with the shipped schedule and polling values."""

from __future__ import annotations

import random
import time

from benchmarks.engine import contacts
from benchmarks.pipeline import Say
from sandbox.demo.stack import Stack, stack

EDITS = 40
SECONDS = 60.0
QUICK_EDITS = 25
QUICK_SECONDS = 25.0


def percentile(values: list[float], share: float) -> float:
    """The nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


def measure(say: Say, *, quick: bool = False) -> dict[str, float]:
    """`p50` and `p95` seconds of edits spread by chance over a minute (25 seconds if `quick`).

    The quick run does not wait until deltas have taken over from the live reads; both run at the same schedule.
    """
    edits, seconds = (QUICK_EDITS, QUICK_SECONDS) if quick else (EDITS, SECONDS)
    with stack() as running:
        ids = running.dynamics.command("seed", records=contacts(edits))
        running.start_host().run_now("pull_changes")
        _wait(running, "profile.create", edits, 120)
        if not quick:
            # Deltas take over with the second tick after the last page.
            time.sleep(35)
        seen = running.campaign.log()[1]
        changed = _edit(running, ids, seconds, say)
        written = _written(running, seen, set(changed))
    delays = [written[record] - at for record, at in changed.items()]
    return {"p50": round(percentile(delays, 0.5), 2), "p95": round(percentile(delays, 0.95), 2)}


def _edit(running: Stack, ids: list[str], seconds: float, say: Say) -> dict[str, float]:
    rng = random.Random(7)
    start = time.time()
    changed: dict[str, float] = {}
    for number, moment in enumerate(sorted(rng.uniform(0, seconds) for _ in ids)):
        time.sleep(max(0.0, start + moment - time.time()))
        changed[ids[number]] = time.time()
        running.dynamics.command("edit", id=ids[number], changes={"lastname": f"Edited {number}"})
        say(f"edit {number + 1}/{len(ids)}")
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
