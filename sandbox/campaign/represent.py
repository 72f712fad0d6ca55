"""Turns a stored row into the JSON object the API shows: defaults, computed fields, links (adobe.md B.5)."""

from __future__ import annotations

import copy
import hashlib
from datetime import UTC, datetime

from sandbox.campaign.schema import Resource, Values
from sandbox.campaign.table import Row, Table


def timestamp(seconds: float) -> str:
    """`2019-09-25 23:20:35.000Z`: UTC, a space and milliseconds."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(sep=" ", timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def represent(row: Row, table: Table, family: str, base: str, now: float) -> Values:
    """The whole object; `base` is scheme, host, tenant and `/campaign`."""
    resource = table.resource
    template = resource.templates[family]
    shown = dict(template)
    values = row.values
    for name, value in values.items():
        if name in shown:
            shown[name] = {**template[name], **value} if isinstance(value, dict) else value
    for name, value in shown.items():
        if isinstance(value, dict):
            shown[name] = copy.copy(value)
    href = f"{base}/{family}/{resource.name}/{row.pkey}"
    shown["PKey"] = row.pkey
    shown["created"] = timestamp(row.created)
    shown["lastModified"] = timestamp(row.modified)
    shown["href"] = href
    if table.left_out and family == "profileAndServices":
        for name in table.left_out:
            shown.pop(name, None)
    if resource.name == "profile":
        _compute_profile(shown, row, href, now)
    elif resource.name == "service":
        shown["title"] = _title(shown["label"], shown["name"])
    elif resource.links:
        _link(shown, values, table, base)
    return shown


def _link(shown: Values, values: Values, table: Table, base: str) -> None:
    """Each link as `{"PKey", "href", "title"}` (adobe.md B.5); null where it leads nowhere."""
    for link in table.resource.links:
        other = table.linked(link, values.get(link.column, ""))
        if other is not None:
            target = table.neighbours[link.target].resource
            shown[link.name] = {
                "PKey": other.pkey,
                "href": f"{base}/{target.families[-1]}/{target.name}/{other.pkey}",
                "title": _title_of(other.values, target),
            }


def _title_of(values: Values, target: Resource) -> str:
    name = target.shown_as or ("email" if target.name == "profile" else "name")
    return str(values.get(name, ""))


def _title(text: str, id: str) -> str:
    return f"{text} ({id})" if text and id else text or id


def _compute_profile(shown: Values, row: Row, href: str, now: float) -> None:
    full_name = f"{shown.get('firstName', '')} {shown.get('lastName', '')}".strip()
    shown["age"] = _age(shown["birthDate"], now)
    shown["domain"] = shown["email"].rpartition("@")[2]
    shown["title"] = _title(full_name, shown["email"])
    shown["cryptedId"] = hashlib.blake2b(row.pkey.encode(), digest_size=16).hexdigest()
    shown["subscriptions"] = {"href": f"{href}/subscriptions/"}
    location, address = shown["location"], shown["postalAddress"]
    town = f"{location['zipCode']} {location['city']}".strip()
    streets = [location[f"address{number}"] for number in range(1, 5)]
    lines = [line for line in (full_name, *streets, town) if line]
    for number, line in enumerate(lines[:6], 1):
        address[f"line{number}"] = line
    address["addrDefined"] = bool(town and any(streets))
    address["serialized"] = "\n".join(lines)


def _age(birth_date: str, now: float) -> int:
    if not birth_date:
        return 0
    today = datetime.fromtimestamp(now, UTC).date().isoformat()
    years = int(today[:4]) - int(birth_date[:4]) - (today[5:] < birth_date[5:])
    return max(years, 0)
