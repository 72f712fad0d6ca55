"""Descriptions of the resources: `resourceType/<resource>`, its filters, and the catalogue (adobe.md B.3).

Chosen here, because no full sample is published: `values` as an object by name, nested `content` for items,
length "0" for what has no length, `resType` of each type.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from sandbox.campaign.collection import custom_filters, published_filters
from sandbox.campaign.options import CampaignOptions
from sandbox.campaign.schema import Field, Resource, Values

_TYPES = {"datetime": "date", "double": "number"}
_RES_TYPES = {"enumeration": "byte", "integer": "long"}
_PARAMETERS = {
    "byEmail": ("email",),
    "byText": ("text",),
    "byChannel": ("channel",),
}


def describe(resource: Resource, family: str, base: str, options: CampaignOptions) -> Values:
    """The answer to `GET <family>/resourceType/<resource>`."""
    pkey = _pkey(family, resource.name)
    policies = options.policies if resource.name == "profile" else {}
    return {
        "PKey": pkey,
        "apiName": "resourceType",
        "compatibleResources": {},
        "content": {field.name: _field(field, family, policies) for field in resource.visible(family)},
        "data": f"/{family}/{resource.name}/",
        "filters": {"href": f"{base}/{family}/resourceType/{pkey}/filters/"},
        "help": resource.help,
        "href": f"{base}/{family}/{resource.name}/metadata",
        "label": resource.plural,
        "mandatory": False,
        "name": resource.name,
        "pkgStatus": "never",
        "readOnly": False,
        "schema": resource.schema,
        "type": "item",
    }


def describe_filters(
    resources: Mapping[str, Resource], pkey: str, family: str, options: CampaignOptions
) -> Values | None:
    """The filters of the resource a description's PKey stands for; None for any other PKey."""
    for resource in resources.values():
        if family in resource.families and _pkey(family, resource.name) == pkey:
            custom = custom_filters(resource, family, options)
            parameters = {**_PARAMETERS, **{name: (f"{field}_parameter",) for name, field in custom.items()}}
            names = published_filters(resource, family, options)
            return {name: _filter(name, parameters[name], resource, family) for name in names}
    return None


def catalogue(resources: Mapping[str, Resource], family: str, base: str, options: CampaignOptions) -> Values:
    """The answer to `GET /profileAndServicesExt/`: all resources the family publishes."""
    listed: Values = {"apiName": "resourceType"}
    for resource in resources.values():
        if family in resource.families:
            described = describe(resource, family, base, options)
            kept = ("PKey", "content", "data", "filters", "help", "href", "label", "name", "schema")
            listed[resource.name] = {**{key: described[key] for key in kept}, "type": "collection"}
    return listed


def _field(field: Field, family: str, policies: Mapping[str, str]) -> Values:
    described: Values = {
        "PKey": _pkey(family, field.name),
        "apiName": field.name,
        "category": field.category,
        "dataPolicy": policies.get(field.name, ""),
        "desc": "",
        "displayFormat": "",
        "help": "",
        "label": field.label,
        "lazyLoaded": False,
        "length": str(field.length),
        "mandatory": False,
        "metadata": "attribute",
        "privacy": "firstParty" if field.category else "",
        "queryable": True,
        "readOnly": field.read_only,
        "resName": "",
        "resType": _RES_TYPES.get(field.kind, field.kind),
        "sortable": field.sortable,
        "type": _TYPES.get(field.kind, field.kind),
    }
    if field.values:
        described["values"] = {
            value.name: {"label": value.label, "name": value.name, "value": value.value}
            for value in field.values
        }
    if field.items:
        described["content"] = {item.name: _field(item, family, {}) for item in field.items}
    if field.target:
        described["resTarget"] = field.target
    return described


def _filter(name: str, parameters: tuple[str, ...], resource: Resource, family: str) -> Values:
    """`data` is a sample of its use (Adobe, "Retrieving filters metadata")."""
    sample = "&".join(f"{parameter}=$value" for parameter in parameters)
    return {
        "PKey": _pkey(family, f"{resource.name}/{name}"),
        "category": "99_none",
        "data": f"/{family}/{resource.name}/{name}?{sample}",
        "formType": "none",
        "fragmentName": "",
        "label": name,
    }


def _pkey(family: str, name: str) -> str:
    """An opaque key of a description; unlike those of records it never changes."""
    digest = hashlib.blake2b(f"{family}/{name}".encode(), digest_size=15, key=b"resource type").digest()
    return "@" + base64.urlsafe_b64encode(digest).decode()
