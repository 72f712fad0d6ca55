"""python -m tests.simulation.consent.mutants: each breakage of the consent flow must be caught by a seed."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.simulation.mutants import COPIED, ROOT, Mutant, Verdict

MOST_SEEDS = 600
LONGEST_S = 150.0
RULE, FLOW, PLAN = "sync/planning/consent.py", "sync/flows/consent.py", "sync/planning/consent_plan.py"
MUTANTS = (
    Mutant(
        "own time as evidence",
        RULE,
        "    if terms.policy is Policy.AGREED and terms.found and newer:\n",
        "    if terms.policy is Policy.AGREED and look.campaign_at is not None:\n",
    ),
    Mutant(
        "no stamp: an opt-in from Dynamics always wins",
        RULE,
        "    if not look.stamp or look.stamp != agreement.stamp:\n",
        "    if False:\n",
    ),
    Mutant(
        "stamp asked for Campaign's opt-ins",
        RULE,
        "    if by is Side.CAMPAIGN:\n        # It moves",
        "    if by is Side.CAMPAIGN and look.stamp == agreement.stamp:\n        # It moves",
    ),
    Mutant(
        "undecided: opted-in wins",
        RULE,
        "    return _settle(True, look, Rule.NEVER_AGREED)\n",
        "    return _settle(False, look, Rule.NEVER_AGREED)\n",
    ),
    Mutant(
        "opt-in not announced",
        FLOW,
        "            announced = {**seen.announced, **plan.announced}\n",
        "            announced = {**seen.announced}\n",
    ),
    Mutant(
        "what was seen is lost with a refused write",
        FLOW,
        "        if plan.opt_ins or seen.fields != claimed.fields:\n",
        "        if plan.opt_ins:\n",
    ),
    Mutant(
        "announced opt-in repeated on top of anything",
        RULE,
        "    if announced is not None and not _untouched(announced, look):\n",
        "    if False and announced is not None and not _untouched(announced, look):\n",
    ),
    Mutant(
        "creation counts as an act",
        PLAN,
        "    if row.agreed and created != (row.contact_created, row.profile_created):\n",
        "    if False:\n",
    ),
    Mutant(
        "create agrees on what an earlier profile agreed on",
        "sync/flows/call.py",
        "        if not await consent.forget(source.record_id):\n",
        "        if False:\n",
    ),
    Mutant(
        "create carries no consent",
        "sync/flows/call.py",
        "        body.update(made.fields)\n",
        "",
    ),
    Mutant(
        "no hint from who applies a record, nor from the pull",
        "sync/flows/consent_hints.py",
        "    queue = context.lanes.queue(Lane.CONSENT)\n    ids = list(dict.fromkeys(record_ids))\n",
        "    queue = context.lanes.queue(Lane.CONSENT)\n    ids = list(dict.fromkeys(record_ids))[:0]\n",
    ),
    Mutant(
        "equal sides record no time",
        RULE,
        "        return Agreement(decision.value, by, look.stamp)\n",
        "        return Agreement(decision.value, by, agreement.stamp)\n",
    ),
    Mutant(
        "Dynamics written over whatever is there",
        "sync/dynamics/client.py",
        """"If-Match": f'W/"{version}"'}""",
        """"If-Match": "*"}""",
    ),
    Mutant(
        "no claim",
        FLOW,
        "        if row.claim_owner and now < row.take_over:\n",
        "        if False:\n",
    ),
    Mutant(
        "lost answers close the claim",
        FLOW,
        "                await self._unknown(plan, held, error)\n",
        "                pass\n",
    ),
    Mutant(
        "the other side is left for later and forgotten",
        FLOW,
        "        if plan.more:\n",
        "        if False:\n",
    ),
    Mutant(
        "one direction writes the other side",
        PLAN,
        "        forbidden = side is not None and not consents.map.flows.permits(side)\n",
        "        forbidden = False\n",
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.consent.mutants", description=__doc__)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="a part of the name")
    options = parser.parse_args(arguments)
    began, missed, count = time.monotonic(), 0, 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for verdict in pool.map(judge, [mutant for mutant in MUTANTS if options.only in mutant.name]):
            count += 1
            missed += not verdict.caught
            print(
                f"{verdict.mutant.name:52} {verdict.caught or 'NOT CAUGHT'} {verdict.seconds:.1f} s",
                flush=True,
            )
            if not verdict.caught:
                print(verdict.detail, flush=True)
    seconds = time.monotonic() - began
    print(f"consent mutants: {count} in {seconds:.0f} s, {missed} not caught: {'FAILED' if missed else 'ok'}")
    return 1 if missed else 0


def judge(mutant: Mutant) -> Verdict:
    """Break a copy and play seeds until one notices."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder)
        for part in COPIED:
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        target = copy / mutant.file
        text = target.read_text(encoding="utf-8")
        if text.count(mutant.old) != 1:
            return Verdict(mutant, "", 0.0, f"  the text to change is there {text.count(mutant.old)} times")
        target.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
        caught, detail = _run(copy)
    return Verdict(mutant, caught, time.monotonic() - began, detail)


def _run(copy: Path) -> tuple[str, str]:
    command = [sys.executable, "-m", "tests.simulation.consent", "--seeds", str(MOST_SEEDS), "--stop"]
    try:
        done = subprocess.run(
            command, cwd=copy, capture_output=True, text=True, timeout=LONGEST_S, check=False
        )
    except subprocess.TimeoutExpired:
        return "", f"  nothing noticed within {LONGEST_S:.0f} s"
    lines = done.stdout.splitlines()
    if done.returncode == 1 and lines and lines[0].startswith("seed"):
        return lines[0][:100], ""
    return "", (done.stderr or done.stdout)[-800:]


if __name__ == "__main__":
    sys.exit(main())
