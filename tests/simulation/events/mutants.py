"""python -m tests.simulation.events.mutants: the events harness is tested by breaking the flow, one line at a time.

Five breakages that seeds find too rarely are caught by named tests in tests/events: a claim read after the rows, an
unknown correction that gives its claim back, a bulk answer believed whatever it says, poison messages dropped, a torn
last line taken at once.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.simulation.mutants import ROOT, Mutant

COPIED = ("sync", "sandbox", "mappings", "tests/simulation", "tests/events")
MOST_SEEDS = 600
LONGEST_S = 150.0

MUTANTS = (
    Mutant(
        "the file moves before its lines are stored",
        "sync/flows/events/pull.py",
        "        open_rows, merged = await self._store(batch)\n",
        "        self._row = await context.files.write(replace(self._row, position=position, line=line))\n"
        "        open_rows, merged = await self._store(batch)\n",
    ),
    Mutant(
        "rows that wait from before are not queued again",
        "sync/storage/events.py",
        "        return self.new + self.revised + self.waiting\n",
        "        return self.new + self.revised\n",
    ),
    Mutant(
        "the line read last wins, whatever its version",
        "sync/storage/events.py",
        "        elif row.event is not None and order_of(row.event) > order_of(old.event):\n",
        "        elif row.event is not None and order_of(row.event) != order_of(old.event):\n",
    ),
    Mutant(
        "what is there already is always right",
        "sync/flows/events/partition.py",
        "    if ended is Ended.WRITTEN or (ended is Ended.EXISTS and activity.original):\n",
        "    if ended in (Ended.WRITTEN, Ended.EXISTS):\n",
    ),
    Mutant(
        "deleted activities are created again",
        "sync/flows/events/partition.py",
        '    if ended is Ended.GONE:\n        return ("gone", ""), False, "activity_deleted", None\n',
        '    if ended is Ended.GONE:\n        return ("", ""), True, "", 0.0\n',
    ),
    Mutant(
        "a row is closed with its first activity",
        "sync/flows/events/partition.py",
        "        for key in sorted(self.open.intersection(closed) - unfinished):\n",
        "        for key in sorted(self.open.intersection(closed)):\n",
    ),
    Mutant(
        "what could not be written is closed",
        "sync/flows/events/partition.py",
        '    return None, True, "", result.delay_s\n',
        '    return None, False, "", None\n',
    ),
    Mutant(
        "creates carry no precondition",
        "sync/dynamics/activities.py",
        '{"If-None-Match": "*"} if verb is Verb.CREATE else {"If-Match": "*"}',
        '{} if verb is Verb.CREATE else {"If-Match": "*"}',
    ),
    Mutant(
        "corrections carry no precondition",
        "sync/dynamics/activities.py",
        '{"If-None-Match": "*"} if verb is Verb.CREATE else {"If-Match": "*"}',
        '{"If-None-Match": "*"} if verb is Verb.CREATE else {}',
    ),
    Mutant(
        "no claim for corrections",
        "sync/flows/events/apply.py",
        "        works = [work for work in works if not work.corrects or await self._claim(work, owner, deadline)]\n",
        "",
    ),
    Mutant(
        "an expired claim's partition is dropped",
        "sync/flows/events/apply.py",
        "            self._again(name, min(claim.take_over - context.now(), LOOK_AGAIN_S))\n",
        "",
    ),
    Mutant(
        "parked events are forgotten when the contact appears",
        "sync/flows/events/house.py",
        "            await send(context, EventMessage(epoch, (names,)))\n",
        "            pass\n",
    ),
    Mutant(
        "parked contacts do not come along",
        "sync/flows/events/apply.py",
        "            self._again(PartitionName(work.name, work.contacts), delay)\n",
        "            self._again(PartitionName(work.name), delay)\n",
    ),
    Mutant(
        "proofs reach the timeline",
        "sync/planning/exports.py",
        '        for flag in ("proof", "seed"):\n',
        '        for flag in ("seed",):\n',
    ),
)


def judge(mutant: Mutant) -> tuple[str, float]:
    """Break a copy and play seeds until one fails; what noticed it, "" if nothing did."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder)
        for part in COPIED:
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        target = copy / mutant.file
        text = target.read_text(encoding="utf-8")
        if text.count(mutant.old) != 1:
            print(f"  {mutant.file}: the text to change is there {text.count(mutant.old)} times")
            return "", time.monotonic() - began
        target.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "tests.simulation.events",
            "--seeds",
            str(MOST_SEEDS),
            "--once",
            "--stop",
        ]
        try:
            done = subprocess.run(
                command, cwd=copy, capture_output=True, text=True, timeout=LONGEST_S, check=False
            )
        except subprocess.TimeoutExpired:
            return "", time.monotonic() - began
        caught = done.stdout.partition("\n")[0] if done.returncode == 1 else ""
        if not caught:
            print(done.stderr[-800:])
    return caught[:90], time.monotonic() - began


def main() -> int:
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    chosen = [mutant for mutant in MUTANTS if only in mutant.name]
    missed = 0
    with ThreadPoolExecutor(2) as pool:
        for mutant, (caught, seconds) in zip(chosen, pool.map(judge, chosen), strict=True):
            print(f"{mutant.name:54} {seconds:5.1f} s  {caught or 'NOT CAUGHT'}", flush=True)
            missed += not caught
    print(f"events mutants: {len(chosen)}, {missed} not caught: {'FAILED' if missed else 'ok'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
