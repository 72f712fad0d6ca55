"""What tests and demos do to an organization from outside; each method is also a command over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from sandbox.dynamics.activity import activity_table
from sandbox.dynamics.columns import TYPED, Column, Kind, Row
from sandbox.dynamics.entities import made_up
from sandbox.dynamics.organization import Organization
from sandbox.dynamics.security import Protection, Tokens
from sandbox.dynamics.store import TableRows
from sandbox.dynamics.values import parse, stamp_text
from sandbox.wire import Entry, Fault, Faults


class Scripting:
    """The scripting side of the service. Records are given and dumped by wire names, as the Web API shows them."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        self.faults = Faults()
        self.log: list[Entry] = []
        self.tokens: Tokens
        self.protections: dict[str, Protection]
        """Service protection by application user."""
        self.shift = 0.0
        """How far the look-alike's clock is ahead of the one given to it."""

    def now(self) -> float:
        """The look-alike's clock."""
        raise NotImplementedError

    def command(self, name: str, arguments: dict[str, Any]) -> Any:
        """Runs the scripting method `name`; KeyError for an unknown one."""
        if name not in COMMANDS:
            raise KeyError(name)
        method: Callable[..., Any] = getattr(self, {"log": "entries", "fault": "add_fault"}.get(name, name))
        return method(**arguments)

    def seed(self, records: list[dict[str, Any]], table: str = "contact") -> list[str]:
        """Upserts raw records, read-only columns included; answers their ids."""
        rows = self._rows(table)
        bulk = len(records) > 1000
        return [self._upsert(rows, record, bulk) for record in records]

    def edit(self, id: str, changes: dict[str, Any], table: str = "contact") -> int:
        """A person changes a record; answers its new version."""
        rows = self._rows(table)
        return int(self.organization.update(rows, id, self._stored(rows, changes))["versionnumber"])

    def delete(self, id: str, table: str = "contact") -> None:
        """A person deletes a record."""
        self.organization.delete(self._rows(table), id)

    def restore(self, id: str, record: dict[str, Any], table: str = "contact") -> str:
        """Creates a record again under an id that existed."""
        rows = self._rows(table)
        self.organization.create(rows, self._stored(rows, record), id)
        return id

    def merge(self, winner: str, loser: str) -> None:
        """Merges contacts: the loser becomes inactive, `merged`, and names its master."""
        self.organization.merge(winner, loser)

    def deactivate(self, id: str, table: str = "contact") -> int:
        """Sets a record inactive."""
        return self.edit(id, {"statecode": 1, "statuscode": 2}, table)

    def anchor(self, at: str) -> None:
        """Where a full read's delta token is anchored: `first` or `last` page."""
        self.organization.anchor = _one_of(at, "first", "last")

    def recreated(self, show: str) -> None:
        """What a delta shows of an id deleted and created again: `both` entries or the `row`."""
        self.organization.recreated = _one_of(show, "both", "row")

    def expire_token(self) -> None:
        """Every delta token issued so far has expired."""
        self.organization.expire_tokens()

    def revoke_access(self) -> None:
        """Every access token issued so far is refused with 401."""
        self.tokens.revoke()

    def change_metadata(
        self, add_column: dict[str, Any] | None = None, remove_column: str = "", table: str = "contact"
    ) -> None:
        """Adds a column `{name, type, max_length, labels}` or removes one; delta tokens expire."""
        added = None
        if add_column is not None:
            name, length = add_column["name"], int(add_column.get("max_length", 100))
            labels = {int(value): str(text) for value, text in add_column.get("labels", {}).items()}
            kind = Kind(add_column.get("type", "String"))
            added = Column(name, kind, name, max_length=length, format="Text", labels=labels)
        self.organization.change_column(table, added, remove_column)

    def tracking(self, enabled: bool, table: str = "contact") -> None:
        """Switches change tracking of a table."""
        self._rows(table).table.change_tracking = enabled

    def privileges(self, **depths: str | None) -> dict[str, str]:
        """Sets depths (`prvReadContact="Basic"`), None takes a privilege away; answers what is left."""
        for name, depth in depths.items():
            if depth is None:
                self.organization.privileges.pop(name, None)
            else:
                self.organization.privileges[name] = _one_of(depth, "Basic", "Local", "Deep", "Global")
        return dict(self.organization.privileges)

    def assume(self, role: str) -> dict[str, str]:
        """The application users hold this role, by name, and nothing else; answers their privileges."""
        rows = self._rows("role").rows
        role_id = next(row_id for row_id, row in rows.items() if row["name"] == role)
        self.organization.privileges = dict(self.organization.catalogue.roles[role_id])
        return dict(self.organization.privileges)

    def activity_table(self, name: str, columns: list[dict[str, Any]]) -> str:
        """A custom activity table with columns `{name, type, max_length}`; answers its set."""
        own = [
            Column(
                one["name"],
                Kind(one.get("type", "String")),
                one["name"],
                max_length=int(one.get("max_length", 100)),
                format="DateAndTime" if one.get("type") == "DateTime" else "Text",
                custom=True,
            )
            for one in columns
        ]
        self.organization.add_table(
            activity_table(self.organization.options, name, f"{name}s", own, type_code=20_000)
        )
        return f"{name}s"

    def custom_table(self, name: str, columns: list[dict[str, Any]], change_tracking: bool = True) -> str:
        """A custom table (`cr_thing`), its columns as `entities.made_up_column` reads them; answers its set."""
        made = made_up(self.organization.options, name, columns, tracked=change_tracking)
        self.organization.add_table(made)
        return made.entity_set

    def timeline(self, id: str, table: str = "contact") -> list[dict[str, Any]]:
        """The activities regarding a record, newest first: `table`, `display_name` and every column."""
        found: list[tuple[int, dict[str, Any]]] = []
        self._rows(table)
        for rows, activity_id in self.organization.regarding(id):
            row = rows.rows[activity_id]
            shown = {"table": rows.table.name, "display_name": rows.table.display, **_shown(rows, row)}
            found.append((row.get("sortdate") or row["modifiedon"], shown))
        return [shown for _, shown in sorted(found, key=lambda one: -one[0])]

    def environment(self, id: str = "", expire_change_tracking_in_days: int = 0) -> str:
        """Becomes another organization by id, or changes the life of its delta tokens; answers the id."""
        organization, rows = self.organization, self._rows("organization")
        row = rows.rows[organization.id]
        if expire_change_tracking_in_days:
            row = {**row, "expirechangetrackingindays": expire_change_tracking_in_days}
            rows.put(organization.id, row)
        if id:
            rows.remove(organization.id)
            organization.id = id.lower()
            rows.put(organization.id, {**row, "organizationid": organization.id})
        return organization.id

    def add_fault(self, **fields: Any) -> None:
        """Adds a `Fault`."""
        self.faults.add(Fault(**fields))

    def clear_faults(self) -> None:
        """Takes all faults away."""
        self.faults.clear()

    def clock(self, advance_s: float = 0.0, set: float | None = None) -> float:
        """Moves the clock; answers its time."""
        if set is not None:
            self.shift += set - self.now()
        self.shift += advance_s
        return self.now()

    def entries(self, since: int = 0) -> dict[str, Any]:
        """The request log from an index on."""
        return {"entries": [asdict(entry) for entry in self.log[since:]], "next": len(self.log)}

    def dump(self, table: str = "contact") -> dict[str, Any]:
        """All records in id order, every column."""
        rows = self._rows(table)
        return {"records": [_shown(rows, rows.rows[row_id]) for row_id in rows.ids()]}

    def reset(self) -> None:
        """An empty organization, log and faults; settings of the options."""
        organization = self.organization
        organization.id, organization.anchor = (
            organization.options.organization_id,
            organization.options.anchor,
        )
        organization.recreated = organization.options.recreated
        organization.start()
        self.faults.clear()
        self.log.clear()
        self.tokens.revoke()
        for protection in self.protections.values():
            protection.clear()

    def _rows(self, table: str) -> TableRows:
        return self.organization.tables[table]

    def _upsert(self, rows: TableRows, record: dict[str, Any], bulk: bool) -> str:
        values = self._stored(rows, record)
        row_id = values.pop(rows.table.key, None) or self.organization.new_id()
        if row_id in rows.rows:
            self.organization.update(rows, row_id, values, bulk=bulk)
        else:
            self.organization.create(rows, values, row_id, bulk=bulk)
        return str(row_id)

    def _stored(self, rows: TableRows, record: dict[str, Any]) -> Row:
        table = rows.table
        stored: Row = {}
        for name, value in record.items():
            if name in ("@odata.etag", "versionnumber"):
                continue
            column = table.columns[name]
            stored[column.name] = parse(column, value, table.entity_set, table.name)
            if column.kind in TYPED and value is not None:
                stored.setdefault(
                    f"{column.logical}type", record.get(f"{column.logical}type", column.targets[0])
                )
        return stored


COMMANDS = frozenset(
    (
        "seed", "edit", "delete", "restore", "merge", "deactivate", "anchor", "recreated", "expire_token",
        "revoke_access", "change_metadata", "tracking", "privileges", "environment", "fault", "clear_faults", "clock",
        "log", "dump", "reset", "assume", "activity_table", "custom_table", "timeline",
    )
)  # fmt: skip


def _one_of(value: str, *allowed: str) -> str:
    if value not in allowed:
        raise ValueError(f"one of {', '.join(allowed)} is expected")
    return value


def _shown(rows: TableRows, row: Row) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for column in rows.table.columns.values():
        value = row.get(column.name, column.default)
        if isinstance(value, Decimal):
            value = float(value)
        shown[column.name] = (
            stamp_text(value)
            if column.kind in (Kind.DATETIME, Kind.ZONELESS) and value is not None
            else value
        )
    return shown
