"""consent: the story of a contact, counts, the comparison of both systems, and the brake."""

from __future__ import annotations

from typing import Any

import pytest

from sync.planning.consent_map import ConsentMap
from sync.planning.load_consent import load_consent
from tests.cli.office import SETTINGS, Office

TEXT = """\
consent: contacts
direction: both
fields:
  - {source: donotbulkemail, target: blackListEmail}
"""


def told(direction: str = "both") -> ConsentMap:
    return load_consent(TEXT.replace("both", direction))


@pytest.fixture
def opted_out() -> tuple[Office, str]:
    """A contact that opted out in Campaign."""
    office = Office(consent=told())
    (record,) = office.synced("Ada")
    office.campaign.command("edit", {"id": record, "changes": {"blackListEmail": True}})
    office.work()
    return office, record


def test_explain_tells_the_story(opted_out: tuple[Office, str]) -> None:
    office, record = opted_out
    shown = office.sync("consent", "explain", record.upper()).stdout
    assert "the contact opted out there" in shown
    assert "Dynamics was set to opted out" in shown
    assert "now  blackListEmail: opted out, set by Campaign" in shown
    assert "@" not in shown
    story = office.ask("consent", "explain", record)["journal"]
    assert [(line["rule"], line["wrote"]) for line in story] == [("opted_out_in_campaign", "dynamics")]


def test_explain_of_a_contact_without_decisions() -> None:
    office = Office(consent=told())
    office.work()
    shown = office.sync("consent", "explain", "7c1b1f0e-0000-4000-8000-00000000000f").stdout
    assert "Nothing was ever decided" in shown


def test_report_counts_and_measures(opted_out: tuple[Office, str]) -> None:
    office, _ = opted_out
    found = office.ask("consent", "report", "--since", "1h")
    assert found["decisions"] == [
        {"rule": "opted_out_in_campaign", "wrote": "dynamics", "outcome": "done", "count": 1}
    ]
    assert 0 <= found["latency_s"]["dynamics"]["p95"] < 120
    assert office.ask("consent", "report", "--since", "0m")["decisions"] == []
    assert "in Dynamics: p50" in office.sync("consent", "report").stdout


def test_report_refuses_what_is_no_time() -> None:
    office = Office(consent=told())
    result = office.sync("consent", "report", "--since", "yesterday")
    assert result.exit_code == 2
    assert "no time" in result.stderr


def test_verify_lists_and_heals(opted_out: tuple[Office, str]) -> None:
    office, record = opted_out
    assert office.ask("consent", "verify")["differences"] == []
    office.dynamics.command("edit", {"id": record, "changes": {"donotbulkemail": False}})
    found = office.ask("consent", "verify", code=1)
    assert found["differences"] == [
        {
            "id": record,
            "field": "blackListEmail",
            "campaign": "opted out",
            "dynamics": "opted in",
            "kept": False,
        }
    ]
    assert office.ask("consent", "verify", "--heal")["healed"] == 1
    office.work()
    assert office.profiles()[record]["blackListEmail"] is False
    assert office.ask("consent", "verify")["contacts"] == 1


def test_verify_knows_what_one_direction_keeps() -> None:
    office = Office(consent=told("to_campaign"))
    (record,) = office.synced("Ada")
    office.campaign.command("edit", {"id": record, "changes": {"blackListEmail": True}})
    office.work()
    (found,) = office.ask("consent", "verify")["differences"]
    assert found["kept"]
    assert "both are kept" in office.sync("consent", "explain", record).stdout


def test_approve_lets_braked_opt_ins_through() -> None:
    office = Office(consent=told(), environ={**SETTINGS, "OPT_IN_BRAKE": "0"})
    (record,) = office.contacts("Ada", donotbulkemail=True)  # type: ignore[arg-type]
    office.work()
    office.dynamics.command("edit", {"id": record, "changes": {"donotbulkemail": False}})
    office.work()
    assert office.profiles()[record]["blackListEmail"] is True
    counted = office.ask("consent", "report")
    assert counted["braked"].keys() == {"campaign"}
    assert counted["waiting"] == {"campaign": [record]}
    assert counted["latency_s"] == {"campaign": {}, "dynamics": {}}, "a creation is no change"
    assert "opt-ins of 1 contact towards Campaign wait" in office.sync("consent", "report").stdout
    assert "`consent approve --to campaign`" in office.sync("status").stdout
    office.environ["OPT_IN_BRAKE"] = "100"
    assert office.ask("consent", "approve", "--to", "campaign")["approved"] == 1
    office.work()
    assert office.profiles()[record]["blackListEmail"] is False
    assert office.sync("consent", "approve", "--to", "nowhere").exit_code == 2
    assert "No opt-in towards Campaign waits." in office.sync("consent", "approve", "--to", "campaign").stdout


def test_without_a_consent_map_the_commands_say_so() -> None:
    office = Office()
    office.work()
    result = office.sync("consent", "report")
    assert result.exit_code == 1
    assert "consent_off" in result.stderr


def test_doctor_says_how_it_reads_each_column() -> None:
    office = Office(consent=told())
    office.work()
    checks = [check for check in office.ask("doctor")["checks"] if check["area"] == "Consent"]
    texts = [check["text"] for check in checks]
    assert 'donotbulkemail = 1 "Do Not Allow" → opted out (blackListEmail)' in texts
    assert any("walking" in text for text in texts)
    assert {check["level"] for check in checks} == {"ok"}


def test_doctor_names_a_column_that_reads_the_other_way_round() -> None:
    wrong = load_consent(
        TEXT.replace("donotbulkemail", "donotsendmm").replace("Email}", "Email, invert: true}")
    )
    office = Office(consent=wrong)
    office.work()
    checks = office.ask("doctor", code=1)["checks"]
    assert [check["code"] for check in checks if check["area"] == "Consent" and "code" in check] == [
        "consent_unusable"
    ]


def test_doctor_warns_that_off_creates_opted_out_contacts_reachable() -> None:
    office = Office(consent=told("off"))
    office.work()
    (check,) = [check for check in office.ask("doctor")["checks"] if check["area"] == "Consent"]
    assert check["level"] == "warn"
    assert "created reachable" in check["text"]


def test_a_map_about_a_mapping_that_is_none_is_refused() -> None:
    office = Office(consent=load_consent(TEXT.replace("contacts", "people")))
    office.work()
    checks = office.ask("doctor", code=1)["checks"]
    (check,) = [check for check in checks if check["area"] == "Consent"]
    assert "no usable mapping people" in check["text"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"time_filter": True}, "by the filter byLastModified"),
        ({}, "by walking"),
        ({"order": "refused"}, "consents_not_found"),
    ],
)
def test_doctor_says_how_changes_in_campaign_are_found(options: dict[str, Any], text: str) -> None:
    office = Office(consent=told())
    office.work()
    office.campaign.change_options(**options)
    checks = office.ask("doctor", code=int("order" in options))["checks"]
    assert any(
        text in check["text"] + check.get("code", "") for check in checks if check["area"] == "Consent"
    )


def test_status_counts_what_was_carried(opted_out: tuple[Office, str]) -> None:
    office, _ = opted_out
    (mapping,) = office.ask("status")["mappings"]
    assert mapping["consent"]["counts"] == {"opt_out:dynamics:done": 1}
    assert "1 opt-out and 0 opt-ins carried" in office.sync("status").stdout
