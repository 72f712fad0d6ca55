"""Mapping text to Mapping: every problem at once, each with its line and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import ValidationError

from sync.errors import SyncError
from sync.planning.mapping import READ_ONLY, FieldMap, FieldType, Mapping, Options, Policy, Source, Target

KNOWN: dict[str, frozenset[str]] = {
    "": frozenset(Mapping.model_fields),
    "source": frozenset(Source.model_fields),
    "target": frozenset(Target.model_fields),
    "options": frozenset(Options.model_fields),
    "fields": frozenset(FieldMap.model_fields),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a mapping file; `where` is the key path, `line` counts from 1."""

    line: int
    where: str
    what: str
    fix: str


class MappingInvalid(SyncError):
    """A mapping text that cannot be used; `problems` has all of them."""

    def __init__(self, filename: str, problems: tuple[Problem, ...]) -> None:
        self.filename = filename
        self.problems = problems
        super().__init__(
            "mapping_invalid", f"{filename}: " + "; ".join(f"line {p.line}: {p.what}" for p in problems)
        )

    def __str__(self) -> str:
        lines = (f"  {self.filename}:{p.line}: {p.where}: {p.what}. {p.fix}" for p in self.problems)
        return f"mapping_invalid: {len(self.problems)} problem(s):\n" + "\n".join(lines)


def load_mapping(text: str, *, filename: str = "mapping.yaml") -> Mapping:
    """The mapping of a YAML text; raises MappingInvalid with all problems."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        what = f"is not YAML: {getattr(error, 'problem', None) or 'unreadable'}"
        raise MappingInvalid(
            filename, (Problem(line, "file", what, "Correct the indentation or quoting."),)
        ) from None
    if not isinstance(content, dict):
        problem = Problem(1, "file", "is no mapping", "Start with `mapping: <name>`; see docs/mapping.md.")
        raise MappingInvalid(filename, (problem,))
    lines = dict(_lines(node, ()))
    try:
        mapping = Mapping.model_validate(content)
    except ValidationError as error:
        found = (
            _from_pydantic(dict(one), lines) for one in error.errors(include_url=False, include_input=False)
        )
        raise MappingInvalid(filename, tuple(sorted(found, key=lambda p: p.line))) from None
    problems = tuple(_rules(mapping, lines))
    if problems:
        raise MappingInvalid(filename, problems)
    return mapping


def _lines(node: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], int]]:
    """The line of every key and list item."""
    if node is None:
        return
    yield path, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*path, key.value), key.start_mark.line + 1
            if not isinstance(value, yaml.ScalarNode):
                yield from _lines(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _lines(item, (*path, index))


def _line(lines: dict[tuple[str | int, ...], int], path: tuple[str | int, ...]) -> int:
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _from_pydantic(error: dict[str, Any], lines: dict[tuple[str | int, ...], int]) -> Problem:
    path: tuple[str | int, ...] = tuple(error["loc"])
    where = ".".join(str(part) for part in path)
    line = _line(lines, path)
    if error["type"] == "missing":
        return Problem(line, where, "is missing", "Add it; see docs/mapping.md.")
    if error["type"] == "extra_forbidden":
        return Problem(line, where, "is not a known word", _suggest(path))
    if error["type"] == "enum":
        return Problem(line, where, "has no such choice", f"Choose one of {error['ctx']['expected']}.")
    return Problem(
        line, where, error["msg"].removeprefix("Value error, ").lower(), "Correct it; see docs/mapping.md."
    )


def _suggest(path: tuple[str | int, ...]) -> str:
    known = sorted(KNOWN.get(str(path[0]) if len(path) > 1 else "", frozenset()))
    close = difflib.get_close_matches(str(path[-1]), known, n=1)
    return f"Did you mean `{close[0]}`?" if close else f"Known here: {', '.join(known)}."


def _rules(mapping: Mapping, lines: dict[tuple[str | int, ...], int]) -> Iterator[Problem]:
    """What the types cannot say."""
    seen: dict[str, int] = {}
    tops = {field.target.split(".")[0] for field in mapping.fields if "." in field.target}
    for index, field in enumerate(mapping.fields):
        line = _line(lines, ("fields", index))
        where = f"fields.{index}"
        top = field.target.split(".")[0]
        if field.target in seen:
            what = f"target {field.target} is written twice, first in line {seen[field.target]}"
            yield Problem(line, where, what, "One column per Campaign field: remove one of the two.")
        seen.setdefault(field.target, line)
        if field.target in tops:
            yield Problem(
                line, where, f"target {field.target} is also a group", "Use its items, as in location.city."
            )
        if top in READ_ONLY:
            yield Problem(line, where, f"target {field.target} is read-only in Campaign", "Remove the field.")
        if field.target == mapping.target.key:
            yield Problem(
                line, where, f"target {field.target} is the key", "Remove it: the key is always sent."
            )
        if field.source == mapping.source.key:
            yield Problem(
                line, where, f"source {field.source} is the key", "Remove it: the key is always read."
            )
        yield from _field_rules(field, line, where)


def _field_rules(field: FieldMap, line: int, where: str) -> Iterator[Problem]:
    text = field.type in (FieldType.STRING, FieldType.EMAIL)
    if text and field.length is None:
        yield Problem(
            line, where, "a text needs a length", "Add `length:` with the length of the Campaign field."
        )
    if not text and field.length is not None:
        yield Problem(line, where, f"a {field.type} has no length", "Remove `length`.")
    if field.type is FieldType.EMAIL and field.too_long is Policy.TRUNCATE:
        yield Problem(
            line, where, "a truncated e-mail address is another address", "Use blank or quarantine."
        )
    if (field.type is FieldType.ENUMERATION) != bool(field.values):
        fix = "Give `values: {1: male}` for an enumeration, and for nothing else."
        yield Problem(line, where, "values and type do not go together", fix)
    if field.default and field.type is not FieldType.ENUMERATION:
        yield Problem(line, where, "default is for enumerations", "Remove `default`.")
