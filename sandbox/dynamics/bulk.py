"""CreateMultiple, UpdateMultiple, UpsertMultiple: all rows or none (dataverse.md 2.3)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from sandbox.dynamics.columns import Row
from sandbox.dynamics.errors import Refused, no_segment, not_allowed, payload, silent
from sandbox.dynamics.organization import duplicate
from sandbox.dynamics.pages import JSON, Pages
from sandbox.dynamics.payload import body_object, values_of
from sandbox.dynamics.query import Call
from sandbox.dynamics.store import TableRows
from sandbox.dynamics.values import parse_guid
from sandbox.dynamics.work import Work
from sandbox.dynamics.writing import open_only, parse_address
from sandbox.wire import Response

PREFIX = "/Microsoft.Dynamics.CRM."
_ID = re.compile(r"/?(\w+)\((.+)\)", re.S)

Target = dict[str, Any]


class Bulk:
    """Answers bulk messages; each answer comes with what it did and to how many rows."""

    def __init__(self, pages: Pages, work: Work) -> None:
        self._org = pages.organization
        self._work = work
        self._messages: dict[str, Callable[[TableRows, list[Target], Call], Response]] = {
            "CreateMultiple": self._create,
            "UpdateMultiple": self._update,
            "UpsertMultiple": self._upsert,
        }

    def supports(self, rows: TableRows, message: str) -> bool:
        """Whether a table takes a message: contact, account and, where switched on, custom tables."""
        table = rows.table
        if not table.writable or message not in self._messages:
            return False
        if table.activity:
            return table.custom and self._org.options.bulk_messages
        return table.custom or table.name in ("contact", "account")

    def answer(self, rows: TableRows, rest: str, call: Call) -> tuple[Response, str, str]:
        """One message behind the address of a set."""
        name = rest.removeprefix(PREFIX)
        if name == "DeleteMultiple":
            raise Refused(501, "0x80040800", "DeleteMultiple has not yet been implemented.")
        if not self.supports(rows, name):
            raise no_segment(rest.strip("/"))
        if call.method != "POST":
            raise not_allowed(call.method)
        if call.query.options:
            raise silent("Query options on a bulk message")
        body = body_object(rows, call)
        targets = body.pop("Targets", None)
        if body or not isinstance(targets, list) or not all(isinstance(one, dict) for one in targets):
            raise payload(
                rows.table.entity_set, "The body must be an object with the member 'Targets', a list."
            )
        if not targets:
            raise payload(rows.table.entity_set, "'Targets' is empty.")
        for one in targets:
            if "@odata.type" not in one:
                raise payload(
                    rows.table.entity_set,
                    "An entry of 'Targets' has no '@odata.type': an abstract type cannot be instantiated.",
                )
        self._work.bulk(name, len(targets))
        answers: list[Response] = []
        self._org.atomically(lambda: answers.append(self._messages[name](rows, targets, call)))
        return answers[0], _noted(name), f"{len(targets)} rows"

    def _create(self, rows: TableRows, targets: list[Target], call: Call) -> Response:
        self._org.depth("Create", rows)
        ids = [self._insert(rows, one, call, {}, None) for one in targets]
        content = {
            "@odata.context": f"{call.root}/$metadata#Microsoft.Dynamics.CRM.CreateMultipleResponse",
            "Ids": ids,
        }
        return Response(200, {"content-type": JSON}, json.dumps(content, separators=(",", ":")).encode())

    def _update(self, rows: TableRows, targets: list[Target], call: Call) -> Response:
        """Of several targets with one id the first is applied, the others are dropped silently."""
        key, seen = rows.table.key, set[str]()
        for one in targets:
            row_id = parse_guid(one.get(key))
            if row_id is None:
                raise payload(rows.table.entity_set, f"An entry of 'Targets' has no '{key}'.")
            if row_id in seen:
                continue
            seen.add(row_id)
            self._change(rows, row_id, {name: value for name, value in one.items() if name != key}, call)
        return Response(204)

    def _upsert(self, rows: TableRows, targets: list[Target], call: Call) -> Response:
        """Targets are addressed by `@odata.id`; one record twice is an error."""
        seen: set[tuple[Any, ...]] = set()
        for one in targets:
            found = _ID.fullmatch(str(one.get("@odata.id", "")))
            if found is None or found.group(1) != rows.table.entity_set:
                raise payload(rows.table.entity_set, "An entry of 'Targets' has no '@odata.id' of this set.")
            address = parse_address(rows, found.group(2))
            mark = (address.row_id, *address.values) if not address.values else address.values
            if mark in seen:
                raise duplicate()
            seen.add(mark)
            ignored = {rows.table.key, *address.key, "@odata.id"}
            given: Target = {name: value for name, value in one.items() if name not in ignored}
            if address.row_id is not None and address.row_id in rows.rows:
                self._change(rows, address.row_id, given, call)
                continue
            self._org.depth("Create", rows)
            self._insert(rows, given, call, address.given, None if address.key else address.row_id)
        return Response(204)

    def _insert(self, rows: TableRows, target: Target, call: Call, implied: Row, row_id: str | None) -> str:
        try:
            values = {**implied, **values_of(self._org, rows, target, call, creating=True)}
        except Refused as refused:
            raise _plural(refused) from None
        chosen = values.pop(rows.table.key, None) or row_id or self._org.new_id()
        self._org.create(rows, values, chosen, by=self._org.caller, bulk=True)
        return str(chosen)

    def _change(self, rows: TableRows, row_id: str, changes: Target, call: Call) -> None:
        row = rows.rows.get(row_id)
        if row is None:
            raise Refused(404, "0x80040217", f"{rows.table.name} With Ids = {row_id} Do Not Exist")
        self._org.require("Write", rows, row)
        try:
            values = values_of(self._org, rows, changes, call, creating=False)
        except Refused as refused:
            raise _plural(refused) from None
        open_only(rows, row, values)
        self._org.update(rows, row_id, values, by=self._org.caller, bulk=True)


def _plural(refused: Refused) -> Refused:
    """Bulk messages look references up together: `Contact With Ids = <guid> Do Not Exist`."""
    if refused.code != "0x80040217":
        return refused
    text = refused.message.replace(" With Id = ", " With Ids = ").replace(" Does Not Exist", " Do Not Exist")
    return Refused(refused.status, refused.code, text)


def _noted(name: str) -> str:
    return {"CreateMultiple": "create_multiple", "UpdateMultiple": "update_multiple"}.get(
        name, "upsert_multiple"
    )
