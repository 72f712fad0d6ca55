"""The calls of a chunk: granted together, used one by one before its claim's deadline (design 4.6)."""

from __future__ import annotations

from dataclasses import dataclass

from sync.flows.context import TAKES, Context
from sync.storage.budget import CLOCK_SLACK_S, RESERVATION_S, Grant


class TooLate(Exception):
    """The call could not end before the claim's deadline."""


@dataclass
class Permits:
    """The calls a chunk was granted; one more is taken from the budget when a record needs it."""

    context: Context
    grant: Grant
    used: int = 0

    def fresh(self) -> bool:
        return self.context.clock.now() < self.grant.start + RESERVATION_S - CLOCK_SLACK_S

    async def one(self, deadline: float) -> None:
        """Use one permit, or take one; raises TooLate if it would start too late."""
        if self.used < self.grant.calls and self.fresh():
            self.used += 1
            return
        context = self.context
        last = deadline - context.settings.call_timeout_s
        for _ in range(TAKES):
            grant = await context.budget.take(1, straight=True, longest_s=last - context.clock.now())
            if not grant.denied:
                return
            if grant.start > last:
                break
            await context.clock.sleep(grant.start - context.clock.now())
            if grant.reserved:
                return
        raise TooLate
