"""Creating, updating and deleting single records (dataverse.md 2.1, 2.2, 5, 6)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.sandbox.dynamics_instance import ORIGIN, Organization

ID = "00000000-0000-4000-8000-000000000001"
OTHER = "00000000-0000-4000-8000-000000000002"
URL = f"{ORIGIN}/api/data/v9.2/contacts"
RETURN = "return=representation"
KEY = "externaluseridentifier='u-1'"


@pytest.fixture
def org() -> Organization:
    made = Organization()
    made.service.seed([{"contactid": ID, "lastname": "One", "externaluseridentifier": "u-1"}])
    return made


def test_post_answers_with_both_addresses(org: Organization) -> None:
    answer = org.send("POST", "contacts", {"lastname": "Two"})
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["location"] == answer.headers["odata-entityid"]
    assert org.get(answer.headers["location"])["lastname"] == "Two"


def test_post_with_representation(org: Organization) -> None:
    answer = org.send(
        "POST", "contacts?$select=lastname", {"contactid": OTHER, "lastname": "Two"}, prefer=RETURN
    )
    assert (answer.status, answer.headers["preference-applied"]) == (201, RETURN)
    assert org.read(answer)["contactid"] == OTHER


@pytest.mark.parametrize(
    ("headers", "present", "absent"),
    [
        ({}, 204, 204),
        ({"prefer": RETURN}, 200, 201),
        ({"if_match": "*"}, 204, 404),
        ({"if_match": 'W/"1"'}, 412, 404),
        ({"if_none_match": "*"}, 412, 204),
        ({"if_none_match": "null"}, 204, 204),
    ],
)
@pytest.mark.parametrize("key", ["id", "alternate"])
def test_patch(org: Organization, headers: dict[str, str], present: int, absent: int, key: str) -> None:
    there, missing = (ID, OTHER) if key == "id" else (KEY, KEY.replace("u-1", "u-2"))
    assert org.send("PATCH", f"contacts({there})", {"firstname": "x"}, **headers).status == present
    answer = org.send("PATCH", f"contacts({missing})", {"lastname": "x"}, **headers)
    assert answer.status == absent
    created = org.service.dump()["records"][1:]
    assert len(created) == (1 if absent < 300 else 0)
    if created:
        assert answer.headers["odata-entityid"] == f"{URL}({missing})"
        assert (created[0]["contactid"] == OTHER) is (key == "id")
        assert created[0]["externaluseridentifier"] == (None if key == "id" else "u-2")


def test_patch_and_delete_with_the_current_etag(org: Organization) -> None:
    etag = org.get(f"contacts({ID})")["@odata.etag"]
    assert org.send("PATCH", f"contacts({ID})", {"firstname": "x"}, if_match=etag).status == 204
    assert org.refused("DELETE", f"contacts({ID})", if_match=etag) == (412, "0x80060882")
    assert org.send("DELETE", f"contacts({ID})").status == 204
    assert org.refused("DELETE", f"contacts({ID})") == (404, "0x80040217")
    assert org.refused("DELETE", f"contacts({KEY})") == (404, "0x80060891")


def test_key_columns_in_the_body_are_dropped_where_the_record_exists(org: Organization) -> None:
    assert (
        org.send("PATCH", f"contacts({KEY})", {"externaluseridentifier": "u-9", "contactid": OTHER}).status
        == 204
    )
    assert org.get(f"contacts({ID})")["externaluseridentifier"] == "u-1"


def test_an_update_moves_version_and_time_and_names_the_application_user(org: Organization) -> None:
    before = org.get(f"contacts({ID})")
    org.time += 5
    org.send("PATCH", f"contacts({ID})", {"lastname": "One"})
    after = org.get(f"contacts({ID})")
    assert after["versionnumber"] > before["versionnumber"]
    assert after["@odata.etag"] == f'W/"{after["versionnumber"]}"'
    assert (after["createdon"], after["modifiedon"]) == ("2026-05-28T20:26:40Z", "2026-05-28T20:26:45Z")
    assert (before["_modifiedby_value"], after["_modifiedby_value"]) == (
        org.options.owner_id,
        org.options.user_id,
    )


@pytest.mark.parametrize("value", ["a/b", "a+b", "a:b", "a%26b", "a<b", "a*b", "a?b", "a\\b"])
def test_key_values_that_the_service_cannot_take(org: Organization, value: str) -> None:
    address = f"contacts(externaluseridentifier='{value.replace('+', '%2B').replace('?', '%3F')}')"
    assert org.refused("PATCH", address, {"lastname": "x"})[0] == 400


def test_undeclared_keys(org: Organization) -> None:
    answer = org.send("GET", "contacts(emailaddress1='x')")
    assert (answer.status, org.read(answer)["error"]["code"]) == (400, "0x0")
    assert (
        "is not valid for resource 'Microsoft.Dynamics.CRM.contact'" in org.read(answer)["error"]["message"]
    )


def test_an_alternate_key_is_unique_without_case_and_free_again_after_a_delete(org: Organization) -> None:
    body = {"lastname": "Two", "externaluseridentifier": "U-1"}
    assert org.refused("POST", "contacts", body) == (412, "0x80060892")
    assert org.refused("POST", "contacts", {"contactid": ID}) == (412, "0x80040237")
    org.send("DELETE", f"contacts({ID})")
    assert org.send("POST", "contacts", body).status == 204


def test_composite_alternate_keys() -> None:
    options = replace(Organization().options, contact_keys=(("firstname", "numberofchildren"),))
    org = Organization(options)
    address = "contacts(firstname='J''s',numberofchildren=2)"
    assert org.send("PATCH", address, {"lastname": "x"}).status == 204
    assert org.get(address)["firstname"] == "J's"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"lastname": "x" * 51}, 400, "0x80044331"),
        ({"lastname": "\U0001f600" * 26}, 400, "0x80044331"),
        ({"lastname": 5}, 400, "0x80048d19"),
        ({"Lastname": "x"}, 400, "0x0"),
        ({"_ownerid_value": ID}, 400, "0x0"),
        ({"gendercode": 3}, 400, "0x8004431a"),
        ({"gendercode": "2"}, 400, "0x80048d19"),
        ({"donotemail": 1}, 400, "0x80048d19"),
        ({"birthdate": "1980-02-30"}, 400, "0x80048d19"),
        ({"birthdate": "1980-02-03T00:00:00Z"}, 400, "0x80048d19"),
        ({"birthdate": "1700-01-01"}, 400, "0x80040239"),
        ({"numberofchildren": -1}, 400, "0x80044330"),
        ({"numberofchildren": 1.5}, 400, "0x80048d19"),
        ({"creditlimit": "5"}, 400, "0x80048d19"),
        ({"statecode": 1}, 400, "0x80040203"),
        ({"statuscode": 2}, 400, "0x80048408"),
        ({"createdon": "2020-01-01T00:00:00Z"}, 400, "0x80040203"),
        ({"parentcustomerid@odata.bind": f"/contacts({ID})"}, 400, "0x80048d19"),
        ({"parentcustomerid_contact@odata.bind": f"/contacts({OTHER})"}, 404, "0x80040217"),
        ({"parentcustomerid_contact@odata.bind": f"/accounts({ID})"}, 400, "0x80048d19"),
        ({"@odata.type": "Microsoft.Dynamics.CRM.account"}, 400, "0x80048d19"),
        ({"contactid": "no"}, 400, "0x80048d19"),
        ([], 400, "0x80048d19"),
        (b"{", 400, "0x80048d19"),
    ],
)
def test_create_refuses(org: Organization, body: object, status: int, code: str) -> None:
    before = org.service.dump()
    assert org.refused("POST", "contacts", body) == (status, code)
    assert org.service.dump() == before


def test_the_length_error_says_what_the_service_says(org: Organization) -> None:
    answer = org.send("PATCH", f"contacts({ID})", {"firstname": "x" * 51})
    assert org.read(answer)["error"]["message"] == (
        "A validation error occurred.  The length of the 'firstname' attribute of the 'contact' entity exceeded the "
        "maximum allowed length of '50'."
    )


def test_values_come_back_as_the_service_stores_them(org: Organization) -> None:
    body = {
        "lastusedincampaign": "2024-03-01T23:30:00+02:00",
        "firstname": "",
        "creditlimit": 20000,
        "statecode": 1,
        "parentcustomerid_contact@odata.bind": f"/contacts({ID})",
    }
    assert org.send("PATCH", f"contacts({ID})", body).status == 204
    row = org.get(f"contacts({ID})")
    assert row["lastusedincampaign"] == "2024-03-01T21:30:00Z"
    assert (row["firstname"], row["fullname"], row["creditlimit"]) == (None, "One", 20000)
    assert (row["statecode"], row["statuscode"]) == (1, 2)
    assert (row["_parentcustomerid_value"], row["parentcustomeridtype"]) == (ID, "contact")
    org.send("PATCH", f"contacts({ID})", {"parentcustomerid_contact@odata.bind": None})
    assert org.get(f"contacts({ID})")["_parentcustomerid_value"] is None


def test_defaults_of_a_new_contact(org: Organization) -> None:
    row = org.get(org.send("POST", "contacts", {}).headers["location"])
    assert (row["donotemail"], row["followemail"], row["preferredcontactmethodcode"]) == (False, True, 1)
    assert (row["statecode"], row["_ownerid_value"], row["lastname"]) == (0, org.options.owner_id, None)


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("PATCH", "contacts", 405),
        ("DELETE", "contacts", 405),
        ("PUT", f"contacts({ID})", 405),
        ("POST", f"contacts({ID})", 405),
        ("GET", f"contacts({ID})/nothing", 404),
        ("GET", "nothing", 404),
        ("POST", "organizations", 501),
    ],
)
def test_verbs_and_addresses(org: Organization, method: str, target: str, status: int) -> None:
    assert org.refused(method, target, {})[0] == status


def test_json_must_be_declared(org: Organization) -> None:
    assert org.refused("POST", "contacts", {}, content_type="text/plain")[0] == 415


@pytest.mark.parametrize(
    ("privilege", "method", "target"),
    [
        ("prvCreateContact", "POST", "contacts"),
        ("prvWriteContact", "PATCH", f"contacts({ID})"),
        ("prvDeleteContact", "DELETE", f"contacts({ID})"),
        ("prvReadContact", "GET", f"contacts({ID})"),
    ],
)
def test_privileges(org: Organization, privilege: str, method: str, target: str) -> None:
    org.service.command("privileges", {privilege: None})
    assert org.refused(method, target, {}) == (403, "0x80040220")
