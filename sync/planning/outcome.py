"""What the outcome of a call makes of a ledger row: pure (design 4.3, 4.5)."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from sync.model import LedgerRow, RecordRef, State
from sync.planning.plan import Plan
from sync.planning.rows import MERGED, filtered, quarantine, tombstone
from sync.planning.ties import CHILDREN_LEFT, PARENT_DELETED

MOST_FAILURES = 6
SOMETHING = "something"
"""The hash of what nobody knows: no record's."""


class Kind(enum.StrEnum):
    """How a planned action ended."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    SEEN = "seen"
    """Looked up: Campaign holds it."""
    UNSEEN = "unseen"
    KEPT = "kept"
    """A delete that waits for children that still point to the record."""
    HELD = "held"
    """The profile is missing and `on_missing` says hold."""
    REFUSED = "refused"
    """The service refused the data: quarantine."""
    FAILED = "failed"
    """The service answered with an error that may pass; it may have applied the call."""
    RELEASED = "released"
    """Not called, or answered with certainty that nothing was applied."""
    UNKNOWN = "unknown"
    """Called, and no trustworthy answer."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended, how many calls it took, and for what comes back: after how many seconds."""

    kind: Kind
    calls: int = 0
    code: str = ""
    delay_s: float = 0.0
    given_up: tuple[RecordRef, ...] = ()
    """Parents to which it no longer points: optional links of a record whose delete has to wait; those not seen."""
    shown: tuple[RecordRef, ...] = ()
    """Parents to which a record that was looked up points."""
    empties: bool = False
    """Its optional links are emptied though nobody knows where they lead: an epoch before has written them."""
    found: bool = False
    """The profile was in Campaign before any POST of ours for it."""


def close(
    before: LedgerRow, claimed: LedgerRow, plan: Plan, outcome: Outcome, mapping_version: str
) -> LedgerRow:
    """The row after the outcome. `before` is the row as it was when it was claimed."""
    free = claimed.released()
    version = plan.source.version if plan.source else before.version
    if outcome.kind is Kind.DELETED or (plan.mark is not None and outcome.kind is Kind.UPDATED):
        return _gone(free, plan, outcome, mapping_version)
    if outcome.kind in (Kind.CREATED, Kind.UPDATED):
        assert plan.projection is not None
        return replace(
            free,
            state=State.SYNCED,
            version=version,
            hash=plan.projection.hash,
            unresolved=False,
            attempts=0,
            failures=0,
            code="",
            mapping_version=mapping_version,
            parents=plan.links,
            awaits=plan.awaits,
        )
    if outcome.kind in (Kind.SEEN, Kind.UNSEEN):
        return _looked_up(free, plan, outcome)
    # Release, hold, quarantine: put `unresolved`, hash and attempts back as they were before the claim.
    back = replace(free, hash=before.hash, unresolved=before.unresolved, attempts=_attempts(before))
    back = replace(back, parents=before.parents)
    if outcome.kind is Kind.KEPT:
        left = tuple(ref for ref in before.parents if ref not in outcome.given_up)
        return replace(back, state=State.PARKED, code=CHILDREN_LEFT, parents=left, awaits=plan.awaits)
    if outcome.kind is Kind.HELD:
        return replace(
            back,
            state=State.HOLD,
            code=outcome.code,
            version=version,
            mapping_version=mapping_version,
            failures=0,
            # The record is not in Campaign, and so are its links.
            parents=before.parents if before.unresolved else (),
            awaits=(),
        )
    if outcome.kind is Kind.REFUSED:
        return quarantine(replace(back, failures=0), outcome.code, version, mapping_version)
    if outcome.kind is Kind.FAILED:
        failed = replace(
            back,
            hash=claimed.hash,
            unresolved=True,
            failures=before.failures + 1,
            parents=claimed.parents,
        )
        if given_up(failed):
            return quarantine(failed, outcome.code, version, mapping_version)
        return failed
    if outcome.kind is Kind.RELEASED:
        return back
    return replace(claimed, noted=True, attempts=_attempts(before))


def _gone(free: LedgerRow, plan: Plan, outcome: Outcome, mapping_version: str) -> LedgerRow:
    """The row after a delete, or after what is written instead of one.

    A record with a source is still in Dynamics: it left the filter, or it is a child that went before its parent and
    needs a person.
    """
    row = tombstone(free, mapping_version)
    if plan.merged:
        row = replace(row, code=MERGED)
    if plan.source is not None and plan.outside:
        row = filtered(free, plan.source.version, mapping_version)
    elif plan.source is not None:
        orphan = quarantine(row, PARENT_DELETED, plan.source.version, mapping_version)
        row = replace(orphan, awaits=plan.awaits)
    if plan.mark is None or outcome.kind is Kind.DELETED:
        return row
    free = replace(free, parents=_points_to(free, outcome))
    return replace(row, hash=plan.mark.hash, code=row.code or "marked", parents=free.parents)


def _looked_up(free: LedgerRow, plan: Plan, outcome: Outcome) -> LedgerRow:
    """The row that was to be recorded, now that it is known whether Campaign holds the record; not what of it."""
    assert plan.row is not None
    seen = outcome.kind is Kind.SEEN
    return replace(
        plan.row,
        etag=free.etag,
        correlation=free.correlation,
        hash=SOMETHING if seen else "",
        unresolved=False,
        attempts=0,
        failures=0,
        parents=_points_to(free, outcome) if seen else (),
    )


def _points_to(free: LedgerRow, outcome: Outcome) -> tuple[RecordRef, ...]:
    """The parents of a record that stays in Campaign: those that were seen, and those that its row names."""
    left = [ref for ref in free.parents if ref not in outcome.given_up]
    return tuple(dict.fromkeys((*outcome.shown, *left)))


def given_up(failed: LedgerRow) -> bool:
    """Whether a row after a failed call is left to a person; its state alone may be an older quarantine."""
    return failed.failures >= MOST_FAILURES


def _attempts(before: LedgerRow) -> int:
    """The open claim that we took over counts if its worker noted nothing; ours does not."""
    return before.attempts


def retry_delay(failures: int) -> float:
    """Seconds to wait after the n-th refused call: 15 s doubling up to an hour."""
    return float(min(15 * 2 ** max(failures - 1, 0), 3600))
