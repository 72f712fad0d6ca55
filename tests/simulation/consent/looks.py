"""When each look of the sync read each side, by the claims of the consent rows; which acts fell into its windows.

A look is one claim. It ends when its claim is given back or taken over; it is recorded if the row says that more was
done than to give the claim back.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sync.consent_row import Side
from sync.storage.table import Stored

NEVER = float("inf")


@dataclass
class Look:
    """One look at a record; the times are those at which the services answered its reads."""

    record_id: str
    owner: str
    updated: object
    process: str = ""
    dynamics: float = NEVER
    campaign: float = NEVER
    between: set[str] = field(default_factory=set)
    """Fields changed in Dynamics between its two reads."""
    late: set[str] = field(default_factory=set)
    """Fields changed in Campaign between its read and its write."""
    landed: bool = False


class NoticedRows(dict[tuple[str, str], Stored]):
    """The rows of a table; somebody hears of every write, with what was there before."""

    def __init__(self, notice: Callable[[Stored | None, Stored], None]) -> None:
        super().__init__()
        self._notice = notice

    def __setitem__(self, key: tuple[str, str], stored: Stored) -> None:
        before = self.get(key)
        super().__setitem__(key, stored)
        self._notice(before, stored)


class Looks:
    """Follows the claims.

    `race` is called with a record, a field and the name of the race that was met; `created` with a record and the
    fields on which a create agreed.
    """

    def __init__(
        self,
        now: Callable[[], float],
        race: Callable[[str, str, str], None],
        created: Callable[[str, dict[str, list[Any]]], None],
    ) -> None:
        self._now = now
        self._race = race
        self._created = created
        self.rows = NoticedRows(self._written)
        self._open: dict[str, Look] = {}
        self._last: dict[tuple[str, str], Look] = {}
        self.count = Counter[str]()
        self.recorded: dict[str, float] = {}
        """By record: when the last look that was recorded read Dynamics."""

    def _written(self, before: Stored | None, after: Stored) -> None:
        entity = after.entity
        record_id, owner = str(entity["RowKey"]), str(entity["claim_owner"])
        look = self._open.get(record_id)
        if look is not None and owner != look.owner:
            del self._open[record_id]
            if not owner and entity["updated"] != look.updated:
                self._recorded(look)
            look = None
        elif (
            look is None and not owner and entity["fields"] not in ("{}", before and before.entity["fields"])
        ):
            self._created(record_id, json.loads(str(entity["fields"])))
        if owner and look is None:
            self._open[record_id] = Look(record_id, owner, entity["updated"])
            self.count[record_id] += 1

    def _recorded(self, look: Look) -> None:
        self.recorded[look.record_id] = look.dynamics
        for name in sorted(look.between):
            self._race(look.record_id, name, "between")

    def read(self, process: str, record_id: str, side: Side) -> None:
        """A side was read for a look, and its answer is on its way."""
        look = self._open.get(record_id)
        if look is None:
            return
        look.process = process
        self._last[process, record_id] = look
        if side is Side.DYNAMICS:
            look.dynamics = self._now()
        else:
            look.campaign = self._now()

    def run(self, process: str, record_id: str) -> str:
        """The run by which a process last looked at a record."""
        look = self._last.get((process, record_id))
        return look.owner if look else ""

    def acted(self, record_id: str, name: str, side: Side) -> None:
        """A person changed a field: perhaps in a window of the look that is under way."""
        look = self._open.get(record_id)
        if look is None or look.landed:
            return
        if side is Side.DYNAMICS and look.dynamics <= self._now() < look.campaign:
            look.between.add(name)
        elif side is Side.CAMPAIGN and look.campaign <= self._now():
            look.late.add(name)

    def wrote(self, process: str, record_id: str, name: str, side: Side) -> Look | None:
        """A write of a look changed a field; the look that made it."""
        look = self._last.get((process, record_id))
        if look is None:
            return None
        look.landed = True
        if name in look.between:
            self._race(record_id, name, "between")
        if side is Side.CAMPAIGN and name in look.late:
            self._race(record_id, name, "late")
        return look
