"""Tables besides contact that carry business data: account, an order (custom entity) and its lines, and made-up ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sandbox.dynamics.build import choice, flag, lookup, multi, numbers, stamp, system, table, text
from sandbox.dynamics.columns import Column, Kind, Table
from sandbox.dynamics.options import DynamicsOptions

_MOST = 100_000_000_000_000
_STATUS = {100_000_000: "Draft", 100_000_001: "Confirmed", 100_000_002: "Shipped", 100_000_003: "Cancelled"}
_CHANNELS = {1: "Web", 2: "Store", 3: "Phone", 9: "Partner"}


def account(options: DynamicsOptions) -> Table:
    """Account: what contacts belong to, and a tree of its own; it names one contact as the primary one."""
    columns = [
        *system("accountid", options),
        text("name", 160, required="ApplicationRequired"),
        text("accountnumber", 20),
        text("telephone1", 50, format="Phone"),
        text("emailaddress1", 100, format="Email", schema="EMailAddress1"),
        text("websiteurl", 200, format="Url"),
        text("address1_city", 80),
        text("address1_country", 80),
        choice("industrycode", {1: "Accounting", 6: "Business Services", 7: "Consulting", 22: "Insurance"}),
        numbers("numberofemployees", minimum=0, maximum=1_000_000_000),
        _money("revenue"),
        lookup("transactioncurrencyid", "transactioncurrency"),
        flag("creditonhold", {0: "No", 1: "Yes"}),
        Column("description", Kind.MEMO, "description", max_length=2000, format="TextArea"),
        lookup("primarycontactid", "contact", clears=True),
        lookup("parentaccountid", "account", clears=True),
    ]
    return table(
        columns, name="account", entity_set="accounts", key="accountid", primary_name="name", type_code=1
    )


def order(options: DynamicsOptions) -> Table:
    """cr_order: an order of a contact or an account, with every kind of column that behaves unusually."""
    return custom(
        options,
        "cr_order",
        [
            text("cr_ordernumber", 40),
            lookup("cr_contactid", "contact", clears=True),
            lookup("cr_accountid", "account", clears=True),
            _money("cr_total"),
            lookup("transactioncurrencyid", "transactioncurrency"),
            choice("cr_status", _STATUS, 100_000_000),
            multi("cr_channels", _CHANNELS),
            Column("cr_orderdate", Kind.DATE, "cr_orderdate", format="DateOnly"),
            stamp("cr_shippedon"),
            Column("cr_deliveryslot", Kind.ZONELESS, "cr_deliveryslot", format="DateAndTime"),
            flag("cr_paid", {0: "Open", 1: "Paid"}),
            Column("cr_discount", Kind.DECIMAL, "cr_discount", minimum=0, maximum=100, precision=2),
            Column("cr_weight", Kind.DOUBLE, "cr_weight", minimum=0, maximum=100_000, precision=3),
            Column("cr_notes", Kind.MEMO, "cr_notes", max_length=4000, format="TextArea"),
        ],
        type_code=10_101,
        change_tracking="cr_order" in options.change_tracking,
    )


def order_line(options: DynamicsOptions) -> Table:
    """cr_orderline: a child of cr_order that goes with it; a line may belong to another line."""
    return custom(
        options,
        "cr_orderline",
        [
            lookup("cr_orderid", "cr_order", required="ApplicationRequired", cascades=True),
            lookup("cr_partoflineid", "cr_orderline", clears=True),
            numbers("cr_linenumber", minimum=1, maximum=100_000),
            text("cr_product", 100),
            numbers("cr_quantity", minimum=0, maximum=1_000_000),
            _money("cr_unitprice"),
            lookup("transactioncurrencyid", "transactioncurrency"),
        ],
        type_code=10_102,
        change_tracking="cr_orderline" in options.change_tracking,
    )


def custom(
    options: DynamicsOptions, name: str, columns: Iterable[Column], *, type_code: int, change_tracking: bool
) -> Table:
    """A custom table with a primary name of 100 characters, `<prefix>_name`."""
    primary = f"{name.partition('_')[0]}_name"
    return table(
        [
            *system(f"{name}id", options),
            *(replace(column, custom=True) for column in (text(primary, 100), *columns)),
        ],
        name=name,
        schema=name,
        entity_set=f"{name}s",
        key=f"{name}id",
        primary_name=primary,
        type_code=type_code,
        custom=True,
        change_tracking=change_tracking,
    )


def made_up(options: DynamicsOptions, name: str, told: list[dict[str, Any]], *, tracked: bool) -> Table:
    """A custom table with columns `{name, type, max_length, targets, labels, clears, cascades}`."""
    return custom(
        options, name, [made_up_column(one) for one in told], type_code=20_000, change_tracking=tracked
    )


def made_up_column(told: dict[str, Any]) -> Column:
    """One column; `type` is a `Kind`, a text unless said; a lookup's `name` is the logical one."""
    kind, name = Kind(told.get("type", "String")), str(told["name"])
    if kind in (Kind.LOOKUP, Kind.CUSTOMER):
        return lookup(
            name,
            *told["targets"],
            kind=kind,
            custom=True,
            clears=bool(told.get("clears", True)) and not told.get("cascades", False),
            cascades=bool(told.get("cascades", False)),
        )
    more: dict[str, Any] = {
        "labels": {int(value): str(text) for value, text in told.get("labels", {}).items()}
    }
    if kind in (Kind.STRING, Kind.MEMO):
        more |= {"max_length": int(told.get("max_length", 100)), "format": "Text"}
    elif kind in (Kind.DATETIME, Kind.ZONELESS):
        more |= {"format": "DateAndTime"}
    elif kind is Kind.DATE:
        more |= {"format": "DateOnly"}
    elif kind is Kind.BOOLEAN:
        more = {"labels": more["labels"] or {0: "No", 1: "Yes"}, "default": False}
    elif kind in (Kind.MONEY, Kind.DECIMAL, Kind.DOUBLE):
        more |= {"minimum": -_MOST, "maximum": _MOST}
    return Column(name, kind, name, custom=True, **more)


def _money(name: str) -> Column:
    return Column(name, Kind.MONEY, name, minimum=0, maximum=_MOST)
