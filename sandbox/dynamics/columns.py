"""Columns and tables as the organization defines them (dataverse.md 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

Row = dict[str, Any]
"""One record by wire property name; a column left out has its default. Never changed in place."""


class Kind(Enum):
    """Column types; the value is `AttributeType` of the metadata."""

    KEY = "Uniqueidentifier"
    STRING = "String"
    MEMO = "Memo"
    BOOLEAN = "Boolean"
    INTEGER = "Integer"
    BIGINT = "BigInt"
    PICKLIST = "Picklist"
    MULTI = "MultiSelectPicklist"
    """Choices: on the wire a text of option values, `1,9`; `Virtual` in the metadata."""
    STATE = "State"
    STATUS = "Status"
    DATETIME = "DateTime"
    DATE = "DateOnly"
    """DateTime with DateOnly behaviour: `Edm.Date`."""
    ZONELESS = "TimeZoneIndependent"
    """DateTime with TimeZoneIndependent behaviour: written with a Z, and not UTC."""
    MONEY = "Money"
    DECIMAL = "Decimal"
    DOUBLE = "Double"
    LOOKUP = "Lookup"
    CUSTOMER = "Customer"
    OWNER = "Owner"
    REGARDING = "Regarding"
    """The polymorphic lookup of activities; `Lookup` in the metadata."""
    NAME = "EntityName"

    @property
    def edm(self) -> str:
        """The OData type."""
        return _EDM[self]


_EDM = {
    Kind.KEY: "Edm.Guid",
    Kind.STRING: "Edm.String",
    Kind.MEMO: "Edm.String",
    Kind.BOOLEAN: "Edm.Boolean",
    Kind.INTEGER: "Edm.Int32",
    Kind.BIGINT: "Edm.Int64",
    Kind.PICKLIST: "Edm.Int32",
    Kind.MULTI: "Edm.String",
    Kind.STATE: "Edm.Int32",
    Kind.STATUS: "Edm.Int32",
    Kind.DATETIME: "Edm.DateTimeOffset",
    Kind.DATE: "Edm.Date",
    Kind.ZONELESS: "Edm.DateTimeOffset",
    Kind.MONEY: "Edm.Decimal",
    Kind.DECIMAL: "Edm.Decimal",
    Kind.DOUBLE: "Edm.Double",
    Kind.LOOKUP: "Edm.Guid",
    Kind.CUSTOMER: "Edm.Guid",
    Kind.OWNER: "Edm.Guid",
    Kind.REGARDING: "Edm.Guid",
    Kind.NAME: "Edm.String",
}

LOOKUPS = (Kind.LOOKUP, Kind.CUSTOMER, Kind.OWNER, Kind.REGARDING)
TYPED = (Kind.CUSTOMER, Kind.REGARDING)
"""Lookups whose rows say which table they point to, in `<logical>type`."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `name` is the property on the wire (`_ownerid_value`), `logical` the column (`ownerid`)."""

    name: str
    kind: Kind
    logical: str = ""
    schema: str = ""
    max_length: int = 0
    format: str = ""
    labels: Mapping[int, str] = field(default_factory=dict)
    """Options of choices; of a Boolean: 0 and 1."""
    targets: tuple[str, ...] = ()
    minimum: int = -2147483648
    maximum: int = 2147483647
    default: Any = None
    create: bool = True
    update: bool = True
    """Valid for create, for update."""
    required: str = "None"
    display: str = ""
    custom: bool = False
    precision: int = 2
    clears: bool = False
    """Of a lookup: emptied when the row it points to is deleted."""
    cascades: bool = False
    """Of a lookup: the row goes with the row it points to."""


@dataclass(slots=True)
class Table:
    """One table; `columns` by wire name changes when metadata does."""

    name: str
    entity_set: str
    key: str
    primary_name: str
    type_code: int
    columns: dict[str, Column]
    schema: str = ""
    alternate_keys: tuple[tuple[str, ...], ...] = ()
    change_tracking: bool = False
    can_track: bool = True
    writable: bool = True
    generation: int = 0
    """Grows with each metadata change."""
    activity: bool = False
    custom: bool = False
    display: str = ""
    display_collection: str = ""
    description: str = ""
    privilege: str = ""
    """What its privileges are called behind the verb; activities share `Activity` (dataverse.md 4.1)."""
    statuses: Mapping[int, tuple[int, ...]] = field(default_factory=lambda: {0: (1,), 1: (2,)})
    """Status reasons by state; the first one is what a change of state alone sets."""
    unique: str = ""
    """A column whose values may not repeat, though it is no key."""
    sealed: bool = False
    """Read by the API, changed by actions only."""

    def __post_init__(self) -> None:
        self.schema = self.schema or self.name.capitalize()
        self.privilege = self.privilege or ("Activity" if self.activity else self.schema)
        self.display = self.display or self.schema
        self.display_collection = self.display_collection or f"{self.display}s"

    def navigation(self) -> dict[str, tuple[Column, str]]:
        """Single-valued navigation properties: name -> (lookup column, target table, empty for any of them)."""
        found: dict[str, tuple[Column, str]] = {}
        for column in self.columns.values():
            if column.kind is Kind.CUSTOMER:
                for target in column.targets:
                    found[f"{column.logical}_{target}"] = (column, target)
            elif column.kind is Kind.REGARDING:
                for target in column.targets:
                    # Its own relationship, and the one inherited from activitypointer (dataverse.md 4.2).
                    found[f"{column.logical}_{target}_{self.name}"] = (column, target)
                    found[f"{column.logical}_{target}"] = (column, target)
            elif column.kind is Kind.OWNER:
                found[column.logical] = (column, "")
            elif column.kind is Kind.LOOKUP:
                found[column.logical] = (column, column.targets[0])
        return found
