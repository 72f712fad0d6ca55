"""What would become of a record, in words: pure."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sync.model import LedgerRow, State
from sync.planning.compare import equal
from sync.planning.plan import Do, Plan

EMPTY: Collection[object] = ("", 0, False, None)
RECORDED = (Do.RECORD, Do.LOOK)


class Would(enum.StrEnum):
    """What would become of a record."""

    CREATE = "created"
    UPDATE = "updated"
    DELETE = "deleted"
    LEAVE = "left alone"
    WAIT = "waiting"
    """For a parent, its children, an approval, or another worker."""
    QUARANTINE = "quarantined"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that would be written; `before` is what Campaign shows now, None where it was not asked or is new."""

    path: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class Expected:
    """What would happen to one record, why, and how many Campaign calls it takes."""

    record_id: str
    would: Would
    why: str
    code: str = ""
    calls: int = 0
    changes: tuple[FieldChange, ...] = field(default=(), repr=False)


@dataclass
class Summary:
    """Counts of many."""

    records: int = 0
    calls: int = 0
    would: Counter[Would] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    """How often each field would change."""

    def add(self, expected: Expected) -> None:
        self.records += 1
        self.calls += expected.calls
        self.would[expected.would] += 1
        self.fields.update(change.path for change in expected.changes)
        if expected.code:
            self.codes[expected.code] += 1


def without_call(planned: Plan, row: LedgerRow) -> Would:
    """What a plan that makes no call comes to."""
    after = planned.row.state if planned.do in RECORDED and planned.row else row.state
    if planned.do is Do.WAIT or after is State.PARKED:
        return Would.WAIT
    return Would.QUARANTINE if after is State.QUARANTINED else Would.LEAVE


def code_of(planned: Plan, row: LedgerRow) -> str:
    """The code of the row afterwards."""
    return planned.row.code if planned.do in RECORDED and planned.row else row.code


def body_of(planned: Plan, *, create: bool = False, update: bool = False) -> Mapping[str, Any]:
    """What the call would carry."""
    if planned.mark is not None:
        return planned.mark.body
    if planned.projection is None:
        return {}
    if create or (planned.do is Do.INSERT and not update):
        return planned.projection.create
    return planned.projection.force if planned.force else planned.projection.update


def changes_of(
    body: Mapping[str, Any], shown: Mapping[str, Any] | None, policies: Mapping[str, str]
) -> Iterator[FieldChange]:
    """The fields of a body that differ from what Campaign shows, beyond what its data policies rewrite anyway.

    All that carry something where there is nothing yet.
    """
    for path, after in _flat(body):
        if shown is None:
            if after not in EMPTY:
                yield FieldChange(path, None, after)
        elif not equal(after, before := _at(shown, path), policies.get(path, "")):
            yield FieldChange(path, before, after)


def _flat(body: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for name, value in body.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{inner}", deep) for inner, deep in value.items())
        else:
            yield name, value


def _at(shown: Mapping[str, Any], path: str) -> object:
    item, _, name = path.rpartition(".")
    inner = shown.get(item) if item else shown
    return inner.get(name) if isinstance(inner, Mapping) else None
