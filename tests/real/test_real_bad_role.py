"""What the application user is not allowed, on real parts (a file of its own: a stopped full read waits a minute)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from sandbox.demo.stack import stack
from tests.real.parts import code, fast, health_tells, host_says, settled, tenant

pytestmark = pytest.mark.slow
CONTACTS = 40


def test_change_tracking_off_and_no_permission(tmp_path: Path) -> None:
    with stack(fast(tmp_path)) as running:
        story = tenant(running, CONTACTS)
        running.dynamics.command("tracking", enabled=False)
        running.start_host()
        host_says(running, code("change_tracking_off"))
        health_tells(running, "full_read", "change_tracking_off")
        time.sleep(8)
        assert running.storage.waiting().get("control", 0) <= 1, "messages add up while the reason lasts"
        running.dynamics.command("tracking", enabled=True)
        # Live reads need no tracking: what exists arrives meanwhile; the full read is tried again within a minute.
        settled(running, story, 20)
        running.dynamics.command("privileges", prvReadContact=None)
        host_says(running, code("dynamics_forbidden"))
        health_tells(running, "pull", "dynamics_forbidden")
        for act in story.first_round()[:5]:
            act()
        running.dynamics.command("privileges", prvReadContact="Global")
        settled(running, story, 90)
        health_tells(running, "pull", None)
