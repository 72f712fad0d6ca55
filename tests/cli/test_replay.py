"""replay: prints the cost, asks, and queues; unchanged records cost no call unless forced."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from sandbox.campaign.options import CampaignOptions
from sync.flows import jobs, replay
from sync.model import to_iso
from sync.planning import compile as compiling
from tests.cli.office import SHIPPED, Office


def test_a_release_that_sends_something_else_has_everything_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office()
    office.synced("Ada")
    office.work(3)
    assert office.ask("status")["mappings"][0]["jobs"] == []
    monkeypatch.setattr(compiling, "CONVERSIONS", 2)
    office.work(3)
    (item,) = office.ask("status")["mappings"]
    assert {(job["verb"], job["who"], job["state"]) for job in item["jobs"]} == {
        ("replay", "another release", "done")
    }
    jobs = item["jobs"]
    office.work(3)
    assert office.ask("status")["mappings"][0]["jobs"] == jobs


def test_a_release_and_an_edit_in_one_look_have_everything_replayed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    office = Office()
    ada, _ = office.synced("Ada", "Grace")
    office.dynamics.edit(ada, {"firstname": "Augusta"})
    asyncio.run(office.pull())
    file = tmp_path / "contacts.yaml"
    file.write_text(
        SHIPPED.read_text().replace(
            "firstName, type: string, length: 30", "firstName, type: string, length: 29"
        )
    )
    office.ask("mappings", "apply", str(file), "--yes", "--offline")
    asyncio.run(office.work_lanes())
    # It is on the new version already, as the old release understood that.
    assert office.row(ada).mapping_version.startswith("000002")
    monkeypatch.setattr(compiling, "CONVERSIONS", 2)
    office.work(3)
    (job,) = office.ask("status")["mappings"][0]["jobs"]
    assert (job["who"], job["state"], job["done"]) == ("mapping edit", "done", 2)


def test_a_job_of_an_older_release_goes_on() -> None:
    office = Office()
    office.synced("Ada")
    context = office.compose_context()
    spec = {
        "epoch": 1,
        "intent": "replay",
        "states": [],
        "code": "",
        "mapping_version": "000001-0",
        "matching": "",
    }
    asyncio.run(jobs.start(context, "contacts", replay.VERB, json.dumps(spec), who="mapping edit"))
    office.work(3)
    (job,) = office.ask("status")["mappings"][0]["jobs"]
    assert (job["state"], job["done"]) == ("done", 1)


def test_an_unchanged_record_costs_no_call() -> None:
    office = Office()
    ids = office.synced("Ada", "Grace")
    written = len(office.campaign_writes())
    told = office.ask("replay", "--all", "--yes")
    assert told["cost"] == {
        "records": 2,
        "calls": {"least": 0, "most": 2},
        "seconds": pytest.approx(2 / (3860 / 310 * 0.8), abs=0.001),
        "exact": False,
    }
    office.work(3)
    assert len(office.campaign_writes()) == written
    assert {office.row(record).state.value for record in ids} == {"synced"}


def test_force_sends_it_all_the_same() -> None:
    office = Office()
    (ada, grace) = office.synced("Ada", "Grace")
    written = len(office.campaign_writes())
    told = office.ask("replay", ada, "--force", "--yes", "--wait")
    assert told["cost"]["calls"] == {"least": 1, "most": 1}
    assert office.campaign_writes()[written:] == ["profile.update"]
    assert len(office.profiles()) == 2
    assert grace in office.profiles()


def test_it_mends_a_profile_that_somebody_changed() -> None:
    office = Office()
    (ada,) = office.synced("Ada")
    office.campaign.command("edit", {"id": ada, "changes": {"firstName": "Eve"}})
    office.sync("replay", ada, "--force", "--yes", "--wait")
    assert office.profiles()[ada]["firstName"] == "Ada"


@pytest.mark.parametrize(("typed", "queued"), [("y\n", 1), ("n\n", 0), ("\n", 0), ("", 0)])
def test_it_asks_first(typed: str, queued: int) -> None:
    office = Office()
    office.synced("Ada")
    result = office.sync("replay", "--all", typed=typed)
    assert "about 1 record, 0 to 1 Campaign calls" in result.stdout
    assert result.exit_code == (0 if queued else 1)
    assert office.stored()["control"] == queued


def test_json_never_asks() -> None:
    office = Office()
    office.synced("Ada")
    assert office.ask("replay", "--all", code=2)["error"]["fix"].startswith("Add --yes")
    assert office.stored()["control"] == 0


def test_exact_counts_the_ledger() -> None:
    office = Office()
    office.synced("Ada", "Grace")
    office.lose_counters()
    assert office.ask("replay", "--all", "--yes")["cost"]["records"] == 0
    cost = office.ask("replay", "--all", "--exact", "--yes")["cost"]
    assert (cost["records"], cost["exact"]) == (2, True)


def test_the_dearer_addressing_costs_two_calls() -> None:
    office = Office(campaign_options=CampaignOptions(addressing="filter"))
    office.synced("Ada")
    assert office.ask("replay", "--all", "--force", "--yes")["cost"]["calls"] == {"least": 2, "most": 2}


def test_by_code() -> None:
    office = Office()
    office.synced("Ada")
    office.contacts("Bob", emailaddress1="nobody at nowhere")
    office.work(2)
    assert office.ask("replay", "--code", "email_invalid", "--yes")["cost"]["records"] == 1
    assert office.ask("replay", "--code", "no_such", "--yes", code=2)["error"]["code"] == "usage"


def test_what_is_on_hold_is_named() -> None:
    office = Office()
    ids = office.synced("Ada", "Grace")
    for record in ids:
        office.dynamics.command("delete", {"id": record})
    office.work(2)
    (held,) = (item["id"] for item in office.ask("deletes", "list")["deletes"])
    office.ask("deletes", "discard", held)
    assert held in office.sync("replay", held, "--yes").stderr
    assert "1 on hold" in office.sync("replay", "--all", "--force", typed="n\n").stdout
    office.work(3)
    assert office.row(held).state.value == "hold"


def test_without_a_choice_it_does_nothing() -> None:
    office = Office()
    (ada,) = office.synced("Ada")
    for arguments in (("replay",), ("replay", "--all", ada), ("replay", "--all", "--code", "email_invalid")):
        assert office.ask(*arguments, "--yes", code=2)["error"]["code"] == "usage"


def test_by_filter_and_by_time(tmp_path: Path) -> None:
    office = Office()
    office.synced("Ada")
    office.clock.advance(3600)
    office.synced("Grace")
    written = len(office.campaign_writes())
    told = office.ask("replay", "--filter", "firstname eq 'Ada'", "--force", "--yes")
    assert (told["cost"]["records"], told["cost"]["exact"]) == (1, True)
    office.work(4)
    assert len(office.campaign_writes()) == written + 1
    since = to_iso(office.clock.now() - 1800)
    assert office.ask("replay", "--since", since, "--force", "--yes")["cost"]["records"] == 1
    assert office.ask("replay", "--until", since, "--force", "--yes")["cost"]["records"] == 1
    office.work(4)
    assert len(office.campaign_writes()) == written + 3


def test_a_condition_that_dynamics_does_not_understand_starts_nothing() -> None:
    office = Office()
    office.synced("Ada")
    for condition, told in (("shoesize gt 40", "shoesize"), ("statecode eq", "")):
        error = office.ask("replay", "--filter", condition, "--yes", code=2)["error"]
        assert error["code"] == "usage"
        assert told in error["what"]
        assert "$filter" in error["fix"]
    assert office.stored()["control"] == 0
    assert office.ask("replay", "--since", "yesterday", "--yes", code=2)["error"]["code"] == "usage"


def test_by_a_list(tmp_path: Path) -> None:
    office = Office()
    ids = office.synced(*(f"a{number}" for number in range(60)))
    file = tmp_path / "ids.csv"
    file.write_text("contactid,name\n" + "".join(f"{record.upper()},x\n" for record in ids))
    written = len(office.campaign_writes())
    told = office.ask("replay", "--ids", str(file), "--skip", "5", "--force", "--yes")
    assert told["cost"]["records"] == 55
    assert office.stored()["live"] == 0
    office.work(4)
    assert len(office.campaign_writes()) == written + 55
    (tmp_path / "bad.txt").write_text(f"{ids[0]}\nnobody\n")
    assert (
        "line 2" in office.ask("replay", "--ids", str(tmp_path / "bad.txt"), "--yes", code=2)["error"]["what"]
    )


def test_a_list_from_standard_input() -> None:
    office = Office()
    (ada,) = office.synced("Ada")
    written = len(office.campaign_writes())
    result = office.sync("replay", "--ids", "-", "--force", "--yes", typed=f"{ada}\n")
    assert result.exit_code == 0
    office.work(2)
    assert len(office.campaign_writes()) == written + 1
