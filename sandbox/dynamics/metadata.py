"""`EntityDefinitions`, attributes and keys of the tables (dataverse.md 1.5, 7.1)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from sandbox.dynamics.columns import LOOKUPS, Column, Kind, Row, Table
from sandbox.dynamics.errors import Refused, bad, no_segment, not_allowed, silent
from sandbox.dynamics.filters import parse
from sandbox.dynamics.organization import Organization
from sandbox.dynamics.pages import JSON
from sandbox.dynamics.query import Call
from sandbox.dynamics.values import GUID
from sandbox.wire import Response

_PATH = re.compile(
    rf"EntityDefinitions(?:\((?:LogicalName='(\w+)'|({GUID.pattern}))\)"
    r"(?:/(Attributes|Keys)(?:\((?:LogicalName|SchemaName)='(\w+)'\))?(?:/Microsoft\.Dynamics\.CRM\.(\w+))?)?)?"
)
_EXPAND = re.compile(r"(OptionSet|Keys|Attributes)(?:\(\$select=([\w,]+)\))?")
_CAST = {
    Kind.KEY: "AttributeMetadata",
    Kind.DATE: "DateTimeAttributeMetadata",
    Kind.CUSTOMER: "LookupAttributeMetadata",
    Kind.OWNER: "LookupAttributeMetadata",
    Kind.BIGINT: "BigIntAttributeMetadata",
    Kind.NAME: "EntityNameAttributeMetadata",
}
CHOICES = (Kind.PICKLIST, Kind.STATE, Kind.STATUS, Kind.BOOLEAN)
_BASE = frozenset(
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
    return _CAST.get(column.kind, f"{column.kind.value}AttributeMetadata")


def _label(text: str) -> Shown:
    localized = {"Label": text, "LanguageCode": 1033, "IsManaged": True}
    return {"LocalizedLabels": [localized], "UserLocalizedLabel": localized}


def _id(name: str) -> str:
    return str(uuid5(NAMESPACE_OID, name))


def entity(table: Table) -> Shown:
    """A table's definition."""
    return {
        "MetadataId": _id(table.name),
        "LogicalName": table.name,
        "SchemaName": table.schema,
        "EntitySetName": table.entity_set,
        "LogicalCollectionName": table.entity_set,
        "PrimaryIdAttribute": table.key,
        "PrimaryNameAttribute": table.primary_name,
        "ObjectTypeCode": table.type_code,
        "OwnershipType": "UserOwned" if "_ownerid_value" in table.columns else "OrganizationOwned",
        "IsActivity": False,
        "IsCustomEntity": False,
        "IsOptimisticConcurrencyEnabled": table.writable,
        "ChangeTrackingEnabled": table.change_tracking,
        "CanChangeTrackingBeEnabled": {
            "Value": table.can_track,
            "CanBeChanged": False,
            "ManagedPropertyLogicalName": "canchangetrackingbeenabled",
        },
        "DisplayName": _label(table.schema),
    }


