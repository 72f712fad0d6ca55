"""python -m tests.simulation.entities.hunt N: golden streams, then N seeds; exit 1 at the first that fails."""

from __future__ import annotations

import sys

from tests.simulation.entities.run import simulate
from tests.simulation.entities.streams import names, play
from tests.simulation.hunt import search

if __name__ == "__main__":
    sys.exit(search(names(), play, simulate, int(sys.argv[1])))
