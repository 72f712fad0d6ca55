"""trace: one record on both sides and in between, and what would be sent now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sync.planning.load_consent import load_consent
from tests.cli.office import Office
from tests.cli.test_plan import everything_stored

pytestmark = pytest.mark.usefixtures("nobody_works")
FOLDER = Path(__file__).parents[2] / "mappings"


def traced(office: Office, record: str, *arguments: str) -> dict[str, Any]:
    (found,) = office.ask("trace", record, *arguments)["traces"]
    return dict(found)


def test_a_synced_record_that_has_changed_since() -> None:
    office = Office()
    (ada,) = office.synced("Ada")
    office.dynamics.edit(ada, {"firstname": "Augusta"})
    before = everything_stored(office)
    found = traced(office, "{" + ada.upper() + "}")
    assert everything_stored(office) == before
    assert (found["campaign"]["records"], found["ledger"]["state"]) == (1, "synced")
    assert found["now"]["would"] == "update"
    assert found["now"]["fields"] == [{"field": "firstName", "before": "Ada", "after": "Augusta"}]
    assert [line["did"] for line in found["history"]] == ["created"]
    shown = office.sync("trace", ada).stdout
    assert "'Ada' → 'Augusta'" in shown
    quiet = office.sync("trace", ada, "--no-values").stdout
    assert "firstName" in quiet
    assert "Augusta" not in quiet


def test_a_record_that_nobody_knows() -> None:
    office = Office()
    office.work(1)
    found = traced(office, "3f2504e0-4f89-41d3-9a0c-0305e82c3301")
    assert (found["dynamics"], found["campaign"]["records"], found["ledger"]) == (None, 0, None)
    assert found["now"]["would"] == "leave"


def test_what_it_waits_for_and_why() -> None:
    office = Office()
    ada, grace = office.synced("Ada", "Grace")
    office.dynamics.delete(ada)
    office.dynamics.delete(grace)
    office.work()
    (waiting,) = [r for r in (ada, grace) if office.row(r).state == "parked"]
    found = traced(office, waiting)
    assert [(item["reason"], item["approved"]) for item in found["waits_for"]] == [("delete_brake", False)]
    assert (found["dynamics"], found["ledger"]["code"]) == (None, "delete_brake")


def test_parents_children_and_the_mapping_that_knows_it() -> None:
    office = Office()
    office.synced("Ada")
    office.ask("mappings", "apply", str(FOLDER / "examples" / "accounts.yaml"), "--yes")
    (parent,) = office.dynamics.seed([{"name": "Acme"}], table="account")
    (child,) = office.dynamics.seed([{"name": "Sub", "_parentaccountid_value": parent}], table="account")
    office.work(12)
    found = traced(office, parent)
    assert (found["mapping"], found["children"]) == ("accounts", [f"accounts:{child}"])
    assert traced(office, child)["ledger"]["parents"] == [f"accounts:{parent}"]
    assert f"accounts:{child}" in office.sync("trace", parent).stdout


def test_consent_is_summed_up() -> None:
    text = (FOLDER / "consent.yaml").read_text().replace("direction: off", "direction: both")
    office = Office(consent=load_consent(text))
    (ada,) = office.synced("Ada")
    office.work(4)
    consent = traced(office, ada)["consent"]
    assert consent is not None
    assert set(consent.values()) <= {"opted in (by both)", "opted in (by dynamics)", "opted in (by campaign)"}
