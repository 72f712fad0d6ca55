"""What must hold of every record, its links and what waits when a faultless system has come to rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sync.model import LedgerRow, RecordRef, State
from tests.simulation.entities.cast import Role, Tie
from tests.simulation.entities.people import Who
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.entities.world import EntityWorld

FAILURES = ("crashes_worker", "campaign_error")


def at_rest(world: EntityWorld, *, again: bool) -> None:
    """Raise Violation with everything that is wrong."""
    wrong = [*world.witness.violations, *world.host.unexpected]
    judge = Judge(world)
    for who in world.people.everybody:
        wrong += [f"{who[0]} {who[1][-2:]}: {text}" for text in judge.record(who)]
    wrong += judge.rows(again=again)
    scenario = world.scenario
    over = world.witness.over_limit(scenario.limit, scenario.window_s)
    if over:
        wrong.append(over)
    if wrong:
        raise Violation("; ".join(wrong[:6]))


class Judge:
    """Looks at the ledger, the link and parked rows, and both systems."""

    def __init__(self, world: EntityWorld) -> None:
        self.world = world
        self.people = world.people
        self.ledger = {role.name: world.rows(role.name) for role in world.cast}
        self.held = {role.name: world.held(role) for role in world.cast}

    def record(self, who: Who) -> list[str]:
        """What is wrong with one record."""
        row = self.ledger[who[0]].get(who[1])
        record = self.held[who[0]].get(who[1])
        if row is not None:
            self.world.outcomes[f"state_{row.state.value}"] += 1
            if row.code:
                self.world.outcomes[f"rest_{row.code}"] += 1
            if row.claimed:
                return ["I7: an open claim at rest"]
            if row.unresolved and row.state in (State.SYNCED, State.NEW):
                return [f"I7: unresolved at rest, {row.state}"]
            if row.state is State.QUARANTINED and row.code in FAILURES:
                return []
        if self.people.alive(who):
            return self._living(who, row, record)
        return self._gone(who, row, record)

    # -- alive -----------------------------------------------------------------------------------------------------

    def _living(self, who: Who, row: LedgerRow | None, record: dict[str, Any] | None) -> list[str]:
        if row is None:
            return ["I1: never seen"]
        role, values = self.world.role(who[0]), self.people.current(who)
        ties = [(tie, str(values[tie.source])) for tie in role.ties if values[tie.source]]
        if row.state is State.SYNCED and self._empty(role, values):
            return ["I1: a required link is empty, and it was sent"]
        if row.state is State.SYNCED:
            return self._synced(who, role, values, record)
        if row.state is State.PARKED:
            return self._parked(who, row, ties)
        if row.state is State.QUARANTINED and row.code == "value_invalid":
            return [] if self.people.nameless(role, values) else ["I1: its related rows are there"]
        if row.state is State.QUARANTINED and row.code == "parent_empty":
            return [] if self._empty(role, values) else ["I1: it has all parents, and it is quarantined"]
        if row.state is State.QUARANTINED and row.code == "parent_deleted":
            # One without a parent by now may have gone before the parent that it had.
            if self._empty(role, values) or any(not self._ready(tie, parent) for tie, parent in ties):
                return []
            return ["I1: its parents are all there, and it is quarantined"]
        return [f"I7: at rest {row.state} {row.code}"]

    @staticmethod
    def _empty(role: Role, values: dict[str, Any]) -> bool:
        return any(tie.required and not values[tie.source] for tie in role.ties)

    def _synced(
        self, who: Who, role: Role, values: dict[str, Any], record: dict[str, Any] | None
    ) -> list[str]:
        if record is None:
            return ["I1: synced, and not in Campaign"]
        if record[role.field] != values[role.column]:
            return [f"I1: {role.field} {record[role.field]!r} not {values[role.column]!r}"]
        if role.story and record[role.story.target] != role.story.sent(values):
            return [f"I1: {role.story.target} is not the beginning of {role.story.column}"]
        if stale := self._related(role, values, record):
            return stale
        wrong = []
        for tie in role.ties:
            wanted, found = values[tie.source] or "", record[tie.target]
            if found == wanted:
                continue
            if found:
                wrong.append(f"I1: {tie.target} {found[-2:]} not {wanted[-2:] or 'empty'}")
            elif tie.required or self._ready(tie, wanted):
                wrong.append(f"I1: {tie.target} is empty, and its parent is there")
        return wrong

    def _related(self, role: Role, values: dict[str, Any], record: dict[str, Any]) -> list[str]:
        """Columns of related rows: a rename moves no record, a comparison finds it."""
        wrong = []
        for one in role.beside if self.world.healed else ():
            row = self.people.row(one.table, values[one.source] or "")
            wanted = str(row[one.column] or "") if row is not None else ""
            if record[one.target] != wanted:
                wrong.append(f"I1: {one.target} {record[one.target]!r} not {wanted!r} after a comparison")
        return wrong

    def _parked(self, who: Who, row: LedgerRow, ties: list[tuple[Tie, str]]) -> list[str]:
        if row.code == "parent_missing":
            if any(tie.required and not self._ready(tie, parent) for tie, parent in ties):
                return []
            return ["I1: it waits for a parent, and all are there"]
        # It may have emptied its link, so that its parent is gone already: the rule still holds (seeds 10119, 1084).
        leaving = any(tie.rule == "delete" and self._sentencing((tie.parent, parent)) for tie, parent in ties)
        leaving = leaving or self._let_go(who)
        if row.code == "delete_brake" and leaving and self.world.scenario.brake_min < 50:
            return []
        if row.code == "children_left" and leaving:
            return self._waits(who)
        return [f"I7: alive, and parked: {row.code}"]

    def _let_go(self, who: Who) -> bool:
        """Whether a required lookup was cleared, and the parent in Campaign's link is being deleted."""
        record = self.held[who[0]].get(who[1], {})
        return any(
            tie.required and self._leaving((tie.parent, record.get(tie.target, "")))
            for tie in self.world.role(who[0]).ties
        )

    def _ready(self, tie: Tie, parent: str) -> bool:
        """Whether a link to this parent must be there: it is in Campaign and is to stay there."""
        who = (tie.parent, parent)
        return parent in self.held[tie.parent] and self.people.alive(who) and not self._leaving(who)

    def _leaving(self, who: Who) -> bool:
        row = self.ledger[who[0]].get(who[1])
        return row is not None and row.state is State.PARKED and row.code == "children_left"

    def _sentencing(self, parent: Who) -> bool:
        """Whether a child of this parent must go before it, or had to."""
        return self._leaving(parent) or not self.people.alive(parent)

    # -- gone ------------------------------------------------------------------------------------------------------

    def _gone(self, who: Who, row: LedgerRow | None, record: dict[str, Any] | None) -> list[str]:
        if row is None and who[0] in self.people.rare.rebaselined and not self.world.healed:
            # What was deleted while nobody knew of it any more: a comparison finds it (docs/cli.md, rebaseline).
            return []
        role = self.world.role(who[0])
        marked = bool(role.marks and record and record[role.field] == role.marks)
        if row is None or row.state is State.DELETED:
            return ["I1: gone, but in Campaign"] if record is not None and not marked else []
        if row.state is State.PARKED and row.code == "delete_brake":
            return [] if self.world.scenario.brake_min < 50 else ["the brake at 50 deletes"]
        if row.state is State.PARKED and row.code == "children_left":
            return self._waits(who)
        return [f"I7: gone, but {row.state} {row.code}"]

    def _waits(self, who: Who) -> list[str]:
        """A delete that waits must wait for somebody who does not wait for it in turn."""
        seen: set[Who] = set()
        left = [who]
        while left:
            one = left.pop()
            if one in seen:
                continue
            seen.add(one)
            for child in self._children(one):
                if not self._leaving(child):
                    return []
                left.append(child)
        return [f"I7: its delete waits for nobody, or for those that wait for it: {sorted(seen - {who})}"]

    def _children(self, who: Who) -> list[Who]:
        """Who points to it in Campaign, or may point there since a call's outcome is not known; itself apart."""
        held = [
            (role.name, child)
            for role in self.world.cast
            for tie in role.ties
            for child, record in self.held[role.name].items()
            if tie.parent == who[0] and record[tie.target] == who[1]
        ]
        doubtful = [
            (name, child)
            for name, rows in self.ledger.items()
            for child, row in rows.items()
            if row.unresolved and RecordRef(*who) in row.parents
        ]
        return [child for child in (*held, *doubtful, *self._unknown(who)) if child != who]

    def _unknown(self, parent: Who) -> list[Who]:
        """Whom an epoch before has linked to it, and of whom this one does not know yet what Campaign holds."""
        found: list[Who] = []
        for above, below in self.world.account.tables["links"].rows:
            name, _, child = below.partition(":")
            if above != ":".join(parent) or name not in self.people.rare.rebaselined:
                continue
            row = self.ledger[name].get(child)
            found += [(name, child)] if row is None or row.unresolved else []
        return found

    # -- rows ------------------------------------------------------------------------------------------------------

    def rows(self, *, again: bool) -> list[str]:
        """Link rows and parked rows against the ledger and Campaign."""
        wrong = []
        links = set(self.world.account.tables["links"].rows)
        parked = {(row.awaited, f"{row.mapping}:{row.record_id}") for row in self.world.all_parked()}
        due: set[tuple[str, str]] = set()
        for role in self.world.cast:
            for record_id, row in self.ledger[role.name].items():
                me = f"{role.name}:{record_id}"
                # A worker may have died between its claim, which names them, and the last of its link rows.
                named = () if row.unresolved else row.parents
                wrong += [f"no link row of {me} to {ref}" for ref in named if (str(ref), me) not in links]
                due |= {(f"record:{ref}", me) for ref in row.awaits}
                if row.state is State.PARKED and row.code == "children_left":
                    due.add((f"children:{me}", me))
                if row.state is State.PARKED and row.code == "delete_brake":
                    due.add((f"approval:{role.name}", me))
            for tie in role.ties:
                for child, record in self.held[role.name].items():
                    parent = record[tie.target]
                    if parent and (f"{tie.parent}:{parent}", f"{role.name}:{child}") not in links:
                        wrong.append(f"Campaign's link of {role.name} {child} has no row")
        wrong += [f"no parked row {missing}" for missing in sorted(due - parked)]
        if again:
            wrong += [f"a parked row of nobody: {left}" for left in sorted(parked - due)]
        return wrong
