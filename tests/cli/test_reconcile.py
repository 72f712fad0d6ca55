"""reconcile: what differs is found by its kind, healed by sending it again, and nothing else is touched."""

from __future__ import annotations

import pytest

from tests.cli.office import Office


def find(office: Office, *arguments: str) -> dict[str, int]:
    found = office.ask("reconcile", *arguments, "--yes", "--wait")["found"]
    return {
        name: count for name, count in found.items() if name not in ("calls", "agrees", "left", "foreign")
    }


def test_two_systems_that_agree_have_no_findings_though_policies_rewrote_values() -> None:
    office = Office()
    office.campaign.command("policies", {"firstName": "smartCase", "email": "email"})
    office.synced("ada", "GRACE")
    assert find(office, "--all") == {}
    assert office.ask("reconcile", "--list")["findings"] == []


def test_every_kind_is_found_and_healed() -> None:
    office = Office()
    edited, missing, stale, _ = office.synced("Ada", "Bob", "Cyd", "Dan")
    office.campaign.command("edit", {"id": edited, "changes": {"firstName": "Eve", "thumbnail": "x"}})
    office.campaign.command("delete", {"id": missing})
    office.ask("pause", "--flow", "pull")
    office.dynamics.edit(stale, {"firstname": "Zoe"})
    nobody = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
    office.campaign.command("seed", {"records": [{"externalId": nobody}, {"externalId": "LEGACY-7"}]})
    written = len(office.campaign_writes())
    assert find(office, "--all") == {"edited": 1, "missing": 1, "stale": 1, "extra": 1}
    assert len(office.campaign_writes()) == written
    told = {one["id"]: (one["found"], one["fields"]) for one in office.ask("reconcile", "--list")["findings"]}
    assert told == {
        edited: ("edited", ["firstName"]),
        missing: ("missing", []),
        stale: ("stale", ["firstName"]),
        nobody: ("extra", []),
    }
    assert find(office, "--all", "--heal")["healed"] == 3
    office.work(3)
    profiles = office.profiles()
    assert (profiles[edited]["firstName"], profiles[stale]["firstName"]) == ("Ada", "Zoe")
    assert profiles[edited]["thumbnail"] == "x"
    assert missing not in profiles, "what somebody erased in Campaign is on hold, not made again"
    assert office.row(missing).state.value == "hold"
    assert nobody in profiles
    assert find(office, "--all") == {"extra": 1}


def test_what_campaign_rewrites_is_not_sent_for_ever() -> None:
    office = Office()
    (ada,) = office.synced("Ada")
    for _ in range(3):
        office.campaign.command("edit", {"id": ada, "changes": {"firstName": "Ada Lovelace"}})
        last = find(office, "--sample", "1", "--heal")
        office.work(2)
    assert last == {"rewritten": 1}


def test_extras_are_deleted_on_request_only_and_under_the_brake() -> None:
    office = Office()
    (ada,) = office.synced("Ada")
    ids = [f"3f2504e0-4f89-41d3-9a0c-0305e82c330{number}" for number in range(3)]
    office.campaign.command("seed", {"records": [{"externalId": one} for one in ids]})
    assert find(office, "--all", "--delete-extras") == {"extra": 3, "deletes": 3}
    office.work(4)
    assert len(office.profiles()) == 3, "the brake lets one through"
    office.ask("deletes", "approve", "--all")
    office.work(2)
    assert set(office.profiles()) == {ada}


def test_an_erased_person_in_campaign_is_extra_and_left_to_people() -> None:
    office = Office()
    (ada,) = office.synced("Ada")
    office.ask("block", ada, "--yes")
    assert find(office, "--all", "--delete-extras") == {"extra": 1}
    office.work(2)
    (one,) = office.ask("reconcile", "--list")["findings"]
    assert (one["id"], one["fields"]) == (ada, ["blocked"])
    assert ada in office.profiles()


def test_the_timer_looks_at_every_record_in_turn() -> None:
    office = Office()
    office.environ |= {"RECONCILE_PERCENT": "34"}
    ids = office.synced("Ada", "Bob", "Cyd", "Dan", "Eve")
    office.ask("rebaseline", "--yes")
    office.clock.advance(1000)
    office.work(8)
    for record in ids:
        office.campaign.command("edit", {"id": record, "changes": {"firstName": "Zoe"}})
    found = []
    for _ in range(3):
        office.reconcile()
        office.work(3)
        found.append(len(office.ask("reconcile", "--list")["findings"]))
    assert found == [2, 4, 5]
    (item,) = office.ask("status")["mappings"]
    assert [job["found"].get("edited") for job in item["jobs"]] == [2, 2, 2]


def test_it_asks_first_and_says_what_it_costs() -> None:
    office = Office()
    office.synced("Ada")
    result = office.sync("reconcile", "--all", typed="n\n")
    assert "about 1 record, 1 Campaign calls" in result.stdout
    assert result.exit_code == 1
    assert office.stored()["control"] == 0


@pytest.mark.parametrize("arguments", [(), ("--all", "--sample", "3"), ("--sample", "3", "--delete-extras")])
def test_half_a_question_is_refused(arguments: tuple[str, ...]) -> None:
    office = Office()
    office.synced("Ada")
    assert office.ask("reconcile", *arguments, "--yes", code=2)["error"]["code"] == "usage"
