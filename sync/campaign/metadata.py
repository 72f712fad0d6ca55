"""What a Campaign resource's fields are (adobe.md B.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sync.campaign.client import Campaign, escaped
from sync.errors import SyncError


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


async def fields_of(campaign: Campaign, resource: str) -> dict[str, FieldInfo]:
    """The fields by path; nested items as `location.city`."""
    answer = await campaign.get(f"/profileAndServicesExt/resourceType/{escaped(resource)}")
    content = answer.get("content")
    if not isinstance(content, dict):
        raise SyncError("campaign_garbled", "metadata without content")
    return {field.path: field for field in _fields(content, "")}


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
        )


def _values(told: object) -> tuple[str, ...]:
    """Enumeration names, from a list of `{"name": …}`, a list of names, or an object keyed by name."""
    if isinstance(told, dict):
        inner = told.get("content")
        return _values(inner) if isinstance(inner, list) else tuple(told)
    if not isinstance(told, list):
        return ()
    return tuple(str(item.get("name", "")) if isinstance(item, dict) else str(item) for item in told)
