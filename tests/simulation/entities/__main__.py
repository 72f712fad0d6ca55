"""`python -m tests.simulation.entities`."""

import sys

from tests.simulation.__main__ import command
from tests.simulation.entities.run import DIRECTED, ENOUGH, FAULTS, WANTED, simulate
from tests.simulation.report import Report

if __name__ == "__main__":
    sys.exit(
        command(
            "tests.simulation.entities",
            simulate,
            Report(faults=FAULTS, wanted=WANTED, enough=ENOUGH, directed=DIRECTED),
        )
    )