def attribute(table: Table, column: Column) -> Shown:
    """A column's definition, derived properties included."""
    shown: Shown = {
        "@odata.type": f"#Microsoft.Dynamics.CRM.{cast_of(column)}",
        "MetadataId": _id(f"{table.name}.{column.logical}"),
        "LogicalName": column.logical,
        "SchemaName": column.schema or column.logical.capitalize(),
        "EntityLogicalName": table.name,
        "AttributeOf": None,
        "AttributeType": "DateTime" if column.kind is Kind.DATE else column.kind.value,
        "AttributeTypeName": {
            "Value": f"{'DateTime' if column.kind is Kind.DATE else column.kind.value}Type"
        },
        "DisplayName": _label(column.logical),
        "IsCustomAttribute": False,
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
    if column.kind in (Kind.DATE, Kind.DATETIME):
        behavior = "DateOnly" if column.kind is Kind.DATE else "UserLocal"
        return {"Format": column.format, "DateTimeBehavior": {"Value": behavior}}
    if column.kind is Kind.MONEY:
        return {"MinValue": column.minimum, "MaxValue": column.maximum, "Precision": 2, "PrecisionSource": 2}
    if column.kind is Kind.INTEGER:
        return {"MinValue": column.minimum, "MaxValue": column.maximum, "Format": "None"}
    if column.kind in LOOKUPS:
        return {"Targets": list(column.targets)}
    if column.kind in CHOICES:
        return {"DefaultValue": column.default} if column.kind is Kind.BOOLEAN else {"DefaultFormValue": -1}
    return {}


def option_set(column: Column) -> Shown:
    """`OptionSet`, behind `$expand`."""
    options = [{"Value": value, "Label": _label(text)} for value, text in column.labels.items()]
    if column.kind is Kind.BOOLEAN:
        return {"TrueOption": options[1], "FalseOption": options[0]}
    return {"Options": options, "IsGlobal": False, "Name": column.logical}


def keys(table: Table) -> list[Shown]:
    """Alternate keys, all Active."""
    return [
        {
            "MetadataId": _id(f"{table.name}.{','.join(key)}"),
            "SchemaName": f"Key_{'_'.join(key)}",
            "LogicalName": f"key_{'_'.join(key)}",
            "EntityLogicalName": table.name,
            "KeyAttributes": list(key),
            "EntityKeyIndexStatus": "Active",
        }
        for key in table.alternate_keys
    ]


class Metadata:
    """Answers GET below `EntityDefinitions`; customizing goes through the scripting side."""

    def __init__(self, organization: Organization) -> None:
        self._org = organization

    def answer(self, call: Call) -> Response:
        found = _PATH.fullmatch(call.path)
        if found is None:
            raise no_segment(call.path.partition("/")[2] or call.path)
        if call.method in ("POST", "PUT", "DELETE"):
            raise silent("Changing metadata over the Web API")
        if call.method != "GET":
            raise not_allowed(call.method)
        allowed = {"$select", "$filter", "$expand"}
        if unknown := set(call.query.options) - allowed:
            raise bad(f"The query parameter {unknown.pop()} is not supported on metadata")
        name, guid, part, logical, cast = found.groups()
        if name is None and guid is None:
            return self._many(
                call, "EntityDefinitions", [entity(rows.table) for rows in self._org.tables.values()]
            )
        table = self._table(name, guid)
        if part is None:
            shown = entity(table)
            return self._one(call, "EntityDefinitions", shown | self._expanded(call, table, None))
        if part == "Keys":
            if logical or cast:
                raise silent("A single key")
            return self._many(call, "Keys", keys(table))
        return self._attributes(call, table, logical, cast)

    def _table(self, name: str | None, guid: str | None) -> Table:
        for rows in self._org.tables.values():
            if rows.table.name == name or (guid is not None and _id(rows.table.name) == guid.lower()):
                return rows.table
        raise Refused(
            404, "0x80060888", f"Could not find an entity with the given name or id: {name or guid}."
        )

    def _attributes(self, call: Call, table: Table, logical: str | None, cast: str | None) -> Response:
        columns = [c for c in table.columns.values() if cast in (None, "AttributeMetadata", cast_of(c))]
        if cast is not None and cast != "AttributeMetadata" and cast not in _CASTS:
            raise no_segment(f"Microsoft.Dynamics.CRM.{cast}")
        if cast is None and "$select" in call.query:
            for name in (call.query.get("$select") or "").split(","):
                if name.strip() not in _BASE:
                    raise _no_property(name.strip(), "AttributeMetadata")
        if logical is not None:
            column = next((c for c in columns if c.logical == logical), None)
            if column is None:
                raise Refused(
                    404, "0x80060888", f"Could not find an attribute with the given name: {logical}."
                )
            shown = attribute(table, column) | self._expanded(call, table, column)
            return self._one(call, "Attributes", shown)
        return self._many(
            call,
            "Attributes",
            [attribute(table, c) | self._expanded(call, table, c) for c in columns],
            cast or "",
        )

    def _expanded(self, call: Call, table: Table, column: Column | None) -> Shown:
        text = call.query.get("$expand")
        if text is None:
            return {}
        found = _EXPAND.fullmatch(text.replace(" ", ""))
        if found is None:
            raise silent("This $expand")
        name, select = found.groups()
        chosen = select.split(",") if select else None
        if name == "OptionSet" and column is not None and column.kind in CHOICES:
            return {"OptionSet": _chosen(option_set(column), chosen, "OptionSetMetadata")}
        if name == "Keys" and column is None:
            return {"Keys": [_chosen(key, chosen, "EntityKeyMetadata") for key in keys(table)]}
        if name == "Attributes" and column is None:
            shown = [attribute(table, one) for one in table.columns.values()]
            return {"Attributes": [_chosen(one, chosen, "AttributeMetadata") for one in shown]}
        raise _no_property(name, "AttributeMetadata" if column else "EntityMetadata")

    def _many(self, call: Call, what: str, found: list[Shown], cast: str = "") -> Response:
        text = call.query.get("$filter")
        if text is not None:
            columns = _filterable(found)
            test = parse(text, columns, f"{what.removesuffix('s')}Metadata").test
            found = [shown for shown in found if test(_flat(shown))]
        kind = "EntityMetadata" if what == "EntityDefinitions" else cast or "AttributeMetadata"
        values = [self._selected(call, shown, kind) for shown in found]
        return self._written(call, what, {"value": values})

    def _one(self, call: Call, what: str, shown: Shown) -> Response:
        if "$filter" in call.query:
            raise bad("$filter cannot be used on one definition.")
        kind = "EntityMetadata" if what == "EntityDefinitions" else "AttributeMetadata"
        return self._written(call, f"{what}/$entity", self._selected(call, shown, kind))

    def _selected(self, call: Call, shown: Shown, kind: str) -> Shown:
        text = call.query.get("$select")
        if text is None:
            return shown
        expanded = {name: shown[name] for name in ("OptionSet", "Keys", "Attributes") if name in shown}
        return _chosen(shown, [name.strip() for name in text.split(",")], kind) | expanded

    def _written(self, call: Call, what: str, content: Shown) -> Response:
        body = {"@odata.context": f"{call.root}/$metadata#{what}", **content}
        return Response(200, {"content-type": JSON}, json.dumps(body, separators=(",", ":")).encode())


_CASTS = frozenset({*_CAST.values(), *(f"{kind.value}AttributeMetadata" for kind in Kind)})


def _no_property(name: str, kind: str) -> Refused:
    return Refused(
        400, "0x0", f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{kind}'."
    )


def _chosen(shown: Shown, names: list[str] | None, kind: str) -> Shown:
    """The selected properties; type and MetadataId always come along."""
    if names is None:
        return shown
    for name in names:
        if name not in shown:
            raise _no_property(name, kind)
    always = [name for name in ("@odata.type", "MetadataId") if name in shown]
    return {name: shown[name] for name in dict.fromkeys([*always, *names])}


def _flat(shown: Mapping[str, Any]) -> Row:
    """`Name/Value` for managed properties, as filters spell them."""
    flat = dict(shown)
    for name, value in shown.items():
        if isinstance(value, dict) and "Value" in value:
            flat[f"{name}/Value"] = value["Value"]
    return flat


def _filterable(found: list[Shown]) -> dict[str, Column]:
    """Columns for the filter parser, typed by what the definitions hold."""
    columns: dict[str, Column] = {}
    for shown in found:
        for name, value in _flat(shown).items():
            if isinstance(value, bool):
                columns[name] = Column(name, Kind.BOOLEAN)
            elif isinstance(value, str) and not name.startswith("@"):
                columns[name] = Column(name, Kind.KEY if name == "MetadataId" else Kind.STRING)
            elif isinstance(value, int):
                columns[name] = Column(name, Kind.INTEGER)
    return columns
