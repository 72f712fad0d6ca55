"""Metadata reads (dataverse.md 1.5, 7.1)."""

from __future__ import annotations

import pytest

from tests.sandbox.dynamics_instance import Organization

CONTACT = "EntityDefinitions(LogicalName='contact')"
CAST = "Microsoft.Dynamics.CRM."


def test_a_table_by_name_and_by_id() -> None:
    org = Organization()
    shown = org.get(f"{CONTACT}?$select=EntitySetName,PrimaryIdAttribute,ChangeTrackingEnabled")
    assert (shown["EntitySetName"], shown["PrimaryIdAttribute"], shown["ChangeTrackingEnabled"]) == (
        "contacts", "contactid", True,
    )  # fmt: skip
    assert org.get(f"EntityDefinitions({shown['MetadataId']})")["LogicalName"] == "contact"
    assert org.refused("GET", "EntityDefinitions(LogicalName='nope')")[0] == 404


@pytest.mark.parametrize(
    ("filtered", "found"),
    [
        ("LogicalName+eq+'contact'", ["contact"]),
        ("LogicalName%20eq%20'nope'", []),
        ("ChangeTrackingEnabled%20eq%20true", ["contact", "account", "cr_order", "cr_orderline"]),
        (
            "ChangeTrackingEnabled%20eq%20false%20and%20CanChangeTrackingBeEnabled/Value%20eq%20false",
            [
                "organization",
                "systemuser",
                "transactioncurrency",
                "privilege",
                "businessunit",
                "publisher",
                "solution",
                "solutioncomponent",
                "role",
                "sdkmessagefilter",
            ],
        ),
    ],
)
def test_tables_by_filter(filtered: str, found: list[str]) -> None:
    rows = Organization().get(f"EntityDefinitions?$select=LogicalName&$filter={filtered}")["value"]
    assert [row["LogicalName"] for row in rows] == found


def test_tracking_switched_off_shows() -> None:
    org = Organization()
    org.service.command("tracking", {"enabled": False})
    assert org.get(CONTACT)["ChangeTrackingEnabled"] is False


def test_columns_with_types_and_lengths() -> None:
    org = Organization()
    columns = {row["LogicalName"]: row for row in org.get(f"{CONTACT}/Attributes")["value"]}
    assert (columns["firstname"]["AttributeType"], columns["firstname"]["MaxLength"]) == ("String", 50)
    assert columns["emailaddress1"]["FormatName"] == {"Value": "Email"}
    assert columns["birthdate"]["DateTimeBehavior"] == {"Value": "DateOnly"}
    assert columns["lastusedincampaign"]["Format"] == "DateOnly"
    assert columns["lastusedincampaign"]["DateTimeBehavior"] == {"Value": "UserLocal"}
    assert columns["parentcustomerid"]["Targets"] == ["account", "contact"]
    assert columns["statecode"]["IsValidForCreate"] is False
    assert columns["contactid"]["@odata.type"] == f"#{CAST}AttributeMetadata"


def test_casts() -> None:
    org = Organization()
    picklist = f"{CONTACT}/Attributes/{CAST}PicklistAttributeMetadata"
    rows = org.get(f"{picklist}?$select=LogicalName&$expand=OptionSet($select=Options)")["value"]
    options = {
        row["LogicalName"]: [option["Value"] for option in row["OptionSet"]["Options"]] for row in rows
    }
    assert options["gendercode"] == [1, 2]
    assert "statecode" not in options
    text = org.get(f"{CONTACT}/Attributes/{CAST}StringAttributeMetadata?$select=LogicalName,MaxLength")[
        "value"
    ]
    assert {row["LogicalName"]: row["MaxLength"] for row in text}["address1_line1"] == 250
    one = f"{CONTACT}/Attributes(LogicalName='donotemail')/{CAST}BooleanAttributeMetadata?$expand=OptionSet"
    assert org.get(one)["OptionSet"]["TrueOption"]["Value"] == 1
    assert org.refused("GET", f"{CONTACT}/Attributes/{CAST}NopeMetadata")[0] == 404


def test_derived_properties_need_a_cast() -> None:
    assert Organization().refused("GET", f"{CONTACT}/Attributes?$select=LogicalName,MaxLength") == (
        400,
        "0x0",
    )


def test_keys() -> None:
    org = Organization()
    (key,) = org.get(f"{CONTACT}/Keys?$select=SchemaName,KeyAttributes,EntityKeyIndexStatus")["value"]
    assert (key["KeyAttributes"], key["EntityKeyIndexStatus"]) == (["externaluseridentifier"], "Active")
    shown = org.get(f"{CONTACT}?$select=SchemaName&$expand=Keys($select=KeyAttributes)")
    assert shown["Keys"][0]["KeyAttributes"] == ["externaluseridentifier"]


def test_customizing_over_the_api_is_refused() -> None:
    assert Organization().refused("POST", f"{CONTACT}/Attributes", {})[0] == 501


def test_a_changed_column_shows() -> None:
    org = Organization()
    org.service.command(
        "change_metadata", {"add_column": {"name": "new_tier", "type": "String", "max_length": 5}}
    )
    assert org.get(f"{CONTACT}/Attributes(LogicalName='new_tier')")["MaxLength"] == 5
    org.service.command("change_metadata", {"remove_column": "new_tier"})
    assert org.refused("GET", f"{CONTACT}/Attributes(LogicalName='new_tier')")[0] == 404
