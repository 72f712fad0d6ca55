"""Metadata writes: tables, columns, alternate keys, options, publishing (dataverse.md 1.5, 2.2, 4.1, 4.4)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from sandbox.dynamics.catalogue import AlternateKey
from sandbox.dynamics.columns import Column, Kind, Table
from sandbox.dynamics.definitions import column_of, kind_of, label, schema_name, wrong
from sandbox.dynamics.errors import Refused, not_allowed, payload, silent
from sandbox.dynamics.new_table import table_of
from sandbox.dynamics.organization import Organization
from sandbox.dynamics.pages import JSON
from sandbox.dynamics.query import Call
from sandbox.dynamics.shown import entity, metadata_id
from sandbox.wire import Response

_KEYABLE = (Kind.STRING, Kind.INTEGER, Kind.DECIMAL, Kind.DATETIME, Kind.LOOKUP, Kind.PICKLIST)
_MOST_KEYS = 10


@dataclass(frozen=True, slots=True)
class Where:
    """What a path below `EntityDefinitions` names."""

    table: Table | None
    part: str | None
    logical: str | None
    part_id: str | None


class Customizing:
    """Carries out metadata writes. They are serialised, and each one keeps others out for `customization_s`."""

    def __init__(self, organization: Organization) -> None:
        self._org = organization

    def answer(self, call: Call, where: Where) -> Response:
        """POST, PUT, DELETE below `EntityDefinitions`."""
        if call.query.options:
            raise silent("Query options on a metadata write")
        match (call.method, where):
            case ("POST", Where(None, None, None, None)):
                return self._create_table(call)
            case ("POST", Where(Table() as found, "Attributes", None, None)):
                return self._create_column(call, found)
            case ("POST", Where(Table() as found, "Keys", None, None)):
                return self._create_key(call, found)
            case ("PUT", Where(Table() as found, None, None, None)):
                return self._replace_table(call, found)
            case ("DELETE", Where(Table() as found, None, None, None)):
                return self._delete_table(found)
            case ("DELETE", Where(Table() as found, "Attributes", logical, part_id)) if logical or part_id:
                return self._delete_column(found, logical, part_id)
            case ("DELETE", Where(Table() as found, "Keys", None, str() as key_id)):
                return self._delete_key(found, key_id)
        raise not_allowed(call.method)

    def create_entities(self, call: Call) -> Response:
        """The action that Microsoft's client uses: a table with its columns in one call."""
        body = read(call)
        entities = body.pop("Entities", None)
        if body or not isinstance(entities, list) or len(entities) != 1:
            raise silent("CreateEntities with anything but one entity")
        self._begin("prvCreateEntity")
        definition = entities[0]
        if not isinstance(definition, dict) or kind_of(definition) != "ComplexEntityMetadata":
            raise wrong("CreateEntities takes ComplexEntityMetadata.")
        if definition.get("IsActivity") is not False:
            raise silent("An activity table by CreateEntities")
        solution = call.query.solution
        made = table_of(self._org, definition, self._prefixes(solution), complex_types=True)
        self._add(made, solution)
        content = {"@odata.context": f"{call.root}/$metadata#Microsoft.Dynamics.CRM.CreateEntitiesResponse"}
        return Response(200, {"content-type": JSON}, json.dumps(content, separators=(",", ":")).encode())

    def insert_option(self, call: Call) -> Response:
        """`InsertOptionValue` on a local choice; answers the value."""
        body = read(call)
        if unknown := set(body) - {
            "EntityLogicalName",
            "AttributeLogicalName",
            "Value",
            "Label",
            "SolutionUniqueName",
        }:
            raise payload("InsertOptionValue", f"The parameter '{min(unknown)}' does not exist.")
        self._begin("prvWriteEntity")
        rows = self._org.tables.get(str(body.get("EntityLogicalName")))
        if rows is None:
            raise Refused(404, "0x80060888", "Could not find an entity with the given name.")
        column = rows.table.columns.get(str(body.get("AttributeLogicalName")))
        if column is None or column.kind is not Kind.PICKLIST:
            raise wrong("The attribute is no choice of this table.")
        value, text = body.get("Value"), label(body, "Label")
        if not isinstance(value, int) or isinstance(value, bool):
            raise silent("InsertOptionValue without a Value")
        if value in column.labels:
            raise wrong(f"The option {value} exists already.", "0x80048403")
        rows.table.columns[column.name] = replace(column, labels={**column.labels, value: text})
        self._changed(rows.table)
        content = {
            "@odata.context": f"{call.root}/$metadata#Microsoft.Dynamics.CRM.InsertOptionValueResponse",
            "NewOptionValue": value,
        }
        return Response(200, {"content-type": JSON}, json.dumps(content, separators=(",", ":")).encode())

    def publish(self, call: Call) -> Response:
        """`PublishXml` of named tables."""
        body = read(call)
        xml = body.get("ParameterXml")
        found = re.fullmatch(
            r"<importexportxml>\s*<entities>((?:\s*<entity>\w+</entity>\s*)+)</entities>\s*</importexportxml>",
            str(xml),
        )
        if set(body) != {"ParameterXml"} or found is None:
            raise silent("PublishXml with anything but entities")
        self._begin("prvPublishCustomization")
        names = re.findall(r"<entity>(\w+)</entity>", found.group(1))
        if missing := [name for name in names if name not in self._org.tables]:
            raise wrong(f"The entity '{missing[0]}' to be published does not exist.")
        self._org.catalogue.unpublished -= set(names)
        return Response(204)

    def _create_table(self, call: Call) -> Response:
        body = read(call)
        if kind_of(body) != "EntityMetadata":
            raise payload("EntityDefinitions", "The body must be a Microsoft.Dynamics.CRM.EntityMetadata.")
        self._begin("prvCreateEntity")
        solution = call.headers.get("mscrm.solutionuniquename", "")
        made = table_of(self._org, body, self._prefixes(solution))
        self._add(made, solution)
        return _made(f"{call.root}/EntityDefinitions({metadata_id(made.name)})")

    def _add(self, made: Table, solution: str) -> None:
        self._org.add_table(made)
        if solution:
            self._org.add_component(solution, 1, metadata_id(made.name))

    def _create_column(self, call: Call, found: Table) -> Response:
        body = read(call)
        self._begin("prvCreateAttribute")
        column = column_of(body, self._prefixes(call.headers.get("mscrm.solutionuniquename", "")))
        if column.name in found.columns:
            raise wrong(
                f"An attribute with the name {column.name} already exists on {found.name}.", "0x80047013"
            )
        found.columns[column.name] = column
        self._changed(found)
        return _made(f"{call.root}/{call.path}({metadata_id(f'{found.name}.{column.logical}')})")

    def _create_key(self, call: Call, found: Table) -> Response:
        body = read(call)
        if set(body) - {"@odata.type", "SchemaName", "KeyAttributes", "DisplayName"}:
            raise payload("Keys", "The body must be an EntityKeyMetadata.")
        if found.activity:
            raise silent("An alternate key on an activity table")
        self._begin("prvWriteEntity")
        schema = schema_name(body, self._prefixes(""))
        names = body.get("KeyAttributes")
        known = self._org.catalogue.keys.setdefault(found.name, [])
        if not isinstance(names, list) or not 1 <= len(names) <= 16:
            raise wrong("KeyAttributes must name 1 to 16 columns.")
        columns = tuple(str(name) for name in names)
        for name in columns:
            column = found.columns.get(name)
            if column is None or column.kind not in _KEYABLE:
                raise wrong(f"The column '{name}' cannot be part of a key.")
        if any(one.schema.lower() == schema.lower() for one in known):
            raise wrong("A key with this name exists already.", "0x80060893")
        if set(columns) in [set(one.columns) for one in known] + [set(key) for key in found.alternate_keys]:
            raise wrong("A key with the same attributes exists already.", "0x80060894")
        if len(known) >= _MOST_KEYS:
            raise wrong(f"A table can have at most {_MOST_KEYS} keys.")
        made = AlternateKey(metadata_id(f"{found.name}.{schema}"), schema, columns, self._org.now())
        known.append(made)
        self._org.build_keys()
        return _made(f"{call.root}/{call.path}({made.id})")

    def _replace_table(self, call: Call, found: Table) -> Response:
        """The whole definition comes back; what may change here: change tracking (on only), names, description."""
        body = read(call)
        if call.headers.get("mscrm.mergelabels", "").lower() != "true":
            raise silent("Replacing labels (MSCRM.MergeLabels: false)")
        self._begin("prvWriteEntity")
        now = entity(found)
        for name in (
            "MetadataId",
            "LogicalName",
            "SchemaName",
            "OwnershipType",
            "IsActivity",
            "EntitySetName",
        ):
            if name not in body:
                raise wrong(f"'{name}' is missing: a definition is replaced as a whole.")
            if body[name] != now[name]:
                raise wrong(f"'{name}' cannot be changed.")
        tracking = body.get("ChangeTrackingEnabled")
        if tracking is False and found.change_tracking:
            raise wrong("Change tracking cannot be switched off.")
        if tracking is True and not found.can_track:
            raise wrong("Change tracking cannot be switched on for this table.")
        found.change_tracking = tracking is True
        found.display = label(body, "DisplayName")
        found.display_collection = label(body, "DisplayCollectionName")
        self._changed(found)
        return Response(204, {"odata-entityid": f"{call.root}/EntityDefinitions({metadata_id(found.name)})"})

    def _delete_table(self, found: Table) -> Response:
        self._begin("prvDeleteEntity")
        if not found.custom:
            raise wrong("Only custom entities can be deleted.")
        self._org.remove_table(found)
        return Response(204)

    def _delete_column(self, found: Table, logical: str | None, part_id: str | None) -> Response:
        self._begin("prvDeleteAttribute")
        column = next((one for one in found.columns.values() if _is(found, one, logical, part_id)), None)
        if column is None:
            raise Refused(404, "0x80060888", "Could not find an attribute with the given name or id.")
        if not column.custom or column.name == found.primary_name:
            raise wrong("This attribute cannot be deleted.")
        del found.columns[column.name]
        self._changed(found)
        return Response(204)

    def _delete_key(self, found: Table, key_id: str) -> Response:
        self._begin("prvWriteEntity")
        known = self._org.catalogue.keys.get(found.name, [])
        key = next((one for one in known if one.id == key_id.lower()), None)
        if key is None:
            raise Refused(404, "0x80060888", "Could not find a key with the given id.")
        known.remove(key)
        self._org.drop_key(found, key.columns)
        return Response(204)

    def _begin(self, privilege: str) -> None:
        """Privilege, and nobody else customizing (0x80090412)."""
        self._org.may_customize(privilege)
        now, catalogue = self._org.now(), self._org.catalogue
        if now < catalogue.busy_until:
            raise Refused(
                400,
                "0x80090412",
                "Cannot start the requested operation because there is an entity customization running at this moment.",
            )
        catalogue.busy_until = now + self._org.options.customization_s

    def _changed(self, found: Table) -> None:
        found.generation += 1
        self._org.catalogue.unpublished.add(found.name)
        if found.change_tracking:
            self._org.expire_tokens()

    def _prefixes(self, solution: str) -> set[str]:
        """Customization prefixes a new name may start with."""
        publishers = self._org.tables["publisher"].rows
        if not solution:
            return {row["customizationprefix"] for row in publishers.values()}
        row = self._org.solution(solution)
        return {publishers[row["_publisherid_value"]]["customizationprefix"]}


def _is(found: Table, column: Column, logical: str | None, part_id: str | None) -> bool:
    if part_id is not None:
        return metadata_id(f"{found.name}.{column.logical}") == part_id.lower()
    return column.logical == logical


def _made(address: str) -> Response:
    """Columns and keys echo the address they were posted to: Microsoft's client reads the first GUID as the key's."""
    return Response(204, {"odata-entityid": address})


def read(call: Call) -> dict[str, Any]:
    """The body as a JSON object."""
    if call.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "0x0", "A supported MIME type could not be found.")
    try:
        found = json.loads(call.body)
    except (ValueError, RecursionError):
        raise payload(call.path[:60], "The body is not valid JSON.") from None
    if not isinstance(found, dict):
        raise payload(call.path[:60], "The body is not a JSON object.")
    return found
