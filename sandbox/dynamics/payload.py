"""A JSON body as stored values, for create and update (dataverse.md 2.1, 4.2, 5)."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from sandbox.dynamics.columns import LOOKUPS, TYPED, Kind, Row
from sandbox.dynamics.errors import Refused, no_row, payload
from sandbox.dynamics.organization import Organization
from sandbox.dynamics.query import Call
from sandbox.dynamics.store import TableRows
from sandbox.dynamics.values import GUID, parse, parse_guid

_BIND = re.compile(rf"(?:.*/)?(\w+)\(({GUID.pattern})\)")


def body_object(rows: TableRows, call: Call) -> dict[str, Any]:
    """The body as a JSON object, decimals exact."""
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, "0x0", f"A supported MIME type could not be found that matches '{kind[:60]}'.")
    try:
        found = json.loads(call.body, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise payload(rows.table.entity_set, "The body is not valid JSON.") from None
    if not isinstance(found, dict):
        raise payload(rows.table.entity_set, "The body is not a JSON object.")
    return found


def _no_number(text: str) -> None:
    """NaN and Infinity are no JSON."""
    raise ValueError(text)


def values_of(
    organization: Organization, rows: TableRows, body: dict[str, Any], call: Call, *, creating: bool
) -> Row:
    """Stored values by wire name; refuses what the table does not have or does not take in this operation."""
    table = rows.table
    values: Row = {}
    for name, value in body.items():
        if name.endswith("@odata.bind"):
            values.update(_bound(organization, rows, name.removesuffix("@odata.bind"), value, call))
            continue
        if "@" in name:
            if name == "@odata.type" and str(value).lstrip("#") != f"Microsoft.Dynamics.CRM.{table.name}":
                raise payload(table.entity_set, f"A type named '{str(value)[:80]}' does not fit the address.")
            continue
        column = table.columns.get(name)
        if column is None or column.kind in LOOKUPS:
            raise Refused(
                400,
                "0x0",
                f"Invalid property '{name}' was found in entity 'Microsoft.Dynamics.CRM.{table.name}'. ---> "
                f"Microsoft.OData.ODataException: The property '{name}' does not exist on type "
                f"'Microsoft.Dynamics.CRM.{table.name}'. Make sure to only use property names that are defined by "
                "the type.",
            )
        if name == table.key:
            guid = parse_guid(value)
            if guid is None:
                raise payload(
                    table.entity_set, f"Cannot convert the value of '{name}' to the type 'Edm.Guid'."
                )
            values[name] = guid
            continue
        if not (column.create if creating else column.update):
            verb = "create" if creating else "update"
            raise Refused(
                400, "0x80040203", f"The column '{name}' of '{table.name}' is not valid for {verb}."
            )
        values[name] = parse(column, value, table.entity_set, table.name)
    return values


def _bound(organization: Organization, rows: TableRows, name: str, value: Any, call: Call) -> Row:
    """One `nav@odata.bind`; null clears."""
    table = rows.table
    found = table.navigation().get(name)
    if found is None or not (found[0].create or found[0].update):
        raise payload(
            table.entity_set,
            f"An undeclared property '{name}' which only has property annotations in the payload but no property "
            "value was found in the payload. In OData, only declared navigation properties and declared named streams "
            "can be represented as properties without values.",
        )
    column, wanted = found
    typed = {f"{column.logical}type": None} if column.kind in TYPED else {}
    if value is None:
        return {column.name: None, **typed}
    address = (
        call.references.get(value[1:], "") if isinstance(value, str) and value.startswith("$") else value
    )
    parts = _BIND.fullmatch(address) if isinstance(address, str) else None
    target = organization.sets.get(parts.group(1)) if parts else None
    allowed = (wanted,) if wanted else column.targets
    if parts is None or target is None or target.table.name not in allowed:
        raise payload(
            table.entity_set, f"The value of '{name}@odata.bind' is not an address of {' or '.join(allowed)}."
        )
    row_id = parts.group(2).lower()
    if row_id not in target.rows:
        raise no_row(target.table.name, row_id)
    if column.kind is Kind.REGARDING:
        organization.require("Append", rows)
        organization.require("AppendTo", target, target.rows[row_id])
    if column.kind is Kind.OWNER and table.activity and row_id != organization.caller:
        organization.require("Assign", rows)
    if typed:
        typed = {f"{column.logical}type": target.table.name}  # type: ignore[dict-item]
    return {column.name: row_id, **typed}
