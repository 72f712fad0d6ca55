"""A redeployment stops and starts the host with work in flight: the work in hand is finished, the rest goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.demo.measure import calls_of
from sandbox.demo.stack import stack
from tests.real.parts import SLOW_WORK, fast, settled, tenant, until

pytestmark = pytest.mark.slow
CONTACTS = 200
STEP = 25


def test_a_load_survives_redeployments(tmp_path: Path) -> None:
    with stack(fast(tmp_path, **SLOW_WORK)) as running:
        story = tenant(running, CONTACTS)
        running.campaign.command("fault", kind="delay", path="/profile", delay_s=0.1, times=-1)
        for _ in range(3):
            before = len(running.campaign.records())
            running.start_host()
            until(
                lambda before=before: len(running.campaign.records()) >= before + STEP,  # type: ignore[misc]
                30,
                lambda: running.told()[-3000:],
            )
            assert running.stop_host() == 0, "the host left work unfinished"
            claims = [row.record_id for row in running.storage.ledger() if row.claimed]
            assert claims == [], "a stopped host left claims open"
        assert len(running.campaign.records()) < CONTACTS, "the load was over before the last redeployment"
        running.start_host()
        settled(running, story, 60)
        calls = calls_of(running.campaign.log()[0])
        assert len(calls) == CONTACTS - len(story.bad), "every contact takes one call, restarts or not"
