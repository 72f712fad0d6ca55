"""One organization: its tables, its version counter, what its application user may do, and changes to its rows."""

from __future__ import annotations

import random
from collections.abc import Callable
from uuid import NAMESPACE_OID, uuid5

from sandbox.dynamics.columns import Column, Kind, Row
from sandbox.dynamics.errors import Refused, no_row
from sandbox.dynamics.options import DynamicsOptions
from sandbox.dynamics.store import TableRows, Versions
from sandbox.dynamics.tables import tables

_SPECIAL = {"systemuser": "User", "transactioncurrency": "TransactionCurrency"}
VERBS = ("Create", "Read", "Write", "Delete", "Append", "AppendTo", "Assign")


class Organization:
    """The state behind the Web API. Changes here obey the platform's rules; the API's own checks are in `writing`."""

    def __init__(self, options: DynamicsOptions, now: Callable[[], float], rng: random.Random) -> None:
        self.options = options
        self.now = now
        self.id = options.organization_id
        self.rng = rng
        self.anchor = options.anchor
        self.recreated = options.recreated
        self.privileges: dict[str, str] = {}
        self.start()

    def start(self) -> None:
        """An empty organization with the rows that every one has."""
        options = self.options
        self.versions = Versions()
        self.token_floor = 0
        """Delta tokens older than this version have expired, whatever their age."""
        self.tables = {table.name: TableRows(table, self.versions) for table in tables(options)}
        self.sets = {rows.table.entity_set: rows for rows in self.tables.values()}
        schemas = [_SPECIAL.get(name, rows.table.schema) for name, rows in self.tables.items()]
        self.privileges = {f"prv{verb}{schema}": "Global" for schema in schemas for verb in VERBS}
        user, currency = options.user_id, options.currency_id
        days = options.expire_change_tracking_in_days
        fixed: list[tuple[str, str, Row]] = [
            (
                "organization",
                self.id,
                {"name": "local", "expirechangetrackingindays": days, "languagecode": 1033},
            ),
            (
                "systemuser",
                user,
                {"fullname": "# Campaign sync", "applicationid": privilege_id(options.client_id)},
            ),
            ("systemuser", options.owner_id, {"fullname": "Sam Sales"}),
            ("transactioncurrency", currency, {"currencyname": "US Dollar", "isocurrencycode": "USD"}),
        ]
        fixed += [("privilege", privilege_id(name), {"name": name}) for name in self.privileges]
        for name, row_id, row in fixed:
            rows = self.tables[name]
            rows.put(row_id, {rows.table.key: row_id, **row})

    def new_id(self) -> str:
        """A GUID nobody has."""
        bits = f"{self.rng.getrandbits(128):032x}"
        return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-a{bits[17:20]}-{bits[20:]}"

    def name_of(self, table: str, row_id: str) -> str | None:
        """Primary name of a row, for formatted lookups."""
        rows = self.tables.get(table)
        row = rows.rows.get(row_id) if rows else None
        return None if rows is None or row is None else row.get(rows.table.primary_name)

    def create(self, rows: TableRows, values: Row, row_id: str, *, by: str = "", bulk: bool = False) -> Row:
        """Inserts a row, as the sales user unless `by` says otherwise; `values` are stored ones by wire name."""
        table, now = rows.table, int(self.now())
        if row_id in rows.rows:
            raise Refused(412, "0x80040237", "Cannot insert duplicate key.")
        row: Row = {"createdon": now, "modifiedon": now, **values, table.key: row_id}
        if values.get("overriddencreatedon") is not None:
            row["createdon"], row["overriddencreatedon"] = values["overriddencreatedon"], now
        if by:
            row["_createdby_value"] = row["_modifiedby_value"] = by
        self._settle(rows, row, values)
        return rows.put(row_id, _lean(rows, row), bulk=bulk)

    def update(self, rows: TableRows, row_id: str, changes: Row, *, by: str = "", bulk: bool = False) -> Row:
        """Changes a row; equal values count too, the version moves anyway."""
        old = rows.rows.get(row_id)
        if old is None:
            raise no_row(rows.table.name, row_id)
        row = {**old, "modifiedon": int(self.now()), **changes, rows.table.key: row_id}
        row["_modifiedby_value"] = by or changes.get("_modifiedby_value") or self.options.owner_id
        if "statecode" in changes and "statuscode" not in changes:
            row["statuscode"] = changes["statecode"] + 1
        self._settle(rows, row, changes)
        return rows.put(row_id, _lean(rows, row), bulk=bulk)

    def delete(self, rows: TableRows, row_id: str) -> None:
        """Deletes a row."""
        if row_id not in rows.rows:
            raise no_row(rows.table.name, row_id)
        rows.remove(row_id)

    def atomically(self, work: Callable[[], None]) -> None:
        """All of `work` or nothing of it; versions drawn meanwhile are gone."""
        undo: list[Callable[[], None]] = []
        for rows in self.tables.values():
            rows.undo = undo
        try:
            work()
        except Exception:
            for step in reversed(undo):
                step()
            raise
        finally:
            for rows in self.tables.values():
                rows.undo = None

    def merge(self, winner: str, loser: str) -> None:
        """Merges two contacts: the loser stays as an inactive row that names its master."""
        rows = self.tables["contact"]
        if winner not in rows.rows:
            raise no_row("contact", winner)
        self.update(rows, loser, {"statecode": 1, "statuscode": 2, "merged": True, "_masterid_value": winner})
        self.update(rows, winner, {})

    def expire_tokens(self) -> None:
        """Makes every delta token issued so far unusable."""
        self.token_floor = self.versions.draw()

    def change_column(self, name: str, added: Column | None = None, removed: str = "") -> None:
        """Publishes a customization of a table, which also invalidates delta tokens (dataverse.md 1.4)."""
        table = self.tables[name].table
        if added is not None:
            table.columns[added.name] = added
        if removed:
            del table.columns[removed]
        table.generation += 1
        self.expire_tokens()

    def depth(self, verb: str, rows: TableRows) -> str:
        """How far the application user's privilege reaches: Basic, Local, Deep, Global; missing is a 403."""
        table = rows.table
        name = f"prv{verb}{_SPECIAL.get(table.name, table.schema)}"
        depth = self.privileges.get(name)
        if depth is None:
            raise self._missing(name, rows)
        return depth

    def require(self, verb: str, rows: TableRows, row: Row | None = None) -> None:
        """403 unless the user may do this to the row (to the whole table without one)."""
        depth = self.depth(verb, rows)
        if depth != "Global" and (row is None or not self.own(row)):
            table = rows.table
            raise self._missing(f"prv{verb}{_SPECIAL.get(table.name, table.schema)}", rows)

    def own(self, row: Row) -> bool:
        """Whether the application user owns the row, all that a depth below Global shows it."""
        return bool(row.get("_ownerid_value") == self.options.user_id)

    def _missing(self, privilege: str, rows: TableRows) -> Refused:
        table, user = rows.table, self.options.user_id
        return Refused(
            403,
            "0x80040220",
            f"Principal user (Id={user}, type=8, roleCount=1, privilegeCount={len(self.privileges)}, accessMode=4), "
            f"is missing {privilege} privilege (Id={privilege_id(privilege)}) on OTC={table.type_code} for entity "
            f"'{table.name}' (LocalizedName='{table.schema}'). context.Caller={user}",
        )

    def _settle(self, rows: TableRows, row: Row, given: Row) -> None:
        """What the platform derives, and what it does not let pass."""
        table = rows.table
        if "fullname" in table.columns and ("firstname" in given or "lastname" in given):
            row["fullname"] = " ".join(n for n in (row.get("firstname"), row.get("lastname")) if n) or None
        if (
            "_transactioncurrencyid_value" in table.columns
            and row.get("_transactioncurrencyid_value") is None
        ):
            money = (column.name for column in table.columns.values() if column.kind is Kind.MONEY)
            if any(row.get(name) is not None for name in money):
                row["_transactioncurrencyid_value"] = self.options.currency_id
        if "statecode" in table.columns and row.get("statuscode", 1) != row.get("statecode", 0) + 1:
            raise Refused(
                400,
                "0x80048408",
                f"{row.get('statuscode', 1)} is not a valid status code for state code "
                f"{table.schema}State.{'Inactive' if row.get('statecode') else 'Active'} on {table.name}.",
            )
        for key in table.alternate_keys:
            values = rows.key_values(key, row)
            holder = None if values is None else rows.by_key(key, values)
            if holder is not None and holder != row[table.key]:
                names = ", ".join(key)
                raise Refused(
                    412,
                    "0x80060892",
                    f"Entity Key {names} violated. A record with the same value for {names} already exists. A "
                    "duplicate record cannot be created. Select one or more unique values and try again.",
                )


def privilege_id(name: str) -> str:
    """A fixed GUID for a name."""
    return str(uuid5(NAMESPACE_OID, name))


def _lean(rows: TableRows, row: Row) -> Row:
    """Leaves defaults out: 200,000 rows must fit."""
    columns = rows.table.columns
    return {
        name: value for name, value in row.items() if name not in columns or value != columns[name].default
    }
