"""plan(observation, ledger row, mapping) -> what to do: pure, no clock, no I/O (design 4.3).

Every rule is kept because a seeded model of the protocol went wrong without it; add none without a failing seed.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sync.model import Change, ChangeKind, Chunk, Intent, Lane, LedgerRow, RecordRef, SourceRow, State
from sync.planning.compile import CompiledMapping, Marking, Projection
from sync.planning.rows import LATER, MERGED, OUTSIDE, UNDECIDED, filtered, quarantine, resolved, tombstone
from sync.planning.scope import Scope
from sync.planning.taken import COMMANDS
from sync.planning.ties import PARENT_DELETED, PARENT_EMPTY, PARENT_MISSING, Standing, Tied, Verdict, tie

DELETE_BRAKE = "delete_brake"
DELETED_ALREADY = "deleted already"
GONE = (State.DELETED, State.PARKED)
"""States of a record that was found absent: an older upsert of the same version would bring it back."""


class Do(enum.StrEnum):
    """What a plan asks for; the last four make calls."""

    NOTHING = "nothing"
    WAIT = "wait"
    """Back to its lane: a parent is in work just now."""
    RECORD = "record"
    """No call, but the ledger row changes: unchanged, tombstone, quarantine."""
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    LOOK = "look"
    """RECORD of a record of which nobody knows whether Campaign holds it: that is looked up first."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`row` is the ledger row to write for RECORD and LOOK; `why` goes to the history; `mark` is an UPDATE's whole body.

    `links` are the parents that the sent record points to, `awaits` those that it waits for. A DELETE with a source is
    that of a record `outside` the filter, or of a child whose parent is being deleted.
    """

    record_id: str
    do: Do
    why: str
    source: SourceRow | None = None
    projection: Projection | None = None
    row: LedgerRow | None = None
    force: bool = False
    links: tuple[RecordRef, ...] = ()
    awaits: tuple[RecordRef, ...] = ()
    mark: Marking | None = None
    outside: bool = False
    merged: bool = False
    """A DELETE of a record that was merged into another."""

    @property
    def calls(self) -> bool:
        return self.do in (Do.INSERT, Do.UPDATE, Do.DELETE, Do.LOOK)


def needs_reread(
    change: Change, row: LedgerRow, chunk: Chunk, compiled: CompiledMapping, generation: int, running: bool
) -> bool:
    """Whether the source must be read again because the change cannot be trusted.

    `generation` and `running` are those of the progress row, read after the ledger row.
    """
    if change.kind is not ChangeKind.UPSERT or change.row is None or chunk.intent is not Intent.NONE:
        return True
    if row.claimed or row.unresolved or row.state in GONE:
        return True
    if chunk.lane is Lane.LIVE and (chunk.generation, chunk.reading) != (generation, running):
        return True
    return bool(compiled.absent(change.row.values))


NO_PARENTS: Mapping[RecordRef, Standing] = {}
NOBODY: tuple[RecordRef, ...] = ()


def plan(
    record_id: str,
    source: SourceRow | None,
    row: LedgerRow,
    compiled: CompiledMapping,
    intent: Intent,
    parents: Mapping[RecordRef, Standing] = NO_PARENTS,
    scope: Scope = Scope.LIVE,
) -> Plan:
    """What to do for one record; `source` None means that a re-read found it absent.

    `parents`: how those that it points to stand.
    """
    if source is None:
        planned = _absent(record_id, row, compiled, intent)
    else:
        planned = _present(record_id, source, row, compiled, intent, parents, scope)
    if planned.do is Do.RECORD and not resolved(row):
        # It may stay so for long, and those that wait for it would too.
        return replace(planned, do=Do.LOOK)
    return planned


def _present(
    record_id: str,
    source: SourceRow,
    row: LedgerRow,
    compiled: CompiledMapping,
    intent: Intent,
    parents: Mapping[RecordRef, Standing],
    scope: Scope,
) -> Plan:
    force = intent in (Intent.FORCE, Intent.HEAL)
    if row.state is State.HOLD and intent not in COMMANDS and source.version <= row.version:
        return Plan(record_id, Do.NOTHING, "on hold")
    if resolved(row) and not force and row.version > source.version:
        return Plan(record_id, Do.NOTHING, "stale")
    if compiled.follow_merges == "delete" and compiled.merged_into(source.values):
        return _absent(record_id, row, compiled, intent, merged=True)
    settled = row.version == source.version and row.mapping_version == compiled.version
    woken = intent is Intent.WOKEN and row.code in (PARENT_DELETED, PARENT_EMPTY)
    if row.state is State.QUARANTINED and settled and intent not in COMMANDS and not woken:
        # A parent whose delete waits for it asks what is known of it.
        asked = intent is Intent.WOKEN and not resolved(row)
        return Plan(record_id, Do.RECORD if asked else Do.NOTHING, "quarantined already", source, row=row)
    projection = compiled.project(source.values, record_id)
    if not projection.wanted:
        return _outside(record_id, source, row, compiled, intent)
    if _waits_for_a_change(source, row, compiled, intent, scope):
        return _recorded_outside(record_id, source, row, compiled, LATER)
    if projection.problem is not None:
        refused = quarantine(row, projection.problem.code, source.version, compiled.version)
        return Plan(record_id, Do.RECORD, projection.problem.source, source, projection, refused)
    links = awaits = NOBODY
    same_links = True
    if compiled.has_links or row.parents:
        tied = tie(RecordRef(compiled.name, record_id), projection, row, compiled, parents)
        if tied.verdict is not Verdict.SEND:
            return _held_up(record_id, source, row, compiled, intent, tied)
        projection, links, awaits = tied.projection, tied.links, tied.awaits
        same_links = set(links) == set(row.parents)
    # What was kept when the record left the filter may still be what it is.
    unchanged = row.state in (State.SYNCED, State.FILTERED) and row.hash == projection.hash and same_links
    if resolved(row) and not force and unchanged:
        if settled and row.state is State.SYNCED and row.awaits == awaits:
            return Plan(record_id, Do.NOTHING, "unchanged")
        seen = replace(row, state=State.SYNCED, code="", version=source.version)
        same = replace(seen, mapping_version=compiled.version, awaits=awaits)
        return Plan(record_id, Do.RECORD, "unchanged", source, projection, same, awaits=awaits)
    do = Do.UPDATE if row.hash else Do.INSERT
    force = intent is Intent.FORCE
    return Plan(record_id, do, "changed", source, projection, force=force, links=links, awaits=awaits)


def _held_up(
    record_id: str, source: SourceRow, row: LedgerRow, compiled: CompiledMapping, intent: Intent, tied: Tied
) -> Plan:
    """A record whose links do not let it go, or say that it must go (design 4.4)."""
    if tied.verdict is Verdict.WAIT:
        return Plan(record_id, Do.WAIT, "a parent is in work", source, awaits=tied.awaits)
    if tied.verdict is Verdict.ORPHAN:
        braked = row.state is State.PARKED and row.code == DELETE_BRAKE
        if braked and resolved(row) and intent not in COMMANDS:
            return Plan(record_id, Do.NOTHING, "parked")
        why = "its parent is deleted"
        return Plan(record_id, Do.DELETE, why, source, tied.projection, awaits=tied.awaits)
    if tied.verdict is Verdict.PARK:
        why = "its parent is not in Campaign"
        held = replace(
            row.released(),
            state=State.PARKED,
            code=PARENT_MISSING,
            version=source.version,
            mapping_version=compiled.version,
            awaits=tied.awaits,
        )
    else:
        empty = tied.verdict is Verdict.EMPTY
        why = "it has no parent" if empty else "its parent was deleted"
        code = PARENT_EMPTY if empty else PARENT_DELETED
        held = replace(quarantine(row, code, source.version, compiled.version), awaits=tied.awaits)
    if held == row and resolved(row):
        return Plan(record_id, Do.NOTHING, held.state.value)
    return Plan(record_id, Do.RECORD, why, source, tied.projection, held, awaits=tied.awaits)


def _outside(
    record_id: str, source: SourceRow, row: LedgerRow, compiled: CompiledMapping, intent: Intent
) -> Plan:
    """The record is outside the filter: what was sent of it is kept, deleted or marked; nothing costs no call.

    Its row has the version that was read, so that older observations are stale by themselves.
    """
    braked = row.state is State.PARKED and row.code == DELETE_BRAKE and compiled.leaving == "delete"
    if resolved(row) and braked and intent not in COMMANDS:
        # Discarded, it stays on hold until it changes again.
        seen = replace(row, version=source.version, mapping_version=compiled.version)
        return Plan(record_id, Do.NOTHING if seen == row else Do.RECORD, "parked", source, row=seen)
    sent = bool(row.hash) or not resolved(row)
    if not sent or compiled.leaving == "keep" or row.etag is None:
        return _recorded_outside(record_id, source, row, compiled, OUTSIDE)
    if compiled.leaving == "delete":
        return Plan(record_id, Do.DELETE, "left the filter", source, outside=True)
    mark = compiled.leaving_mark
    assert mark is not None
    if resolved(row) and row.hash == mark.hash and intent is not Intent.FORCE:
        return _recorded_outside(record_id, source, row, compiled, OUTSIDE)
    return Plan(record_id, Do.UPDATE, "left the filter", source, mark=mark, outside=True)


def _recorded_outside(
    record_id: str, source: SourceRow, row: LedgerRow, compiled: CompiledMapping, code: str
) -> Plan:
    known = (row.state, row.code, row.version, row.mapping_version)
    if resolved(row) and known == (State.FILTERED, code, source.version, compiled.version):
        return Plan(record_id, Do.NOTHING, "outside the filter already")
    outside = replace(filtered(row, source.version, compiled.version), code=code)
    why = "outside the filter" if code == OUTSIDE else "outside the first load"
    kept = replace(outside, hash=row.hash, unresolved=row.unresolved, parents=row.parents)
    return Plan(record_id, Do.RECORD, why, source, row=kept)


def _waits_for_a_change(
    source: SourceRow, row: LedgerRow, compiled: CompiledMapping, intent: Intent, scope: Scope
) -> bool:
    """Whether the first load leaves the record out, and it has not changed since."""
    if scope is Scope.LIVE or intent in COMMANDS or not resolved(row):
        return False
    left_out = row.state is State.FILTERED and row.code == LATER and source.version <= row.version
    if not left_out and not (scope is Scope.FIRST and row.state is State.NEW):
        return False
    return not compiled.in_first_load(source.values)


def _absent(
    record_id: str, row: LedgerRow, compiled: CompiledMapping, intent: Intent, *, merged: bool = False
) -> Plan:
    """A record that is gone; `merged`: into another, while its row stays in Dynamics."""
    # One that was sent since, kept or marked goes the way of every delete.
    extra = intent is Intent.EXTRA and not row.hash
    waits = resolved(row) and intent not in COMMANDS
    if waits and row.state is State.HOLD and row.code != UNDECIDED:
        return Plan(record_id, Do.NOTHING, "on hold")
    if waits and row.state is State.PARKED and row.code == DELETE_BRAKE:
        return Plan(record_id, Do.NOTHING, "parked")
    # A profile that was kept or marked when the record was deleted goes once it is restored and merged.
    done = row.state is State.DELETED and not (merged and row.hash)
    if resolved(row) and done and not extra:
        # Written again: whoever read the record before it was gone finds that the row has moved.
        return Plan(record_id, Do.RECORD, DELETED_ALREADY, row=row)
    left_out = row.code in (PARENT_MISSING, UNDECIDED) or row.state is State.FILTERED
    never_sent = row.state is State.NEW or (left_out and not row.hash)
    if resolved(row) and never_sent and not extra:
        why = "merged before it was sent" if merged else "deleted before it was sent"
        gone = tombstone(row, compiled.version)
        return Plan(record_id, Do.RECORD, why, row=replace(gone, code=MERGED) if merged else gone)
    if merged or extra:
        why = "merged into another" if merged else "nobody has its key"
        return Plan(record_id, Do.DELETE, why, merged=merged)
    if compiled.delete_mark is not None:
        if resolved(row) and not row.hash:
            return Plan(
                record_id, Do.RECORD, "deleted, nothing to mark", row=tombstone(row, compiled.version)
            )
        return Plan(record_id, Do.UPDATE, "deleted", mark=compiled.delete_mark)
    if not compiled.deletes:
        kept = replace(
            tombstone(row, compiled.version),
            hash=row.hash,
            unresolved=row.unresolved,
            parents=row.parents,
            code="deletes_off",
        )
        return Plan(record_id, Do.RECORD, "deletes are off", row=kept)
    return Plan(record_id, Do.DELETE, "deleted")
