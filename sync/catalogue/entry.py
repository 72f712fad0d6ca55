"""What one catalogue entry says."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Reaction(enum.StrEnum):
    """What must happen next."""

    RETRY = "retry"
    """Try again by itself, with growing delays."""
    WAIT = "wait"
    """Come back at a given time; uses no attempt."""
    PARK = "park"
    """Wait for something known."""
    QUARANTINE = "quarantine"
    """A person must look at this record; others go on."""
    STOP = "stop"
    """The whole flow waits (credentials, roles, configuration) and goes on by itself once mended."""
    RESYNC = "resync"
    """Start a full read: the delta can no longer be followed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One catalogue entry; all texts are whole sentences for an admin."""

    reaction: Reaction
    meaning: str
    cause: str
    fix: str
    does: str


AGAIN = "Tries again with growing delays; nothing is lost."
SIX_TIMES = (
    "Tries again with growing delays; a record that failed six times in a row (about eight minutes) is set aside as "
    "quarantined, and all others go on."
)
STOPS = "Stops this flow, tries again by itself, and goes on once it is mended."
SETS_ASIDE = "Sets the record aside as quarantined; all others go on."
