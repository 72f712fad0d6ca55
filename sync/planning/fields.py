"""The fields of a mapping: each type has its own class with exactly the keys that make sense for it (docs/mapping.md)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictFloat, StrictInt

from sync.planning.conditions import Comparable
from sync.planning.spelling import Column, Length, MappingName, Option, Path, Strict, Text

Replacements = Annotated[dict[Option, Comparable], Field(min_length=1)]
Rounding = Literal["half_up", "half_even", "up", "down"]


class _FieldBase(Strict):
    """A value from exactly one of `source`, `expression` and `constant`.

    `related`: by table that the lookup `source` may point to, the column of that row to take.
    """

    source: Column | None = None
    expression: Text | None = None
    constant: Comparable | None = None
    related: Annotated[dict[Column, Column], Field(min_length=1)] | None = None
    target: Path
    apply_updates: StrictBool = True
    """False: written on create and by `replay --force` only."""
    invalid: Literal["blank", "quarantine"] = "quarantine"
    """What becomes of a value that does not convert."""


class StringField(_FieldBase):
    """Text of at most `length` characters (code points, as PostgreSQL counts).

    `label`: of a choice, in a language (LCID) or that of the application user. `separator`: between the values of a
    multi-select choice.
    """

    type: Literal["string"] = "string"
    length: Length
    too_long: Literal["truncate", "blank", "quarantine"] = "quarantine"
    default: Text | None = None
    case: Literal["lower", "upper"] | None = None
    label: StrictBool | StrictInt = False
    separator: Text | None = None
    replace: Replacements | None = None
    otherwise: Comparable | None = None


class EmailField(_FieldBase):
    """An address, checked; never truncated, since that makes another address."""

    type: Literal["email"]
    length: Length
    too_long: Literal["blank", "quarantine"] = "quarantine"
    default: Text | None = None
    case: Literal["lower"] | None = None


class IntegerField(_FieldBase):
    """A whole number of 32 bits; a fraction is invalid unless it is rounded."""

    type: Literal["integer"]
    default: StrictInt | None = None
    round: Rounding | None = None
    replace: Replacements | None = None
    otherwise: Comparable | None = None


class NumberField(_FieldBase):
    """A number, as it is or rounded to `decimals`."""

    type: Literal["number"]
    default: StrictInt | StrictFloat | None = None
    decimals: Annotated[StrictInt, Field(ge=0, le=10)] | None = None
    round: Rounding = "half_up"
    replace: Replacements | None = None
    otherwise: Comparable | None = None


class BooleanField(_FieldBase):
    """True or false."""

    type: Literal["boolean"]
    default: StrictBool | None = None
    replace: Replacements | None = None
    otherwise: Comparable | None = None


class DateField(_FieldBase):
    """A day. `time_zone`: where the day of a time is taken; `as_written` takes the day that stands there."""

    type: Literal["date"]
    default: Text | None = None
    time_zone: Text | None = None


class DateTimeField(_FieldBase):
    """A time, sent in UTC. `time_zone`: where a time without zone, or a day's midnight, is."""

    type: Literal["datetime"]
    default: Text | None = None
    time_zone: Text | None = None


class EnumerationField(_FieldBase):
    """Source value → name in the Campaign enumeration; null, and with `invalid: blank` unlisted ones, → `default`."""

    type: Literal["enumeration"]
    values: Annotated[dict[Option, Text], Field(min_length=1)]
    default: Text


class LinkField(Strict):
    """A lookup whose row another mapping sends: the column of the link's join gets that row's id (adobe.md B.5).

    `required`: the record waits until its parent is in Campaign; else it goes without the link, and the link follows.
    `on_parent_delete`: what becomes of a child whose parent is deleted (docs/links.md).
    """

    source: Column
    target: Path
    type: Literal["link"]
    mapping: MappingName
    required: StrictBool = False
    on_parent_delete: Literal["hold", "clear", "delete"] = "hold"
    apply_updates: Literal[True] = True
    invalid: Literal["blank", "quarantine"] = "quarantine"


ValueField = (
    StringField
    | EmailField
    | IntegerField
    | NumberField
    | BooleanField
    | DateField
    | DateTimeField
    | EnumerationField
)
FieldMap = ValueField | LinkField

FIELD_CLASSES: dict[str, type[FieldMap]] = {
    "string": StringField,
    "email": EmailField,
    "integer": IntegerField,
    "number": NumberField,
    "boolean": BooleanField,
    "date": DateField,
    "datetime": DateTimeField,
    "enumeration": EnumerationField,
    "link": LinkField,
}
