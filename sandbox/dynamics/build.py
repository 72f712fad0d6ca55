"""How columns and tables are spelled in this look-alike."""

from __future__ import annotations

from typing import Any

from sandbox.dynamics.columns import Column, Kind, Table
from sandbox.dynamics.options import DynamicsOptions


def text(name: str, length: int, **more: Any) -> Column:
    """Single line of text."""
    return Column(name, Kind.STRING, name, max_length=length, **{"format": "Text", **more})


def flag(name: str, labels: dict[int, str], default: bool = False, **more: Any) -> Column:
    """Yes/No."""
    return Column(name, Kind.BOOLEAN, name, labels=labels, default=default, **more)


def choice(name: str, labels: dict[int, str], default: int | None = None, **more: Any) -> Column:
    """Choice."""
    return Column(name, more.pop("kind", Kind.PICKLIST), name, labels=labels, default=default, **more)


def multi(name: str, labels: dict[int, str], **more: Any) -> Column:
    """Choices: several options at once."""
    return Column(name, Kind.MULTI, name, labels=labels, **more)


def lookup(logical: str, *targets: str, kind: Kind = Kind.LOOKUP, **more: Any) -> Column:
    """Lookup; on the wire `_<logical>_value`."""
    return Column(f"_{logical}_value", kind, logical, targets=targets, **more)


def stamp(name: str, **more: Any) -> Column:
    """Date and time, UserLocal."""
    return Column(name, Kind.DATETIME, name, **{"format": "DateAndTime", **more})


def system(key: str, options: DynamicsOptions) -> list[Column]:
    """Columns that every user-owned table has."""
    fixed: dict[str, Any] = {"create": False, "update": False}
    return [
        Column(key, Kind.KEY, key, required="SystemRequired", update=False),
        stamp("createdon", **fixed),
        stamp("modifiedon", **fixed),
        stamp("overriddencreatedon", format="DateOnly", update=False),
        Column("versionnumber", Kind.BIGINT, "versionnumber", **fixed),
        lookup("ownerid", "systemuser", "team", kind=Kind.OWNER, default=options.owner_id),
        lookup("createdby", "systemuser", default=options.owner_id, **fixed),
        lookup("modifiedby", "systemuser", default=options.owner_id, **fixed),
        choice("statecode", {0: "Active", 1: "Inactive"}, 0, kind=Kind.STATE, create=False),
        choice("statuscode", {1: "Active", 2: "Inactive"}, 1, kind=Kind.STATUS),
    ]


def numbers(name: str, **more: Any) -> Column:
    """Whole number."""
    return Column(name, Kind.INTEGER, name, **more)


def table(columns: list[Column], **more: Any) -> Table:
    """A table of these columns."""
    return Table(columns={column.name: column for column in columns}, **more)
