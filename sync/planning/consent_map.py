"""mappings/consent.yaml: which Dynamics column says what Campaign's opt-out fields say (docs/consent.md).

`load_consent` says everything that is wrong with the text at once; `resolve` holds it against both systems' live
metadata: which spelling Campaign has, what a column's labels mean, where a `…LastModified` is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    field_validator,
)

from sync.planning.advice import Problem, advise, did_you_mean
from sync.planning.consent import Direction, Policy
from sync.planning.load import MappingInvalid
from sync.planning.mapping import Column
from sync.planning.yaml_lines import Lines, NotYaml, Place, read

TARGETS = (
    "blackList",
    "blackListEmail",
    "blackListFax",
    "blackListMobile",
    "blackListPhone",
    "blackListPostalMail",
    "blackListPushnotification",
    "ccpaOptOut",
)
"""Campaign's eight opt-out fields; documents also spell them `denyList…` (adobe.md A.3, names trap)."""
STAMP = "LastModified"
_CLOSED = re.compile(
    r"\b(do not|don't|not allow|no longer|opt(ed)?[- ]?out|disallow|deny|denied|block|unsubscribe|exclude)",
    re.I,
)
_OPEN = re.compile(r"\b(allow|send|opt(ed)?[- ]?in|subscribe|permit|consent|include)", re.I)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ConsentField(_Strict):
    """One column and the field it feeds. True in the column is opted out, unless `invert`.

    A choice column names its two options instead: `opted_out` and `opted_in`.
    """

    source: Column
    target: StrictStr
    invert: StrictBool | None = None
    opted_out: StrictInt | None = None
    opted_in: StrictInt | None = None


class ConsentMap(_Strict):
    """The whole file."""

    consent: Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
    """The mapping whose records it is about."""
    direction: Literal["off", "to_campaign", "to_dynamics", "both"] = "both"
    policy: Literal["agreed", "adobe", "opt_out_always_wins"] = "agreed"
    clock_tolerance: Annotated[StrictInt, Field(ge=0, le=86_400)] = 300
    undecided: Literal["opted_out", "hold"] = "opted_out"
    fields: Annotated[tuple[ConsentField, ...], Field(min_length=1)]

    @field_validator("direction", mode="before")
    @classmethod
    def _off(cls, told: object) -> object:
        """YAML reads the bare word off as false."""
        return "off" if told is False else told

    @property
    def flows(self) -> Direction:
        return Direction(self.direction)

    @property
    def rule(self) -> Policy:
        return Policy(self.policy)


def canonical(target: str) -> str:
    """Campaign's name for a target in either spelling; what is none comes back as it is."""
    return re.sub(r"^denyList", "blackList", target)


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


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """What Dynamics says of a column: AttributeType, and its options' values and labels (a Boolean's are 1 and 0)."""

    type: str
    options: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """One field ready to work. `name` is Campaign's canonical name, `field` and `stamp` what this instance calls them."""

    name: str
    column: str
    field: str
    stamp: str
    out: bool | int
    in_: bool | int
    sentence: str = ""

    def of_dynamics(self, value: object) -> bool | None:
        """Whether a column's value means opted out; None: it cannot be decided. No value is a Boolean's default, 0."""
        if isinstance(self.out, bool):
            told = False if value is None else value
            return told is self.out if isinstance(told, bool) else None
        if isinstance(value, bool) or not isinstance(value, int):
            return None
        return {self.out: True, self.in_: False}.get(value)

    def to_dynamics(self, opted_out: bool) -> bool | int:
        return self.out if opted_out else self.in_


@dataclass(frozen=True, slots=True)
class Consents:
    """The resolved map. `warnings` are sentences for `doctor`."""

    map: ConsentMap
    pairs: tuple[Pair, ...]
    warnings: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """What a read of Dynamics selects for consent."""
        return tuple(dict.fromkeys([*(pair.column for pair in self.pairs), "modifiedon", "createdon"]))


class ConsentUnusable(Exception):
    """The consent map does not fit the two systems; `problems` are sentences."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


def resolve(consent: ConsentMap, columns: Mapping[str, SourceColumn], fields: Mapping[str, str]) -> Consents:
    """Hold the map against live metadata; `fields` are Campaign's fields with their types. Raises ConsentUnusable."""
    problems: list[str] = []
    warnings: list[str] = []
    pairs: list[Pair] = []
    for item in consent.fields:
        name = canonical(item.target)
        live = next((known for known in _spellings(name) if known in fields), "")
        column = columns.get(item.source)
        if not live:
            problems.append(f"Campaign has neither {' nor '.join(_spellings(name))}.")
        elif fields[live] != "boolean":
            problems.append(f"Campaign's {live} is a {fields[live]}, not a boolean.")
        if column is None:
            problems.append(f"Dynamics has no column {item.source}.")
            continue
        told = list(_column_problems(item, column))
        problems += told
        stamp = f"{live}{STAMP}" if f"{live}{STAMP}" in fields else ""
        if live and not stamp:
            warnings.append(
                f"Campaign has no {live}{STAMP}: an opt-in made in Dynamics can never be told from a race and is refused."
            )
        if live and not told:
            out, in_ = _values(item)
            pairs.append(Pair(name, item.source, live, stamp, out, in_, _sentence(item, column, live)))
    if problems:
        raise ConsentUnusable(problems)
    return Consents(consent, tuple(pairs), tuple(warnings))


def _spellings(name: str) -> tuple[str, ...]:
    other = re.sub(r"^blackList", "denyList", name)
    return (name,) if other == name else (name, other)


def _values(item: ConsentField) -> tuple[bool | int, bool | int]:
    if item.opted_out is not None and item.opted_in is not None:
        return item.opted_out, item.opted_in
    return not item.invert, bool(item.invert)


def _column_problems(item: ConsentField, column: SourceColumn) -> Iterator[str]:
    labels = dict(column.options)
    if item.opted_out is not None:
        for option in (item.opted_out, item.opted_in):
            if column.type != "Picklist" or option not in labels:
                yield f"{item.source} is no choice column with the option {option}."
        return
    if column.type != "Boolean":
        yield f"{item.source} is a {column.type} column; map a Boolean, or a choice with opted_out and opted_in."
    elif item.invert is None and _reads(labels) is False:
        yield (
            f"{item.source}: 1 is labelled “{labels.get(1, '')}”, so true is opted in; "
            "write `invert: true` if that is meant."
        )
    elif item.invert and _reads(labels) is True and item.source != "followemail":
        yield f"{item.source}: 1 is labelled “{labels.get(1, '')}”, so true is opted out already; remove `invert`."


def _reads(labels: Mapping[int, str]) -> bool | None:
    """Whether the labels say that true is opted out; None: they say nothing (Yes and No)."""
    true, false = labels.get(1, ""), labels.get(0, "")
    closed = bool(_CLOSED.search(true)), bool(_CLOSED.search(false))
    if closed[0] != closed[1]:
        return closed[0]
    opened = bool(_OPEN.search(true)), bool(_OPEN.search(false))
    return opened[1] if opened[0] != opened[1] else None


def _sentence(item: ConsentField, column: SourceColumn, live: str) -> str:
    """`donotsendmm = 1 "Do Not Send" → opted out (blackListEmail)`."""
    out = item.opted_out if item.opted_out is not None else int(not item.invert)
    label = dict(column.options).get(out, "")
    told = f' "{label}"' if label else ""
    return f"{item.source} = {out}{told} → opted out ({live})"
