"""A row as JSON text for one `$select`, compiled once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.dynamics.columns import LOOKUPS, TYPED, Column, Kind, Row, Table
from sandbox.dynamics.errors import bad, no_property
from sandbox.dynamics.values import encoder, formatted

FORMATTED = "OData.Community.Display.V1.FormattedValue"
LOOKUP_NAME = "Microsoft.Dynamics.CRM.lookuplogicalname"
NAVIGATION = "Microsoft.Dynamics.CRM.associatednavigationproperty"

NameOf = Callable[[str, str], str | None]
"""(table, id) -> primary name, for formatted lookups."""


class Projection:
    """Column list of one answer. The key is always there; money brings its currency along (dataverse.md 5)."""

    def __init__(
        self,
        table: Table,
        select: str | None,
        annotations: tuple[str, ...] = (),
        name_of: NameOf | None = None,
    ) -> None:
        names = list(table.columns) if select is None else _names(table, select)
        self.context = "" if select is None else f"({','.join(names)})"
        if table.key not in names:
            names.append(table.key)
        columns = [table.columns[name] for name in names]
        currency = table.columns.get("_transactioncurrencyid_value")
        if currency is not None and currency not in columns and any(c.kind is Kind.MONEY for c in columns):
            columns.append(currency)
        self._fields = [(f',"{c.name}":', c.name, c.default, encoder(c.kind)) for c in columns]
        self._columns = columns
        self._table = table.name
        self._annotations = annotations
        self._name_of = name_of

    def encode(self, row: Row) -> str:
        """The row as a JSON object, etag first."""
        return self.body(row, f'{{"@odata.etag":"W/\\"{row["versionnumber"]}\\""')

    def body(self, row: Row, start: str) -> str:
        """The row's columns behind an opened object `start`, closed."""
        out = [start]
        get = row.get
        if self._annotations:
            for column, field in zip(self._columns, self._fields, strict=True):
                value = get(column.name, column.default)
                out.append(self._annotated(row, column, value))
                out.append(field[0])
                out.append("null" if value is None else field[3](value))
        else:
            for prefix, name, default, encode in self._fields:
                value = get(name, default)
                out.append(prefix)
                out.append("null" if value is None else encode(value))
        out.append("}")
        return "".join(out)

    def _wants(self, annotation: str) -> bool:
        return "*" in self._annotations or annotation in self._annotations

    def _annotated(self, row: Row, column: Column, value: Any) -> str:
        """Annotations precede the value, as in Microsoft's samples."""
        if value is None:
            return ""
        is_lookup = column.kind in LOOKUPS
        shown = formatted(column, value)
        target = target_of(column, row) if is_lookup else ""
        if is_lookup and self._name_of is not None:
            shown = self._name_of(target, value)
        pairs = []
        if column.kind in TYPED and self._wants(NAVIGATION):
            own = f"_{self._table}" if column.kind is Kind.REGARDING else ""
            pairs.append((NAVIGATION, f"{column.logical}_{target}{own}"))
        if is_lookup and self._wants(LOOKUP_NAME):
            pairs.append((LOOKUP_NAME, target))
        if shown is not None and self._wants(FORMATTED):
            pairs.append((FORMATTED, shown))
        text = encoder(Kind.STRING)
        return "".join(f',"{column.name}@{name}":{text(shown_as)}' for name, shown_as in pairs)


def target_of(column: Column, row: Row) -> str:
    """The table that a lookup value points to."""
    if column.kind in TYPED:
        return str(row.get(f"{column.logical}type") or column.targets[0])
    return column.targets[0]


def _names(table: Table, select: str) -> list[str]:
    names: list[str] = []
    for part in select.split(","):
        name = part.strip()
        if not name:
            raise bad("Term '' is not valid in a $select expression.")
        if name not in table.columns:
            raise no_property(name, table.name)
        if name not in names:
            names.append(name)
    return names
