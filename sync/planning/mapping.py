"""One mapping as its YAML file states it; the keys and words here are the file's own (docs/mapping.md).

Each field type has its own class with exactly the keys that make sense for it, so that a mapping which loads has no
meaningless combination in it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt

from sync.planning.conditions import Comparable, Filter
from sync.planning.fields import FIELD_CLASSES, EmailField, EnumerationField, FieldMap, LinkField, StringField
from sync.planning.spelling import Column, MappingName, Name, Path, Strict

__all__ = [
    "FIELD_CLASSES",
    "Brake",
    "EmailField",
    "EnumerationField",
    "FieldMap",
    "LinkField",
    "Mapping",
    "Mark",
    "OptOut",
    "Options",
    "Source",
    "StringField",
    "Target",
]

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
