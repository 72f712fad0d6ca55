"""python -m tests.simulation.entities.hunt N: golden streams, then N seeds; exit 1 at the first that fails."""

from __future__ import annotations

import sys

from tests.simulation.entities.run import simulate
from tests.simulation.entities.streams import names, play
from tests.simulation.run import prepare


def main(most: int) -> int:
    prepare()
    for name in names():
        wrong = play(name)
        if wrong:
            print(f"stream {name}")
            print(wrong, file=sys.stderr)
            return 1
    for seed in range(most):
        result = simulate(seed)
        if result.violation:
            print(f"seed {seed} ({seed + 1} seeds)")
            print(result.violation, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
