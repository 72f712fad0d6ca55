"""The words a resource is described with: fields, enumerations, resources."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

Kind = Literal[
    "string", "integer", "double", "boolean", "date", "datetime", "enumeration", "item", "link", "collection"
]

Values = dict[str, Any]
"""Field name → value as it travels in JSON; nested items are dicts of the same shape."""

EMPTY: dict[str, object] = {"integer": 0, "double": 0, "boolean": False}
"""What a field reads as when it was never set; everything else reads as "" (adobe.md B.5)."""


@dataclass(frozen=True, slots=True)
class Enumerated:
    """One value of an enumeration: the name travels, the stored value does not."""

    name: str
    label: str
    value: str


@dataclass(frozen=True)
class Field:
    """One field of a resource."""

    name: str
    kind: Kind
    label: str = ""
    length: int = 0
    category: str = ""
    read_only: bool = False
    extended: bool = False
    """Published by the Profiles & Services Ext API only."""
    values: tuple[Enumerated, ...] = ()
    default: object = None
    items: tuple[Field, ...] = ()
    target: str = ""
    """The resource a link or collection leads to."""
    stamped_by: str = ""
    """For a `…LastModified` field: the field whose change it dates."""

    @cached_property
    def names(self) -> frozenset[str]:
        """The enumeration names that may be sent."""
        return frozenset(value.name for value in self.values)

    @cached_property
    def nested(self) -> dict[str, Field]:
        return {item.name: item for item in self.items}

    @property
    def sortable(self) -> bool:
        return self.kind not in ("item", "link", "collection")

    @cached_property
    def empty(self) -> object:
        """What it reads as when it was never set."""
        if self.items:
            return {item.name: item.empty for item in self.items}
        if self.default is not None:
            return self.default
        if self.kind == "link":
            return None
        return EMPTY.get(self.kind, "")


@dataclass(frozen=True)
class Link:
    """A simple link: a join of `column` with `target_key` of another resource (adobe.md B.5)."""

    name: str
    column: str
    target: str
    target_key: str = "externalId"


@dataclass(frozen=True)
class Resource:
    """One API resource."""

    name: str
    label: str
    plural: str
    help: str
    schema: str
    table: str
    families: tuple[str, ...]
    fields: tuple[Field, ...]
    filters: tuple[str, ...] = ()
    searched: tuple[str, ...] = ()
    """The fields `byText` looks at."""
    keys: tuple[str, ...] = ()
    """Identification keys of a custom resource: unique, and never changed by a PATCH."""
    links: tuple[Link, ...] = ()
    shown_as: str = ""
    """The field that names a record where another one links to it."""

    @cached_property
    def by_name(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}

    @cached_property
    def by_link(self) -> dict[str, Link]:
        return {link.name: link for link in self.links}

    @cached_property
    def templates(self) -> dict[str, Values]:
        """The object of a row in which nothing was ever set, by family."""
        return {
            family: {field.name: field.empty for field in self.visible(family)} for family in self.families
        }

    @cached_property
    def stamps(self) -> dict[str, tuple[str, ...]]:
        """Field → the `…LastModified` fields that date its changes."""
        found: dict[str, tuple[str, ...]] = {}
        for field in self.fields:
            if field.stamped_by:
                found[field.stamped_by] = (*found.get(field.stamped_by, ()), field.name)
        return found

    def visible(self, family: str) -> tuple[Field, ...]:
        """The fields one endpoint family shows, in the order they are written."""
        extended = family != "profileAndServices"
        return tuple(field for field in self.fields if extended or not field.extended)
