"""What a mapping says about each of its fields, for those who hold it against metadata, and what a policy found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sync.planning import matrix
from sync.planning.mapping import EmailField, EnumerationField, FieldMap, LinkField, StringField

LINK_LENGTH = 36
"""Characters of an id."""


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
    return FieldSpec(
        source=field.source,
        column=logical(field.source),
        accepts=matrix.accepts(field.type),
        target=field.target,
        type=field.type,
        length=_length(field),
        names=names,
        truncates=isinstance(field, StringField) and field.too_long == "truncate",
    )


def _length(field: FieldMap) -> int:
    if isinstance(field, LinkField):
        return LINK_LENGTH
    return field.length if isinstance(field, StringField | EmailField) else 0
