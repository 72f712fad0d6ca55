"""Checks a POST or PATCH body against a resource and applies its data policies; refuses, never repairs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime

from sandbox.campaign import refusal
from sandbox.campaign.represent import timestamp
from sandbox.campaign.schema import Field, Resource, Values

_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>.]+(\.[^@\s,;<>.]+)+")
_DATETIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_SEPARATORS = str.maketrans("", "", " .-()/")
_WORD = re.compile(r"[^\W\d_]+")


def validate(body: Values, resource: Resource, family: str, policies: Mapping[str, str]) -> Values:
    """The values to store; raises Refusal for the first thing that is wrong.

    `null`, a value of another JSON type and an over-long string are undocumented and refused.
    """
    fields = resource.by_name
    extended = family != "profileAndServices"
    changes: Values = {}
    for name, value in body.items():
        field = fields.get(name)
        if field is None or (field.extended and not extended):
            raise refusal.unknown_property(name, resource.name)
        changes[name] = _item(field, value, resource) if field.items else _checked(field, value, resource)
        policy = policies.get(name)
        if policy is not None and changes[name]:
            changes[name] = POLICIES[policy](changes[name], name)
    return changes


def _item(field: Field, value: object, resource: Resource) -> Values:
    """A nested item such as `location`; items left out stay as they are."""
    if field.read_only:
        raise refusal.read_only(field.name, resource.name)
    if not isinstance(value, dict):
        raise refusal.bad_value(value, field.name, "an item is expected.")
    changes: Values = {}
    for name, inner in value.items():
        nested = field.nested.get(name)
        if nested is None:
            raise refusal.unknown_property(name, resource.name)
        changes[name] = _checked(nested, inner, resource)
    return changes


def _checked(field: Field, value: object, resource: Resource) -> object:
    if field.read_only:
        raise refusal.read_only(field.name, resource.name)
    kind = field.kind
    if kind == "string":
        return _string(field, value)
    if kind == "boolean":
        if not isinstance(value, bool):
            raise refusal.bad_value(value, field.name, "a boolean is expected.")
        return value
    if kind == "enumeration":
        if not isinstance(value, str) or value not in field.names:
            raise refusal.bad_enumeration(value, resource.schema, field.name)
        return value
    if kind == "date":
        return _date(field, value)
    if kind == "datetime":
        return _datetime(field, value)
    return _number(field, value)


def _string(field: Field, value: object) -> str:
    if not isinstance(value, str):
        raise refusal.bad_value(value, field.name, "a string is expected.")
    if len(value) > field.length:
        raise refusal.bad_value(value, field.name, f"it is longer than {field.length} characters.")
    return value


def _date(field: Field, value: object) -> str:
    """`YYYY-MM-DD` or empty (adobe.md B.5)."""
    if value == "":
        return ""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise refusal.bad_value(value, field.name, "a date is expected.")
    try:
        date.fromisoformat(value)
    except ValueError:
        raise refusal.bad_value(value, field.name, "a date is expected.") from None
    return value


def _datetime(field: Field, value: object) -> str:
    """ISO 8601 with a zone, or with a space for the T; stored as `YYYY-MM-DD HH:MM:SS.mmmZ` (adobe.md B.5)."""
    if value == "":
        return ""
    if not isinstance(value, str) or not _DATETIME.fullmatch(value):
        raise refusal.bad_value(value, field.name, "a date and time is expected.")
    try:
        return timestamp(datetime.fromisoformat(value).timestamp())
    except (ValueError, OverflowError):
        raise refusal.bad_value(value, field.name, "a date and time is expected.") from None


def _number(field: Field, value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refusal.bad_value(value, field.name, "a number is expected.")
    if field.kind == "integer" and not isinstance(value, int):
        raise refusal.bad_value(value, field.name, "an integer is expected.")
    return value


def _email(value: str, name: str) -> str:
    if not _EMAIL.fullmatch(value):
        raise refusal.bad_value(value, name, "it does not follow the 'email' data policy.")
    return value


def _smart_case(value: str, name: str) -> str:
    return _WORD.sub(lambda word: word[0][0].upper() + word[0][1:].lower(), value)


def _phone(value: str, name: str) -> str:
    return value.translate(_SEPARATORS)


POLICIES: Mapping[str, Callable[[str, str], str]] = {
    "email": _email,
    "smartCase": _smart_case,
    "phone": _phone,
}
"""dataPolicy → (value, field) to what is stored; `email` checks only. How the others rewrite is not published."""
