"""The tables of the look-alike organization: contact in full, and what an organization cannot be without."""

from __future__ import annotations

from typing import Any

from sandbox.dynamics.activity import task
from sandbox.dynamics.build import choice, flag, lookup, numbers, stamp, system, table, text
from sandbox.dynamics.columns import Column, Kind, Table
from sandbox.dynamics.entities import account, order, order_line
from sandbox.dynamics.options import DynamicsOptions

_ALLOW = {0: "Allow", 1: "Do Not Allow"}
_YES = {0: "No", 1: "Yes"}


def contact(options: DynamicsOptions) -> Table:
    """Contact, with the columns the product maps and the ones that behave unusually."""
    columns = [
        *system("contactid", options),
        Column(
            "fullname", Kind.STRING, "fullname", max_length=160, format="Text", create=False, update=False
        ),
        text("firstname", 50, required="Recommended"),
        text("lastname", 50, required="ApplicationRequired"),
        text("middlename", 50),
        text("salutation", 100),
        text("jobtitle", 100),
        text("emailaddress1", 100, format="Email", schema="EMailAddress1"),
        text("telephone1", 50, format="Phone"),
        text("mobilephone", 50, format="Phone"),
        text("fax", 50),
        text("externaluseridentifier", 50),
        Column("birthdate", Kind.DATE, "birthdate", format="DateOnly"),
        choice("gendercode", {1: "Male", 2: "Female"}),
        choice("preferredcontactmethodcode", {1: "Any", 2: "Email", 3: "Phone", 4: "Fax", 5: "Mail"}, 1),
        choice("familystatuscode", {1: "Single", 2: "Married", 3: "Divorced", 4: "Widowed"}),
        *(text(f"address1_line{n}", 250) for n in (1, 2, 3)),
        text("address1_city", 80),
        text("address1_stateorprovince", 50),
        text("address1_postalcode", 20),
        text("address1_country", 80),
        flag("donotemail", _ALLOW),
        flag("donotbulkemail", _ALLOW),
        flag("donotphone", _ALLOW),
        flag("donotfax", _ALLOW),
        flag("donotpostalmail", _ALLOW),
        flag("donotbulkpostalmail", _YES),
        flag("donotsendmm", {0: "Send", 1: "Do Not Send"}),
        flag("followemail", {0: "Do Not Allow", 1: "Allow"}, True),
        flag("marketingonly", _YES),
        Column("creditlimit", Kind.MONEY, "creditlimit", minimum=0, maximum=100_000_000_000_000),
        lookup("transactioncurrencyid", "transactioncurrency"),
        Column("numberofchildren", Kind.INTEGER, "numberofchildren", minimum=0, maximum=1_000_000_000),
        Column("description", Kind.MEMO, "description", max_length=2000, format="TextArea"),
        stamp("lastusedincampaign", format="DateOnly", create=False),
        lookup("parentcustomerid", "account", "contact", kind=Kind.CUSTOMER, clears=True),
        Column("parentcustomeridtype", Kind.NAME, "parentcustomeridtype", create=False, update=False),
        flag("merged", _YES, create=False, update=False),
        lookup("masterid", "contact", create=False, update=False),
    ]
    return table(
        columns,
        name="contact",
        entity_set="contacts",
        key="contactid",
        primary_name="fullname",
        type_code=2,
        alternate_keys=options.contact_keys,
    )


def _fixed(
    name: str, entity_set: str, primary_name: str, code: int, *columns: Column, key: str = "", **more: Any
) -> Table:
    """A table that this look-alike shows and nobody writes."""
    key = key or f"{name}id"
    return table(
        [Column(key, Kind.KEY, key), *columns, Column("versionnumber", Kind.BIGINT, "versionnumber")],
        name=name,
        entity_set=entity_set,
        key=key,
        primary_name=primary_name,
        type_code=code,
        **{"can_track": False, "writable": False, **more},
    )


def _customizing(options: DynamicsOptions) -> list[Table]:
    """What set-up writes besides definitions (dataverse.md 4.4, 4.5)."""
    return [
        _fixed(
            "businessunit", "businessunits", "name", 10, text("name", 160),
            lookup("parentbusinessunitid", "businessunit"),
        ),
        _fixed(
            "publisher", "publishers", "friendlyname", 7101,
            text("uniquename", 256), text("friendlyname", 256), text("description", 2000),
            text("customizationprefix", 8),
            numbers("customizationoptionvalueprefix", minimum=10_000, maximum=99_999),
            writable=True, unique="uniquename",
        ),
        _fixed(
            "solution", "solutions", "friendlyname", 7100,
            text("uniquename", 65), text("friendlyname", 256), text("description", 2000), text("version", 256),
            lookup("publisherid", "publisher"), writable=True, unique="uniquename",
        ),
        _fixed(
            "solutioncomponent", "solutioncomponents", "solutioncomponentid", 7103,
            lookup("solutionid", "solution"), Column("objectid", Kind.KEY, "objectid"),
            choice("componenttype", {1: "Entity", 2: "Attribute", 14: "Entity Key", 20: "Role"}),
        ),
        _fixed(
            "role", "roles", "name", 1036,
            text("name", 100), text("description", 2000),
            lookup("businessunitid", "businessunit", default=options.business_unit_id),
            writable=True, unique="name",
        ),
        _fixed("sdkmessagefilter", "sdkmessagefilters", "sdkmessagefilterid", 4607),
    ]  # fmt: skip


def tables(options: DynamicsOptions) -> list[Table]:
    """All tables."""
    all_of_them = [
        contact(options),
        account(options),
        order(options),
        order_line(options),
        _fixed(
            "organization",
            "organizations",
            "name",
            1019,
            text("name", 160),
            Column("expirechangetrackingindays", Kind.INTEGER, "expirechangetrackingindays"),
            Column("languagecode", Kind.INTEGER, "languagecode"),
            lookup("basecurrencyid", "transactioncurrency"),
        ),
        _fixed(
            "systemuser",
            "systemusers",
            "fullname",
            8,
            text("fullname", 200),
            Column("applicationid", Kind.KEY, "applicationid"),
            flag("isdisabled", {0: "Enabled", 1: "Disabled"}),
            privilege="User",
        ),
        _fixed(
            "transactioncurrency",
            "transactioncurrencies",
            "currencyname",
            9105,
            text("currencyname", 100),
            text("isocurrencycode", 5),
            text("currencysymbol", 13),
            privilege="TransactionCurrency",
        ),
        _fixed("privilege", "privileges", "name", 1023, text("name", 100)),
        task(options),
        *_customizing(options),
    ]
    for one in all_of_them:
        one.change_tracking = one.name in options.change_tracking
    return all_of_them
