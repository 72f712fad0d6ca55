"""One seed of the events' world."""

from __future__ import annotations

from tests.simulation.chaos import FAULTS as ALL_FAULTS
from tests.simulation.events.world import EventWorld
from tests.simulation.run import Result
from tests.simulation.violation import Violation

NOT_HERE = {"engine_500", "expired_token", "meddled", "metadata_changed", "repeated_page", "truncated_page"}
"""Faults of Campaign and of change tracking, which this flow does not meet, and of pages, which it seldom reads."""
FAULTS = tuple(name for name in ALL_FAULTS if name not in NOT_HERE)
WANTED = (
    "code_activity_deleted",
    "code_contact_unknown",
    "code_shown",
    "code_soft_bounce",
    "granularity_every_event",
    "granularity_first_of_kind",
    "granularity_per_delivery",
    "mail_export",
    "mail_flip",
    "mail_merge",
    "mail_repeat",
    "mail_revise",
    "mail_sales_delete",
    "mail_take_back",
    "mail_tear",
    "mail_vanish",
    "poisoned",
    "tables_without_bulk",
    "with_tasks",
)
"""What must have occurred in a run of 700 seeds."""


def simulate(seed: int, *, tracing: bool = False) -> Result:
    """Play a seed and judge it."""
    world = EventWorld(seed, tracing=tracing)
    violation = ""
    try:
        world.run()
    except Violation as found:
        violation = str(found)
    world.note("end", violation)
    result = Result(
        seed, world.digest(), violation, world.chaos.fired, world.outcomes, world.loop.virtual, world.lines
    )
    world.loop.close()
    return result
