"""The tables of the look-alike organization: contact in full, its neighbours as far as contacts point to them."""

from __future__ import annotations

from typing import Any

from sandbox.dynamics.columns import Column, Kind, Table
from sandbox.dynamics.options import DynamicsOptions

_ALLOW = {0: "Allow", 1: "Do Not Allow"}
_YES = {0: "No", 1: "Yes"}


def text(name: str, length: int, **more: Any) -> Column:
    """Single line of text."""
    return Column(name, Kind.STRING, name, max_length=length, **{"format": "Text", **more})


def flag(name: str, labels: dict[int, str], default: bool = False, **more: Any) -> Column:
    """Yes/No."""
    return Column(name, Kind.BOOLEAN, name, labels=labels, default=default, **more)


def choice(name: str, labels: dict[int, str], default: int | None = None, **more: Any) -> Column:
    """Choice."""
    return Column(name, more.pop("kind", Kind.PICKLIST), name, labels=labels, default=default, **more)


def lookup(logical: str, *targets: str, kind: Kind = Kind.LOOKUP, **more: Any) -> Column:
    """Lookup; on the wire `_<logical>_value`."""
    return Column(f"_{logical}_value", kind, logical, targets=targets, **more)


def stamp(name: str, **more: Any) -> Column:
    """Date and time, UserLocal."""
    return Column(name, Kind.DATETIME, name, **{"format": "DateAndTime", **more})


def _system(key: str, options: DynamicsOptions) -> list[Column]:
    """Columns that every user-owned table has."""
    fixed: dict[str, Any] = {"create": False, "update": False}
    return [
        Column(key, Kind.KEY, key, required="SystemRequired", update=False),
        stamp("createdon", **fixed),
        stamp("modifiedon", **fixed),
        stamp("overriddencreatedon", format="DateOnly", update=False),
        Column("versionnumber", Kind.BIGINT, "versionnumber", **fixed),
        lookup("ownerid", "systemuser", "team", kind=Kind.OWNER, default=options.owner_id),
        lookup("createdby", "systemuser", default=options.owner_id, **fixed),
        lookup("modifiedby", "systemuser", default=options.owner_id, **fixed),
        choice("statecode", {0: "Active", 1: "Inactive"}, 0, kind=Kind.STATE, create=False),
        choice("statuscode", {1: "Active", 2: "Inactive"}, 1, kind=Kind.STATUS),
    ]


def _table(columns: list[Column], **more: Any) -> Table:
    return Table(columns={column.name: column for column in columns}, **more)


def contact(options: DynamicsOptions) -> Table:
    """Contact, with the columns the product maps and the ones that behave unusually."""
    columns = [
        *_system("contactid", options),
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
        lookup("parentcustomerid", "account", "contact", kind=Kind.CUSTOMER),
        Column("parentcustomeridtype", Kind.NAME, "parentcustomeridtype", create=False, update=False),
        flag("merged", _YES, create=False, update=False),
        lookup("masterid", "contact", create=False, update=False),
    ]
    return _table(
        columns,
        name="contact",
        entity_set="contacts",
        key="contactid",
        primary_name="fullname",
        type_code=2,
        alternate_keys=options.contact_keys,
    )


def account(options: DynamicsOptions) -> Table:
    """Account: something contacts can belong to."""
    columns = [
        *_system("accountid", options),
        text("name", 160),
        text("accountnumber", 20),
        text("telephone1", 50),
    ]
    return _table(
        columns, name="account", entity_set="accounts", key="accountid", primary_name="name", type_code=1
    )


def _fixed(
    name: str, entity_set: str, primary_name: str, code: int, *columns: Column, key: str = ""
) -> Table:
    """A table that this look-alike shows and nobody writes."""
    key = key or f"{name}id"
    return _table(
        [Column(key, Kind.KEY, key), *columns, Column("versionnumber", Kind.BIGINT, "versionnumber")],
        name=name,
        entity_set=entity_set,
        key=key,
        primary_name=primary_name,
        type_code=code,
        can_track=False,
        writable=False,
    )


def tables(options: DynamicsOptions) -> list[Table]:
    """All tables."""
    all_of_them = [
        contact(options),
        account(options),
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
        ),
        _fixed(
            "transactioncurrency",
            "transactioncurrencies",
            "currencyname",
            9105,
            text("currencyname", 100),
            text("isocurrencycode", 5),
            text("currencysymbol", 13),
        ),
        _fixed("privilege", "privileges", "name", 1023, text("name", 100)),
    ]
    for table in all_of_them:
        table.change_tracking = table.name in options.change_tracking
    return all_of_them
