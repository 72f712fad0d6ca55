"""Tables besides contact: columns that behave unusually on the wire, lookups, and what a delete does to them."""

from __future__ import annotations

import pytest

from tests.sandbox.dynamics_instance import ROOT, Organization


def order(org: Organization, **values: object) -> str:
    answer = org.send("POST", "cr_orders", {"cr_name": "First", **values})
    assert answer.status == 204, answer.body
    return answer.headers["odata-entityid"].rpartition("(")[2].rstrip(")")


def test_an_order_on_the_wire() -> None:
    org = Organization()
    contact = org.seed(1)[0]
    order_id = order(
        org,
        **{
            "cr_contactid@odata.bind": f"/contacts({contact})",
            "cr_total": 12.5,
            "cr_channels": "9, 1",
            "cr_orderdate": "2026-05-28",
            "cr_deliveryslot": "2026-06-01T08:00:00Z",
        },
    )
    columns = "_cr_contactid_value,cr_total,cr_channels,cr_orderdate,cr_deliveryslot,cr_status"
    annotated = 'odata.include-annotations="OData.Community.Display.V1.FormattedValue"'
    raw = org.send("GET", f"cr_orders({order_id})?$select={columns}", prefer=annotated).body.decode()
    shown = org.get(f"cr_orders({order_id})?$select={columns}", prefer=annotated)
    assert '"cr_total":12.5000' in raw
    assert shown["_transactioncurrencyid_value"], "money brings its currency along"
    assert (shown["cr_channels"], shown["cr_channels@OData.Community.Display.V1.FormattedValue"]) == (
        "9,1",
        "Partner; Web",
    )
    assert (shown["_cr_contactid_value"], shown["cr_orderdate"]) == (contact, "2026-05-28")
    assert shown["cr_deliveryslot"] == "2026-06-01T08:00:00Z"


@pytest.mark.parametrize("value", ["1,5", "web", 1, "1;9"])
def test_choices_take_known_options_with_commas(value: object) -> None:
    assert Organization().refused("POST", "cr_orders", {"cr_channels": value})[0] == 400


def test_metadata_says_what_the_columns_are() -> None:
    org = Organization()
    base = "EntityDefinitions(LogicalName='cr_order')/Attributes"
    told = {
        row["LogicalName"]: row
        for row in org.get(f"{base}?$select=LogicalName,AttributeType,AttributeTypeName")["value"]
    }
    assert told["cr_channels"]["AttributeType"] == "Virtual"
    assert told["cr_channels"]["AttributeTypeName"] == {"Value": "MultiSelectPicklistType"}
    multi = "Microsoft.Dynamics.CRM.MultiSelectPicklistAttributeMetadata"
    (choices,) = org.get(f"{base}/{multi}?$select=LogicalName&$expand=OptionSet($select=Options)")["value"]
    assert [option["Value"] for option in choices["OptionSet"]["Options"]] == [1, 2, 3, 9]
    dates = "Microsoft.Dynamics.CRM.DateTimeAttributeMetadata"
    behaviors = {
        row["LogicalName"]: row["DateTimeBehavior"]["Value"]
        for row in org.get(f"{base}/{dates}?$select=LogicalName,DateTimeBehavior")["value"]
    }
    assert (behaviors["cr_orderdate"], behaviors["cr_deliveryslot"], behaviors["cr_shippedon"]) == (
        "DateOnly",
        "TimeZoneIndependent",
        "UserLocal",
    )


def test_a_deleted_parent_empties_optional_lookups_and_takes_its_lines_along() -> None:
    org = Organization()
    contact = org.seed(1)[0]
    (account,) = org.service.seed([{"name": "Acme", "_primarycontactid_value": contact}], table="account")
    org.service.edit(contact, {"_parentcustomerid_value": account})
    order_id = order(org, **{"cr_contactid@odata.bind": f"/contacts({contact})"})
    org.send("POST", "cr_orderlines", {"cr_orderid@odata.bind": f"/cr_orders({order_id})"})
    _, link = org.follow("cr_orders?$select=_cr_contactid_value", prefer="odata.track-changes")
    org.send("DELETE", f"contacts({contact})")
    changed, _ = org.follow(link)
    assert [row["_cr_contactid_value"] for row in changed] == [None]
    (row,) = org.service.dump("account")["records"]
    assert row["_primarycontactid_value"] is None
    org.send("DELETE", f"cr_orders({order_id})")
    assert org.service.dump("cr_orderline")["records"] == []


def test_tables_can_be_made_up() -> None:
    org = Organization()
    columns = [
        {"name": "cr_text", "max_length": 10},
        {"name": "cr_amount", "type": "Money"},
        {"name": "cr_owner", "type": "Lookup", "targets": ["account"]},
    ]
    made = org.service.command("custom_table", {"name": "cr_thing", "columns": columns})
    assert made == "cr_things"
    answer = org.send("POST", "cr_things", {"cr_name": "One", "cr_text": "x", "cr_amount": 1})
    assert answer.headers["odata-entityid"].startswith(f"https://org.test{ROOT}cr_things(")
    rows, _ = org.follow("cr_things?$select=cr_text,_cr_owner_value", prefer="odata.track-changes")
    assert [row["cr_text"] for row in rows] == ["x"]
