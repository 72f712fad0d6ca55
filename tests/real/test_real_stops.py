"""A new installation in which everything is wrong, mended step by step: each reason is told, nothing is lost.

One test: what stops a flow is tried again a minute later, and so these minutes are one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.demo.stack import Stack, stack
from sandbox.demo.story import Story
from tests.real.parts import NOWHERE, code, fast, health_tells, host_says, settled, tenant

pytestmark = pytest.mark.slow
CONTACTS = 40


def test_everything_wrong_then_mended(tmp_path: Path) -> None:
    with stack(fast(tmp_path)) as running:
        story = tenant(running, CONTACTS)
        start_at_an_unknown_organization(running)
        running.campaign.command("fault", kind="status", path="/profile", status=403, body="no", times=3)
        for wrong, told, stops in (
            ({"CAMPAIGN_CLIENT_SECRET": "wrong"}, "campaign_unauthorized", True),
            ({"CAMPAIGN_TOKEN_URL": f"{NOWHERE}/ims/token/v3"}, "campaign_unreachable", False),
            ({}, "campaign_forbidden", True),
        ):
            seen = len(running.told())
            running.start_host(**wrong)
            edit_one(story)
            host_says(running, code(told), since=seen)
            if stops:
                health_tells(running, "apply", told)
            running.stop_host()
        running.start_host()
        lose_the_role(running, story)
        settled(running, story, 90)
        health_tells(running, "pull", None)


def start_at_an_unknown_organization(running: Stack) -> None:
    """The shipped addressing asks Campaign before anything is read or written down."""
    url = f"{running.campaign.url}/nobody/campaign"
    running.start_host(CAMPAIGN_URL=url, CAMPAIGN_ADDRESSING="auto")
    host_says(running, code("campaign_wrong_address"))
    health_tells(running, "pull", "campaign_wrong_address")
    assert running.storage.ledger() == []
    running.stop_host()


def edit_one(story: Story) -> None:
    """A change that cannot have been met by an earlier step's wait."""
    story.begin_round()
    story.first_round()[0]()


def lose_the_role(running: Stack, story: Story) -> None:
    """Somebody takes the role away while people go on working, and gives it back."""
    running.dynamics.command("privileges", prvReadContact=None)
    host_says(running, code("dynamics_forbidden"))
    health_tells(running, "pull", "dynamics_forbidden")
    story.begin_round()
    for act in story.first_round()[:5]:
        act()
    running.dynamics.command("privileges", prvReadContact="Global")
