"""history: what was done to one record, without any of its values."""

from __future__ import annotations

from tests.cli.office import Office


def test_newest_first_with_state_and_code() -> None:
    office = Office()
    (ada,) = office.synced("Ada")
    office.dynamics.command("edit", {"id": ada, "changes": {"emailaddress1": "nobody at nowhere"}})
    office.work(2)
    told = office.ask("history", "{" + ada.upper() + "}")
    assert (told["state"], told["code"]) == ("quarantined", "email_invalid")
    assert [line["did"] for line in told["history"]] == ["quarantined", "created"]
    assert [line["calls"] for line in told["history"]] == [0, 1]
    result = office.sync("history", ada)
    assert f"{ada} is quarantined, code email_invalid" in result.stdout
    assert "nowhere" not in result.output


def test_lines_limits() -> None:
    office = Office()
    (ada,) = office.synced("Ada")
    for name in ("Eve", "Ida"):
        office.dynamics.command("edit", {"id": ada, "changes": {"firstname": name}})
        office.work(2)
    assert len(office.ask("history", ada)["history"]) == 3
    assert len(office.ask("history", ada, "--lines", "1")["history"]) == 1


def test_unknown_and_wrong_ids() -> None:
    office = Office()
    office.synced("Ada")
    assert (
        office.ask("history", "3f2504e0-4f89-41d3-9a0c-0305e82c3301", code=1)["error"]["code"]
        == "unknown_record"
    )
    assert office.ask("history", "Ada", code=2)["error"]["code"] == "usage"
