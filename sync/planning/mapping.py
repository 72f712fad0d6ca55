"""One mapping as its YAML file states it; the keys and words here are the file's own (docs/mapping.md).

Each field type has its own class with exactly the keys that make sense for it, so that a mapping which loads has no
meaningless combination in it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt

from sync.planning.conditions import Comparable, Filter
from sync.planning.spelling import Column, Length, MappingName, Name, Option, Path, Strict, Text

OptOutField = Literal[
    "blackList",
    "blackListEmail",
    "blackListFax",
    "blackListMobile",
    "blackListPhone",
    "blackListPostalMail",
    "blackListPushnotification",
    "ccpaOptOut",
]
"""Campaign's opt-out fields (adobe.md A.3, names trap)."""


class Source(Strict):
    """The Dynamics table that is read: logical name, entity set, primary key column.

    The last two may be left out: Dynamics says what they are.
    """

    table: Column
    entity_set: Column | None = None
    key: Column | None = None


class Target(Strict):
    """The Campaign resource that is written; its field `key` gets the row's id."""

    resource: Name
    key: Name


class Mark(Strict):
    """Instead of a delete one field is written; the field is mapped too, so that a record that returns takes it back."""

    target: Path
    value: Comparable


class OptOut(Strict):
    """Instead of a delete the profile is opted out; no return takes that back."""

    opt_out: Annotated[tuple[OptOutField, ...], Field(min_length=1, strict=False)]


class Brake(Strict):
    """How many deletes pass in 24 hours: `percent` of the records, and always `least`."""

    percent: Annotated[float, Field(ge=0, le=100)]
    least: Annotated[StrictInt, Field(ge=0, le=1_000_000)]


class Options(Strict):
    """What happens to a profile besides updates.

    `deletes`: when its record is deleted in Dynamics: true deletes it, false keeps it as it is. `leaving`: when its
    record leaves the filter. `on_missing`: when it is gone in Campaign. `first_load`: what the first load sends; the
    rest follows when it changes. `follow_merges`: a contact that was merged into another: its profile goes or stays,
    and what hangs on it moves to the winner.
    """

    deletes: StrictBool | OptOut | Mark = True
    leaving: Literal["keep", "delete"] | Mark = "keep"
    on_missing: Literal["hold", "recreate"] = "hold"
    first_load: Filter | None = None
    delete_brake: Brake | None = None
    """Left out: the app's settings."""
    follow_merges: Literal[False, "keep", "delete"] = False


class _FieldBase(Strict):
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


class Mapping(Strict):
    """One table and the resource it goes to; `load_mapping` makes it from YAML."""

    mapping: MappingName
    """Its name: part of table keys and log events."""
    source: Source
    target: Target
    options: Options = Options()
    filter: Filter | None = None
    """Only records that pass it are sent; None: all are."""
    fields: Annotated[tuple[FieldMap, ...], Field(min_length=1)]
