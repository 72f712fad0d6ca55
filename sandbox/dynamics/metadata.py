"""`EntityDefinitions`, attributes and keys of the tables (dataverse.md 1.5, 7.1)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from sandbox.dynamics.columns import Column, Kind, Row, Table
from sandbox.dynamics.customizing import Customizing, Where
from sandbox.dynamics.errors import Refused, bad, no_segment, not_allowed, silent
from sandbox.dynamics.filters import parse
from sandbox.dynamics.organization import Organization
from sandbox.dynamics.pages import JSON
from sandbox.dynamics.query import Call
from sandbox.dynamics.shown import (
    BASE,
    CASTS,
    CHOICES,
    Shown,
    attribute,
    cast_of,
    entity,
    keys,
    metadata_id,
    option_set,
    relationships,
)
from sandbox.dynamics.values import GUID
from sandbox.wire import Response

_PATH = re.compile(
    rf"EntityDefinitions(?:\((?:LogicalName='(\w+)'|({GUID.pattern}))\)"
    rf"(?:/(Attributes|Keys|ManyToOneRelationships)(?:\((?:(?:LogicalName|SchemaName)='(\w+)'|({GUID.pattern}))\))?(?:/Microsoft\.Dynamics\.CRM\.(\w+))?)?)?"
)
_EXPAND = re.compile(r"(OptionSet|Keys|Attributes)(?:\(\$select=([\w,]+)\))?")


class Metadata:
    """Answers GET below `EntityDefinitions`, and passes writes on to `customizing`."""

    def __init__(self, organization: Organization, customizing: Customizing) -> None:
        self._org = organization
        self._customizing = customizing

    def answer(self, call: Call) -> Response:
        found = _PATH.fullmatch(call.path)
        if found is None:
            raise no_segment(call.path.partition("/")[2] or call.path)
        name, guid, part, logical, part_id, cast = found.groups()
        if call.method != "GET":
            where = Where(
                None if name is None and guid is None else self._table(name, guid), part, logical, part_id
            )
            if cast is not None:
                raise not_allowed(call.method)
            return self._customizing.answer(call, where)
        self._org.may_customize("prvReadEntity")
        allowed = {"$select", "$filter", "$expand"}
        if unknown := set(call.query.options) - allowed:
            raise bad(f"The query parameter {unknown.pop()} is not supported on metadata")
        if name is None and guid is None:
            return self._many(
                call, "EntityDefinitions", [entity(rows.table) for rows in self._org.tables.values()]
            )
        table = self._table(name, guid)
        if part is None:
            shown = entity(table)
            return self._one(call, "EntityDefinitions", shown | self._expanded(call, table, None))
        if part == "Keys":
            if logical or part_id or cast:
                raise silent("A single key")
            return self._many(call, "Keys", self._keys(table))
        if part == "ManyToOneRelationships":
            if logical or part_id or cast:
                raise silent("A single relationship")
            return self._many(call, "ManyToOneRelationships", relationships(table))
        if part_id is not None:
            raise silent("Reading an attribute by its MetadataId")
        return self._attributes(call, table, logical, cast)

    def _keys(self, table: Table) -> list[Shown]:
        made = self._org.catalogue.keys.get(table.name, [])
        return keys(table, made, self._org.now(), self._org.options)

    def _table(self, name: str | None, guid: str | None) -> Table:
        for rows in self._org.tables.values():
            if rows.table.name == name or (guid is not None and metadata_id(rows.table.name) == guid.lower()):
                return rows.table
        raise Refused(
            404, "0x80060888", f"Could not find an entity with the given name or id: {name or guid}."
        )

    def _attributes(self, call: Call, table: Table, logical: str | None, cast: str | None) -> Response:
        columns = [c for c in table.columns.values() if cast in (None, "AttributeMetadata", cast_of(c))]
        if cast is not None and cast != "AttributeMetadata" and cast not in CASTS:
            raise no_segment(f"Microsoft.Dynamics.CRM.{cast}")
        if cast is None and "$select" in call.query:
            for name in (call.query.get("$select") or "").split(","):
                if name.strip() not in BASE:
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
            return {"Keys": [_chosen(key, chosen, "EntityKeyMetadata") for key in self._keys(table)]}
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
        kind = {
            "EntityDefinitions": "EntityMetadata",
            "Keys": "EntityKeyMetadata",
            "ManyToOneRelationships": "OneToManyRelationshipMetadata",
        }.get(what, cast or "AttributeMetadata")
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
