"""Whether the consent journal can show every write: its line is there before it lands, and no line says more than was.

A look's write is known by its run (the owner of the claim), a create's by the newest announcement of its contact.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox.wire import Request
from sync.consent_row import Side
from sync.model import from_iso
from sync.planning.consent import Rule
from sync.storage.consent_journal import ASKED
from tests.simulation.consent.columns import FIELDS

if TYPE_CHECKING:
    from tests.simulation.consent.world import ConsentWorld

_CONTACT = re.compile(r"/contacts\(([0-9a-f-]{36})\)")
NAMES = {**{name: name for name in FIELDS}, **{column: name for name, column in FIELDS.items()}}
"""Campaign's field, by what either side calls it."""
CREATED = (Rule.CREATED, Rule.CREATED_CLOSED)
Line = Mapping[str, Any]
Write = tuple[str, str, str, str]
"""Record, run, field, side."""


class Books:
    """Compares the journal with what the services took."""

    def __init__(self, world: ConsentWorld) -> None:
        self.world = world
        self.writes: set[Write] = set()
        self.violations: list[str] = []
        self.counts: Counter[str] = Counter()

    def lines(self, record_id: str) -> list[Line]:
        """The journal of a contact, oldest first."""
        rows = self.world.account.tables["consentjournal"].rows
        keys = sorted((key for key in rows if key[0].endswith(record_id)), reverse=True)
        return [rows[key].entity for key in keys]

    def landed(self, run: str, side: Side, request: Request) -> None:
        """A service took a write that says something of consent: the journal must know of it already."""
        record_id, body = self.record_of(side, request), json.loads(request.body)
        for told, value in body.items():
            name = NAMES.get(told)
            if name is None or (request.method == "POST" and not value):
                continue
            out = value if side is Side.CAMPAIGN else self.world.columns.out(name, body)
            wanted = "out" if out else "in"
            fitting = [
                line["run"]
                for line in self.lines(record_id)
                if line["outcome"] == ASKED
                and (line["field"], line["wrote"], line["decided"]) == (name, side, wanted)
                and (line["rule"] in CREATED if request.method == "POST" else line["run"] == run)
            ]
            if not fitting:
                self.violations.append(
                    f"journal: {request.method} {name} {wanted} in {side} of {record_id}: no line"
                )
            else:
                self.writes.add((record_id, fitting[-1], name, side))

    def record_of(self, side: Side, request: Request) -> str:
        """The contact that a write is about."""
        if side is Side.CAMPAIGN:
            return self.world.people.trouble.record_of(request)
        found = _CONTACT.search(request.target)
        return found[1] if found else ""

    def opted_out_since(self, record_id: str, name: str, since: float) -> set[str]:
        """The rules by which a field was decided opted out since."""
        since -= self.world.settings.skew_s
        return {
            str(line["rule"])
            for line in self.lines(record_id)
            if line["field"] == name and line["decided"] == "out" and from_iso(line["at"]) >= since
        }

    def at_rest(self) -> list[str]:
        """What is wrong with the journal when everything has come to rest."""
        wrong = list(self.violations)
        self.counts.clear()
        for record_id in self.world.people.ids:
            told: defaultdict[Write, list[str]] = defaultdict(list)
            for line in self.lines(record_id):
                if line["wrote"]:
                    told[record_id, line["run"], line["field"], line["wrote"]].append(str(line["outcome"]))
            for write, outcomes in told.items():
                wrong += self._write(write, outcomes)
            wrong += self._agreed(record_id)
        return wrong

    def _write(self, write: Write, outcomes: list[str]) -> list[str]:
        """One write: announced once, ended at most once, and so as it was."""
        ends = [outcome for outcome in outcomes if outcome != ASKED]
        if outcomes.count(ASKED) != 1 or len(ends) > 1:
            return [f"journal: {write} is told {outcomes}"]
        end = ends[0] if ends else ASKED
        self.counts[f"journal_{end if end in ('done', 'unknown', ASKED) else 'refused'}"] += 1
        if end in ("unknown", ASKED) or (end == "done") == (write in self.writes):
            return []
        return [f"journal: {write} ended {end}, but it {'was' if write in self.writes else 'was never'} made"]

    def _agreed(self, record_id: str) -> list[str]:
        """An opt-out that both sides agree on has a line, and no opt-in was made since."""
        rows = self.world.account.tables["consents"].rows
        wrong = []
        for _, stored in ((key, row) for key, row in rows.items() if key[1] == record_id):
            for name, (value, *_) in json.loads(str(stored.entity["fields"])).items():
                lines = [line for line in self.lines(record_id) if line["field"] == name]
                out = max((from_iso(line["at"]) for line in lines if line["decided"] == "out"), default=0.0)
                opened = max((from_iso(line["at"]) for line in lines if _opened(line)), default=0.0)
                if value is True and out + self.world.settings.skew_s < max(opened, 1.0):
                    wrong.append(f"journal: {record_id} {name} is opted out, and no line says so")
        return wrong


def _opened(line: Line) -> bool:
    return bool(line["decided"] == "in" and line["outcome"] == "done")
