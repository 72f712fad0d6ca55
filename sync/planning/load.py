"""Reads the text of a mapping and says everything that is wrong with it, each with its line and its remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from sync.errors import SyncError
from sync.planning.advice import Problem, advise, did_you_mean
from sync.planning.mapping import FIELD_CLASSES, FieldMap, Mapping, Options, Source, Target
from sync.planning.rules import broken_rules
from sync.planning.yaml_lines import Lines, NotYaml, Place, read

__all__ = ["MappingInvalid", "Problem", "load_mapping"]

_PARTS: dict[str, type[BaseModel]] = {"source": Source, "target": Target, "options": Options}


class MappingInvalid(SyncError):
    """A mapping text that cannot be used; `problems` has all that is wrong, in the order of the lines."""

    def __init__(self, filename: str, problems: tuple[Problem, ...]) -> None:
        self.filename = filename
        self.problems = problems
        found = "; ".join(f"line {problem.line}: {problem.where}: {problem.what}" for problem in problems)
        super().__init__("mapping_invalid", f"{filename}: {found}")

    def __str__(self) -> str:
        count = len(self.problems)
        head = f"{self.filename} has {count} problem{'s' if count > 1 else ''}:"
        told = [f"  {self.filename}:{p.line}: {p.where}: {p.what} {p.fix}" for p in self.problems]
        return "\n".join([head, *told])


@dataclass
class _Draft:
    """A text as far as it could be read."""

    content: dict[Any, Any]
    lines: Lines
    problems: list[Problem]

    def add(self, place: Place, what: str, fix: str) -> None:
        self.problems.append(Problem(self.lines.of(place), _name(place, self.content), what, fix))

    def check(self, model: type[BaseModel], value: object, place: Place) -> Any:
        """The value as `model`, or None with the problems noted."""
        try:
            return model.model_validate(value)
        except ValidationError as error:
            for one in error.errors(include_url=False, include_context=True):
                told, kind = one["loc"], one["type"]
                if "[key]" in told:
                    told, kind = told[:2], "option"
                what, fix = advise(kind, one.get("ctx", {}), one.get("input"), told, model)
                self.add((*place, *told), what, fix)
            return None


def load_mapping(text: str, *, filename: str = "mapping.yaml") -> Mapping:
    """The mapping that a YAML text states; raises MappingInvalid with all its problems."""
    try:
        content, lines = read(text)
    except NotYaml as error:
        problem = Problem(
            error.line, "the file", f"it is not YAML: {error.what}.", "Correct indentation or quotes."
        )
        raise MappingInvalid(filename, (problem,)) from None
    if not isinstance(content, dict):
        fix = "Start with `mapping: <name>`; docs/mapping.md shows a whole file."
        raise MappingInvalid(filename, (Problem(1, "the file", "it is no mapping.", fix),))
    draft = _Draft(content, lines, [])
    mapping = _mapping(draft)
    if draft.problems or mapping is None:
        raise MappingInvalid(filename, tuple(sorted(set(draft.problems), key=lambda p: (p.line, p.where))))
    return mapping


def _mapping(draft: _Draft) -> Mapping | None:
    for place in draft.lines.repeated:
        draft.add(place, "it is written twice.", "Remove one of the two.")
    fields = _fields(draft)
    for place, what, fix in broken_rules(draft.content):
        draft.add(place, what, fix)
    if draft.problems:
        # Say what is wrong around the fields too; the fields have been told.
        head = {**draft.content, "fields": fields} if fields else draft.content
        _head(draft, head)
        return None
    made: Mapping | None = draft.check(Mapping, {**draft.content, "fields": fields}, ())
    return made


def _head(draft: _Draft, content: dict[Any, Any]) -> None:
    told = len(draft.problems)
    draft.check(Mapping, content, ())
    draft.problems[told:] = [p for p in draft.problems[told:] if not p.where.startswith("fields")]


def _fields(draft: _Draft) -> tuple[FieldMap, ...]:
    """The fields that are right; what is wrong with the others is noted."""
    written = draft.content.get("fields")
    if not isinstance(written, list):
        if "fields" in draft.content:
            draft.add(("fields",), "it must be a list.", "Write one `- {source: …, target: …}` per field.")
        return ()
    made = [_field(draft, item, ("fields", index)) for index, item in enumerate(written)]
    return tuple(field for field in made if field is not None)


def _field(draft: _Draft, item: object, place: Place) -> FieldMap | None:
    if not isinstance(item, dict):
        draft.add(
            place, "it is no field.", "Write `- {source: column, target: field, type: string, length: 30}`."
        )
        return None
    word = item.get("type", "string")
    model = FIELD_CLASSES.get(word) if isinstance(word, str) else None
    if model is None:
        draft.add((*place, "type"), "there is no such type.", did_you_mean(word, tuple(FIELD_CLASSES)))
        return None
    made: FieldMap | None = draft.check(model, item, place)
    return made


def _name(place: Place, content: dict[Any, Any]) -> str:
    """A place in words: `options.on_missing`, or `fields 3 (fax → phone), length`."""
    if len(place) < 2 or place[0] != "fields" or not isinstance(place[1], int):
        return ".".join(str(part) for part in place) or "the file"
    item = content["fields"][place[1]]
    told = f"fields {place[1] + 1}"
    if isinstance(item, dict):
        told += f" ({item.get('source', '?')} → {item.get('target', '?')})"
    rest = ".".join(str(part) for part in place[2:])
    return f"{told}, {rest}" if rest else told
