"""resolve(map, metadata) -> the consent map held against both systems' live metadata.

Which spelling Campaign has, what a column's labels mean, where a `…LastModified` is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sync.model import Row
from sync.planning.consent_map import ConsentField, ConsentMap, canonical

STAMP = "LastModified"
_CLOSED = re.compile(
    r"\b(do not|don't|not allow|no longer|opt(ed)?[- ]?out|disallow|deny|denied|block|unsubscribe|exclude)",
    re.I,
)
_OPEN = re.compile(r"\b(allow|send|opt(ed)?[- ]?in|subscribe|permit|consent|include)", re.I)


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

    def says(self, pair: Pair, contact: Row) -> bool | None:
        """Whether a contact is opted out; a value that means neither is, or is None where the map says hold."""
        told = pair.of_dynamics(contact[pair.column]) if pair.column in contact else None
        return True if told is None and self.map.undecided == "opted_out" else told

    def undecidable(self, contact: Row) -> tuple[str, ...]:
        """The fields whose column holds a value that means neither, or may not be read."""
        return tuple(
            pair.name
            for pair in self.pairs
            if pair.column not in contact or pair.of_dynamics(contact[pair.column]) is None
        )

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
