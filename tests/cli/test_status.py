"""status: from counters at once; what it says agrees with what the function app did."""

from __future__ import annotations

from sync.model import State
from tests.cli.office import SHIPPED, Office, run

BAD_EMAIL = "nobody at nowhere"


def test_before_the_first_start() -> None:
    told = Office().ask("status", code=1)
    (mapping,) = told["mappings"]
    assert (mapping["phase"], mapping["fresh"], mapping["age_s"]) == ("not started", False, None)
    result = Office().sync("status")
    assert result.exit_code == 1
    assert "never pulled" in result.stdout


def test_a_healthy_sync() -> None:
    office = Office()
    office.synced("Ada", "Grace")
    (mapping,) = office.ask("status")["mappings"]
    assert (mapping["phase"], mapping["fresh"], mapping["waits"]) == ("running", True, {})
    assert {state: count for state, count in mapping["states"].items() if count} == {"synced": 2}
    assert (mapping["generation"], mapping["swept"], mapping["full_read"]["total"]) == (1, 1, 2)
    assert mapping["eta_s"] == 0
    assert mapping["rate"]["records_per_s"] > 0
    shown = office.sync("status").stdout
    assert "contacts  RUNNING  epoch 1, generation 1" in shown
    assert "records     2 synced" in shown


def test_a_full_read_in_the_middle() -> None:
    office = Office()
    office.environ |= {"PAGES_PER_GROUP": "1", "DYNAMICS_PAGE_SIZE": "1"}
    office.contacts("Ada", "Grace", "Joan")
    office.dynamics.command("fault", {"kind": "status", "path": "skiptoken", "status": 503, "times": -1})
    office.work(1)
    (mapping,) = office.ask("status")["mappings"]
    assert (mapping["phase"], mapping["full_read"]["pages"]) == ("full read", 1)
    assert "FULL READ 1 page, 1 record" in office.sync("status").stdout


def test_a_flow_that_waits_says_why_and_what_to_do() -> None:
    office = Office()
    office.synced("Ada")
    office.environ["DYNAMICS_CLIENT_SECRET"] = "wrong"
    office.work(1)
    told = office.ask("status", code=1)
    assert told["mappings"][0]["waits"]["pull"]["code"] == "dynamics_unauthorized"
    shown = office.sync("status").stdout
    assert "WAITING dynamics_unauthorized" in shown
    assert "do: Check DYNAMICS_URL, DYNAMICS_TENANT_ID" in shown


def test_a_pull_that_is_too_long_ago() -> None:
    office = Office()
    office.synced("Ada")
    office.clock.advance(301)
    (mapping,) = office.ask("status", code=1)["mappings"]
    assert not mapping["fresh"]
    assert mapping["age_s"] > 300


def test_a_delta_link_past_half_its_life() -> None:
    office = Office()
    office.synced("Ada")
    office.clock.advance(3.6 * 86400)
    assert "a full read follows if it expires" in office.sync("status").stdout


def test_what_is_set_aside_is_explained() -> None:
    office = Office()
    office.synced("Ada")
    office.contacts("Bob", emailaddress1=BAD_EMAIL)
    office.work(3)
    (mapping,) = office.ask("status")["mappings"]
    assert mapping["quarantined"] == {"email_invalid": 1}
    shown = office.sync("status").stdout
    assert "1 quarantined  email_invalid: The e-mail address is not one that Campaign accepts." in shown
    assert "do: Correct it in Dynamics" in shown


def test_backlog_and_eta() -> None:
    office = Office()
    office.synced("Ada")
    office.campaign.command(
        "fault",
        {
            "kind": "status",
            "method": "POST",
            "path": "/profile",
            "status": 429,
            "headers": {"retry-after": "600"},
            "times": -1,
        },
    )
    office.contacts("Bob")
    office.work(2)
    told = office.ask("status")
    assert told["lanes"]["live"] > 0
    assert told["mappings"][0]["eta_s"] > 0
    assert told["budget"]["used"] > 0


def test_lag_is_how_long_the_first_message_waits() -> None:
    office = Office()
    office.environ["CHUNK_RECORDS"] = "7"
    office.synced("Ada")
    assert office.ask("status")["oldest_s"] == {}
    assert "lag " not in office.sync("status").stdout
    office.contacts("Bob")
    run(office.pull())
    office.clock.advance(40)
    assert office.ask("status")["oldest_s"] == {"live": 40.0}
    shown = office.sync("status").stdout
    assert "lag      the first message that waits: live 40 s\n" in shown
    assert "(messages of up to 7 records)" in shown


def test_events_that_are_not_looked_at_are_red_and_say_so() -> None:
    office = Office()
    office.environ |= {"EVENTS_CONTAINER": "exports", "EVENTS_CONNECTION": "local"}
    office.synced("Ada")
    result = office.sync("status")
    assert result.exit_code == 1
    assert "  files       never looked at: is the function app running?\n" in result.stdout


def test_exact_counts_the_ledger_and_older_mapping_versions() -> None:
    office = Office()
    ids = office.synced("Ada", "Grace")
    table = office.account.tables["ledger"]
    row = office.row(ids[0])
    key = (row.partition, row.record_id)
    table.rows[key] = type(table.rows[key])({**table.rows[key].entity, "mapping_version": "older"}, "e")
    office.lose_counters()
    (mapping,) = office.ask("status", "--exact")["mappings"]
    assert mapping["states"]["synced"] == 0
    assert mapping["exact"]["states"] == {"synced": 2}
    assert mapping["exact"]["older_mapping_version"] == 1
    assert "1 record on an older one" in office.sync("status", "--exact").stdout


def test_counters_and_ledger_agree() -> None:
    office = Office()
    ids = office.synced("Ada", "Grace", "Joan")
    office.contacts("Bob", emailaddress1=BAD_EMAIL)
    for record in ids:
        office.dynamics.command("delete", {"id": record})
    office.work()
    (mapping,) = office.ask("status", "--exact")["mappings"]
    states = {state: count for state, count in mapping["states"].items() if count}
    assert states == mapping["exact"]["states"] == {"deleted": 1, "parked": 2, "quarantined": 1}
    assert mapping["parked"] == {"delete_brake": 2}
    assert (mapping["deletes_24h"], mapping["deletes_allowed_24h"]) == (1, 1)
    assert {office.row(record).state for record in ids} == {State.DELETED, State.PARKED}


def test_the_brake_is_that_of_the_mapping() -> None:
    text = SHIPPED.read_text().replace("options:\n", "options:\n  delete_brake: {percent: 50, least: 7}\n")
    office = Office(shipped={"contacts": text})
    office.synced("Ada")
    assert "0 of 7 that the brake allows" in office.sync("status").stdout
