"""The error base and the catalogue: every code with what it means, why, what to do, and what the sync does.

    SyncError                 carries a catalogue code; the code fixes the reaction
    ├── Throttled             come back after `retry_after`; nothing was applied
    └── UnknownOutcome        the call may or may not have been applied

Errors are classed by what must happen next (`Reaction`), found from the service's error code first and the
HTTP status second (design 4.5). A message holds no personal value and no secret: record ids and names only.
`docs/errors.md` is generated from `CATALOGUE`; its entries live in `sync/catalogue/`.
"""

from __future__ import annotations

from sync.catalogue.campaign import CAMPAIGN
from sync.catalogue.common import COMMON
from sync.catalogue.dynamics import DYNAMICS
from sync.catalogue.engine import ENGINE
from sync.catalogue.entry import Entry, Reaction
from sync.catalogue.events import EVENTS

__all__ = ["CATALOGUE", "Entry", "Reaction", "SyncError", "Throttled", "UnknownOutcome"]

CATALOGUE: dict[str, Entry] = {**COMMON, **DYNAMICS, **CAMPAIGN, **ENGINE, **EVENTS}


class SyncError(Exception):
    """Something failed in a way the catalogue names."""

    def __init__(self, code: str, detail: str = "", *, record_id: str = "", status: int = 0) -> None:
        """`detail` says what happened without values; `status` is the HTTP status if there was one."""
        self.code = code
        self.detail = detail
        self.record_id = record_id
        self.status = status
        super().__init__(code)

    @property
    def entry(self) -> Entry:
        return CATALOGUE[self.code]

    @property
    def reaction(self) -> Reaction:
        return self.entry.reaction

    def __str__(self) -> str:
        where = f" (record {self.record_id})" if self.record_id else ""
        what = f": {self.detail}" if self.detail else ""
        return f"{self.code}{where}{what}. {self.entry.meaning} Do: {self.entry.fix}"


class Throttled(SyncError):
    """429, or 503 with Retry-After: nothing was applied, come back after `retry_after` seconds."""

    def __init__(self, code: str, retry_after: float, detail: str = "", *, status: int = 429) -> None:
        super().__init__(code, detail, status=status)
        self.retry_after = retry_after


class UnknownOutcome(SyncError):
    """The request left and no trustworthy answer came: it may have been applied, now or later."""
