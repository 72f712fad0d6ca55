"""One mapping as its YAML file states it; the keys and words here are the file's own (docs/mapping.md).

Each field type has its own class with exactly the keys that make sense for it, so that a mapping which loads has no
meaningless combination in it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

Column = Annotated[StrictStr, Field(pattern=r"^[a-z_][a-z0-9_]{0,127}$")]
"""A Web API property name: the logical name, or `_name_value` of a lookup. Case-sensitive (dataverse.md 5)."""
Name = Annotated[StrictStr, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]
Path = Annotated[StrictStr, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}(\.[A-Za-z][A-Za-z0-9_]{0,63})?$")]
"""A Campaign field, or a field of an item such as `location.city`."""
Length = Annotated[StrictInt, Field(ge=1, le=100_000)]
MappingName = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
Option = StrictBool | StrictInt | StrictStr
Text = Annotated[StrictStr, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Source(_Strict):
    """The Dynamics table that is read: logical name, entity set, primary key column.

    The last two may be left out: Dynamics says what they are.
    """

    table: Column
    entity_set: Column | None = None
    key: Column | None = None


class Target(_Strict):
    """The Campaign resource that is written; its field `key` gets the row's id."""

    resource: Name
    key: Name


class Options(_Strict):
    """`deletes`: delete in Campaign what is gone in Dynamics. `on_missing`: when a profile of ours is gone there."""

    deletes: StrictBool = True
    on_missing: Literal["hold", "recreate"] = "hold"


class _FieldBase(_Strict):
    source: Column
    target: Path
    apply_updates: StrictBool = True
    """False: written on create and by `replay --force` only."""
    invalid: Literal["blank", "quarantine"] = "quarantine"
    """What becomes of a value that does not convert."""


class StringField(_FieldBase):
    """Text of at most `length` characters (code points, as PostgreSQL counts)."""

    type: Literal["string"] = "string"
    length: Length
    too_long: Literal["truncate", "blank", "quarantine"] = "quarantine"


class EmailField(_FieldBase):
    """An address, checked; never truncated, since that makes another address."""

    type: Literal["email"]
    length: Length
    too_long: Literal["blank", "quarantine"] = "quarantine"


class PlainField(_FieldBase):
    """A type that needs no further keys."""

    type: Literal["integer", "number", "boolean", "date", "datetime"]


class EnumerationField(_FieldBase):
    """Source value → name in the Campaign enumeration; null, and with `invalid: blank` unlisted ones, → `default`."""

    type: Literal["enumeration"]
    values: Annotated[dict[Option, Text], Field(min_length=1)]
    default: Text


class LinkField(_FieldBase):
    """A lookup whose row another mapping sends: the column of the link's join gets that row's id (adobe.md B.5).

    `required`: the record waits until its parent is in Campaign; else it goes without the link, and the link follows.
    `on_parent_delete`: what becomes of a child whose parent is deleted (docs/links.md).
    """

    type: Literal["link"]
    mapping: MappingName
    required: StrictBool = False
    on_parent_delete: Literal["hold", "clear", "delete"] = "hold"
    apply_updates: Literal[True] = True


FieldMap = StringField | EmailField | PlainField | EnumerationField | LinkField

FIELD_CLASSES: dict[str, type[FieldMap]] = {
    "string": StringField,
    "email": EmailField,
    "integer": PlainField,
    "number": PlainField,
    "boolean": PlainField,
    "date": PlainField,
    "datetime": PlainField,
    "enumeration": EnumerationField,
    "link": LinkField,
}


class Mapping(_Strict):
    """One table and the resource it goes to; `load_mapping` makes it from YAML."""

    mapping: MappingName
    """Its name: part of table keys and log events."""
    source: Source
    target: Target
    options: Options = Options()
    fields: Annotated[tuple[FieldMap, ...], Field(min_length=1)]
