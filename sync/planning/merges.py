"""Merges of contacts: where what concerns the loser goes, as its ledger row tells it to the events flow."""

from __future__ import annotations

from dataclasses import replace

from sync.model import LedgerRow, SourceRow
from sync.planning.compile import CompiledMapping


def with_heir(row: LedgerRow, source: SourceRow | None, compiled: CompiledMapping) -> LedgerRow:
    """The row with the winner that the source names; what is gone, or older than the row, says nothing new."""
    if source is None or source.version < row.version:
        return row
    heir = compiled.merged_into(source.values)
    return row if heir == row.heir else replace(row, heir=heir)
