"""The harnesses are tested by breaking the engine, one line at a time: apply a mutant to a copy, hunt, report.

A hunt is a command that ends with exit code 1 and says on its first line of output what noticed the breakage. A text
that is not found exactly once is an error: the engine has moved on.
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
LONGEST_S = 600.0


@dataclass(frozen=True, slots=True)
class Mutant:
    """A breakage: in `file`, `old` becomes `new`."""

    name: str
    file: str
    old: str
    new: str

    @property
    def places(self) -> int:
        """How often the text to change is there; once is right."""
        return (ROOT / self.file).read_text(encoding="utf-8").count(self.old)


@dataclass(frozen=True, slots=True)
class Hunt:
    """What looks for a breakage: a module with its arguments, run where `copied` was copied to."""

    module: str
    arguments: tuple[str, ...]
    copied: tuple[str, ...] = ("sync", "sandbox", "tests/simulation")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether and by what a mutant was caught."""

    mutant: Mutant
    caught: str
    seconds: float
    detail: str = ""


def run(mutants: Sequence[Mutant], hunt: Hunt, arguments: Sequence[str] | None = None) -> int:
    """Command line: judge them all, or those with `--only` in the name; exit code 1 if one was missed."""
    parser = argparse.ArgumentParser(prog=f"mutants of {hunt.module}", description=__doc__)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="a part of the name")
    options = parser.parse_args(arguments)
    chosen = [mutant for mutant in mutants if options.only in mutant.name]
    began, missed = time.monotonic(), 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for verdict in pool.map(lambda mutant: judge(mutant, hunt), chosen):
            missed += not verdict.caught
            told = verdict.caught[:70] or "NOT CAUGHT"
            print(f"{verdict.mutant.name:56} {verdict.seconds:5.1f} s  {told}", flush=True)
            if not verdict.caught:
                print(verdict.detail, flush=True)
    seconds = time.monotonic() - began
    print(
        f"mutants: {len(chosen)} in {seconds:.0f} s, {missed} not caught: {'FAILED' if missed else 'ok'}",
        flush=True,
    )
    return 1 if missed else 0


def judge(mutant: Mutant, hunt: Hunt) -> Verdict:
    """Break a copy and run it until something notices."""
    began = time.monotonic()
    if mutant.places != 1:
        return Verdict(mutant, "", 0.0, f"  {mutant.file}: the text to change is there {mutant.places} times")
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder)
        for part in hunt.copied:
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        target = copy / mutant.file
        broken = target.read_text(encoding="utf-8").replace(mutant.old, mutant.new)
        target.write_text(broken, encoding="utf-8")
        caught, detail = _hunt(copy, hunt)
    return Verdict(mutant, caught, time.monotonic() - began, detail)


def _hunt(copy: Path, hunt: Hunt) -> tuple[str, str]:
    command = [sys.executable, "-m", hunt.module, *hunt.arguments]
    try:
        done = subprocess.run(
            command, cwd=copy, capture_output=True, text=True, timeout=LONGEST_S, check=False
        )
    except subprocess.TimeoutExpired:
        return "", f"  nothing noticed within {LONGEST_S:.0f} s"
    first = done.stdout.partition("\n")[0].strip()
    if done.returncode == 1 and first:
        return first, ""
    return "", (done.stderr or done.stdout)[-2000:]
