"""A definition sent to `EntityDefinitions` or CreateEntities → a table (dataverse.md 4.1, 4.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.dynamics.activity import activity_table
from sandbox.dynamics.build import system, table
from sandbox.dynamics.columns import Column, Kind, Table
from sandbox.dynamics.definitions import Definition, column_of, label, schema_name, wrong
from sandbox.dynamics.errors import payload, silent
from sandbox.dynamics.organization import Organization

_TABLE_KEYS = frozenset(
    (
        "@odata.type", "SchemaName", "IsActivity", "HasActivities", "HasNotes", "OwnershipType", "IsAvailableOffline",
        "ChangeTrackingEnabled", "DisplayName", "DisplayCollectionName", "Description", "Attributes",
        "ActivityTypeMask", "IsMailMergeEnabled",
    )
)  # fmt: skip


_OFF = {"Value": False}


def table_of(
    organization: Organization, body: Definition, prefixes: set[str], *, complex_types: bool = False
) -> Table:
    """A new table that a definition describes; refuses names that are taken and what activities may not have."""
    if unknown := set(body) - _TABLE_KEYS:
        raise payload("EntityDefinitions", f"The property '{min(unknown)}' does not exist or is not covered.")
    schema = schema_name(body, prefixes)
    name = schema.lower()
    if name in organization.tables:
        raise wrong(f"An entity with the name {name} already exists.", "0x80044358")
    attributes = body.get("Attributes")
    if (
        not isinstance(attributes, list)
        or not attributes
        or not all(isinstance(one, dict) for one in attributes)
    ):
        raise wrong("The primary attribute is missing: 'Attributes' must hold it.")
    if len(attributes) > 1 and not complex_types:
        raise silent("Other columns beside the primary one when a table is created")
    activity = body.get("IsActivity") is True
    columns = [
        column_of(one, prefixes, complex_types=complex_types, primary="Subject" if activity else "")
        for one in attributes
    ]
    primary = [
        one for one, told in zip(columns, attributes, strict=True) if told.get("IsPrimaryName") is True
    ]
    if len(primary) != 1 or primary[0].kind is not Kind.STRING:
        raise wrong("Exactly one text attribute must be the primary one (IsPrimaryName).")
    if body.get("OwnershipType") != "UserOwned":
        raise silent("A table that is not UserOwned")
    common: dict[str, Any] = {
        "schema": schema,
        "display": label(body, "DisplayName"),
        "display_collection": label(body, "DisplayCollectionName"),
        "description": label(body, "Description", required=False),
        "change_tracking": body.get("ChangeTrackingEnabled") is True,
        "type_code": _code(organization),
    }
    entity_set = f"{name}s"
    if entity_set in organization.sets:
        raise wrong("This EntitySetName cannot be used.")
    if activity:
        _check_activity(body, primary[0])
        length = primary[0].max_length
        return activity_table(organization.options, name, entity_set, subject_length=length, **common)
    key = f"{name}id"
    return table(
        [*system(key, organization.options), *columns],
        name=name, entity_set=entity_set, key=key, primary_name=primary[0].name, custom=True, **common,
    )  # fmt: skip


def _code(organization: Organization) -> int:
    organization.catalogue.next_code += 1
    return organization.catalogue.next_code


def _check_activity(body: Mapping[str, Any], primary: Column) -> None:
    """Create-time rules of activities (dataverse.md 4.1)."""
    if primary.schema != "Subject":
        raise wrong("The primary attribute of an activity must have the schema name Subject.", "0x8004F121")
    if body.get("HasActivities") is not False or body.get("IsMailMergeEnabled", _OFF) != _OFF:
        raise wrong("An activity cannot have activities or mail merge.", "0x8004F123")
    if body.get("HasNotes") is not True or body.get("IsAvailableOffline") is not True:
        raise wrong("An activity must have notes and be available offline.", "0x8004F126")
    if body.get("ActivityTypeMask", 1) not in (0, 1):
        raise wrong("ActivityTypeMask is 0 or 1.")
