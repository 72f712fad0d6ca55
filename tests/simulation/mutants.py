"""python -m tests.simulation.mutants: the harness is tested by breaking the engine, one line at a time.

Each breakage is applied to a copy of the project and must be caught by a golden stream or by a seed; the run of a
mutant ends at the first catch. A text that is not found exactly once is an error: the engine has moved on.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPIED = ("sync", "sandbox", "tests/simulation", "tests/streams")
MOST_SEEDS = 300
LONGEST_S = 150.0


@dataclass(frozen=True, slots=True)
class Mutant:
    """A breakage: in `file`, `old` becomes `new`."""

    name: str
    file: str
    old: str
    new: str


MUTANTS = (
    Mutant(
        "no claim",
        "sync/planning/plan.py",
        "    return row.claimed and row.claim_owner != owner and now < row.take_over\n",
        "    return False\n",
    ),
    Mutant(
        "hash trusted over an unresolved row",
        "sync/planning/plan.py",
        "    if resolved(row) and not force and unchanged:\n",
        "    if not force and unchanged:\n",
    ),
    Mutant(
        "release resolves",
        "sync/planning/outcome.py",
        "    back = replace(free, hash=before.hash, unresolved=before.unresolved, attempts=_attempts(before))\n",
        "    back = replace(free, hash=before.hash, unresolved=False, attempts=_attempts(before))\n",
    ),
    Mutant(
        "unchanged not recorded",
        "sync/planning/plan.py",
        "        if settled:\n",
        "        if True:\n",
    ),
    Mutant(
        "stale by >=",
        "sync/planning/plan.py",
        "    if resolved(row) and not force and row.version > source.version:\n",
        "    if resolved(row) and not force and row.version >= source.version:\n",
    ),
    Mutant(
        "delete by arrival",
        "sync/planning/plan.py",
        "    if change.kind is not ChangeKind.UPSERT or change.row is None or chunk.intent is not Intent.NONE:\n"
        "        return True\n",
        "    if change.kind is not ChangeKind.UPSERT or change.row is None or chunk.intent is not Intent.NONE:\n"
        "        return change.kind is not ChangeKind.DELETE\n",
    ),
    Mutant(
        "absent as null",
        "sync/flows/apply.py",
        "        work = Work(chunk, owner, compiled, target, progress, rows, {c.record_id: c for c in chunk.changes})\n",
        "        work = Work(chunk, owner, compiled, target, progress, rows, {c.record_id: c if c.row is None else replace(c, "
        "row=replace(c.row, values={**dict.fromkeys(compiled.columns), **c.row.values})) for c in chunk.changes})\n",
    ),
    Mutant(
        "tombstone trusted",
        "sync/planning/plan.py",
        "GONE = (State.DELETED, State.PARKED)\n",
        "GONE = (State.PARKED,)\n",
    ),
    Mutant(
        "watermark before enqueue",
        "sync/flows/pull.py",
        "                found = await dispatch(\n",
        "                early = page.next_link or page.delta_link or tick.link\n"
        "                tick = await context.watermarks.write_tick(replace(tick, link=early))\n"
        "                found = await dispatch(\n",
    ),
    Mutant(
        "live read stopped at the last page",
        "sync/flows/full_read.py",
        "running=False, closing=True,",
        "running=False, closing=False,",
    ),
    Mutant(
        "sweep before the lane is empty",
        "sync/flows/pull.py",
        "            if await queue.length():\n",
        "            if False:\n",
    ),
    Mutant(
        "generation started without a second chance",
        "sync/flows/pull.py",
        "            await self._second_chance(progress)\n",
        "            pass\n",
    ),
    Mutant(
        "budget per fixed window",
        "sync/storage/budget.py",
        "        shared, slow, busy = _times(stored)\n        interval",
        "        shared, slow, busy = _times(stored)\n"
        "        shared = shared if now // self.limit.window_s == shared // self.limit.window_s else 0.0\n"
        "        interval",
    ),
    Mutant(
        "give-back without looking",
        "sync/storage/budget.py",
        "            await self._table.replace(self._entity(shared, grant.backfill, grant.work), grant.etag)\n",
        "            await self._table.upsert(self._entity(shared, grant.backfill, grant.work))\n",
    ),
    Mutant(
        "owner = worker",
        "sync/flows/apply.py",
        '        owner = f"{invocation}:{self._context.nonce()}"\n',
        "        owner = self._context.counters._instance\n",
    ),
    Mutant(
        "take-over without waiting for the gateway",
        "sync/flows/claim.py",
        "        grace = settings.gateway_s + settings.skew_s\n",
        "        grace = 0.0\n",
    ),
    Mutant(
        "parked delete believed",
        "sync/planning/plan.py",
        "GONE = (State.DELETED, State.PARKED)\n",
        "GONE = (State.DELETED,)\n",
    ),
    Mutant(
        "live chunk older than a full read believed",
        "sync/planning/plan.py",
        "    if chunk.lane is Lane.LIVE and (chunk.generation, chunk.reading) != (generation, running):\n",
        "    if False:\n",
    ),
    Mutant(
        "conflicts forgotten",
        "sync/flows/apply.py",
        "        await self._back(work, sorted(claims.conflicts), delay_s=0.5)\n",
        "",
    ),
    Mutant(
        "reservation taken again",
        "sync/storage/budget.py",
        "        if in_time and permits >= calls:\n",
        "        if in_time and permits >= calls and not backfill:\n",
    ),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether and by what a mutant was caught."""

    mutant: Mutant
    caught: str
    seconds: float
    detail: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.mutants", description=__doc__)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="a part of the name")
    options = parser.parse_args(arguments)
    chosen = [mutant for mutant in MUTANTS if options.only in mutant.name]
    began = time.monotonic()
    with ThreadPoolExecutor(options.jobs) as pool:
        verdicts = []
        for verdict in pool.map(judge, chosen):
            verdicts.append(verdict)
            print(
                f"{verdict.mutant.name:46} {verdict.caught or 'NOT CAUGHT':34} {verdict.seconds:5.1f} s",
                flush=True,
            )
            if not verdict.caught:
                print(verdict.detail)
    missed = [verdict for verdict in verdicts if not verdict.caught]
    seconds = time.monotonic() - began
    print(
        f"mutants: {len(verdicts)} in {seconds:.0f} s, {len(missed)} not caught: {'FAILED' if missed else 'ok'}"
    )
    return 1 if missed else 0


def judge(mutant: Mutant) -> Verdict:
    """Break a copy and run it until something notices."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder)
        for part in COPIED:
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        target = copy / mutant.file
        text = target.read_text(encoding="utf-8")
        if text.count(mutant.old) != 1:
            detail = f"  {mutant.file}: the text to change is there {text.count(mutant.old)} times"
            return Verdict(mutant, "", time.monotonic() - began, detail)
        target.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
        caught, detail = _run(copy)
    return Verdict(mutant, caught, time.monotonic() - began, detail)


def _run(copy: Path) -> tuple[str, str]:
    command = [sys.executable, "-m", "tests.simulation.hunt", str(MOST_SEEDS)]
    try:
        done = subprocess.run(
            command, cwd=copy, capture_output=True, text=True, timeout=LONGEST_S, check=False
        )
    except subprocess.TimeoutExpired:
        return "", f"  nothing noticed within {LONGEST_S:.0f} s"
    if done.returncode not in (0, 1):
        return "", done.stderr[-2000:]
    return (done.stdout.strip() if done.returncode == 1 else ""), done.stderr[-500:]


if __name__ == "__main__":
    sys.exit(main())
