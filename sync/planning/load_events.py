"""Reads the text of `mappings/events.yaml` and says all that is wrong with it, each with its line and its remedy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from sync.planning.activities import COUNTERS, DATE_FIELDS, KIND_FIELDS, EventKind, Events
from sync.planning.advice import Problem, did_you_mean
from sync.planning.load import MappingInvalid
from sync.planning.yaml_lines import Lines, NotYaml, Place, read

_SEE = "See docs/events.md."
_REQUIRED = ("campaign_name", "delivery_name")

Found = Iterator[tuple[Place, str, str]]


def load_events(text: str, *, filename: str = "events.yaml") -> Events:
    """The file as it is meant; raises MappingInvalid with all its problems."""
    try:
        content, lines = read(text)
    except NotYaml as error:
        fix = "Correct indentation or quotes."
        raise MappingInvalid(
            filename, (Problem(error.line, "the file", f"it is not YAML: {error.what}.", fix),)
        ) from None
    if not isinstance(content, dict):
        told = Problem(1, "the file", "it says nothing about events.", "Start with `events: email`.")
        raise MappingInvalid(filename, (told,))
    problems = [_problem(lines, place, "it is written twice.", "Remove one.") for place in lines.repeated]
    try:
        events = Events.model_validate(content)
    except ValidationError as error:
        problems += [_problem(lines, *told) for told in _told(error, content)]
    else:
        problems += [_problem(lines, *told) for told in _together(events)]
    if problems:
        raise MappingInvalid(filename, tuple(sorted(set(problems), key=lambda one: (one.line, one.where))))
    return events


def _problem(lines: Lines, place: Place, what: str, fix: str) -> Problem:
    return Problem(lines.of(place), ".".join(str(part) for part in place) or "the file", what, fix)


def _told(error: ValidationError, content: dict[Any, Any]) -> Found:
    for one in error.errors(include_url=False, include_context=True):
        place, context = one["loc"], one.get("ctx", {})
        match one["type"]:
            case "missing":
                yield place, "it is missing.", f"Add it. {_SEE}"
            case "extra_forbidden":
                yield place, "there is no such key.", _SEE
            case "enum" | "literal_error":
                words = tuple(
                    word.strip().strip("'")
                    for word in str(context["expected"]).replace(" or ", ", ").split(",")
                )
                yield place, "there is no such choice.", did_you_mean(one.get("input"), words)
            case "bool_type":
                yield place, "it must be true or false.", "Write `true` or `false`, without quotes."
            case "int_type":
                yield place, "it must be a whole number.", "Write a whole number, without quotes."
            case "greater_than_equal":
                yield place, "it is too small.", f"Write {context['ge']} or more."
            case "less_than_equal":
                yield place, "it is too large.", f"Write {context['le']} or less."
            case "string_pattern_mismatch":
                yield place, "it is not spelled like one.", f"Use the logical name, in small letters. {_SEE}"
            case "string_type":
                yield (
                    place,
                    "it must be text.",
                    "Write a word; put it in quotes if YAML reads it as something else.",
                )
            case _:
                yield place, "it cannot be used.", _SEE


def _together(events: Events) -> Found:
    """What parts that are right may not do together."""
    seen: dict[str, EventKind] = {}
    for kind, table in events.tables.all():
        place = ("tables", kind.value)
        if table.table in seen:
            yield (
                (*place, "table"),
                f"the table is already that of {seen[table.table]}.",
                "Use one table per kind.",
            )
        seen.setdefault(table.table, kind)
        yield from _columns(events, kind)
    if events.options.granularity == "per_delivery":
        yield from _one_activity(events)


def _columns(events: Events, kind: EventKind) -> Found:
    table, allowed = events.tables.of(kind), KIND_FIELDS[kind]
    place = ("tables", kind.value, "columns")
    named: set[str] = set()
    for field, column in table.columns.items():
        if field not in allowed:
            yield (*place, field), "there is no such field in this table.", did_you_mean(field, allowed)
        elif column.name in named:
            yield (
                (*place, field),
                "another field is written to that column.",
                "Give each field its own column.",
            )
        named.add(column.name)
    for field in (*_REQUIRED, DATE_FIELDS[kind]):
        if field not in table.columns:
            yield place, f"`{field}` has no column.", f"Add `{field}: <column>`."


def _one_activity(events: Events) -> Found:
    table = events.tables.send
    if not table.enabled:
        fix = "Set `enabled: true`, or choose another granularity."
        yield ("tables", "send", "enabled"), "per_delivery keeps its activities in the send table.", fix
    for field in COUNTERS:
        if field not in table.columns:
            yield (
                ("tables", "send", "columns"),
                f"per_delivery needs a column for `{field}`.",
                f"Add `{field}: <column>`.",
            )
