"""Judges every write to Campaign as it lands: order of versions, and parents before children (I1, I3, I8, I9)."""

from __future__ import annotations

import json
import sys
from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from sandbox.wire import Request, Response
from tests.simulation.entities.cast import Beside, Role
from tests.simulation.entities.people import Who
from tests.simulation.witness import Fact, Witness

if TYPE_CHECKING:
    from tests.simulation.entities.world import EntityWorld


GONE = object()


class EntityWitness(Witness):
    """Knows the history of every record, and what Campaign holds before and after each write."""

    def __init__(self, world: EntityWorld) -> None:
        super().__init__(world)
        self.world = world
        self.known: dict[Who, list[Fact]] = {}
        self.floor: dict[Who, int] = {}
        self.held: dict[str, dict[str, dict[str, Any]]] = {}
        """Campaign's records before the write, by mapping and id."""
        self.landed: list[tuple[str, str, str]] = []
        """(verb, mapping, id) of every write."""
        self.spoken: dict[tuple[str, str, str], list[tuple[int, Any]]] = {}
        """What each row's column was from a version on, by table, column and id; GONE while there was no row."""
        self.related_floor: dict[tuple[Who, str], int] = {}

    def learned(self, who: Any, version: int, values: dict[str, Any] | None) -> None:
        facts = self.known.setdefault(who, [])
        if not facts or facts[-1].version != version:
            facts.append(Fact(version, values))

    def heard(self, role: Role, record_id: str, row: dict[str, Any] | None) -> None:
        """The row behind a record, whatever its mapping makes of it."""
        told = self.spoken.setdefault((role.table, role.column, record_id), [])
        value = GONE if row is None else row.get(role.column)
        version = self.world.dynamics.organization.versions.last if row is None else row["versionnumber"]
        if not told or told[-1][1] != value:
            told.append((version, value))

    def saw(self, request: Request, response: Response, sent_at: float) -> None:
        world = self.world
        entry = world.campaign.log[-1]
        if entry.note == "token":
            return
        if response.status != 401:
            self.sent.append(sent_at)
        if request.method == "GET" or not 200 <= response.status < 300:
            return
        resource, _, verb = entry.note.rpartition(".")
        role = next(role for role in world.cast if role.resource == resource)
        who = (role.name, entry.record)
        world.outcomes[f"campaign_{verb}"] += 1
        if self.frozen:
            self._wrong(f"I8: {verb} of {who} in a synced system")
        self.landed.append((verb, *who))
        world.outcomes["wrote_member"] += role.name == "members"
        body = json.loads(request.body) if request.body else {}
        if verb == "delete":
            self._delete(role, who)
        else:
            self._write(role, who, verb, body)

    # -- I9 --------------------------------------------------------------------------------------------------------

    def _delete(self, role: Role, who: Who) -> None:
        for child_role in self.world.cast:
            for tie in child_role.ties:
                if tie.parent != role.name:
                    continue
                for child, record in self.world.held(child_role).items():
                    if (child_role.name, child) != who and record[tie.target] == who[1]:
                        self._wrong(f"I9: {who} is deleted before its child {child_role.name} {child}")
        self._step(who, "delete", {})

    def _write(self, role: Role, who: Who, verb: str, body: dict[str, Any]) -> None:
        if role.marks and body == {role.field: role.marks}:
            self._step(who, "delete", {})
            return
        for tie in role.ties:
            parent = body.get(tie.target)
            if parent and parent not in self.world.held(self.world.role(tie.parent)):
                self._wrong(f"I9: {verb} of {who} before its parent {tie.parent} {parent}")
        if verb == "create" and any(tie.required and body.get(tie.target) for tie in role.ties):
            self.world.outcomes["child_after_parent"] += 1
        names = {tie.target for tie in role.ties}
        if set(body) <= names and not any(body.values()):
            # A record whose delete has to wait empties its links.
            self.world.outcomes["links_emptied"] += 1
            return
        self._step(who, verb, body)

    # -- I1, I3 ----------------------------------------------------------------------------------------------------

    def _step(self, who: Who, verb: str, body: dict[str, Any]) -> None:
        facts = self.known.get(who, [])
        fitting = [place for place, fact in enumerate(facts) if self._suits(who, fact, verb, body)]
        if not fitting:
            self._wrong(f"I1: {verb} of {who} writes what Dynamics never held: {body}")
            return
        place = bisect_left(fitting, self.floor.get(who, 0))
        if place == len(fitting):
            self._wrong(f"I3: {verb} of {who} goes back to version {facts[fitting[-1]].version}")
            return
        self.floor[who] = fitting[place]
        role = self.world.role(who[0])
        if role.story and len(body.get(role.story.target, "")) == role.story.length:
            self.world.outcomes["wrote_long"] += 1
        for one in role.beside if verb != "delete" else ():
            used = {facts[at].values[one.source] for at in fitting[place:] if facts[at].values}  # type: ignore[index]
            self._related(who, one, used, body[one.target])

    def _related(self, who: Who, one: Beside, parents: set[str | None], value: str) -> None:
        """The written column of a related row must be one that it had, not before the one written last."""
        floor = self.related_floor.get((who, one.target), 0)
        starts = []
        for parent in parents:
            told = self.spoken.get((one.table, one.column, parent), []) if parent else [(0, None)]
            told = [(0, GONE), *told]
            ends = [version for version, _ in told[1:]] + [sys.maxsize]
            for (start, was), end in zip(told, ends, strict=True):
                shown = "" if was is GONE or was is None else was
                if shown == value and end > floor:
                    starts.append(max(start, floor))
        if not starts:
            self._wrong(f"I3: {who} is written with {one.table} {one.column} {value!r}, which is over")
            return
        if floor < (now := min(starts)):
            self.world.outcomes["related_moved_on"] += 1
        self.related_floor[who, one.target] = now

    def _suits(self, who: Who, fact: Fact, verb: str, body: dict[str, Any]) -> bool:
        role = self.world.role(who[0])
        if verb == "delete":
            return fact.values is None or self._orphan(role, fact)
        if fact.values is None:
            return False
        for tie in role.ties:
            wanted = fact.values[tie.source] or ""
            if tie.required and not wanted:
                return False
            if tie.target in body and body[tie.target] != wanted and (tie.required or body[tie.target]):
                return False
        if role.story and body[role.story.target] != role.story.sent(fact.values):
            return False
        return bool(body[role.field] == fact.values[role.column])

    def _orphan(self, role: Role, fact: Fact, depth: int = 0) -> bool:
        """Whether a rule lets it go before its parent: that was deleted at some time, or had to go in its turn."""
        values = fact.values or {}
        for tie in role.ties:
            parent = (tie.parent, values.get(tie.source))
            if parent in self.world.people.deleted or (tie.required and parent[1] is None):
                return True
            facts = self.known.get(parent, []) if depth < 3 else []  # type: ignore[arg-type]
            if any(self._orphan(self.world.role(tie.parent), one, depth + 1) for one in facts if one.values):
                return True
        return False
