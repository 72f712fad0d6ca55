"""The stages of `scripts/test`: each is shown with its time, and all run even if one fails."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SEEDS = 2000
SIDE_BY_SIDE = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")
"""One more than cores: tests on real parts mostly wait. tests/conftest.py puts them first; the plug-in's own order, most
tests first, would leave the longest for one worker at the end."""
GIVES_WAY = 15
"""Niceness of what runs beside the tests."""
NO_COMPILER = "no Bicep compiler"
"""The reason with which tests/infra skips what needs one."""


@dataclass(frozen=True)
class Stage:
    """One command; `python -m` is put before it."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """How a stage ended: how many checks passed and failed in it."""

    stage: Stage
    seconds: float
    passed: int
    failed: int
    uncompiled: int = 0
    """Checks that did not run because there is no Bicep compiler."""

    def __str__(self) -> str:
        verdict = "FAILED" if self.failed else "ok"
        return f"{self.stage.name:14} {verdict:7} {self.seconds:6.1f} s"


def main(arguments: Sequence[str]) -> int:
    quick = "--quick" in arguments
    # Tests on real parts mostly wait. What only computes takes what they leave, and nothing in it looks at the time.
    with ThreadPoolExecutor(2) as pool:
        beside = [pool.submit(run, stage, beside=True) for stage in computing(quick=quick)]
        results = [run(stage) for stage in stages(quick=quick)]
        results += [future.result() for future in beside]
    print("\n" + "\n".join(str(result) for result in results))
    failed = sum(result.failed for result in results)
    if failed:
        print("failed stages: " + ", ".join(result.stage.name for result in results if result.failed))
    uncompiled = sum(result.uncompiled for result in results)
    left_out = f", {uncompiled} compiler checks did not run ({NO_COMPILER}: set BICEP)" if uncompiled else ""
    print(f"{sum(result.passed for result in results)} passed, {failed} failed{left_out}", flush=True)
    return 1 if failed else 0


def stages(*, quick: bool) -> list[Stage]:
    slow = ("-m", "not slow") if quick else ()
    return [
        Stage("format", ("ruff", "format", "--check", ".")),
        Stage("lint", ("ruff", "check", ".")),
        Stage("tests", ("pytest", "-q", *SIDE_BY_SIDE, "--ignore=tests/infra", *slow)),
    ]


def computing(*, quick: bool) -> list[Stage]:
    checks = [Stage("types", ("mypy",)), Stage("infra", ("pytest", "-q", "tests/infra"))]
    return checks if quick else [*simulations(), *checks]


def simulations() -> list[Stage]:
    """The longest first, so that none is left over for one core at the end."""
    return [
        Stage("simulation", ("tests.simulation", "--seeds", str(SEEDS), "--strict-coverage")),
        Stage("mutants", ("tests.simulation.mutants",)),
        Stage("events", ("tests.simulation.events", "--seeds", "700", "--strict-coverage")),
        Stage("event mutants", ("tests.simulation.events.mutants",)),
        Stage("consent", ("tests.simulation.consent", "--seeds", "300", "--strict-coverage")),
        Stage("consent mutants", ("tests.simulation.consent.mutants",)),
        Stage("entities", ("tests.simulation.entities", "--seeds", "300", "--strict-coverage")),
        Stage("entity mutants", ("tests.simulation.entities.mutants",)),
    ]


def run(stage: Stage, *, beside: bool = False) -> Result:
    """Runs a stage and shows its output as it comes; one `beside` others gives way to them and shows it at its end."""
    started = time.monotonic()
    print(f"--- {stage.name}: {' '.join(stage.command)}", flush=True)
    process = subprocess.Popen(
        [sys.executable, "-m", *stage.command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if beside:
        os.setpriority(os.PRIO_PROCESS, process.pid, GIVES_WAY)
    lines = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if not beside:
            print(line, end="", flush=True)
    code = process.wait()
    seconds = time.monotonic() - started
    if beside:
        print(f"--- {stage.name}, what it printed:\n{''.join(lines)}", end="", flush=True)
    print(f"--- {stage.name}: {'failed' if code else 'ok'} ({seconds:.1f} s)", flush=True)
    passed, failed = (
        counts("".join(lines[-5:]), code) if stage.command[0] == "pytest" else (code == 0, code != 0)
    )
    return Result(stage, seconds, int(passed), int(failed), uncompiled(lines))


def counts(tail: str, code: int) -> tuple[int, int]:
    """Passed and failed tests of pytest's closing line; a broken run counts as one failure."""

    def number(word: str) -> int:
        found = re.search(rf"(\d+) {word}", tail)
        return int(found[1]) if found else 0

    failed = number("failed") + number("error")
    return number("passed"), failed or int(code != 0)


def uncompiled(lines: Sequence[str]) -> int:
    """Tests that pytest's summary (`-ra`) says were skipped for want of a compiler."""
    return sum(
        int(found[1])
        for line in lines
        if NO_COMPILER in line and (found := re.match(r"SKIPPED \[(\d+)\]", line))
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
