"""block: an erased person is never sent again, by whatever way, and what was kept of the id goes."""

from __future__ import annotations

import json

from sync.storage.blocked import digest_of
from tests.cli.office import Office, run


def test_nothing_sends_a_blocked_person() -> None:
    office = Office()
    ada, grace = office.synced("Ada", "Grace")
    told = office.ask("block", ada, "--why", "request 7", "--yes")["blocked"][ada]
    assert (told["new"], told["sent_by"]) == (True, ["contacts"])
    office.campaign.command("delete", {"id": ada})
    calls = len(office.campaign.log)
    office.dynamics.edit(ada, {"firstname": "Eve"})
    office.work(3)
    office.ask("replay", ada, "--force", "--yes")
    office.ask("replay", "--filter", "firstname eq 'Eve'", "--force", "--yes")
    office.work(4)
    office.dynamics.command("delete", {"id": ada})
    office.work(3)
    assert {entry.record for entry in office.campaign.log[calls:]} & {ada} == set()
    assert set(office.profiles()) == {grace}
    row = office.row(ada)
    assert (row.state.value, row.code, row.hash) == ("deleted", "blocked", "")


def test_a_rebaseline_does_not_bring_a_blocked_person_back() -> None:
    office = Office()
    ada, grace = office.synced("Ada", "Grace")
    office.ask("block", ada, "--yes")
    office.campaign.command("delete", {"id": ada})
    office.ask("rebaseline", "--yes")
    office.clock.advance(1000)
    office.work(8)
    assert set(office.profiles()) == {grace}


def test_after_a_rebaseline_it_does_not_say_that_a_stranger_was_sent() -> None:
    office = Office()
    office.synced("Ada")
    office.ask("rebaseline", "--yes")
    office.clock.advance(1000)
    office.work(8)
    stranger = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
    assert office.ask("block", stranger, "--yes")["blocked"][stranger]["sent_by"] == []


def test_only_a_digest_of_the_id_is_kept() -> None:
    office = Office()
    (ada,) = office.synced("Ada")
    office.ask("block", ada.upper(), "--yes")
    rows = office.account.tables["blocked"].rows
    assert ("blocked", digest_of(ada)) in rows
    assert ada not in json.dumps([[*key, dict(row.entity)] for key, row in rows.items()])


def test_queued_and_parked_and_consent_rows_go() -> None:
    office = Office()
    ada, grace = office.synced("Ada", "Grace")
    office.ask("pause", "--lane", "live")
    office.clock.advance(10)
    for record in (ada, grace):
        office.dynamics.edit(record, {"firstname": "Eve"})
    office.work(2)
    assert any(ada in message.body for message in office.account.queues["paused"].messages)
    assert office.ask("block", ada, "--yes")["blocked"][ada]["messages"] >= 1
    assert not any(ada in message.body for message in office.account.queues["paused"].messages)
    office.ask("resume")
    office.work(12)
    assert office.profiles()[ada]["firstName"] == "Ada"
    assert office.profiles()[grace]["firstName"] == "Eve"


def test_a_mapping_that_is_switched_off_and_what_a_look_found_are_not_left_out() -> None:
    office = Office()
    (ada,) = office.synced("Ada")
    office.campaign.command("edit", {"id": ada, "changes": {"firstName": "Eve"}})
    office.ask("reconcile", "--all", "--yes", "--wait")
    assert [one["id"] for one in office.ask("reconcile", "--list")["findings"]] == [ada]
    run(office.compose_context().mappings.switch("contacts", enabled=False, author="me", comment=""))
    assert office.ask("block", ada, "--yes")["blocked"][ada]["sent_by"] == ["contacts"]
    row = office.row(ada)
    assert (row.state.value, row.code, row.hash) == ("deleted", "blocked", "")
    assert office.ask("reconcile", "--list")["findings"] == []


def test_unblock_asks_twice() -> None:
    office = Office()
    (ada,) = office.synced("Ada")
    office.ask("block", ada, "--yes")
    office.campaign.command("delete", {"id": ada})
    assert office.ask("unblock", ada, "--yes", code=2)["error"]["code"] == "usage"
    assert office.sync("unblock", ada, typed="y\nn\n").exit_code == 1
    office.dynamics.edit(ada, {"firstname": "Eve"})
    office.work(2)
    assert office.profiles() == {}
    assert office.sync("unblock", ada, typed="y\ny\n").exit_code == 0
    office.dynamics.edit(ada, {"firstname": "Ida"})
    office.work(2)
    assert office.profiles()[ada]["firstName"] == "Ida"


def test_who_is_unblocked_goes_at_once_by_the_command_it_names() -> None:
    office = Office()
    (ada,) = office.synced("Ada")
    office.ask("block", ada, "--yes")
    office.campaign.command("delete", {"id": ada})
    told = office.sync("unblock", ada, "--yes", "--yes").stdout
    assert f"`python -m sync replay {ada}`" in told
    office.ask("replay", ada, "--yes")
    office.work(2)
    assert office.profiles()[ada]["firstName"] == "Ada"


def test_an_id_nobody_knows_can_be_blocked_before_it_appears() -> None:
    office = Office()
    office.synced("Ada")
    someone = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
    assert office.ask("block", someone, "--yes")["blocked"][someone]["sent_by"] == []
    office.dynamics.seed([{"contactid": someone, "firstname": "Eve"}])
    office.work(2)
    assert someone not in office.profiles()
