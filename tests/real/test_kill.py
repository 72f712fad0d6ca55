"""The host is killed with SIGKILL several times during a load: nothing is lost, nothing is there twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from sandbox.demo.measure import calls_of
from sandbox.demo.stack import stack
from tests.real.parts import SLOW_WORK, fast, settled, tenant, until

pytestmark = pytest.mark.slow
CONTACTS = 200
KILLS = 4
"""A record that was in work in five killed hosts would be quarantined as `crashes_worker`."""
STEP = 25


def test_a_load_survives_sigkill(tmp_path: Path) -> None:
    with stack(fast(tmp_path, **SLOW_WORK)) as running:
        story = tenant(running, CONTACTS)
        running.campaign.command("fault", kind="drop_after", path="/profile", after=15, times=5)
        running.campaign.command("fault", kind="delay", path="/profile", delay_s=0.1, times=-1)
        open_claims = 0
        for kill in range(KILLS):
            before = len(running.campaign.records())
            running.start_host()
            until(
                lambda before=before: len(running.campaign.records()) >= before + STEP,  # type: ignore[misc]
                30,
                lambda: running.told()[-3000:],
            )
            running.kill_host()
            open_claims += sum(row.claimed for row in running.storage.ledger())
            story.begin_round()
            for act in story.first_round()[: 4 + kill]:
                act()
        assert open_claims > 0, "no kill hit work in flight: this test proved nothing"
        assert len(running.campaign.records()) < CONTACTS, "the load was over before the last kill"
        running.start_host()
        settled(running, story, 90)
        ids = [profile["externalId"] for profile in running.campaign.records()]
        assert len(ids) == len(set(ids)), "a profile is there twice"
        created = Counter(
            c.record_id for c in calls_of(running.campaign.log()[0]) if c.did == "create" and c.ok
        )
        assert {record_id for record_id, count in created.items() if count > 1} == set()
