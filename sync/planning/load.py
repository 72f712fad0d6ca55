"""Reads the text of a mapping and says everything that is wrong with it, each with its line and its remedy."""

from __future__ import annotations

from typing import Any

from sync.errors import SyncError
from sync.planning.advice import Problem, did_you_mean
from sync.planning.draft import Draft
from sync.planning.load_filter import read_filter
from sync.planning.load_options import read_options
from sync.planning.mapping import FIELD_CLASSES, FieldMap, Mapping
from sync.planning.rules import broken_rules
from sync.planning.rules_fields import wrong_field
from sync.planning.yaml_lines import NotYaml, Place, read

__all__ = ["MappingInvalid", "Problem", "load_mapping"]


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
    draft = Draft(content, lines, [])
    mapping = _mapping(draft)
    if draft.problems or mapping is None:
        raise MappingInvalid(filename, tuple(sorted(set(draft.problems), key=lambda p: (p.line, p.where))))
    return mapping


def _mapping(draft: Draft) -> Mapping | None:
    for place in draft.lines.repeated:
        draft.add(place, "it is written twice.", "Remove one of the two.")
    parts = _parts(draft)
    for place, what, fix in broken_rules(draft.content):
        draft.add(place, what, fix)
    # Say what is wrong around the parts too; what is inside them has been told.
    told = tuple(draft.problems)
    made: Mapping | None = draft.check(Mapping, {**draft.content, **parts}, ())
    inside = tuple(
        part
        for part in ("fields", "filter", "options")
        if any(problem.where.startswith(part) for problem in told)
    )
    around = [problem for problem in draft.problems[len(told) :] if not problem.where.startswith(inside)]
    draft.problems[len(told) :] = around
    return made


def _parts(draft: Draft) -> dict[str, Any]:
    """What is read part by part; None where it is wrong, which has been told."""
    parts: dict[str, Any] = {}
    if fields := _fields(draft):
        parts["fields"] = fields
    if draft.content.get("filter") is not None:
        parts["filter"] = read_filter(draft, draft.content["filter"], ("filter",))
    if isinstance(draft.content.get("options"), dict):
        parts["options"] = read_options(draft, draft.content["options"])
    return parts


def _fields(draft: Draft) -> tuple[FieldMap, ...]:
    """The fields that are right; what is wrong with the others is noted."""
    written = draft.content.get("fields")
    if not isinstance(written, list):
        if "fields" in draft.content:
            draft.add(("fields",), "it must be a list.", "Write one `- {source: …, target: …}` per field.")
        return ()
    made = [_field(draft, item, ("fields", index)) for index, item in enumerate(written)]
    return tuple(field for field in made if field is not None)


def _field(draft: Draft, item: object, place: Place) -> FieldMap | None:
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
    if made is not None:
        for key, what, fix in wrong_field(made):
            draft.add((*place, *key.split(".")) if key else place, what, fix)
    return made
