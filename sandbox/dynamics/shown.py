"""Definitions of tables, columns, keys and relationships as the Web API shows them (dataverse.md 1.5, 4.2, 7.1)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from sandbox.dynamics.catalogue import AlternateKey
from sandbox.dynamics.columns import LOOKUPS, TYPED, Column, Kind, Table
from sandbox.dynamics.options import DynamicsOptions

_CAST = {
    Kind.KEY: "AttributeMetadata",
    Kind.DATE: "DateTimeAttributeMetadata",
    Kind.ZONELESS: "DateTimeAttributeMetadata",
    Kind.CUSTOMER: "LookupAttributeMetadata",
    Kind.OWNER: "LookupAttributeMetadata",
    Kind.REGARDING: "LookupAttributeMetadata",
    Kind.BIGINT: "BigIntAttributeMetadata",
    Kind.NAME: "EntityNameAttributeMetadata",
}
_TYPES = {kind: _CAST.get(kind, f"{kind.value}AttributeMetadata") for kind in Kind}
_KINDS = {Kind.DATE: "DateTime", Kind.ZONELESS: "DateTime", Kind.MULTI: "Virtual", Kind.REGARDING: "Lookup"}
_BEHAVIORS = {Kind.DATE: "DateOnly", Kind.DATETIME: "UserLocal", Kind.ZONELESS: "TimeZoneIndependent"}
CHOICES = (Kind.PICKLIST, Kind.MULTI, Kind.STATE, Kind.STATUS, Kind.BOOLEAN)
BASE = frozenset(
    (
        "AttributeOf", "AttributeType", "AttributeTypeName", "DisplayName", "EntityLogicalName", "IsCustomAttribute",
        "IsPrimaryId", "IsPrimaryName", "IsValidForCreate", "IsValidForRead", "IsValidForUpdate", "LogicalName",
        "MetadataId", "RequiredLevel", "SchemaName",
    )
)  # fmt: skip
"""What `$select` may name without a cast."""

Shown = dict[str, Any]


def cast_of(column: Column) -> str:
    """The derived metadata type."""
    return _TYPES[column.kind]


def label(text: str, managed: bool = True) -> Shown:
    """A text in the organization's one language."""
    localized = {"Label": text, "LanguageCode": 1033, "IsManaged": managed}
    return {"LocalizedLabels": [localized], "UserLocalizedLabel": localized}


@cache
def metadata_id(name: str) -> str:
    return str(uuid5(NAMESPACE_OID, name))


def entity(table: Table) -> Shown:
    """A table's definition."""
    return {
        "MetadataId": metadata_id(table.name),
        "LogicalName": table.name,
        "SchemaName": table.schema,
        "EntitySetName": table.entity_set,
        "LogicalCollectionName": table.entity_set,
        "PrimaryIdAttribute": table.key,
        "PrimaryNameAttribute": table.primary_name,
        "ObjectTypeCode": table.type_code,
        "OwnershipType": "UserOwned" if "_ownerid_value" in table.columns else "OrganizationOwned",
        "IsActivity": table.activity,
        "IsCustomEntity": table.custom,
        "IsPrivate": False,
        "IsOptimisticConcurrencyEnabled": table.writable,
        "ChangeTrackingEnabled": table.change_tracking,
        "CanChangeTrackingBeEnabled": {
            "Value": table.can_track,
            "CanBeChanged": False,
            "ManagedPropertyLogicalName": "canchangetrackingbeenabled",
        },
        "DisplayName": label(table.display, not table.custom),
        "DisplayCollectionName": label(table.display_collection, not table.custom),
        "Description": label(table.description, not table.custom),
    }


