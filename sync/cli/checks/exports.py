"""Email events: the container that Campaign drops its log exports into."""

from __future__ import annotations

import asyncio

from sync.cli.checks.activities import AREA
from sync.cli.checks.finding import Finding, Level, bad, good, warn
from sync.cli.output import counted
from sync.errors import CATALOGUE
from sync.storage.logs import LogSource
from sync.storage.table import StorageFault

LONGEST_S = 30.0
ENOUGH = 100
"""Files looked at: that they can be listed is what counts."""
_MISSING = "ResourceNotFoundError"


def events_off() -> Finding:
    """While no container is set there is nothing to look at."""
    return Finding(AREA, "container", Level.SKIP, "off: EVENTS_CONTAINER is not set (docs/events.md)")


async def check_container(logs: LogSource, name: str, *, local: bool) -> Finding:
    """Whether its files can be listed; `local`: the function app makes a missing one when it starts."""
    try:
        found = await asyncio.wait_for(_count(logs), LONGEST_S)
    except (StorageFault, TimeoutError) as error:
        kind = str(error) or "no answer"
        if local and kind == _MISSING:
            return warn(
                AREA, "container", f"{name} does not exist", "The function app makes it: start it once."
            )
        entry = CATALOGUE["exports_unreachable"]
        return bad(AREA, "container", f"{name}: {entry.meaning} ({kind})", entry.fix, "exports_unreachable")
    more = " or more" if found == ENOUGH else ""
    return good(AREA, "container", f"{name} can be read, {counted(found, 'file')}{more}")


async def _count(logs: LogSource) -> int:
    found = 0
    async for _ in logs.files():
        found += 1
        if found == ENOUGH:
            break
    return found
