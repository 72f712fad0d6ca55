"""Untracked reads: filters, order, pages, counts, single records, values (dataverse.md 5, 6, 7.1)."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

import pytest

from tests.sandbox.dynamics_instance import ORIGIN, Organization


@pytest.fixture
def org() -> Organization:
    made = Organization()
    made.service.seed(
        [
            {
                "contactid": guid(1),
                "firstname": "Zoë",
                "lastname": "O'Neil",
                "donotemail": True,
                "creditlimit": 10.5,
            },
            {"contactid": guid(2), "firstname": "anna", "gendercode": 2, "birthdate": "1980-05-17"},
            {
                "contactid": guid(3),
                "firstname": "Bob",
                "statecode": 1,
                "statuscode": 2,
                "numberofchildren": 3,
            },
            {"contactid": guid(4), "parentcustomeridtype": "account", "_parentcustomerid_value": guid(9)},
        ]
    )
    return made


def guid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("firstname eq 'ANNA'", [2]),
        ("lastname eq 'O''Neil'", [1]),
        ("firstname ne 'Bob'", [1, 2, 4]),
        ("firstname eq null", [4]),
        ("firstname ne null and not (statecode eq 1)", [1, 2]),
        ("contains(firstname,'OË') or endswith(firstname,'b')", [1, 3]),
        ("startswith(firstname,'b')", [3]),
        ("donotemail eq true", [1]),
        ("creditlimit gt 10 and creditlimit le 10.5", [1]),
        ("birthdate lt 1980-05-18", [2]),
        ("numberofchildren ge 3", [3]),
        ("gendercode eq 2 and birthdate eq 1980-05-17 or statecode eq 1", [2, 3]),
        (f"_parentcustomerid_value eq {guid(9)}", [4]),
        (f"contactid eq {guid(1)} or contactid eq {guid(7)} or contactid eq {guid(3)}", [1, 3]),
        (f"contactid eq {guid(1)} and contactid eq {guid(2)}", []),
        (f"(contactid eq {guid(1)} or contactid eq {guid(2)}) and firstname eq 'anna'", [2]),
        (f"contactid eq {guid(1)} or firstname eq 'anna'", [1, 2]),
        (
            f"Microsoft.Dynamics.CRM.In(PropertyName='contactid',PropertyValues=['{guid(2)}','{guid(4)}'])",
            [2, 4],
        ),
        ("Microsoft.Dynamics.CRM.In(PropertyName='firstname',PropertyValues=[\"bob\"])", [3]),
        ("modifiedon ge 2026-05-28T20:26:40Z", [1, 2, 3, 4]),
        ("modifiedon gt 2026-05-28T20:26:40Z", []),
        ("createdon le 2026-05-28T22:26:40%2B02:00", [1, 2, 3, 4]),
    ],
)
def test_filters(org: Organization, text: str, found: list[int]) -> None:
    encoded = text if "%" in text else quote(text, safe="")
    plus = encoded.replace("%20", "+")
    for form in (encoded.replace(" ", "%20"), plus.replace(" ", "+")):
        rows = org.get(f"contacts?$select=contactid&$filter={form}")["value"]
        assert [row["contactid"] for row in rows] == [guid(number) for number in found]


@pytest.mark.parametrize(
    "text",
    [
        "firstname eq 5",
        f"contactid eq '{guid(1)}'",
        "donotemail eq 1",
        "modifiedon ge 2026-05-28T20:26:40",
        "modifiedon ge '2026-05-28'",
        "modifiedon ge 2026-05-28T20:26:40+00:00",
        "firstname eq",
        "firstname like 'x'",
        "(firstname eq 'x'",
        "firstname eq 'x' extra",
        "firstname gt null",
        "length(firstname) eq 3",
        "contains(numberofchildren,'1')",
        "Microsoft.Dynamics.CRM.In(PropertyName='contactid',PropertyValues=[1])",
        "Microsoft.Dynamics.CRM.LastXDays(PropertyName='createdon',PropertyValue=1)",
    ],
)
def test_filters_refused(org: Organization, text: str) -> None:
    target = f"contacts?$filter={text.replace(' ', '%20')}"  # a bare + is a space, as it is for the service
    assert org.refused("GET", target)[0] == 400


@pytest.mark.parametrize("query", ["$select=FirstName", "$filter=FirstName%20eq%20'x'", "$orderby=FirstName"])
def test_names_are_case_sensitive(org: Organization, query: str) -> None:
    answer = org.send("GET", f"contacts?{query}")
    assert (answer.status, org.read(answer)["error"]["message"]) == (
        400,
        "Could not find a property named 'FirstName' on type 'Microsoft.Dynamics.CRM.contact'.",
    )
    assert org.refused("GET", "Contacts") == (404, "0x8006088a")


@pytest.mark.parametrize(
    "query", ["$skip=1", "foo=1", "$top=x", "$select=", "$select=a&$select=b", "$count=maybe"]
)
def test_options_refused(org: Organization, query: str) -> None:
    assert org.refused("GET", f"contacts?{query}")[0] == 400


def test_pages_follow_the_primary_key_and_survive_changes() -> None:
    org = Organization()
    ids = sorted(org.seed(5))
    first = org.get("contacts?$select=contactid", prefer="odata.maxpagesize=2")
    assert "istracking=%22False%22" in first["@odata.nextLink"]
    org.service.delete(ids[1])
    second = org.get(first["@odata.nextLink"], prefer="odata.maxpagesize=2")
    third = org.get(second["@odata.nextLink"], prefer="odata.maxpagesize=2")
    seen = [row["contactid"] for page in (first, second, third) for row in page["value"]]
    assert seen == ids
    assert "@odata.nextLink" not in third


def test_a_page_holds_five_thousand_at_most() -> None:
    org = Organization()
    org.seed(5001)
    for prefer in ("", "odata.maxpagesize=9999"):
        assert len(org.get("contacts?$select=contactid", prefer=prefer)["value"]) == 5000
    assert org.get("contacts?$select=contactid&$count=true&$top=1")["@odata.count"] == 5000


def test_order_top_and_count(org: Organization) -> None:
    page = org.get("contacts?$select=firstname&$orderby=firstname%20desc&$top=2&$count=true")
    assert [row["firstname"] for row in page["value"]] == ["Zoë", "Bob"]
    assert (page["@odata.count"], "@odata.nextLink" in page) == (4, False)
    rows = org.get("contacts?$select=firstname&$orderby=statecode%20desc,firstname")["value"]
    assert [row["firstname"] for row in rows] == ["Bob", None, "anna", "Zoë"]
    answer = org.send("GET", "contacts/$count?$filter=statecode%20eq%200")
    assert answer.body.decode("utf-8-sig") == "3"


def test_a_live_read_finds_only_what_changed_since(org: Organization) -> None:
    org.seed(500)
    org.time += 60
    org.service.edit(guid(2), {"firstname": "now"})
    rows = org.get("contacts?$select=firstname&$filter=modifiedon%20ge%202026-05-28T20:27:00Z")["value"]
    assert [row["firstname"] for row in rows] == ["now"]
    org.service.clock(set=org.time - 3600)  # a clock that was set back
    org.service.edit(guid(1), {})
    rows = org.get("contacts?$select=firstname&$filter=modifiedon%20lt%202026-05-28T20:00:00Z")["value"]
    assert [row["contactid"] for row in rows] == [guid(1)]


def test_money_has_four_decimals_and_brings_its_currency(org: Organization) -> None:
    answer = org.send("GET", f"contacts({guid(1)})?$select=creditlimit")
    assert b'"creditlimit":10.5000' in answer.body
    assert org.read(answer)["_transactioncurrencyid_value"] == org.options.currency_id


def test_formatted_values_precede_the_value(org: Organization) -> None:
    prefer = 'odata.include-annotations="OData.Community.Display.V1.FormattedValue"'
    answer = org.send(
        "GET", f"contacts({guid(2)})?$select=gendercode,birthdate,createdon,donotemail", prefer=prefer
    )
    assert answer.headers["preference-applied"] == prefer
    shown = org.read(answer)
    names = [name.partition("@")[0] for name in shown if not name.startswith("@")]
    assert names == ["gendercode"] * 2 + ["birthdate"] * 2 + ["createdon"] * 2 + ["donotemail"] * 2 + [
        "contactid"
    ]
    suffix = "@OData.Community.Display.V1.FormattedValue"
    assert [shown[name + suffix] for name in ("gendercode", "birthdate", "createdon", "donotemail")] == [
        "Female", "5/17/1980", "5/28/2026 8:26 PM", "Allow",
    ]  # fmt: skip


def test_polymorphic_lookups_say_what_they_point_to(org: Organization) -> None:
    shown = org.get(
        f"contacts({guid(4)})?$select=_parentcustomerid_value", prefer='odata.include-annotations="*"'
    )
    assert shown["_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "account"


def test_one_record(org: Organization) -> None:
    answer = org.send("GET", f"contacts({guid(1).upper()})?$select=firstname")
    shown = org.read(answer)
    assert shown["@odata.context"] == f"{ORIGIN}/api/data/v9.2/$metadata#contacts(firstname)/$entity"
    assert shown["@odata.etag"] == answer.headers["etag"]
    assert org.send("GET", f"contacts({guid(1)})", if_none_match=answer.headers["etag"]).status == 304
    assert org.send("GET", f"contacts({guid(1)})", if_none_match="null").status == 200
    absent = org.send("GET", f"contacts({guid(8)})")
    assert (absent.status, org.read(absent)["error"]) == (
        404,
        {"code": "0x80040217", "message": f"contact With Id = {guid(8)} Does Not Exist"},
    )


def test_who_am_i_and_what_may_i() -> None:
    org = Organization()
    me = org.get("WhoAmI")
    assert me["OrganizationId"] == org.options.organization_id
    function = "Microsoft.Dynamics.CRM.RetrieveUserPrivileges"
    held = org.get(f"systemusers({me['UserId']})/{function}")["RolePrivileges"]
    depths = {privilege["PrivilegeName"]: privilege["Depth"] for privilege in held}
    assert depths["prvReadContact"] == "Global"
    org.service.command("environment", {"id": guid(5)})
    assert org.get("WhoAmI")["OrganizationId"] == guid(5)
    assert [row["organizationid"] for row in org.get("organizations")["value"]] == [guid(5)]


def test_links_follow_the_host_header_where_no_origin_is_set() -> None:
    org = Organization()
    assert org.get("contacts")["@odata.context"].startswith("https://org.test/api/data/v9.2/")
    assert org.service.origin({"host": "127.0.0.1:81"}) == "https://org.test"
    bare = replace(org.options, origin="")
    service = type(org.service)(clock=lambda: 0.0, rng=org.service.organization.rng, options=bare)
    assert service.origin({"host": "127.0.0.1:81"}) == "http://127.0.0.1:81"
