"""What admins and services get wrong, on real parts: the code is told in log and `health`, and once it is mended
everything arrives. Bad input that needs no real parts is tested where it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.demo.measure import calls_of
from sandbox.demo.stack import Stack, stack
from tests.real.parts import NOWHERE, code, fast, health_tells, host_says, settled, tenant, until

pytestmark = pytest.mark.slow
CONTACTS = 40


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Stack]:
    with stack(fast(tmp_path)) as parts:
        yield parts


def test_wrong_dynamics_secret_and_address(running: Stack) -> None:
    story = tenant(running, CONTACTS)
    for wrong, told in (
        ({"DYNAMICS_CLIENT_SECRET": "wrong"}, "dynamics_unauthorized"),
        ({"DYNAMICS_TOKEN_URL": f"{NOWHERE}/local/oauth2/v2.0/token"}, "dynamics_unreachable"),
        # No token is given for an environment that the tenant does not have.
        ({"DYNAMICS_URL": running.campaign.url}, "dynamics_unauthorized"),
    ):
        seen = len(running.told())
        running.start_host(**wrong)
        host_says(running, code(told), since=seen)
        if told == "dynamics_unauthorized":
            health_tells(running, "pull", told)
        running.stop_host()
    assert running.campaign.records() == []
    running.start_host()
    settled(running, story, 30)
    health_tells(running, "pull", None)


def test_missing_settings_are_all_told(running: Stack) -> None:
    running.start_host(DYNAMICS_URL="", CAMPAIGN_CLIENT_ID="", MESSAGE_LEASE_S="5", CALL_TIMEOUT_S="4")
    for name in ("DYNAMICS_URL", "CAMPAIGN_CLIENT_ID", "CALL_TIMEOUT_S"):
        host_says(running, name)


def test_another_tenant_is_not_touched(running: Stack) -> None:
    story = tenant(running, CONTACTS)
    running.start_host()
    settled(running, story, 30)
    own = running.dynamics.command("environment")
    running.stop_host()
    running.dynamics.command("environment", id="11111111-2222-4333-8444-555555555555")
    seen = running.campaign.log()[1]
    for act in story.first_round():
        act()
    running.start_host()
    host_says(running, code("environment_changed"))
    health_tells(running, "pull", "environment_changed")
    running.stop_host()
    running.dynamics.command("environment", id=own)
    running.start_host(CAMPAIGN_URL=f"{running.campaign.url}/other/campaign")
    until(lambda: running.told().count("Campaign tenant is not") > 0, 15, lambda: "no guard")
    assert calls_of(running.campaign.log(seen)[0]) == [], "something was called in spite of the guard"
    running.stop_host()
    running.start_host()
    settled(running, story, 30)


def test_answers_that_are_not_json(running: Stack) -> None:
    story = tenant(running, CONTACTS)
    running.dynamics.command("fault", kind="garbage", path="/contacts", times=2)
    running.campaign.command("fault", kind="garbage", method="POST", path="/profile", times=3)
    running.start_host()
    host_says(running, code("dynamics_garbled"))
    settled(running, story, 45)
    assert "campaign_outcome_unknown" in running.told(), "a lost answer was not told"


def test_an_oversized_record_travels_as_a_reference(running: Stack, tmp_path: Path) -> None:
    running.dynamics.command(
        "change_metadata", add_column={"name": "new_notes", "type": "Memo", "max_length": 100000}
    )
    shipped = Path("mappings/contacts.yaml").read_text(encoding="utf-8")
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "contacts.yaml").write_text(
        shipped
        + "  - {source: new_notes, target: location.address4, type: string, length: 80, too_long: truncate}\n"
    )
    notes = "ä" * 60_000
    running.dynamics.command(
        "seed", records=[{"lastname": "Heavy", "new_notes": notes}, {"lastname": "Light"}]
    )
    running.start_host(MAPPINGS_DIR=str(tmp_path / "mappings"))
    until(lambda: len(running.campaign.records()) == 2, 30, lambda: running.told()[-2000:])
    found = {profile["lastName"]: profile["location"]["address4"] for profile in running.campaign.records()}
    assert found == {"Heavy": "ä" * 80, "Light": ""}
