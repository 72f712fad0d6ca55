"""Ledger rows of records that are not in Campaign as they should be: gone, outside the filter, or for a person."""

from __future__ import annotations

from dataclasses import replace

from sync.model import LedgerRow, State

OUTSIDE = "filtered_out"
LATER = "not_in_first_load"
BLOCKED = "blocked"
MERGED = "merged"
UNDECIDED = "consent_undecided"
"""Codes of rows: outside the filter; left out by the first load; of an erased person; merged into another record; not
created while its consent cannot be decided."""


def resolved(row: LedgerRow) -> bool:
    """Whether the row says what Campaign holds: no call with unknown outcome, no claim left open."""
    return not row.unresolved and not row.claimed


def may_be_sent(row: LedgerRow, *, all_known: bool) -> bool:
    """Whether Campaign may hold what a call of ours has sent, in an epoch before too.

    A record without a row is new where the epoch knows all that there were (`Progress.all_known`).
    """
    return bool(row.hash) or (row.unresolved and not (all_known and row.etag is None))


def tombstone(row: LedgerRow, mapping_version: str) -> LedgerRow:
    """The row of a record that is gone on both sides."""
    return replace(
        row.released(),
        state=State.DELETED,
        hash="",
        unresolved=False,
        attempts=0,
        failures=0,
        code="",
        mapping_version=mapping_version,
        parents=(),
        awaits=(),
    )


def filtered(row: LedgerRow, version: int, mapping_version: str) -> LedgerRow:
    """The row of a record that is outside the filter, and of which Campaign holds nothing."""
    return replace(tombstone(row, mapping_version), state=State.FILTERED, version=version, code=OUTSIDE)


def blocked(row: LedgerRow) -> LedgerRow:
    """The row of an erased person: nothing that tells what was sent."""
    return replace(tombstone(row, row.mapping_version), code=BLOCKED, heir="")


def quarantine(row: LedgerRow, code: str, version: int, mapping_version: str) -> LedgerRow:
    """The row of a record that needs a person; what Campaign holds, and whether that is known, stay as they were."""
    return replace(
        row.released(),
        state=State.QUARANTINED,
        code=code,
        version=version,
        mapping_version=mapping_version,
        awaits=(),
    )
