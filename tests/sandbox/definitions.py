"""Definitions as a client sends them, for the tests of metadata writes."""

from __future__ import annotations

from typing import Any

from sandbox.dynamics.options import DynamicsOptions
from tests.sandbox.dynamics_instance import ORIGIN, Organization

CRM = "Microsoft.Dynamics.CRM."
IN_SOLUTION = {"mscrm.solutionuniquename": "acssync"}
MERGED = {"mscrm.mergelabels": "true"}
SEND = "EntityDefinitions(LogicalName='acs_emailsend')"


def label(text: str) -> dict[str, Any]:
    one = {"@odata.type": f"{CRM}LocalizedLabel", "Label": text, "LanguageCode": 1033}
    return {"@odata.type": f"{CRM}Label", "LocalizedLabels": [one]}


def text(schema: str, length: int = 200, **more: Any) -> dict[str, Any]:
    return {
        "@odata.type": f"{CRM}StringAttributeMetadata",
        "SchemaName": schema,
        "DisplayName": label(schema),
        "MaxLength": length,
        "FormatName": {"Value": "Text"},
        "RequiredLevel": {"Value": "None"},
        **more,
    }


def moment(schema: str) -> dict[str, Any]:
    return {
        "@odata.type": f"{CRM}DateTimeAttributeMetadata",
        "SchemaName": schema,
        "DisplayName": label(schema),
        "Format": "DateAndTime",
        "DateTimeBehavior": {"Value": "UserLocal"},
        "RequiredLevel": {"Value": "None"},
    }


def activity(**changes: Any) -> dict[str, Any]:
    """`acs_emailsend` as dataverse.md 4.4 has it; a value None takes the property out."""
    whole = {
        "@odata.type": f"{CRM}EntityMetadata",
        "SchemaName": "acs_emailsend",
        "IsActivity": True,
        "HasActivities": False,
        "HasNotes": True,
        "OwnershipType": "UserOwned",
        "IsAvailableOffline": True,
        "DisplayName": label("Adobe Campaign Email Send"),
        "DisplayCollectionName": label("Adobe Campaign Email Sends"),
        "Attributes": [text("Subject", IsPrimaryName=True)],
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def prepared(**options: Any) -> Organization:
    """An organization with publisher `acs` and solution `acssync`."""
    org = Organization(DynamicsOptions(origin=ORIGIN, **options))
    publisher = org.send("POST", "publishers", {
        "uniquename": "acs", "friendlyname": "ACS", "customizationprefix": "acs",
        "customizationoptionvalueprefix": 72700,
    })  # fmt: skip
    assert publisher.status == 204, publisher.body
    address = publisher.headers["odata-entityid"].removeprefix(f"{ORIGIN}/api/data/v9.2")
    solution = org.send("POST", "solutions", {
        "uniquename": "acssync", "friendlyname": "Sync", "version": "1.0.0.0", "publisherid@odata.bind": address,
    })  # fmt: skip
    assert solution.status == 204, solution.body
    return org


def with_activity(**options: Any) -> Organization:
    """The same with the activity table and two columns."""
    org = prepared(**options)
    made = org.send("POST", "EntityDefinitions", activity(), **IN_SOLUTION)
    assert made.status == 204, made.body
    for column in (text("acs_campaignname"), moment("acs_datesent")):
        assert org.send("POST", f"{SEND}/Attributes", column).status == 204
    return org
