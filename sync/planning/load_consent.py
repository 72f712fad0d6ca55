"""load_consent(text) -> the consent map, or everything that is wrong with it at once, with line numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from sync.planning.advice import Problem, advise, did_you_mean
from sync.planning.consent_map import TARGETS, ConsentField, ConsentMap, canonical
from sync.planning.load import MappingInvalid
from sync.planning.yaml_lines import Lines, NotYaml, Place, read


def load_consent(text: str, *, filename: str = "consent.yaml") -> ConsentMap:
    """The consent map that a YAML text states; raises MappingInvalid with all its problems."""
    try:
        content, lines = read(text)
    except NotYaml as error:
        raise MappingInvalid(
            filename,
            (Problem(error.line, "the file", f"it is not YAML: {error.what}.", "Correct indentation."),),
        ) from None
    if not isinstance(content, dict):
        fix = "Start with `consent: contacts`; docs/consent.md shows a whole file."
        raise MappingInvalid(filename, (Problem(1, "the file", "it is no consent map.", fix),))
    problems = list(_problems(content, lines))
    made: ConsentMap | None = None
    try:
        made = ConsentMap.model_validate({**content, "fields": _tuple(content.get("fields"))})
    except ValidationError as error:
        problems += [_told(one, lines) for one in error.errors(include_url=False, include_context=True)]
    if problems or made is None:
        raise MappingInvalid(filename, tuple(sorted(set(problems), key=lambda p: (p.line, p.where))))
    return made


def _tuple(fields: object) -> object:
    return tuple(fields) if isinstance(fields, list) else fields


def _told(one: Any, lines: Lines) -> Problem:
    place: Place = one["loc"]
    inside = ConsentField if len(place) > 2 else ConsentMap
    what, fix = advise(one["type"], one.get("ctx", {}), one.get("input"), place[-1:], inside)
    return Problem(lines.of(place), _name(place), what, fix)


def _name(place: Place) -> str:
    if len(place) > 1 and place[0] == "fields" and isinstance(place[1], int):
        rest = ".".join(str(part) for part in place[2:])
        return f"fields {place[1] + 1}" + (f", {rest}" if rest else "")
    return ".".join(str(part) for part in place) or "the file"


def _problems(content: dict[Any, Any], lines: Lines) -> Iterator[Problem]:
    """What the fields may not be or do together; works on plain values, half-right files included."""

    def problem(place: Place, what: str, fix: str) -> Problem:
        return Problem(lines.of(place), _name(place), what, fix)

    for place in lines.repeated:
        yield problem(place, "it is written twice.", "Remove one of the two.")
    fields = content.get("fields")
    first: dict[str, tuple[int, bool]] = {}
    meaning: dict[str, tuple[int, bool]] = {}
    for index, item in enumerate(fields if isinstance(fields, list) else ()):
        if not isinstance(item, dict):
            continue
        place = ("fields", index)
        source, target = item.get("source"), item.get("target")
        inverted = item.get("invert") is True
        if isinstance(target, str):
            name = canonical(target)
            if name not in TARGETS:
                yield problem(
                    (*place, "target"), "it is no opt-out field of Campaign.", did_you_mean(target, TARGETS)
                )
            if name in first:
                other, meant = first[name]
                what = f"fields {other + 1} already feeds `{name}`"
                what += ", with the opposite meaning." if meant != inverted else "."
                yield problem((*place, "target"), what, "Remove one of the two fields.")
            first.setdefault(name, (index, inverted))
        if isinstance(source, str):
            known = meaning.setdefault(source, (index, inverted))
            if known[1] != inverted:
                what = f"fields {known[0] + 1} reads `{source}` with the opposite meaning."
                yield problem((*place, "invert"), what, "A column can mean one thing only.")
            if source == "followemail" and not inverted:
                what = "`followemail` allows to track opens and clicks: it is no consent to mail."
                yield problem(
                    (*place, "source"), what, "Remove the field, or write `invert: true` if you mean it."
                )
        yield from (problem(place, what, fix) for what, fix in _choice(item))


def _choice(item: dict[Any, Any]) -> Iterator[tuple[str, str]]:
    out, chosen = item.get("opted_out"), item.get("opted_in")
    if (out is None) != (chosen is None):
        yield (
            "a choice column needs both options.",
            "Write `opted_out:` and `opted_in:` with the option values.",
        )
    elif out is not None and out == chosen:
        yield "`opted_out` and `opted_in` are the same option.", "Correct one of the two."
    if out is not None and item.get("invert") is not None:
        yield "`invert` does not go with `opted_out`.", "Remove `invert`."
