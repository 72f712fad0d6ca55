"""Three custom resources for business data, and how others are made up.

`cusAccount` is linked to nothing, `cusOrder` to profiles, `cusOrderLine` to orders (adobe.md B.2: a resource that hangs
on a profile through another one is published with it). Every link is a join on business fields: it is set by writing the
plain column (adobe.md B.5), or by the PKey of the linked record.
"""

from __future__ import annotations

from typing import Any

from sandbox.campaign.schema import Enumerated, Field, Link, Resource

LINKED, UNLINKED = "profileAndServicesExt", "customResources"
STAMPS = (
    Field("PKey", "string", "Main resource ID", read_only=True),
    Field("created", "datetime", "Created", read_only=True),
    Field("lastModified", "datetime", "Last modified", read_only=True),
)
_KEY = Field("externalId", "string", "CRM id", 100)
_INDUSTRY = (
    Enumerated("unknown", "Unknown", "0"),
    Enumerated("accounting", "Accounting", "1"),
    Enumerated("services", "Business Services", "6"),
    Enumerated("consulting", "Consulting", "7"),
    Enumerated("insurance", "Insurance", "22"),
)
_STATUS = (
    Enumerated("draft", "Draft", "0"),
    Enumerated("confirmed", "Confirmed", "1"),
    Enumerated("shipped", "Shipped", "2"),
    Enumerated("cancelled", "Cancelled", "3"),
)


def _resource(
    name: str,
    plural: str,
    about: str,
    fields: tuple[Field, ...],
    links: tuple[Link, ...],
    *,
    label: str = "",
    shown_as: str = "",
    family: str = LINKED,
    key: str = "externalId",
) -> Resource:
    """A custom resource with one identification key; the schema and the table are named after it."""
    told = name.removeprefix("cus")
    return Resource(
        name=name,
        label=label or told,
        plural=plural,
        help=about,
        schema=f"cus:{told[:1].lower()}{told[1:]}",
        table=name.lower(),
        families=(family,),
        keys=(key,),
        shown_as=shown_as or key,
        links=links,
        fields=(*STAMPS, *fields),
    )


ACCOUNT = _resource(
    "cusAccount",
    "Accounts",
    "Companies",
    (
        _KEY,
        Field("accountNumber", "string", "Number", 20),
        Field("city", "string", "City", 80),
        Field("creditOnHold", "boolean", "Credit on hold"),
        Field("description", "string", "Description", 2000),
        Field("email", "string", "Email", 128),
        Field("employees", "integer", "Employees"),
        Field("industry", "enumeration", "Industry", values=_INDUSTRY, default="unknown"),
        Field("name", "string", "Name", 160),
        Field("parent", "link", "Parent account", target="cusAccount"),
        Field("parentExternalId", "string", "Parent's CRM id", 100),
        Field("phone", "string", "Phone", 32),
        Field("primaryContactExternalId", "string", "Primary contact's CRM id", 100),
        Field("revenue", "double", "Revenue"),
        Field("website", "string", "Website", 200),
    ),
    (Link("parent", "parentExternalId", "cusAccount"),),
    shown_as="name",
    family=UNLINKED,
)

ORDER = _resource(
    "cusOrder",
    "Orders",
    "Orders of profiles",
    (
        _KEY,
        Field("account", "link", "Account", target="cusAccount"),
        Field("accountExternalId", "string", "Account's CRM id", 100),
        Field("channelNames", "string", "Channels by name", 255),
        Field("channels", "string", "Channels", 255),
        Field("currency", "string", "Currency", 10),
        Field("deliverySlot", "string", "Delivery slot", 40),
        Field("discount", "double", "Discount"),
        Field("name", "string", "Name", 100),
        Field("notes", "string", "Notes", 1000),
        Field("number", "string", "Number", 40),
        Field("orderDate", "date", "Ordered"),
        Field("paid", "boolean", "Paid"),
        Field("profile", "link", "Profile", target="profile"),
        Field("profileExternalId", "string", "Profile's CRM id", 100),
        Field("shippedOn", "datetime", "Shipped"),
        Field("status", "enumeration", "Status", values=_STATUS, default="draft"),
        Field("total", "double", "Total"),
        Field("weight", "double", "Weight"),
    ),
    (Link("profile", "profileExternalId", "profile"), Link("account", "accountExternalId", "cusAccount")),
    shown_as="number",
)

LINE = _resource(
    "cusOrderLine",
    "Order lines",
    "Lines of orders",
    (
        _KEY,
        Field("number", "integer", "Number"),
        Field("order", "link", "Order", target="cusOrder"),
        Field("orderExternalId", "string", "Order's CRM id", 100),
        Field("partOf", "link", "Part of", target="cusOrderLine"),
        Field("partOfExternalId", "string", "Other line's CRM id", 100),
        Field("product", "string", "Product", 100),
        Field("quantity", "integer", "Quantity"),
        Field("unitPrice", "double", "Unit price"),
    ),
    (Link("order", "orderExternalId", "cusOrder"), Link("partOf", "partOfExternalId", "cusOrderLine")),
    label="Order line",
    shown_as="product",
)

REQUIRED = ("cusOrderLine.order",)
"""The "1 cardinality simple links" among them."""


def made_up(
    name: str,
    fields: list[dict[str, Any]],
    *,
    family: str = UNLINKED,
    key: str = "externalId",
    links: list[dict[str, Any]] | None = None,
) -> Resource:
    """A custom resource of fields `{name, kind, length, values}` and links `{name, column, target, target_key}`.

    The key and the links' columns need not be listed: they are texts of 100 characters.
    """
    if family not in (LINKED, UNLINKED):
        raise ValueError(f"family is {LINKED} or {UNLINKED}")
    told = [Link(**link) for link in links or []]
    columns = {field.name: field for field in map(_field, fields)}
    for column in (key, *(link.column for link in told)):
        columns.setdefault(column, Field(column, "string", column, 100))
    for link in told:
        columns[link.name] = Field(link.name, "link", link.name, target=link.target)
    listed = tuple(columns[name] for name in sorted(columns))
    plural = f"{name.removeprefix('cus')}s"
    return _resource(name, plural, name.removeprefix("cus"), listed, tuple(told), family=family, key=key)


def _field(told: dict[str, Any]) -> Field:
    values = tuple(Enumerated(text, text, str(place)) for place, text in enumerate(told.get("values", ())))
    kind = told.get("kind", "string")
    return Field(
        told["name"],
        kind,
        told.get("label", told["name"]),
        int(told.get("length", 100 if kind == "string" else 0)),
        values=values,
        default=values[0].name if values else None,
    )
