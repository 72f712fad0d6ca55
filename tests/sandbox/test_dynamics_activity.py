"""Activity rows of the Dataverse look-alike: binding names, states, who may, what happens around them."""

from __future__ import annotations

import pytest

from tests.sandbox.definitions import CRM, with_activity
from tests.sandbox.dynamics_instance import Organization

SENDS = "acs_emailsends"
ONE = "0a1b2c3d-0000-5000-8000-000000000001"
BIND = "regardingobjectid_contact_acs_emailsend@odata.bind"


def row(contact: str, **more: object) -> dict[str, object]:
    return {
        "subject": "Campaign Name: A; Delivery Name: B",
        BIND: f"/contacts({contact})",
        "acs_datesent": "2026-05-01T10:00:00Z",
        "sortdate": "2026-05-01T10:00:00Z",
        **more,
    }


def started() -> tuple[Organization, str]:
    org = with_activity()
    return org, org.seed(1)[0]


def test_create_with_an_id_of_the_client_finds_itself_again() -> None:
    org, contact = started()
    address = f"{SENDS}({ONE})"
    assert org.send("PATCH", address, row(contact), if_none_match="*").status == 204
    assert org.refused("PATCH", address, row(contact), if_none_match="*")[0] == 412
    found = org.get(
        f"{address}?$select=subject,_regardingobjectid_value,statecode,statuscode,sortdate,activitytypecode"
    )
    assert (found["_regardingobjectid_value"], found["statecode"], found["statuscode"]) == (contact, 0, 1)
    assert (found["activitytypecode"], found["sortdate"]) == ("acs_emailsend", "2026-05-01T10:00:00Z")
    assert org.send("PATCH", address, {"acs_campaignname": "A"}, if_match="*").status == 204
    org.service.delete(ONE, SENDS[:-1])
    assert org.refused("PATCH", address, {"acs_campaignname": "A"}, if_match="*") == (404, "0x80040217")


@pytest.mark.parametrize(
    "name",
    [
        "regardingobjectid",
        "regardingobjectid_Contact_acs_emailsend",
        "regardingobjectid_contact_acs_EmailSend",
        "regardingobjectid_lead_acs_emailsend",
        "_regardingobjectid_value",
    ],
)
def test_a_binding_name_that_is_not_declared_is_refused(name: str) -> None:
    org, contact = started()
    body = {"subject": "x", f"{name}@odata.bind": f"/contacts({contact})"}
    assert org.refused("POST", SENDS, body) == (400, "0x80048d19")


def test_the_inherited_binding_name_works_too_and_annotations_name_the_own_one() -> None:
    org, contact = started()
    body = {"activityid": ONE, "regardingobjectid_contact@odata.bind": f"/contacts({contact})"}
    assert org.send("POST", SENDS, body).status == 204
    found = org.get(
        f"{SENDS}({ONE})?$select=_regardingobjectid_value", prefer='odata.include-annotations="*"'
    )
    assert found[f"_regardingobjectid_value@{CRM}lookuplogicalname"] == "contact"
    assert found[f"_regardingobjectid_value@{CRM}associatednavigationproperty"] == BIND.partition("@")[0]
    assert found["_regardingobjectid_value@OData.Community.Display.V1.FormattedValue"] == "Name 0"


def test_a_contact_that_is_gone_cannot_be_regarding() -> None:
    org, contact = started()
    org.service.delete(contact)
    assert org.refused("POST", SENDS, row(contact)) == (404, "0x80040217")


def test_states_change_by_update_only_and_a_closed_activity_takes_changes_with_its_state() -> None:
    org, contact = started()
    address = f"{SENDS}({ONE})"
    assert org.refused("POST", SENDS, row(contact, statecode=1, statuscode=2)) == (400, "0x80040203")
    assert org.send("POST", SENDS, row(contact, activityid=ONE)).status == 204
    assert org.refused("PATCH", address, {"statecode": 1, "statuscode": 1}) == (400, "0x80048408")
    assert (
        org.send(
            "PATCH", address, {"statecode": 1, "statuscode": 2, "actualend": "2026-05-01T10:00:00Z"}
        ).status
        == 204
    )
    assert org.refused("PATCH", address, {"acs_campaignname": "A"})[0] == 501
    assert (
        org.send("PATCH", address, {"acs_campaignname": "A", "statecode": 1, "statuscode": 2}).status == 204
    )
    assert org.send("PATCH", address, {"statecode": 2}).status == 204
    assert org.get(f"{address}?$select=statuscode")["statuscode"] == 3


def test_a_task_has_states_of_its_own() -> None:
    org, contact = started()
    made = {
        "activityid": ONE, "subject": "Follow up on URL click", "scheduledend": "2026-05-01T10:00:00Z",
        "regardingobjectid_contact_task@odata.bind": f"/contacts({contact})",
    }  # fmt: skip
    assert org.send("POST", "tasks", made).status == 204
    assert org.get(f"tasks({ONE})?$select=statuscode")["statuscode"] == 2
    assert org.send("PATCH", f"tasks({ONE})", {"statecode": 1}).status == 204
    assert org.get(f"tasks({ONE})?$select=statuscode")["statuscode"] == 5


def test_activities_go_with_their_contact_and_to_the_winner_of_a_merge() -> None:
    org = with_activity()
    first, second = org.seed(2)
    assert org.send("POST", SENDS, row(first, activityid=ONE)).status == 204
    org.service.merge(second, first)
    assert [one["activityid"] for one in org.service.timeline(second)] == [ONE]
    org.service.delete(second)
    assert org.refused("GET", f"{SENDS}({ONE})")[0] == 404


@pytest.mark.parametrize(
    ("taken", "status"),
    [
        ("prvCreateActivity", 403), ("prvAppendActivity", 403), ("prvAppendToContact", 403),
        ("prvWriteActivity", 204), ("prvReadContact", 204),
    ],
)  # fmt: skip
def test_activity_privileges_are_shared_and_regarding_needs_append(taken: str, status: int) -> None:
    org, contact = started()
    org.service.privileges(**{taken: None})
    assert org.send("POST", SENDS, row(contact)).status == status


def test_another_owner_needs_assign() -> None:
    org, contact = started()
    owner = {"ownerid@odata.bind": f"/systemusers({org.options.owner_id})"}
    assert org.send("POST", SENDS, row(contact, **owner)).status == 204
    org.service.privileges(prvAssignActivity=None)
    assert org.refused("POST", SENDS, row(contact, **owner))[0] == 403
    own = {"ownerid@odata.bind": f"/systemusers({org.options.user_id})"}
    assert org.send("POST", SENDS, row(contact, **own)).status == 204


def test_the_timeline_is_newest_first_with_the_names_people_see() -> None:
    org, contact = started()
    for number, day in enumerate(("01", "03", "02")):
        made = row(contact, activityid=f"{ONE[:-1]}{number}", sortdate=f"2026-05-{day}T10:00:00Z")
        assert org.send("POST", SENDS, made).status == 204
    shown = org.service.timeline(contact)
    assert [one["sortdate"][8:10] for one in shown] == ["03", "02", "01"]
    assert {one["display_name"] for one in shown} == {"Adobe Campaign Email Send"}
