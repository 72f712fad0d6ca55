"""Single records: GET, POST, PATCH, DELETE by id and by alternate key (dataverse.md 2.1, 2.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sandbox.dynamics.columns import Row
from sandbox.dynamics.errors import (
    Refused,
    bad,
    no_keyed_row,
    no_row,
    no_segment,
    not_allowed,
    silent,
)
from sandbox.dynamics.pages import JSON, Pages
from sandbox.dynamics.payload import body_object, values_of
from sandbox.dynamics.query import Call
from sandbox.dynamics.reading import Reading
from sandbox.dynamics.store import TableRows
from sandbox.dynamics.values import parse, parse_guid
from sandbox.dynamics.work import Work
from sandbox.wire import Response

_KEY_PART = re.compile(r"\s*(\w+)\s*=\s*('(?:[^']|'')*'|[^,']+)\s*(?:,|$)")
_FORBIDDEN_IN_KEYS = set("/<>*%&:\\?+")


@dataclass(frozen=True, slots=True)
class Address:
    """Which record: an id, or the values of an alternate key; `text` as links spell it."""

    text: str
    row_id: str | None
    key: tuple[str, ...] = ()
    values: tuple[Any, ...] = ()

    @property
    def given(self) -> Row:
        """Column values that the address implies for a new record."""
        return dict(zip(self.key, self.values, strict=True))


def parse_address(rows: TableRows, text: str) -> Address:
    """The part in parentheses."""
    table = rows.table
    guid = parse_guid(text)
    if guid is not None:
        return Address(guid, guid)
    pairs: dict[str, str] = {}
    at = 0
    while at < len(text):
        found = _KEY_PART.match(text, at)
        if found is None:
            raise bad("Bad Request - Error in query syntax.", "0x0")
        pairs[found.group(1)] = found.group(2).strip()
        at = found.end()
    if list(pairs) == [table.key]:
        guid = parse_guid(pairs[table.key])
        if guid is None:
            raise bad("Bad Request - Error in query syntax.", "0x0")
        return Address(guid, guid)
    key = next((key for key in table.alternate_keys if set(key) == set(pairs)), None)
    if key is None:
        raise bad(
            f"The key in the request URI is not valid for resource 'Microsoft.Dynamics.CRM.{table.name}'. Ensure that "
            "the names and number of key properties match the declared or alternate key properties for the resource "
            f"'Microsoft.Dynamics.CRM.{table.name}'.",
            "0x0",
        )
    values = tuple(_key_value(rows, name, pairs[name]) for name in key)
    spelled = ",".join(f"{name}={quote(pairs[name], safe=_SAFE)}" for name in key)
    return Address(spelled, rows.by_key(key, values), key, values)


_SAFE = "'@ !$()-._~"


def _key_value(rows: TableRows, name: str, literal: str) -> Any:
    if literal.startswith("'"):
        value: Any = literal[1:-1].replace("''", "'")
        if _FORBIDDEN_IN_KEYS & set(value):
            raise bad("Bad Request - Error in query syntax.", "0x0")
    else:
        value = int(literal) if re.fullmatch(r"-?\d{1,18}", literal) else literal
    return parse(rows.table.columns[name], value, rows.table.entity_set, rows.table.name)


class Writing:
    """Answers requests for single records; each answer comes with what it did and to which record."""

    def __init__(self, pages: Pages, work: Work) -> None:
        self._org = pages.organization
        self._pages = pages
        self._work = work

    def get(self, rows: TableRows, text: str, call: Call) -> tuple[Response, str, str]:
        """GET of one record; with If-None-Match of its current etag 304."""
        extra = set(call.query.options) - {"$select"}
        if extra:
            raise (
                silent(f"{extra.pop()} on one record")
                if extra == {"$expand"}
                else bad(f"Query option '{extra.pop()}' cannot be used on one record.")
            )
        address = parse_address(rows, text)
        self._org.depth("Read", rows)
        row = self._existing(rows, address)
        self._org.require("Read", rows, row)
        if call.headers.get("if-none-match") == etag(row) and not call.prefer.annotations:
            return Response(304, {"etag": etag(row)}), "read", row[rows.table.key]
        return self._shown(rows, call, row, 200), "read", row[rows.table.key]

    def create(self, rows: TableRows, call: Call) -> tuple[Response, str, str]:
        """POST to a set."""
        self._writable(rows)
        if set(call.query.options) - {"$select"}:
            raise bad("Only $select is supported when creating a record.")
        self._org.depth("Create", rows)
        body = body_object(rows, call)
        self._work.row()
        row = self._insert(rows, body, call, {}, None)
        location = f"{call.root}/{rows.table.entity_set}({row[rows.table.key]})"
        links = {"location": location, "odata-entityid": location}
        return self._written(rows, call, row, 201, links), "create", row[rows.table.key]

    def patch(self, rows: TableRows, text: str, call: Call) -> tuple[Response, str, str]:
        """PATCH: update, or create where nothing is there and no condition forbids it."""
        self._writable(rows)
        if set(call.query.options) - {"$select"}:
            raise bad("Only $select is supported when updating a record.")
        address = parse_address(rows, text)
        must_exist, must_not, version = self._conditions(rows, call)
        body = body_object(rows, call)
        row = rows.rows.get(address.row_id) if address.row_id else None
        links = {"odata-entityid": f"{call.root}/{rows.table.entity_set}({address.text})"}
        self._work.row()
        if row is None:
            if must_exist:
                raise self._absent(rows, address)
            self._org.depth("Create", rows)
            created = self._insert(rows, body, call, address.given, address.row_id or _own_id(address))
            return self._written(rows, call, created, 201, links), "create", created[rows.table.key]
        if must_not:
            raise Refused(412, "0x80040237", "A record with matching key values already exists.")
        self._matches(row, version)
        self._org.require("Write", rows, row)
        # The key columns of an existing record in the body are dropped (2.1).
        ignored = {rows.table.key, *address.key}
        given = {name: value for name, value in body.items() if name not in ignored}
        values = values_of(self._org, rows, given, call, creating=False)
        open_only(rows, row, values)
        updated = self._org.update(rows, row[rows.table.key], values, by=self._org.caller)
        return self._written(rows, call, updated, 200, links), "update", row[rows.table.key]

    def delete(self, rows: TableRows, text: str, call: Call) -> tuple[Response, str, str]:
        """DELETE."""
        self._writable(rows)
        if call.query.options:
            raise bad("Query options are not supported when deleting a record.")
        address = parse_address(rows, text)
        _, must_not, version = self._conditions(rows, call)
        if must_not:
            raise bad("If-None-Match is not supported when deleting a record.")
        self._org.depth("Delete", rows)
        self._work.row()
        row = self._existing(rows, address)
        self._matches(row, version)
        self._org.require("Delete", rows, row)
        self._org.delete(rows, row[rows.table.key])
        return Response(204), "delete", row[rows.table.key]

    def _insert(
        self, rows: TableRows, body: dict[str, Any], call: Call, implied: Row, row_id: str | None
    ) -> Row:
        """Body values win over those of the address (2.1)."""
        values = {**implied, **values_of(self._org, rows, body, call, creating=True)}
        chosen = values.pop(rows.table.key, None) or row_id or self._org.new_id()
        return self._org.create(rows, values, chosen, by=self._org.caller)

    def _written(self, rows: TableRows, call: Call, row: Row, status: int, links: dict[str, str]) -> Response:
        if not call.prefer.representation:
            return Response(204, links)
        self._org.require("Read", rows, row)
        answer = self._shown(rows, call, row, status)
        answer.headers |= {**links, "preference-applied": "return=representation"}
        return answer

    def _shown(self, rows: TableRows, call: Call, row: Row, status: int) -> Response:
        annotations = call.prefer.annotations
        projection = self._pages.projection(rows, call.query.get("$select"), annotations)
        context = f"{call.root}/$metadata#{rows.table.entity_set}{projection.context}/$entity"
        text = projection.body(
            row, f'{{"@odata.context":"{context}","@odata.etag":"W/\\"{row["versionnumber"]}\\""'
        )
        headers = {"content-type": JSON, "etag": etag(row)}
        if annotations:
            headers["preference-applied"] = call.prefer.sent["odata.include-annotations"]
        return Response(status, headers, text.encode())

    def _conditions(self, rows: TableRows, call: Call) -> tuple[bool, bool, str | None]:
        """(must exist, must not exist, etag it must have); `If-None-Match: null` is no condition (2.1)."""
        match = call.headers.get("if-match")
        none_match = call.headers.get("if-none-match")
        if match is not None and not re.fullmatch(r'\*|W/"\d+"', match):
            raise bad("The value of the If-Match header is not an entity tag.")
        if none_match not in (None, "null", "*"):
            raise silent("If-None-Match with an entity tag on a write")
        return match is not None, none_match == "*", None if match in (None, "*") else match

    def _existing(self, rows: TableRows, address: Address) -> Row:
        row = rows.rows.get(address.row_id) if address.row_id else None
        if row is None:
            raise self._absent(rows, address)
        return row

    def _absent(self, rows: TableRows, address: Address) -> Refused:
        if address.key:
            return no_keyed_row(rows.table.name)
        return no_row(rows.table.name, address.row_id or "")

    def _matches(self, row: Row, version: str | None) -> None:
        if version is not None and version != etag(row):
            raise Refused(
                412,
                "0x80060882",
                "The version of the existing record doesn't match the RowVersion property provided.",
            )

    def _writable(self, rows: TableRows) -> None:
        if not rows.table.writable:
            raise silent(f"Writing '{rows.table.entity_set}'")


def open_only(rows: TableRows, row: Row, values: Row) -> None:
    """A closed activity takes changes only together with its state: what else it takes is not documented."""
    if rows.table.activity and row.get("statecode", 0) != 0 and "statecode" not in values:
        raise silent("Changing a closed activity without its state")


def _own_id(address: Address) -> str | None:
    return address.text if not address.key else None


def etag(row: Row) -> str:
    """`W/"<versionnumber>"`."""
    return f'W/"{row["versionnumber"]}"'


def dispatch(
    writing: Writing, reading: Reading, rows: TableRows, key: str | None, rest: str, call: Call
) -> tuple[Response, str, str]:
    """Routes one call on a table: (answer, what it did, id)."""
    if key is None and rest == "/$count" and call.method == "GET":
        return reading.count(rows, call), "count", ""
    if rest:
        raise no_segment(rest.strip("/"))
    if key is None:
        if call.method == "GET":
            answer, what = reading.collection(rows, call)
            return answer, what, ""
        if call.method == "POST":
            return writing.create(rows, call)
        raise not_allowed(call.method)
    if call.method == "GET":
        return writing.get(rows, key, call)
    if call.method == "PATCH":
        return writing.patch(rows, key, call)
    if call.method == "DELETE":
        return writing.delete(rows, key, call)
    raise not_allowed(call.method)
