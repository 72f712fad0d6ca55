"""A few seeds of the events flow with every test run; `scripts/test` plays many and the mutants."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLAY = """
from tests.simulation.events.run import simulate
from tests.simulation.run import prepare
prepare()
for seed in range(40):
    result = simulate(seed)
    print(seed, result.digest, result.violation)
"""


def test_invariants_hold_and_a_seed_leaves_the_same_trace_whatever_the_hashing() -> None:
    runs = [
        subprocess.run(
            [sys.executable, "-c", PLAY],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hashing},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hashing in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert [line for line in runs[0].splitlines() if len(line.split()) > 2] == []
    assert len(runs[0].splitlines()) == 40