def attribute(table: Table, column: Column) -> Shown:
    """A column's definition, derived properties included."""
    shown: Shown = {
        "@odata.type": f"#Microsoft.Dynamics.CRM.{cast_of(column)}",
        "MetadataId": metadata_id(f"{table.name}.{column.logical}"),
        "LogicalName": column.logical,
        "SchemaName": column.schema or column.logical.capitalize(),
        "EntityLogicalName": table.name,
        "AttributeOf": None,
        "AttributeType": (kind := _KINDS.get(column.kind, column.kind.value)),
        "AttributeTypeName": {"Value": f"{column.kind.value if column.kind is Kind.MULTI else kind}Type"},
        "DisplayName": label(column.display or column.logical, not column.custom),
        "IsCustomAttribute": column.custom,
        "IsPrimaryId": column.name == table.key,
        "IsPrimaryName": column.name == table.primary_name,
        "IsValidForCreate": column.create,
        "IsValidForRead": True,
        "IsValidForUpdate": column.update,
        "RequiredLevel": {"Value": column.required, "CanBeChanged": True},
    }
    return shown | _derived(column)


def _derived(column: Column) -> Shown:
    if column.kind in (Kind.STRING, Kind.MEMO):
        shown: Shown = {"MaxLength": column.max_length, "Format": column.format}
        return shown if column.kind is Kind.MEMO else {**shown, "FormatName": {"Value": column.format}}
    if column.kind in _BEHAVIORS:
        return {"Format": column.format, "DateTimeBehavior": {"Value": _BEHAVIORS[column.kind]}}
    if column.kind is Kind.MONEY:
        return {"MinValue": column.minimum, "MaxValue": column.maximum, "Precision": 2, "PrecisionSource": 2}
    if column.kind is Kind.INTEGER:
        return {"MinValue": column.minimum, "MaxValue": column.maximum, "Format": "None"}
    if column.kind in (Kind.DECIMAL, Kind.DOUBLE):
        return {"MinValue": column.minimum, "MaxValue": column.maximum, "Precision": column.precision}
    if column.kind in LOOKUPS:
        return {"Targets": list(column.targets)}
    if column.kind in CHOICES:
        return {"DefaultValue": column.default} if column.kind is Kind.BOOLEAN else {"DefaultFormValue": -1}
    return {}


def option_set(column: Column) -> Shown:
    """`OptionSet`, behind `$expand`."""
    options = [{"Value": value, "Label": label(text)} for value, text in column.labels.items()]
    if column.kind is Kind.BOOLEAN:
        return {"TrueOption": options[1], "FalseOption": options[0]}
    return {"Options": options, "IsGlobal": False, "Name": column.logical}


def keys(table: Table, made: Iterable[AlternateKey], now: float, options: DynamicsOptions) -> list[Shown]:
    """Alternate keys: those every organization has, Active, and those made over the API."""
    found = [
        _key(table, metadata_id(f"{table.name}.{','.join(key)}"), f"Key_{'_'.join(key)}", key, "Active")
        for key in options.contact_keys
        if table.name == "contact"
    ]
    return found + [_key(table, one.id, one.schema, one.columns, one.status(now, options)) for one in made]


def _key(table: Table, key_id: str, schema: str, columns: tuple[str, ...], status: str) -> Shown:
    return {
        "MetadataId": key_id,
        "SchemaName": schema,
        "LogicalName": schema.lower(),
        "EntityLogicalName": table.name,
        "KeyAttributes": list(columns),
        "EntityKeyIndexStatus": status,
    }


def relationships(table: Table) -> list[Shown]:
    """Many-to-one relationships of a table, one per lookup and target."""
    found = []
    for column in table.columns.values():
        if column.kind not in LOOKUPS:
            continue
        for target in column.targets:
            regarding = column.kind is Kind.REGARDING
            name = f"{target}_{table.name}s" if regarding else f"{table.name}_{target}_{column.logical}"
            navigation = column.logical
            if column.kind in TYPED:
                navigation += f"_{target}" + (f"_{table.name}" if regarding else "")
            found.append(
                {
                    "MetadataId": metadata_id(name),
                    "SchemaName": name,
                    "ReferencedEntity": target,
                    "ReferencedAttribute": f"{target}id",
                    "ReferencingEntity": table.name,
                    "ReferencingAttribute": column.logical,
                    "ReferencingEntityNavigationPropertyName": navigation,
                    "RelationshipType": "OneToManyRelationship",
                }
            )
    return found


CASTS = frozenset(
    {
        *_CAST.values(),
        "MultiSelectPicklistAttributeMetadata",
        *(f"{kind.value}AttributeMetadata" for kind in Kind),
    }
)
