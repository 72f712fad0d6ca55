"""Metadata writes of the Dataverse look-alike: tables, columns, keys, options, roles (dataverse.md 4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.definitions import (
    CRM,
    IN_SOLUTION,
    MERGED,
    SEND,
    activity,
    label,
    moment,
    prepared,
    text,
    with_activity,
)
from tests.sandbox.dynamics_instance import Organization

KEYED = "EntityDefinitions(LogicalName='account')"


def test_an_activity_table_has_what_it_inherits_and_is_in_its_solution() -> None:
    org = with_activity()
    shown = org.get(SEND)
    assert (shown["IsActivity"], shown["PrimaryIdAttribute"], shown["PrimaryNameAttribute"]) == (
        True,
        "activityid",
        "subject",
    )
    assert (shown["EntitySetName"], shown["SchemaName"], shown["IsCustomEntity"]) == (
        "acs_emailsends",
        "acs_emailsend",
        True,
    )
    assert shown["DisplayName"]["UserLocalizedLabel"]["Label"] == "Adobe Campaign Email Send"
    names = {row["LogicalName"] for row in org.get(f"{SEND}/Attributes?$select=LogicalName")["value"]}
    assert names >= {
        "activityid",
        "subject",
        "description",
        "actualend",
        "sortdate",
        "regardingobjectid",
        "ownerid",
    }
    assert names >= {"acs_campaignname", "acs_datesent"}
    components = org.get("solutioncomponents?$select=objectid,componenttype")["value"]
    assert [(row["objectid"], row["componenttype"]) for row in components] == [(shown["MetadataId"], 1)]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"HasActivities": True}, "0x8004F123"),
        ({"HasNotes": False}, "0x8004F126"),
        ({"IsAvailableOffline": None}, "0x8004F126"),
        ({"Attributes": [text("acs_name", IsPrimaryName=True)]}, "0x8004F121"),
        ({"Attributes": []}, "0x80040203"),
        ({"Attributes": [text("Subject")]}, "0x80040203"),
        ({"Attributes": [text("Subject", IsPrimaryName=True), text("acs_more")]}, "0x80040200"),
        ({"OwnershipType": "OrganizationOwned"}, "0x80040200"),
        ({"SchemaName": "emailsend"}, "0x80044364"),
        ({"SchemaName": "zzz_emailsend"}, "0x80044365"),
        ({"SchemaName": "new_emailsend"}, "0x80044365"),
        ({"DisplayName": "Send"}, "0x80040203"),
        ({"DisplayName": None}, "0x80040203"),
        ({"LogicalName": "acs_emailsend"}, "0x80048d19"),
        ({"@odata.type": None}, "0x80048d19"),
        ({"Attributes": [7]}, "0x80040203"),
    ],
)  # fmt: skip
def test_a_definition_that_breaks_a_rule_is_refused_and_makes_nothing(
    changes: dict[str, Any], code: str
) -> None:
    org = prepared()
    told = org.refused("POST", "EntityDefinitions", activity(**changes), **IN_SOLUTION)
    assert told[1] == code
    assert (
        org.get(
            "EntityDefinitions?$select=LogicalName&$filter=LogicalName eq 'acs_emailsend'".replace(" ", "%20")
        )["value"]
        == []
    )


def test_a_table_cannot_be_made_twice_nor_in_a_solution_that_is_not_there() -> None:
    org = with_activity()
    assert org.refused("POST", "EntityDefinitions", activity()) == (400, "0x80044358")
    assert (
        org.refused("POST", "EntityDefinitions", activity(), **{"mscrm.solutionuniquename": "nope"})[0] == 404
    )


def test_binding_names_are_resolved_from_the_relationships() -> None:
    org = with_activity()
    found = org.get(
        f"{SEND}/ManyToOneRelationships?$select=SchemaName,ReferencedEntity,ReferencingEntityNavigationPropertyName"
        "&$filter=ReferencingAttribute%20eq%20'regardingobjectid'"
    )["value"]
    assert {row["ReferencedEntity"]: row["ReferencingEntityNavigationPropertyName"] for row in found} == {
        "account": "regardingobjectid_account_acs_emailsend",
        "contact": "regardingobjectid_contact_acs_emailsend",
    }


@pytest.mark.parametrize(
    ("column", "code"),
    [
        (text("acs_campaignname"), "0x80047013"),
        (text("acs_long", 4001), "0x80040203"),
        (text("acs_x", FormatName={"Value": "Json"}), "0x80040203"),
        (text("acs_x", Surprise=1), "0x80048d19"),
        ({**text("acs_x"), "@odata.type": f"{CRM}LookupAttributeMetadata"}, "0x80040200"),
        ({**moment("acs_x"), "DateTimeBehavior": {"Value": "TimeZoneIndependent"}}, "0x80040200"),
        (text("Subject"), "0x80044364"),
    ],
)
def test_a_wrong_column_is_refused(column: dict[str, Any], code: str) -> None:
    assert with_activity().refused("POST", f"{SEND}/Attributes", column)[1] == code


def test_customizations_are_serialised() -> None:
    org = prepared(customization_s=20.0)
    assert org.send("POST", "EntityDefinitions", activity()).status == 204
    assert org.refused("POST", f"{SEND}/Attributes", text("acs_x")) == (400, "0x80090412")
    org.time += 20
    assert org.send("POST", f"{SEND}/Attributes", text("acs_x")).status == 204


def test_publishing_names_tables_that_exist() -> None:
    org = with_activity()
    assert org.service.organization.catalogue.unpublished == {"acs_emailsend"}
    xml = "<importexportxml><entities><entity>{}</entity></entities></importexportxml>"
    assert org.refused("POST", "PublishXml", {"ParameterXml": xml.format("nope")})[0] == 400
    assert org.send("POST", "PublishXml", {"ParameterXml": xml.format("acs_emailsend")}).status == 204
    assert org.service.organization.catalogue.unpublished == set()
    assert org.refused("POST", "PublishXml", {"ParameterXml": "<importexportxml/>"})[0] == 501


def test_change_tracking_is_switched_on_by_putting_the_whole_definition_back() -> None:
    org = with_activity()
    whole = org.get(SEND)
    whole["ChangeTrackingEnabled"] = True
    whole = {name: value for name, value in whole.items() if name != "@odata.context"}
    for name in ("DisplayName", "DisplayCollectionName"):
        whole[name] = label(whole[name]["UserLocalizedLabel"]["Label"])
    assert org.refused("PUT", SEND, whole)[0] == 501  # labels would be replaced
    assert org.refused("PUT", SEND, {"ChangeTrackingEnabled": True}, **MERGED)[0] == 400
    assert org.refused("PATCH", SEND, whole, **MERGED)[0] == 405
    assert org.send("PUT", SEND, whole, **MERGED).status == 204
    assert org.get(SEND)["ChangeTrackingEnabled"] is True
    assert org.refused("PUT", SEND, {**whole, "ChangeTrackingEnabled": False}, **MERGED)[0] == 400


def test_an_alternate_key_can_be_used_once_its_index_is_built() -> None:
    org = prepared(key_pending_s=5.0, key_building_s=10.0)
    key = {"SchemaName": "acs_Number", "KeyAttributes": ["accountnumber"], "DisplayName": label("Number")}
    made = org.send("POST", f"{KEYED}/Keys", key)
    assert made.status == 204
    address = made.headers["odata-entityid"].partition("/api/data/v9.2/")[2]
    states = []
    for step in (0, 6, 10):
        org.time += step
        states.append(org.get(f"{KEYED}/Keys")["value"][0]["EntityKeyIndexStatus"])
        used = org.send("PATCH", "accounts(accountnumber='A1')", {"name": "One"}).status
        assert used == (204 if states[-1] == "Active" else 400)
    assert states == ["Pending", "InProgress", "Active"]
    assert org.refused("POST", "accounts", {"name": "Two", "accountnumber": "a1"}) == (412, "0x80060892")
    assert org.refused("POST", f"{KEYED}/Keys", key) == (400, "0x80060893")
    assert org.refused("POST", f"{KEYED}/Keys", {**key, "SchemaName": "acs_Other"}) == (400, "0x80060894")
    assert org.send("DELETE", address).status == 204
    assert org.refused("PATCH", "accounts(accountnumber='A1')", {"name": "One"})[0] == 400


def test_a_key_whose_values_repeat_fails() -> None:
    org = prepared()
    org.service.seed(
        [{"name": "One", "accountnumber": "7"}, {"name": "Two", "accountnumber": "7"}], "account"
    )
    key = {"SchemaName": "acs_Number", "KeyAttributes": ["accountnumber"]}
    assert org.send("POST", f"{KEYED}/Keys", key).status == 204
    assert org.get(f"{KEYED}/Keys")["value"][0]["EntityKeyIndexStatus"] == "Failed"


def test_a_key_on_an_activity_table_is_not_documented() -> None:
    key = {"SchemaName": "acs_Key", "KeyAttributes": ["acs_campaignname"]}
    assert with_activity().refused("POST", f"{SEND}/Keys", key) == (501, "0x80040200")


def test_an_option_is_added_once() -> None:
    org = with_activity()
    told = {
        "@odata.type": f"{CRM}OptionSetMetadata",
        "IsGlobal": False,
        "Options": [{"Value": 727000000, "Label": label("Hard")}],
    }
    choice = {**text("acs_kind"), "@odata.type": f"{CRM}PicklistAttributeMetadata", "OptionSet": told}
    choice = {
        name: choice[name]
        for name in ("@odata.type", "SchemaName", "DisplayName", "OptionSet", "RequiredLevel")
    }
    assert org.send("POST", f"{SEND}/Attributes", choice).status == 204
    added = {
        "EntityLogicalName": "acs_emailsend",
        "AttributeLogicalName": "acs_kind",
        "Value": 727000001,
        "Label": label("Soft"),
    }
    assert org.send("POST", "acs_emailsends", {"acs_kind": 727000001}).status == 400
    assert org.read(org.send("POST", "InsertOptionValue", added))["NewOptionValue"] == 727000001
    assert org.refused("POST", "InsertOptionValue", added) == (400, "0x80048403")
    assert org.send("POST", "acs_emailsends", {"acs_kind": 727000001}).status == 204


def role(org: Organization) -> str:
    made = org.send("POST", "roles", {"name": "Sync"})
    assert made.status == 204, made.body
    return made.headers["odata-entityid"].partition("(")[2].rstrip(")")


def privilege(org: Organization, name: str) -> str:
    rows = org.get(f"privileges?$select=name&$filter=name%20eq%20'{name}'")["value"]
    return str(rows[0]["privilegeid"])


def test_a_role_gets_privileges_by_depth_in_words() -> None:
    org = prepared()
    held = role(org)
    address, action = f"RetrieveRolePrivilegesRole(RoleId={held})", f"roles({held})/{CRM}AddPrivilegesRole"
    injected = {row["PrivilegeName"] for row in org.get(address)["RolePrivileges"]}
    assert len(injected) == 9
    given = {"PrivilegeId": privilege(org, "prvReadContact"), "Depth": 3}
    assert org.refused("POST", action, {"Privileges": [given]})[0] == 400
    assert (
        org.refused("POST", action, {"Privileges": [{**given, "PrivilegeId": held, "Depth": "Global"}]})[0]
        == 404
    )
    assert org.send("POST", action, {"Privileges": [{**given, "Depth": "Global"}]}).status == 204
    found = {row["PrivilegeName"]: row["Depth"] for row in org.get(address)["RolePrivileges"]}
    assert set(found) - injected == {"prvReadContact"}
    assert found["prvReadContact"] == "Global"
    assert (
        org.send(
            "POST", f"roles({held})/{CRM}RemovePrivilegeRole", {"PrivilegeId": given["PrivilegeId"]}
        ).status
        == 204
    )
    assert {row["PrivilegeName"] for row in org.get(address)["RolePrivileges"]} == injected
    assert org.refused("POST", "roles", {"name": "Sync"}) == (412, "0x80040237")


def test_a_role_is_put_into_a_solution_once() -> None:
    org = prepared()
    body = {
        "ComponentId": role(org),
        "ComponentType": 20,
        "SolutionUniqueName": "acssync",
        "AddRequiredComponents": False,
    }
    assert org.read(org.send("POST", "AddSolutionComponent", body)) == org.read(
        org.send("POST", "AddSolutionComponent", body)
    )
    assert len(org.get("solutioncomponents?$select=objectid")["value"]) == 1
    assert (
        org.refused("POST", "AddSolutionComponent", {**body, "ComponentId": body["SolutionUniqueName"]})[0]
        == 404
    )


def test_who_may_not_customize_is_refused() -> None:
    org = prepared()
    held = role(org)
    assert org.send("POST", f"roles({held})/{CRM}AddPrivilegesRole", {"Privileges": []}).status == 204
    org.service.assume("Sync")
    assert org.refused("POST", "EntityDefinitions", activity()) == (403, "0x80040220")


def test_a_custom_table_can_be_taken_away_again() -> None:
    org = with_activity()
    assert org.send("DELETE", f"{SEND}/Attributes(LogicalName='acs_campaignname')").status == 204
    assert org.refused("DELETE", f"{SEND}/Attributes(LogicalName='subject')")[0] == 400
    assert org.send("DELETE", SEND).status == 204
    assert org.refused("GET", SEND)[0] == 404
    assert org.refused("GET", "acs_emailsends")[0] == 404
    assert org.refused("DELETE", "EntityDefinitions(LogicalName='contact')")[0] == 400
