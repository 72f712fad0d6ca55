"""`python -m tests.simulation.events`."""

import sys

from tests.simulation.__main__ import command
from tests.simulation.events.run import FAULTS, WANTED, simulate
from tests.simulation.events.world import SPECIAL_OF, SPECIALS
from tests.simulation.report import Report

if __name__ == "__main__":
    sys.exit(
        command(
            "tests.simulation.events",
            simulate,
            Report(faults=FAULTS, wanted=WANTED),
            specials=SPECIALS,
            special_of=SPECIAL_OF,
        )
    )
