"""Where a Campaign resource is published and what its fields are (adobe.md B.2, B.3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sync.campaign.client import Campaign, escaped
from sync.errors import SyncError

LINKED = "/profileAndServicesExt/"
"""Profiles, services, and custom resources linked to profiles."""
UNLINKED = "/customResources/"
"""All other custom resources; no resource is in both families."""
_ABSENT = (
    "not_found",
    "campaign_wrong_address",
    "campaign_error",
    "campaign_unexplained",
    "unknown_field",
    "value_refused",
)
"""What an engine may say about a resource that a family does not publish (the text is not documented)."""


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One field; `length` 0 means unlimited or not said, `values` are the names of an enumeration."""

    path: str
    type: str
    res_type: str = ""
    """How it is stored: tells a `date` from a `datetime`, which both say `date` as type."""
    length: int = 0
    read_only: bool = False
    mandatory: bool = False
    values: tuple[str, ...] = ()
    """Names of an enumeration."""
    policy: str = ""
    """Data policy: what Campaign does to a value that is written."""


@dataclass(frozen=True, slots=True)
class Description:
    """One resource; `fields` by path, nested items as `location.city`; `filters` is where its filters are listed."""

    family: str
    fields: dict[str, FieldInfo]
    filters: str = ""


async def describe(
    campaign: Campaign, resource: str, *, family: str = "", spend: Callable[[], Awaitable[None]]
) -> Description:
    """The resource in its family, or in whichever family publishes it; `spend` is awaited before each call.

    Raises `resource_missing`.
    """
    unsure: SyncError | None = None
    for place in (family,) if family else (LINKED, UNLINKED):
        await spend()
        try:
            return _description(await campaign.get(f"{place}resourceType/{escaped(resource)}"), place)
        except SyncError as error:
            if error.code not in _ABSENT or error.detail.startswith("gateway"):
                raise
            if error.code in ("campaign_error", "campaign_unexplained"):
                unsure = unsure or error
    if unsure is not None:
        # Perhaps an outage and no answer to the question: that must not stop a flow.
        raise unsure
    raise SyncError("resource_missing", resource)


def _description(told: Mapping[str, Any], family: str) -> Description:
    content = told.get("content")
    if not isinstance(content, dict):
        raise SyncError("campaign_garbled", "metadata without content")
    filters = told.get("filters")
    href = filters.get("href") if isinstance(filters, dict) else ""
    fields = {field.path: field for field in _fields(content, "")}
    return Description(family, fields, href if isinstance(href, str) else "")


def _fields(content: Mapping[str, Any], prefix: str) -> Iterator[FieldInfo]:
    for name, told in content.items():
        if not isinstance(told, dict):
            continue
        path = prefix + name
        nested = told.get("content")
        if isinstance(nested, dict):
            yield from _fields(nested, f"{path}.")
            continue
        length = str(told.get("length", ""))
        yield FieldInfo(
            path=path,
            type=str(told.get("type", "")),
            res_type=str(told.get("resType", "")),
            length=int(length) if length.isdigit() else 0,
            read_only=told.get("readOnly") is True,
            mandatory=told.get("mandatory") is True,
            values=_values(told.get("values")),
            policy=str(told.get("dataPolicy") or ""),
        )


def _values(told: object) -> tuple[str, ...]:
    """Enumeration names, from a list of `{"name": …}`, a list of names, or an object keyed by name."""
    if isinstance(told, dict):
        inner = told.get("content")
        return _values(inner) if isinstance(inner, list) else tuple(told)
    if not isinstance(told, list):
        return ()
    return tuple(str(item.get("name", "")) if isinstance(item, dict) else str(item) for item in told)
