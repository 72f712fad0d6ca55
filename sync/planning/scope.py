"""Whether an observation shows that a record changed, for mappings whose first load leaves some out."""

from __future__ import annotations

import enum

from sync.model import Chunk, Intent, Lane


class Scope(enum.Enum):
    """What a chunk's observation says about its record, for mappings that do not send everything at first."""

    LIVE = "live"
    """It changed lately."""
    FIRST = "first"
    """It was there at the first load."""
    KNOWN = "known"
    """It was there at a later full read or a replay."""


def scope_of(chunk: Chunk) -> Scope:
    """The scope of a chunk's records."""
    if chunk.lane is not Lane.BACKFILL:
        return Scope.LIVE
    return Scope.FIRST if chunk.generation <= 1 and chunk.intent is Intent.NONE else Scope.KNOWN
