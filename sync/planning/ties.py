"""What the links of a record ask for, given how its parents stand: pure (design 4.4).

A parent counts by what Campaign holds, which its ledger row's hash says: a parent that is quarantined over new data
is still there for its children.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from sync.model import LedgerRow, RecordRef, State
from sync.planning.compile import CompiledMapping, LinkSpec, Projection

CHILDREN_LEFT = "children_left"
PARENT_MISSING = "parent_missing"
PARENT_DELETED = "parent_deleted"
PARENT_EMPTY = "parent_empty"
PROFILE_MISSING = "profile_missing"


class Standing(enum.StrEnum):
    """How a parent stands for a child that would point to it."""

    READY = "ready"
    """Campaign holds it, and no delete of it is under way."""
    BUSY = "busy"
    """A worker is creating or deleting it."""
    ABSENT = "absent"
    LEAVING = "leaving"
    """Its delete waits for its children."""
    GONE = "gone"
    """A tombstone."""


class Verdict(enum.StrEnum):
    """What a record's links ask for."""

    SEND = "send"
    WAIT = "wait"
    """Come back: a parent is in work."""
    PARK = "park"
    """A required parent is not in Campaign."""
    ORPHAN = "orphan"
    """Its parent is being deleted, and the rule says that it goes first."""
    PARENT_GONE = "parent_gone"
    """A required parent was deleted."""
    EMPTY = "empty"
    """A required link points nowhere: Campaign would put the record out of reach (adobe.md A.2)."""


@dataclass(frozen=True, slots=True)
class Tied:
    """`links` are the parents that `projection` points to, `awaits` those left out or waited for."""

    verdict: Verdict
    projection: Projection
    links: tuple[RecordRef, ...] = ()
    awaits: tuple[RecordRef, ...] = ()


def there(row: LedgerRow) -> bool:
    """Whether Campaign holds the record, by what was last sent. A claim for a delete has taken the hash away."""
    return bool(row.hash) and not (row.state is State.HOLD and row.code == PROFILE_MISSING)


def standing(row: LedgerRow | None) -> Standing:
    """How a parent stands by its ledger row; None: its mapping is not active."""
    if row is None:
        return Standing.ABSENT
    if row.claimed:
        return Standing.READY if there(row) else Standing.BUSY
    if row.state is State.PARKED and row.code == CHILDREN_LEFT:
        return Standing.LEAVING
    if there(row):
        return Standing.READY
    return Standing.GONE if row.state is State.DELETED else Standing.ABSENT


def tie(
    child: RecordRef,
    projection: Projection,
    row: LedgerRow,
    compiled: CompiledMapping,
    standings: Mapping[RecordRef, Standing],
) -> Tied:
    """What to do about the links of a record; `row` is its own ledger row."""
    links: list[RecordRef] = []
    left_out: list[str] = []
    found: dict[Verdict, list[RecordRef]] = {}
    for link in projection.links:
        if link.parent_id is None:
            if link.spec.required:
                left = _leaving(link.spec, row, standings) if compiled.deletes else []
                found.setdefault(Verdict.ORPHAN if left else Verdict.EMPTY, []).extend(left)
            continue
        ref = RecordRef(link.spec.mapping, link.parent_id)
        now = standings.get(ref, Standing.ABSENT)
        if ref == child:
            # Under its own claim it would wait for itself.
            now = Standing.READY if there(row) else Standing.ABSENT
        # It has emptied this link since its own delete waits; the rule that deletes it still holds.
        sentenced = row.code == CHILDREN_LEFT and ref in row.awaits and compiled.deletes
        sentenced = sentenced and link.spec.on_parent_delete == "delete"
        verdict: Verdict | None = Verdict.ORPHAN
        if not sentenced or now is not Standing.GONE:
            known = ref in row.parents or sentenced
            verdict = _judge(link.spec, now, known=known, deletes=compiled.deletes)
        found.setdefault(verdict or Verdict.SEND, []).append(ref)
        if verdict is Verdict.SEND:
            links.append(ref)
        elif verdict is None:
            left_out.append(link.spec.target)
    if Verdict.ORPHAN in found:
        return Tied(Verdict.ORPHAN, projection, awaits=_once(found[Verdict.ORPHAN]))
    if Verdict.WAIT in found:
        return Tied(Verdict.WAIT, projection, awaits=_once(found[Verdict.WAIT]))
    if Verdict.EMPTY in found:
        return Tied(Verdict.EMPTY, projection)
    missing = [*found.get(Verdict.PARENT_GONE, ()), *found.get(Verdict.PARK, ())]
    if missing:
        verdict = Verdict.PARENT_GONE if Verdict.PARENT_GONE in found else Verdict.PARK
        return Tied(verdict, projection, awaits=_once(missing))
    if left_out:
        projection = projection.without(left_out)
    awaited = [ref for ref in found.get(Verdict.SEND, ()) if ref not in links]
    return Tied(Verdict.SEND, projection, _once(links), _once(awaited))


def as_sent(projection: Projection, row: LedgerRow) -> Projection:
    """A record as it was sent: without the optional links that its ledger row still waits for."""
    if not row.awaits:
        return projection
    waiting = set(row.awaits)
    left = [
        link.spec.target
        for link in projection.links
        if link.parent_id and RecordRef(link.spec.mapping, link.parent_id) in waiting
    ]
    return projection.without(left) if left else projection


def _judge(spec: LinkSpec, now: Standing, *, known: bool, deletes: bool) -> Verdict | None:
    """What one link asks for; None: leave it out. `known`: Campaign may hold it already."""
    if now is Standing.LEAVING and known:
        if spec.on_parent_delete == "delete" and deletes:
            return Verdict.ORPHAN
        # Held, it stays as it is; cleared, it is left out like any optional link.
        return None if spec.on_parent_delete == "clear" else Verdict.SEND
    if now is Standing.READY:
        return Verdict.SEND
    if now is Standing.BUSY and (spec.required or known):
        return Verdict.WAIT
    if not spec.required:
        return None
    return Verdict.PARENT_GONE if now is Standing.GONE else Verdict.PARK


def _leaving(spec: LinkSpec, row: LedgerRow, standings: Mapping[RecordRef, Standing]) -> list[RecordRef]:
    """Parents that Campaign links it to, that are being deleted and whose rule says that it goes first."""
    if spec.on_parent_delete != "delete":
        return []
    mine = [ref for ref in row.parents if ref.mapping == spec.mapping]
    return [ref for ref in mine if standings.get(ref) is Standing.LEAVING]


def _once(refs: list[RecordRef]) -> tuple[RecordRef, ...]:
    return tuple(dict.fromkeys(refs))
