"""What a mapping says about each of its fields, for those who hold it against metadata, and what a policy found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sync.planning import matrix
from sync.planning.dates import AS_WRITTEN
from sync.planning.fields import (
    DateField,
    DateTimeField,
    EmailField,
    EnumerationField,
    FieldMap,
    LinkField,
    StringField,
)
from sync.planning.origin import origin_of

LINK_LENGTH = 36
"""Characters of an id."""
_CHANGES = ("related", "replace", "label", "separator")
LOOKUPS = frozenset({"Lookup", "Customer", "Owner"})


@dataclass(frozen=True, slots=True)
class Finding:
    """What a policy did or why a record cannot be sent: code, column, field, and never the value."""

    code: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """What `doctor` compares with both systems' metadata. `length` 0 = the type has none."""

    source: str
    column: str
    """Logical name of the column (a lookup is read as `_name_value`)."""
    accepts: frozenset[str]
    """Column types of `matrix.MATRIX` that convert to `type`."""
    target: str
    type: str
    length: int = 0
    names: tuple[str, ...] = ()
    """Enumeration names that may be sent."""
    truncates: bool = False
    columns: tuple[str, ...] = ()
    """Of an expression: the columns it reads; `column` is empty then, and `accepts` too."""
    plain: bool = False
    """The value of one column, neither replaced, labelled, put together nor that of a related row."""


@dataclass(frozen=True, slots=True)
class LinkSpec:
    """A link of a mapping: the lookup it is read from, the field it is written to, and its rules."""

    source: str
    target: str
    mapping: str
    """The parent's mapping."""
    required: bool
    on_parent_delete: Literal["hold", "clear", "delete"]


@dataclass(frozen=True, slots=True)
class Link:
    """Where one record points by one of its links; `parent_id` None: the lookup is null."""

    spec: LinkSpec
    parent_id: str | None


def logical(column: str) -> str:
    """The logical name of a column; a lookup is read as `_name_value`."""
    lookup = column.startswith("_") and column.endswith("_value")
    return column[1 : -len("_value")] if lookup else column


def spec_of(field: FieldMap) -> FieldSpec:
    names: tuple[str, ...] = ()
    if isinstance(field, EnumerationField):
        names = tuple(dict.fromkeys([*field.values.values(), field.default]))
    origin = origin_of(field)
    plain = field.source is not None
    return FieldSpec(
        source=origin.shown,
        column=logical(field.source) if field.source is not None else "",
        accepts=_accepts(field) if plain else frozenset(),
        target=field.target,
        type=field.type,
        length=_length(field),
        names=names,
        truncates=isinstance(field, StringField) and field.too_long == "truncate",
        columns=() if plain else tuple(logical(column) for column in origin.columns),
        plain=plain and not any(getattr(field, word, None) for word in _CHANGES),
    )


def _accepts(field: FieldMap) -> frozenset[str]:
    """Column types that may be the source of this very field."""
    if isinstance(field, LinkField):
        return matrix.accepts("link")
    if field.related is not None:
        return LOOKUPS
    if isinstance(field, StringField) and field.separator is not None:
        return frozenset({"MultiSelectPicklist"})
    if isinstance(field, StringField) and field.label is not False:
        return frozenset({"Picklist", "State", "Status", "Boolean"})
    if getattr(field, "replace", None):
        # What it becomes counts, not what it was.
        return matrix.accepts(field.type) | matrix.SINGLE
    if isinstance(field, DateField | DateTimeField) and field.time_zone is not None:
        return matrix.accepts_in_zone(field.type, as_written=field.time_zone == AS_WRITTEN)
    return matrix.accepts(field.type)


def _length(field: FieldMap) -> int:
    if isinstance(field, LinkField):
        return LINK_LENGTH
    return field.length if isinstance(field, StringField | EmailField) else 0
