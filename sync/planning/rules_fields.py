"""What one field may not combine: values from two origins, words that need others, literals that do not convert."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import available_timezones

from sync.planning.advice import did_you_mean
from sync.planning.convert import Flagged, typed
from sync.planning.dates import AS_WRITTEN
from sync.planning.evaluate import without_value
from sync.planning.expressions import ExpressionError, parse
from sync.planning.fields import DateField, DateTimeField, FieldMap, LinkField, StringField
from sync.planning.languages import LANGUAGES

Wrong = Iterator[tuple[str, str, str]]
"""(key, what, fix)."""


def wrong_field(field: FieldMap) -> Wrong:
    """What is wrong with a field whose keys are right one by one."""
    if isinstance(field, LinkField):
        return
    told = [name for name in ("source", "expression", "constant") if getattr(field, name) is not None]
    if len(told) != 1:
        what = "there is no value for it." if not told else f"`{told[0]}` and `{told[1]}` exclude each other."
        yield (told[-1] if told else ""), what, "Write exactly one of `source`, `expression` and `constant`."
        return
    yield from _words(field, told[0])
    if field.expression is not None:
        yield from _expression(field.expression)
    zones: tuple[tuple[str, str, str], ...] = ()
    if isinstance(field, DateField | DateTimeField) and field.time_zone is not None:
        zones = tuple(_zone(field, field.time_zone))
        yield from zones
    if not zones:
        yield from _literals(field)
    if isinstance(field, StringField) and field.label is not False and field.label is not True:
        yield from _language(int(field.label), "label")


def _words(field: Any, origin: str) -> Wrong:
    for word in ("related", "label", "separator", "replace"):
        if getattr(field, word, None) and origin != "source" and (word != "replace" or origin == "constant"):
            yield word, f"it goes with `source`, not with `{origin}`.", "Remove it."
    if field.related and origin == "source":
        if not (field.source.startswith("_") and field.source.endswith("_value")):
            yield "source", "only a lookup has a related row.", "A lookup is written `_name_value`."
        if getattr(field, "label", False):
            yield "label", "a related row's column has no label here.", "Remove one of the two."
    if getattr(field, "default", None) is not None and origin == "constant":
        yield "default", "a constant is never empty.", "Remove it."
    if getattr(field, "otherwise", None) is not None and not field.replace:
        yield "otherwise", "there is nothing that it could be the rest of.", "Add `replace:`, or remove it."


def _expression(source: str) -> Wrong:
    try:
        made = parse(source)
    except ExpressionError as error:
        yield "expression", error.what, error.fix
        return
    if lost := without_value(made):
        yield "expression", f"`{lost}` never has a value.", "Correct it, or remove it."
    for label in made.labels:
        if label.language:
            yield from _language(label.language, "expression")
    for related in made.related:
        if not (related.lookup.startswith("_") and related.lookup.endswith("_value")):
            what = f"`{related.lookup}` is no lookup, so it has no related row."
            yield "expression", what, "A lookup is written `_name_value`."


def _language(code: int, key: str) -> Wrong:
    if code not in LANGUAGES:
        known = ", ".join(f"{number} {name}" for number, name in LANGUAGES.items())
        yield key, f"{code} is no language of Dynamics.", f"Use one of: {known}."


def _zone(field: DateField | DateTimeField, zone: str) -> Wrong:
    if zone == AS_WRITTEN and isinstance(field, DateField):
        return
    if zone not in available_timezones():
        close = did_you_mean(zone, sorted(available_timezones()))
        meant = close.rpartition("Did you mean")[1:]
        fix = "Use a name such as `Europe/Berlin`." + (f" {meant[0]}{meant[1]}" if meant[0] else "")
        yield "time_zone", "there is no such time zone.", fix


def _literals(field: Any) -> Wrong:
    """Values written in the mapping itself must convert like those of a record, without a policy's help."""
    convert = typed(field)
    given = {name: getattr(field, name, None) for name in ("constant", "default", "otherwise")}
    for old, new in (getattr(field, "replace", None) or {}).items():
        given[f"replace.{old}"] = new
    for name, value in given.items():
        if value is None or (name == "default" and field.type == "enumeration"):
            continue
        found = convert(value)
        if isinstance(found, Flagged):
            what = (
                "it is too long."
                if "long" in found.code or found.code == "truncated"
                else "it does not convert."
            )
            yield name, what, f"Write a value that fits `type: {field.type}`."
        elif name == "default" and found != value:
            yield name, "it is not written as values of this field are sent.", f"Write {found!r}."
