"""`python -m tests.simulation.events`."""

import sys

from tests.simulation.events.run import main

if __name__ == "__main__":
    sys.exit(main())
