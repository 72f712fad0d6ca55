"""pause: work of a paused part waits without a trigger, and goes on by itself once it is resumed."""

from __future__ import annotations

import pytest

from tests.cli.office import Office


def test_a_paused_live_lane_writes_nothing_and_keeps_everything() -> None:
    office = Office()
    (ada,) = office.synced("Ada")
    office.ask("pause", "--lane", "live", "--why", "freeze")
    office.clock.advance(10)
    office.dynamics.edit(ada, {"firstname": "Grace"})
    written = len(office.campaign_writes())
    office.work(40)
    assert len(office.campaign_writes()) == written
    assert office.stored()["paused"] == 1
    assert office.stored()["live-poison"] == 0
    (item,) = office.ask("status")["mappings"]
    assert item["paused"]["lane:live"]["why"] == "freeze"
    assert "lane live paused by" in office.sync("status").stdout
    assert office.ask("resume")["resumed"] == ["lane:live"]
    office.work(3)
    assert office.profiles()[ada]["firstName"] == "Grace"
    assert office.stored()["paused"] == 0


def test_a_paused_backfill_does_not_hold_live_changes() -> None:
    office = Office()
    (ada,) = office.synced("Ada")
    office.ask("pause", "--lane", "backfill")
    office.clock.advance(10)
    office.ask("replay", "--all", "--force", "--yes")
    office.work(4)
    assert office.stored()["paused"] == 1
    office.dynamics.edit(ada, {"firstname": "Grace"})
    office.work(3)
    assert office.profiles()[ada]["firstName"] == "Grace"
    written = len(office.campaign_writes())
    office.ask("resume", "--lane", "backfill")
    office.work(3)
    assert len(office.campaign_writes()) == written + 1


def test_a_paused_replay_goes_on_where_it_stood() -> None:
    office = Office()
    office.synced("Ada", "Grace")
    office.ask("pause", "--flow", "replay")
    office.ask("replay", "--all", "--force", "--yes")
    written = len(office.campaign_writes())
    office.work(3)
    (item,) = office.ask("status")["mappings"]
    assert [(job["state"], job["done"]) for job in item["jobs"]] == [("running", 0)]
    office.ask("resume")
    office.work(6)
    assert len(office.campaign_writes()) == written + 2
    (item,) = office.ask("status")["mappings"]
    assert [(job["state"], job["done"], job["total"]) for job in item["jobs"]] == [("done", 2, 2)]


def test_a_paused_pull_reads_nothing() -> None:
    office = Office()
    office.synced("Ada")
    office.ask("pause", "--flow", "pull")
    office.contacts("Grace")
    office.clock.advance(10)
    office.work(3)
    assert len(office.profiles()) == 1
    office.ask("resume", "--flow", "pull")
    office.work(3)
    assert len(office.profiles()) == 2


def test_pausing_consent_is_asked_for() -> None:
    office = Office()
    office.synced("Ada")
    assert "Opt-outs wait too" in office.sync("pause", "--lane", "consent", typed="n\n").stdout
    assert office.ask("status")["mappings"][0]["paused"] == {}
    office.ask("pause")
    assert "lane:consent" not in office.ask("status")["mappings"][0]["paused"]


@pytest.mark.parametrize("arguments", [("--lane", "fast"), ("--flow", "apply")])
def test_a_part_that_is_none_is_refused(arguments: tuple[str, ...]) -> None:
    office = Office()
    office.synced("Ada")
    assert office.ask("pause", *arguments, code=2)["error"]["code"] == "usage"


def test_a_pause_of_email_events_is_shown() -> None:
    office = Office()
    office.environ |= {"EVENTS_CONTAINER": "exports", "EVENTS_CONNECTION": "UseDevelopmentStorage=true"}
    office.synced("Ada")
    office.ask("pause", "--mapping", "email", "--lane", "events", "--why", "storage full")
    assert office.sync("status").stdout.count("lane events paused by") == 1
    assert office.ask("status", code=1)["events"]["paused"]["lane:events"]["why"] == "storage full"
