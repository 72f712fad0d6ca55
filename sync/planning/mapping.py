"""One mapping as written by an admin: a Dynamics table, a Campaign resource, and a line per field."""

from __future__ import annotations

import enum
import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

READ_ONLY = frozenset(
    {
        "PKey",
        "href",
        "age",
        "domain",
        "title",
        "cryptedId",
        "postalAddress",
        "created",
        "lastModified",
        "isExternal",
    }
)
"""Fields that Campaign computes (reference adobe.md B.5)."""
_COLUMN = re.compile(r"[a-z_][a-z0-9_]*")
_TARGET = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)?")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")


class FieldType(enum.StrEnum):
    """What a value becomes in Campaign."""

    STRING = "string"
    EMAIL = "email"
    DATE = "date"
    DATETIME = "datetime"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    ENUMERATION = "enumeration"


class Policy(enum.StrEnum):
    """What happens to a value that does not fit."""

    TRUNCATE = "truncate"
    """Cut to the length, with a warning (`too_long` only)."""
    BLANK = "blank"
    """Send the empty value, with a warning."""
    QUARANTINE = "quarantine"
    """Set the record aside until a person has looked."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _word(pattern: re.Pattern[str], text: str, what: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError(f"{what} is not spelled like one")
    return text


class Source(_Strict):
    """The Dynamics side: logical name, entity set name, primary key column."""

    table: str
    entity_set: str
    key: str

    @field_validator("table", "entity_set", "key")
    @classmethod
    def _spelled(cls, text: str) -> str:
        return _word(_COLUMN, text, "a Dynamics name")


class Target(_Strict):
    """The Campaign side: resource, and the field that holds the Dynamics id."""

    resource: str
    key: str

    @field_validator("resource", "key")
    @classmethod
    def _spelled(cls, text: str) -> str:
        return _word(_TARGET, text, "a Campaign name")


class OnMissing(enum.StrEnum):
    """What to do when a profile that was sent is no longer there."""

    HOLD = "hold"
    RECREATE = "recreate"


class Options(_Strict):
    deletes: bool = True
    on_missing: OnMissing = OnMissing.HOLD


class FieldMap(_Strict):
    """One field: source column, target path, what it becomes, and what happens to what does not fit."""

    source: str
    target: str
    type: FieldType = FieldType.STRING
    length: int | None = Field(default=None, ge=1, le=100_000)
    too_long: Policy = Policy.QUARANTINE
    invalid: Policy = Policy.QUARANTINE
    apply_updates: bool = True
    values: dict[Any, str] = Field(default_factory=dict)
    default: str = ""

    @field_validator("source")
    @classmethod
    def _column(cls, text: str) -> str:
        return _word(_COLUMN, text, "a Dynamics column")

    @field_validator("target")
    @classmethod
    def _path(cls, text: str) -> str:
        return _word(_TARGET, text, "a Campaign field")

    @field_validator("invalid")
    @classmethod
    def _no_cutting(cls, policy: Policy) -> Policy:
        if policy is Policy.TRUNCATE:
            raise ValueError("`invalid` is blank or quarantine")
        return policy


class Mapping(_Strict):
    """One mapping; `load_mapping` makes it from YAML."""

    mapping: str
    source: Source
    target: Target
    options: Options = Options()
    fields: tuple[FieldMap, ...] = Field(min_length=1)

    @field_validator("mapping")
    @classmethod
    def _spelled(cls, text: str) -> str:
        return _word(_NAME, text, "a mapping name")
