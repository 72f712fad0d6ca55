"""Change tracking that is off stops a mapping with its reason, piles nothing up, and mends itself once it is on."""

from __future__ import annotations

import pytest

from tests.cli.office import Office


@pytest.mark.parametrize("before", [0, 1])
def test_change_tracking_switched_off(before: int) -> None:
    office = Office()
    if before:
        office.synced("Ada")
    office.dynamics.command("tracking", {"enabled": False})
    (grace,) = office.contacts("Grace")
    office.work(6)
    (mapping,) = office.ask("status", code=1)["mappings"]
    (wait,) = mapping["waits"].values()
    assert wait["code"] == "schema_drift"
    assert "change tracking of the table is off" in wait["detail"]
    assert mapping["states"]["synced"] == before
    assert office.stored()["control"] <= 1, "messages add up while the reason lasts"
    office.dynamics.command("tracking", {"enabled": True})
    office.work(16)
    assert office.row(grace).state.value == "synced"
    assert office.ask("status")["mappings"][0]["waits"] == {}
