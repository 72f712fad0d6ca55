"""One organization: its tables, its version counter, what its application user may do, and changes to its rows."""

from __future__ import annotations

import random
from collections.abc import Callable

from sandbox.dynamics.catalogue import Catalogue
from sandbox.dynamics.columns import Column, Kind, Row, Table
from sandbox.dynamics.deleting import let_go, move
from sandbox.dynamics.errors import Refused, no_row
from sandbox.dynamics.founding import CUSTOMIZING, DEFINITIONS, INJECTED, founding_rows, privilege_id
from sandbox.dynamics.options import DynamicsOptions
from sandbox.dynamics.store import TableRows, Versions
from sandbox.dynamics.tables import tables

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
        self.caller = options.user_id
        """The application user whose request is being answered."""
        self.start()

    def start(self) -> None:
        """An empty organization with the rows that every one has."""
        options = self.options
        self.versions = Versions()
        self.token_floor = 0
        """Delta tokens older than this version have expired, whatever their age."""
        self.tables = {table.name: TableRows(table, self.versions) for table in tables(options)}
        self.sets = {rows.table.entity_set: rows for rows in self.tables.values()}
        kinds = dict.fromkeys(rows.table.privilege for rows in self.tables.values())
        self.privileges = {f"prv{verb}{kind}": "Global" for kind in kinds for verb in VERBS}
        self.privileges |= dict.fromkeys((*CUSTOMIZING, *DEFINITIONS, *INJECTED), "Global")
        self.catalogue = Catalogue()
        for name, row_id, row in founding_rows(options, self.id, self.privileges):
            rows = self.tables[name]
            rows.put(row_id, {rows.table.key: row_id, **row})

    def add_table(self, table: Table) -> TableRows:
        """A new table, its privileges included: whoever made it may use it."""
        rows = TableRows(table, self.versions)
        self.tables[table.name] = self.sets[table.entity_set] = rows
        names = [f"prv{verb}{table.privilege}" for verb in VERBS]
        if names[0] not in self.privileges and not table.activity:
            self.privileges |= dict.fromkeys(names, "Global")
            privileges = self.tables["privilege"]
            for name in names:
                privileges.put(privilege_id(name), {"privilegeid": privilege_id(name), "name": name})
        if table.activity:
            # Its relationships are new ones of contact and account too.
            self.expire_tokens()
        return rows

    def remove_table(self, table: Table) -> None:
        """Drops a table with its rows."""
        del self.tables[table.name]
        del self.sets[table.entity_set]
        self.catalogue.keys.pop(table.name, None)
        self.catalogue.unpublished.discard(table.name)

    def solution(self, unique_name: str) -> Row:
        """The solution of this unique name; 404 without one."""
        for row in self.tables["solution"].rows.values():
            if row["uniquename"].lower() == unique_name.lower():
                return row
        raise Refused(
            404, "0x80048d06", f"A solution with the unique name {unique_name[:80]} does not exist."
        )

    def add_component(self, solution: str, kind: int, object_id: str) -> str:
        """Puts a component into a solution; answers the component's id, also where it was in."""
        solution_id = self.solution(solution)["solutionid"]
        rows = self.tables["solutioncomponent"]
        row: Row = {"_solutionid_value": solution_id, "objectid": object_id, "componenttype": kind}
        for known in rows.rows.values():
            if all(known.get(name) == value for name, value in row.items()):
                return str(known["solutioncomponentid"])
        row_id = self.new_id()
        rows.put(row_id, {"solutioncomponentid": row_id, **row})
        return row_id

    def build_keys(self) -> None:
        """Indexes of new alternate keys that are due by now; where values repeat the key has failed."""
        for name, made in self.catalogue.keys.items():
            rows = self.tables[name]
            for key in made:
                if key.columns in rows.table.alternate_keys or key.failed:
                    continue
                if key.status(self.now(), self.options) == "Active" and not rows.add_key(key.columns):
                    key.failed = True

    def drop_key(self, table: Table, columns: tuple[str, ...]) -> None:
        """An alternate key is gone."""
        self.tables[table.name].drop_key(columns)

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
            raise duplicate()
        row: Row = {"createdon": now, "modifiedon": now, **values, table.key: row_id}
        if values.get("overriddencreatedon") is not None:
            row["createdon"], row["overriddencreatedon"] = values["overriddencreatedon"], now
        if by:
            row["_createdby_value"] = row["_modifiedby_value"] = by
        self._settle(rows, row, values)
        if rows.table.name == "role":
            self.catalogue.roles[row_id] = dict.fromkeys(INJECTED, "Global")
        return rows.put(row_id, _lean(rows, row), bulk=bulk)

    def update(self, rows: TableRows, row_id: str, changes: Row, *, by: str = "", bulk: bool = False) -> Row:
        """Changes a row; equal values count too, the version moves anyway."""
        old = rows.rows.get(row_id)
        if old is None:
            raise no_row(rows.table.name, row_id)
        row = {**old, "modifiedon": int(self.now()), **changes, rows.table.key: row_id}
        row["_modifiedby_value"] = by or changes.get("_modifiedby_value") or self.options.owner_id
        if "statecode" in changes and "statuscode" not in changes:
            row["statuscode"] = rows.table.statuses[changes["statecode"]][0]
        self._settle(rows, row, changes)
        return rows.put(row_id, _lean(rows, row), bulk=bulk)

    def delete(self, rows: TableRows, row_id: str) -> None:
        """Deletes a row."""
        if row_id not in rows.rows:
            raise no_row(rows.table.name, row_id)
        rows.remove(row_id)
        for activities, activity_id in self.regarding(row_id):
            activities.remove(activity_id)
        let_go(self, rows.table.name, row_id)

    def regarding(self, row_id: str) -> list[tuple[TableRows, str]]:
        """The activities about a row: they go with it, and to the winner of a merge."""
        return [
            (rows, row[rows.table.key])
            for rows in self.tables.values()
            if rows.table.activity
            for row in list(rows.rows.values())
            if row.get("_regardingobjectid_value") == row_id
        ]

    def atomically(self, work: Callable[[], None]) -> None:
        """All of `work` or nothing of it; versions drawn meanwhile are gone. Inside another one it is part of that."""
        if any(rows.undo is not None for rows in self.tables.values()):
            work()
            return
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
        for activities, activity_id in self.regarding(loser):
            self.update(activities, activity_id, {"_regardingobjectid_value": winner})
        move(self, "contact", loser, winner)

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
        name = f"prv{verb}{rows.table.privilege}"
        depth = self.privileges.get(name)
        if depth is None:
            raise self._missing(name, rows)
        return depth

    def require(self, verb: str, rows: TableRows, row: Row | None = None) -> None:
        """403 unless the user may do this to the row (to the whole table without one)."""
        depth = self.depth(verb, rows)
        if depth != "Global" and (row is None or not self.own(row)):
            raise self._missing(f"prv{verb}{rows.table.privilege}", rows)

    def may_customize(self, privilege: str) -> None:
        """403 unless the user may change definitions."""
        if privilege not in self.privileges:
            raise self._missing(privilege, self.tables["organization"])

    def own(self, row: Row) -> bool:
        """Whether the application user owns the row, all that a depth below Global shows it."""
        return bool(row.get("_ownerid_value") == self.caller)

    def _missing(self, privilege: str, rows: TableRows) -> Refused:
        table, user = rows.table, self.caller
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
        if "statecode" in table.columns:
            self._check_status(table, row)
        if table.unique and any(
            other.get(table.unique) == row.get(table.unique) and other[table.key] != row[table.key]
            for other in rows.rows.values()
        ):
            raise duplicate()
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

    def _check_status(self, table: Table, row: Row) -> None:
        state = row.get("statecode", 0)
        status = row.get("statuscode", table.columns["statuscode"].default)
        if status not in table.statuses[state]:
            raise Refused(
                400,
                "0x80048408",
                f"{status} is not a valid status code for state code "
                f"{table.schema}State.{table.columns['statecode'].labels[state]} on {table.name}.",
            )


def duplicate() -> Refused:
    """412: another row has this primary key."""
    return Refused(412, "0x80040237", "Cannot insert duplicate key.")


def _lean(rows: TableRows, row: Row) -> Row:
    """Leaves defaults out: 200,000 rows must fit."""
    columns = rows.table.columns
    return {
        name: value for name, value in row.items() if name not in columns or value != columns[name].default
    }
