"""Opt-outs and opt-ins in both directions through the local host, over HTTP and Azurite."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.demo.consent import switched_on
from sandbox.demo.stack import Stack, stack
from tests.real.parts import fast, until

pytestmark = pytest.mark.slow


def says(running: Stack, record_id: str) -> tuple[bool, bool]:
    """Opted out of e-mail in Dynamics, in Campaign."""
    (contact,) = [row for row in running.dynamics.records() if row["contactid"] == record_id]
    (profile,) = [row for row in running.campaign.records() if row["externalId"] == record_id]
    return contact["donotbulkemail"], profile["blackListEmail"]


def arrives(running: Stack, record_id: str, *, out: bool) -> None:
    until(
        lambda: says(running, record_id) == (out, out),
        40,
        lambda: f"{says(running, record_id)}, waiting {running.storage.waiting()}: {running.told()[-2000:]}",
    )


def test_both_directions(tmp_path: Path) -> None:
    changes = switched_on(tmp_path / "mappings") | {"CONSENT_SCHEDULE": "*/2 * * * * *"}
    with stack(fast(tmp_path, **changes)) as running:
        first, second = running.dynamics.command(
            "seed", records=[{"lastname": "Lovelace"}, {"lastname": "Hopper", "donotbulkemail": True}]
        )
        running.start_host()
        until(lambda: len(running.campaign.records()) == 2, 60, running.told)
        assert says(running, second) == (True, True)
        running.dynamics.command("edit", id=first, changes={"donotbulkemail": True})
        arrives(running, first, out=True)
        running.campaign.command("edit", id=second, changes={"blackListEmail": False})
        arrives(running, second, out=False)
        running.campaign.command("edit", id=first, changes={"blackListEmail": False})
        arrives(running, first, out=False)
        running.campaign.command("edit", id=second, changes={"blackListEmail": True})
        arrives(running, second, out=True)
        writes = [entry for entry in running.campaign.log()[0] if entry["note"] == "profile.update"]
        assert [entry["record"] for entry in writes] == [first]
