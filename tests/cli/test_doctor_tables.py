"""doctor: every mapping's table and resource, links, and change tracking that --fix switches on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.office import SHIPPED, Office

EXAMPLES = Path(__file__).parents[2] / "mappings" / "examples"
ALL = {"contacts": SHIPPED.read_text()} | {path.stem: path.read_text() for path in EXAMPLES.glob("*.yaml")}


def office(**texts: str) -> Office:
    return Office(shipped={**ALL, **texts})


def checks(told: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(check["area"], check["check"]): check for check in told["checks"]}


def test_the_examples_are_green() -> None:
    told = office().ask("doctor")
    assert {check["check"] for check in told["checks"] if check["level"] != "ok"} == {"container"}
    found = checks(told)
    assert "/customResources/" in found["Campaign", "resource cusAccount"]["text"]
    assert "/profileAndServicesExt/" in found["Campaign", "resource cusOrderLine"]["text"]
    assert found["Campaign", "cusOrder by externalId"]["text"].startswith("filter; Campaign calls: insert 2")
    assert found["Dynamics", "table cr_order"]["text"] == "set cr_orders, key cr_orderid"
    assert ("Mapping orderlines", "link orderExternalId") in found


def dynamics(name: str, **arguments: Any) -> Callable[[Office], None]:
    return lambda office: office.dynamics.command(name, arguments)


def campaign(name: str, **arguments: Any) -> Callable[[Office], Any]:
    return lambda office: office.campaign.command(name, arguments)


def swapped(name: str, old: str, new: str) -> Callable[[Office], None]:
    return lambda office: office.shipped.update({name: ALL[name].replace(old, new)})


OTHER_PARENT = swapped("orders", "mapping: accounts", "mapping: contacts")


@pytest.mark.parametrize(
    ("mistake", "area", "check", "code"),
    [
        (swapped("accounts", "cusAccount", "cusAcount"), "Campaign", "resource cusAcount", "resource_missing"),
        (campaign("custom_addressing", mode="none"), "Campaign", "cusOrder by externalId", "no_addressing"),
        (swapped("orders", "key: externalId", "key: currency"), "Campaign", "cusOrder by currency", "no_addressing"),
        (swapped("orders", "table: cr_order", "table: cr_ordr"), "Dynamics", "table cr_ordr", "unknown_table"),
        (OTHER_PARENT, "Mapping orders", "_cr_accountid_value", "mapping_invalid"),
        (swapped("orders", "mapping: accounts", "mapping: nobody"), "Mapping orders", "links", "mapping_invalid"),
        (dynamics("privileges", prvReadcr_order=None), "Dynamics", "read cr_order", "dynamics_forbidden"),
        (dynamics("change_metadata", table="account", remove_column="websiteurl"), "Mapping accounts", "websiteurl",
         "unknown_column"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_where_it_is(
    mistake: Callable[[Office], Any], area: str, check: str, code: str
) -> None:
    tenant = office()
    mistake(tenant)
    found = checks(tenant.ask("doctor", code=1))
    assert found[area, check]["level"] == "fail"
    assert found[area, check]["code"] == code
    assert found[area, check]["fix"]


def tracked(tenant: Office, table: str) -> bool:
    return tenant.dynamics.organization.tables[table].table.change_tracking


def test_fix_shows_the_tables_and_asks() -> None:
    tenant = office()
    tenant.dynamics.tracking(False, "cr_order")
    declined = tenant.sync("doctor", "--fix", typed="n\n")
    assert declined.exit_code == 1
    assert "  cr_order\n" in declined.stderr
    assert not tracked(tenant, "cr_order")
    done = tenant.sync("doctor", "--fix", "--yes")
    assert done.exit_code == 0, done.output
    assert "ok    change tracking of cr_order" in done.stdout
    assert tracked(tenant, "cr_order")
    assert "cr_order" not in tenant.dynamics.organization.catalogue.unpublished


def test_fix_changes_nothing_where_nothing_is_off() -> None:
    tenant = office()
    assert tenant.sync("doctor", "--fix").exit_code == 0
    assert {entry.method for entry in tenant.dynamics.log if entry.note != "token"} == {"GET"}


def test_fix_without_the_right_says_so() -> None:
    tenant = office()
    tenant.dynamics.tracking(False, "cr_order")
    tenant.dynamics.privileges(prvWriteEntity=None)
    told = tenant.ask("doctor", "--fix", "--yes", code=1)
    assert told["error"]["code"] == "dynamics_forbidden"


def test_a_table_that_cannot_track_is_not_offered() -> None:
    tenant = office(accounts=ALL["accounts"].replace("table: account", "table: solution"))
    found = checks(tenant.ask("doctor", "--fix", "--yes", code=1))
    assert "cannot be synced" in found["Dynamics", "change tracking of solution"]["fix"]
