"""One seed of the entities' world."""

from __future__ import annotations

import gc

from tests.simulation.entities.world import EntityWorld
from tests.simulation.run import Result
from tests.simulation.violation import Violation

WANTED = (
    "campaign_create",
    "campaign_delete",
    "campaign_update",
    "child_after_parent",
    "code_children_left",
    "code_parent_busy",
    "code_parent_deleted",
    "code_parent_empty",
    "code_parent_missing",
    "did_parked",
    "did_tombstone",
    "links_emptied",
    "code_merged",
    "people_compare",
    "people_create",
    "people_delete",
    "people_lengthen",
    "people_mapping",
    "people_merge",
    "people_move",
    "people_rebaseline",
    "people_rename",
    "people_rename_related",
    "related_moved_on",
    "rest_children_left",
    "rest_parent_deleted",
    "rest_parent_missing",
    "worker_probing",
    "wrote_long",
    "wrote_member",
)
"""What must have occurred in a run of 300 seeds."""
ENOUGH = 50
DIRECTED = {"code_parent_busy": 10}
"""Golden streams a-parent-is-deleted-while-its-child-is-sent and a-child-waits-while-its-parent-is-being-created."""
FAULTS = (
    "crash",
    "delivered_twice",
    "lease_lost",
    "lost_after",
    "lost_before",
    "meddled",
    "raced",
    "slow",
    "storage_after",
)


def simulate(seed: int, *, tracing: bool = False) -> Result:
    """Play a seed and judge it."""
    world = EntityWorld(seed, tracing=tracing)
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
    if seed % 25 == 0:
        gc.collect()
    return result
