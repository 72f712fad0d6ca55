"""Steps of golden streams about schema drift."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.world import World


class DriftSteps:
    """Part of `streams.Stage`."""

    world: World
    mends: list[Callable[[], None]]

    async def drift(self, what: str) -> None:
        """Something that the mapping needs changes on one side (`Trouble.change`)."""
        self.mends.append(self.world.people.trouble.change(what))

    async def mend(self) -> None:
        """It is put back."""
        self.mends.pop()()

    async def expect_drift(self, told: str) -> None:
        """The mapping is paused, and says why; "" = it is not."""
        stored = self.world.account.tables["control"].rows.get(("contacts", "pause-drift"))
        found = str(stored.entity["detail"]) if stored else ""
        if (told not in found) or bool(told) != bool(found):
            raise Violation(f"the mapping waits for {found!r}, not {told!r}")
