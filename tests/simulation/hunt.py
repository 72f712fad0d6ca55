"""python -m tests.simulation.hunt N: golden streams, then N seeds; exit 1 at the first that fails, saying which."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Protocol

from tests.simulation.run import prepare, simulate
from tests.simulation.streams import names, play


class Ended(Protocol):
    """How a seed ended."""

    @property
    def violation(self) -> str | None: ...


def search(
    streams: Iterable[str], play: Callable[[str], str], simulate: Callable[[int], Ended], most: int
) -> int:
    """Play the streams, then run seeds; exit code 1 at the first that fails."""
    prepare()
    for name in streams:
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
    sys.exit(search(names(), play, simulate, int(sys.argv[1])))
