"""What admins get wrong on the Campaign side, on real parts (a file of its own: work that stopped waits a minute)."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.demo.stack import stack
from tests.real.parts import NOWHERE, code, fast, host_says, settled, tenant, until, waiting

pytestmark = pytest.mark.slow
CONTACTS = 40


def test_wrong_campaign_secret_address_and_role(tmp_path: Path) -> None:
    """What stopped at Campaign comes back a minute later by itself; a newer change of a record does not wait."""
    with stack(fast(tmp_path)) as running:
        story = tenant(running, CONTACTS)
        running.campaign.command("fault", kind="status", path="/profile", status=403, body="no", times=3)
        for wrong, told in (
            ({"CAMPAIGN_CLIENT_SECRET": "wrong"}, "campaign_unauthorized"),
            ({"CAMPAIGN_TOKEN_URL": f"{NOWHERE}/ims/token/v3"}, "campaign_unreachable"),
            ({"CAMPAIGN_URL": f"{running.campaign.url}/local/wrong/campaign"}, "environment_changed"),
            ({}, "campaign_forbidden"),
        ):
            seen = len(running.told())
            running.start_host(**wrong)
            story.begin_round()
            story.first_round()[0]()
            host_says(running, code(told), since=seen)
            if told != "campaign_unreachable":
                until(lambda told=told: told in waiting(running).values(), 20, lambda: str(waiting(running)))  # type: ignore[misc]
            running.stop_host()
        running.start_host()
        settled(running, story, 90)
