"""pipeline: a first load through every real part, against the fastest bare client making the same calls."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.engine import contacts
from sandbox.demo.stack import Setup, Stack, stack

UNLIMITED = {"CAMPAIGN_LIMIT": "10000000", "CAMPAIGN_BURST": "1000"}
AGE_S = 86_400.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Load:
    """One first load: profiles per second between the tenth and ninetieth percentile, and what it took."""

    records_per_s: float
    look_alike_cpu: float
    """Cores that the Campaign look-alike used meanwhile."""
    app_ms: float
    """CPU milliseconds of the app process per record."""
    peaks_mb: dict[int, float]
    """Peak resident memory of the app process when so many profiles had been made."""
    seconds: float


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def peak_mb(pid: int) -> float:
    """Largest resident size so far (VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def first_load(
    running: Stack, count: int, settings: dict[str, str], say: Say, peaks_at: Sequence[int] = ()
) -> Load:
    """Seed `count` contacts that were last changed long ago, start the app, wait until all are profiles.

    Contacts changed within OVERLAP_S would be read again by every live read beside the full read.
    """
    running.dynamics.command("clock", advance_s=-AGE_S)
    for start in range(0, count, 5000):
        running.dynamics.command("seed", records=contacts(min(5000, count - start), seed=start))
    running.dynamics.command("clock", advance_s=AGE_S)
    began = time.monotonic()
    host = running.start_host(**UNLIMITED, **settings)
    host.run_now("pull_changes")
    look_alike, app = running.processes["campaign"].pid, host.child.pid
    marks: dict[float, tuple[float, float, float, int]] = {}
    peaks: dict[int, float] = {}
    seen = done = 0
    while done < count:
        time.sleep(0.25)
        entries, seen = running.campaign.log(seen)
        done += sum(entry["note"] == "profile.create" and entry["status"] == 201 for entry in entries)
        for share in (0.1, 0.9):
            if done >= share * count:
                marks.setdefault(share, (time.monotonic(), cpu_seconds(look_alike), cpu_seconds(app), done))
        for size in peaks_at:
            if done >= size:
                peaks.setdefault(size, round(peak_mb(app), 1))
        if sys.stderr.isatty():
            say(f"{done}/{count}")
        if time.monotonic() - began > 60 + count / 20:
            raise TimeoutError(f"{done} of {count} after {time.monotonic() - began:.0f} s")
    (t1, c1, a1, n1), (t2, c2, a2, n2) = marks[0.1], marks[0.9]
    load = Load(
        records_per_s=(n2 - n1) / (t2 - t1),
        look_alike_cpu=(c2 - c1) / (t2 - t1),
        app_ms=1000 * (a2 - a1) / (n2 - n1),
        peaks_mb=peaks,
        seconds=time.monotonic() - began,
    )
    running.stop_host()
    return load


def _bare(url: str, count: int, in_flight: int) -> float:
    command = [sys.executable, "-m", "benchmarks.bare", url, str(count), str(in_flight)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, timeout=600).stdout)


def compare(count: int, *, in_flight: int, latency_ms: int, say: Say) -> dict[str, float]:
    """Ours and the bare client's rate against a look-alike of fixed latency, in the same run."""
    with stack(Setup(latency_ms=latency_ms)) as running:
        bare = [_bare(running.campaign.url, count, in_flight)]
        running.campaign.command("reset")
        load = first_load(running, count, {"CAMPAIGN_CONCURRENCY": str(in_flight)}, say)
        running.campaign.command("reset")
        bare.append(_bare(running.campaign.url, count, in_flight))
    reference = max(bare)
    return {
        "ratio": round(load.records_per_s / reference, 3),
        "records_per_s": round(load.records_per_s, 1),
        "bare_calls_per_s": round(reference, 1),
        "look_alike_cpu": round(load.look_alike_cpu, 2),
        "app_cpu_ms_per_record": round(load.app_ms, 2),
    }


def memory(sizes: Sequence[int], say: Say) -> dict[int, float]:
    """Peak megabytes of the app process when so many contacts had been loaded, in one first load of the most at 0 ms.

    One process for all, since two that do the same differ by more than what is looked for. Azurite keeps its data on
    disk: in memory, every deleted message makes it go through all that wait, and a load of 100,000 takes hours.
    """
    with stack(Setup(azurite_on_disk=True)) as running:
        return first_load(running, max(sizes), {}, say, sizes).peaks_mb
