"""A call that is repeated after a refused token takes a permit of its own from the call budget (I6)."""

from __future__ import annotations

import asyncio

from tests.cli.office import SETTINGS, Office


def permits(*, refused: bool) -> int:
    """What one changed contact takes from the budget."""
    office = Office(environ={**SETTINGS, "CAMPAIGN_ADDRESSING": "key"})
    (ada,) = office.synced("Ada")
    office.clock.advance(600)
    office.dynamics.command("edit", {"id": ada, "changes": {"firstname": "Ada Augusta"}})
    if refused:
        office.campaign.command(
            "fault", {"kind": "status", "status": 401, "method": "PATCH", "path": "/profile"}
        )
    asyncio.run(office.pull())
    asyncio.run(office.work_lanes())
    assert office.profiles()[ada]["firstName"] == "Ada Augusta"
    taken = float(str(office.account.tables["budget"].rows["campaign", "next"].entity["shared"]))
    return round((taken - office.clock.now()) / office.compose_context().budget.limit.interval)


def test_a_repeat_after_a_refused_token_is_in_the_budget() -> None:
    assert permits(refused=True) == permits(refused=False) + 1
