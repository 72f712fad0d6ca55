"""Campaign calls that nothing was planned for and that may wait: one by one from the backfill's share (design 4.6)."""

from __future__ import annotations

from sync.errors import Throttled
from sync.flows.context import LONGEST_WAIT_S, Context


async def spend_backfill(context: Context) -> None:
    """Wait for one call of the backfill's share; raises Throttled where it would wait too long inside a function."""
    reserved_at, permits = 0.0, 0
    while True:
        grant = await context.budget.take(
            1, backfill=True, reserved_at=reserved_at, permits=permits, longest_s=LONGEST_WAIT_S
        )
        if not grant.denied:
            return
        wait = grant.start - context.clock.now()
        if wait > LONGEST_WAIT_S:
            raise Throttled("campaign_throttled", wait, "the backfill's share of the budget is used up")
        await context.clock.sleep(wait)
        reserved_at, permits = grant.reserved_at, grant.reserved
