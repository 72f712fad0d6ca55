"""plan() and close() against a tiny model of one record: whatever happens, what the ledger believes is true.

The model is Campaign itself (`there`: the hash of what it holds, or None), with calls that may be applied and then
lost. Hypothesis looks for a sequence after which the ledger skips a record that Campaign does not hold as it should.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar
from unittest import TestCase

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sync.model import Change, ChangeKind, Chunk, Intent, Lane, LedgerRow, SourceRow, State
from sync.planning.compile import CompiledMapping, compile_mapping
from sync.planning.load import load_mapping
from sync.planning.outcome import SOMETHING, Kind, Outcome, close
from sync.planning.plan import Do, Plan, needs_reread, plan
from sync.planning.rows import resolved
from sync.planning.scope import Scope, scope_of

TEXT = """
mapping: contacts
source: {table: contact, entity_set: contacts, key: contactid}
target: {resource: profile, key: externalId}
fields:
  - {source: firstname, target: firstName, length: 30}
  - {source: emailaddress1, target: email, type: email, length: 128}
"""
FILTER = "filter: {column: statecode, operator: equals, value: 0}\n"
MARK = "{target: firstName, value: gone}"
COMPILED = compile_mapping(load_mapping(TEXT), "000001")
RECORD = "0a0a0a0a-0000-4000-8000-000000000001"
GOOD = ("a@example.com", "b@example.com", "")
BAD = "no address"


class OneRecord(RuleBasedStateMachine):
    """One contact, its ledger row, what Campaign holds, and old messages that may still arrive."""

    compiled: ClassVar[CompiledMapping] = COMPILED

    def __init__(self) -> None:
        super().__init__()
        self.version = 1
        self.email: str | None = GOOD[0]
        self.status = 0
        self.row = LedgerRow("contacts:0001:00", RECORD)
        self.there: str | None = None
        self.messages: list[Change] = []
        self.highest_written = 0

    @rule(email=st.sampled_from((*GOOD, BAD)))
    def edit(self, email: str) -> None:
        self.version += 1
        self.email = email
        self.messages.append(self._upsert())

    @rule()
    def cross(self) -> None:
        """In and out of the filter."""
        if self.email is not None:
            self.version += 1
            self.status = 1 - self.status
            self.messages.append(self._upsert())

    @rule()
    def remove(self) -> None:
        if self.email is not None:
            self.version += 1
            self.email = None
            self.messages.append(Change(RECORD, ChangeKind.DELETE))

    @rule(
        which=st.integers(0, 9),
        lane=st.sampled_from((Lane.LIVE, Lane.BACKFILL)),
        ending=st.sampled_from(
            ("answered", "lost before", "lost after", "crash before", "crash after", "released")
        ),
    )
    def deliver(self, which: int, lane: Lane, ending: str) -> None:
        """Any message, old ones included, any number of times; the call may end in any way."""
        if not self.messages:
            return
        change = self.messages[which % len(self.messages)]
        chunk = Chunk("contacts", 1, 0, lane, (change,))
        source = change.row
        if needs_reread(change, self.row, chunk, self.compiled, 0, False):
            source = self._source()
        made = plan(RECORD, source, self.row, self.compiled, Intent.NONE)
        if made.do is Do.RECORD and made.row is not None:
            self.row = replace(made.row, etag="e")
        elif made.calls:
            self._call(made, ending)

    def _call(self, made: Plan, ending: str) -> None:
        before = self.row
        wiped = "" if made.do is Do.DELETE else before.hash
        claimed = replace(
            before,
            etag="e",
            claim_owner="w",
            unresolved=True,
            noted=False,
            hash=wiped,
            attempts=before.attempts + 1,
        )
        if ending in ("answered", "lost after", "crash after"):
            self._apply(made)
        if ending.startswith("crash"):
            self.row = claimed
            return
        kinds = {Do.INSERT: Kind.CREATED, Do.UPDATE: Kind.UPDATED, Do.DELETE: Kind.DELETED}
        if made.mark is not None and self.there is None:
            kinds[Do.UPDATE] = Kind.DELETED
        kinds[Do.LOOK] = Kind.UNSEEN if self.there is None else Kind.SEEN
        kind = (
            kinds[made.do]
            if ending == "answered"
            else Kind.RELEASED
            if ending == "released"
            else Kind.UNKNOWN
        )
        self.row = close(before, claimed, made, Outcome(kind, 1), self.compiled.version)

    def _apply(self, made: Plan) -> None:
        if made.do is Do.LOOK:
            return
        if made.do is Do.DELETE:
            self.there = None
            return
        if made.mark is not None:
            self.there = made.mark.hash if self.there else None
            return
        assert made.projection is not None and made.source is not None
        assert made.source.version >= self.highest_written, "an older version overwrote a newer one"
        self.highest_written = made.source.version
        self.there = made.projection.hash

    def _source(self) -> SourceRow | None:
        return None if self.email is None else self._upsert().row

    def _upsert(self) -> Change:
        row = SourceRow(
            RECORD, self.version, {"firstname": "Zoë", "emailaddress1": self.email, "statecode": self.status}
        )
        return Change(RECORD, ChangeKind.UPSERT, row)

    @invariant()
    def a_resolved_row_is_true(self) -> None:
        """What the ledger calls known is what Campaign holds."""
        if not resolved(self.row):
            return
        if self.row.hash == SOMETHING:
            assert self.there is not None
        else:
            assert (self.row.hash or None) == self.there

    @invariant()
    def nothing_is_recorded_while_nobody_knows(self) -> None:
        """A record without a call would stay so: Campaign is asked first."""
        made = plan(RECORD, self._source(), self.row, self.compiled, Intent.NONE)
        assert made.do is not Do.RECORD or resolved(self.row)

    @invariant()
    def a_synced_row_is_not_skipped_while_campaign_differs(self) -> None:
        source = self._source()
        made = plan(RECORD, source, self.row, self.compiled, Intent.NONE)
        if made.do is Do.NOTHING and source is not None and self.row.state is State.SYNCED:
            assert self.there == self.compiled.project(source.values, RECORD).hash

    @invariant()
    def outside_the_filter_nothing_is_left_to_do(self) -> None:
        """A row that says so has done to the profile what the mapping asks for."""
        if self.row.state is State.FILTERED and resolved(self.row):
            mark = self.compiled.leaving_mark
            done = {"keep": self.there, "delete": None, "mark": self.there and mark and mark.hash}
            assert self.there == done[self.compiled.leaving]


def _machine(*options: str) -> type[TestCase]:
    class Filtered(OneRecord):
        compiled = compile_mapping(
            load_mapping(f"{TEXT}{FILTER}options: {{{', '.join(options)}}}\n"), "000001"
        )

    Filtered.TestCase.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)
    return Filtered.TestCase


OneRecord.TestCase.settings = settings(max_examples=200, stateful_step_count=25, deadline=None)
TestOneRecord = OneRecord.TestCase
TestLeavingKeeps = _machine("leaving: keep")
TestLeavingDeletes = _machine("leaving: delete")
TestLeavingMarks = _machine(f"leaving: {MARK}", f"deletes: {MARK}")


def first(status: int, row: LedgerRow, scope: Scope, intent: Intent = Intent.NONE, version: int = 5) -> Plan:
    """The plan of a mapping whose first load sends active contacts only."""
    options = "options: {first_load: {column: statecode, operator: equals, value: 0}}\n"
    compiled = compile_mapping(load_mapping(TEXT + options), "000001")
    values = {"firstname": "Zoë", "emailaddress1": "a@example.com", "statecode": status}
    return plan(RECORD, SourceRow(RECORD, version, values), row, compiled, intent, scope=scope)


def test_the_first_load_leaves_out_what_follows_when_it_changes() -> None:
    new = LedgerRow("contacts:0001:00", RECORD)
    assert first(0, new, Scope.FIRST).do is Do.INSERT
    left = first(1, new, Scope.FIRST)
    assert left.do is Do.RECORD and left.row is not None
    assert (left.row.state, left.row.code, left.row.version) == (State.FILTERED, "not_in_first_load", 5)
    row = replace(left.row, etag="e")
    assert first(1, row, Scope.FIRST).do is Do.NOTHING
    assert first(1, row, Scope.KNOWN).do is Do.NOTHING
    assert first(1, row, Scope.KNOWN, Intent.REPLAY).do is Do.NOTHING
    assert first(1, row, Scope.KNOWN, Intent.FORCE).do is Do.INSERT
    assert first(1, row, Scope.KNOWN, version=6).do is Do.INSERT
    assert first(1, row, Scope.LIVE, version=6).do is Do.INSERT
    assert first(0, row, Scope.KNOWN, Intent.REPLAY).do is Do.INSERT


def test_what_the_first_load_cannot_know_is_sent() -> None:
    new = LedgerRow("contacts:0001:00", RECORD)
    assert first(1, new, Scope.LIVE).do is Do.INSERT
    assert first(1, new, Scope.KNOWN).do is Do.INSERT
    assert first(1, replace(new, unresolved=True), Scope.FIRST).do is Do.INSERT
    assert first(1, replace(new, state=State.SYNCED, hash="x"), Scope.FIRST).do is Do.UPDATE


def test_a_chunks_lane_and_generation_say_what_is_a_first_load() -> None:
    live = Chunk("contacts", 1, 0, Lane.LIVE, (), generation=1)
    back = replace(live, lane=Lane.BACKFILL)
    assert scope_of(live) is Scope.LIVE
    assert scope_of(back) is Scope.FIRST
    assert scope_of(replace(back, generation=2)) is Scope.KNOWN
    assert scope_of(replace(back, intent=Intent.REPLAY)) is Scope.KNOWN


def test_a_braked_delete_of_a_record_outside_stays_parked_until_approved() -> None:
    made = compile_mapping(load_mapping(f"{TEXT}{FILTER}options: {{leaving: delete}}\n"), "000001")
    parked = LedgerRow("contacts:0001:00", RECORD, "e", State.PARKED, 3, "h", code="delete_brake")
    values = {"firstname": "Zoë", "emailaddress1": "", "statecode": 1}
    again = plan(RECORD, SourceRow(RECORD, 4, values), parked, made, Intent.NONE)
    assert again.do is Do.RECORD and again.row is not None
    assert (again.row.state, again.row.version, again.row.hash) == (State.PARKED, 4, "h")
    assert plan(RECORD, SourceRow(RECORD, 4, values), parked, made, Intent.APPROVED).do is Do.DELETE
    back = plan(RECORD, SourceRow(RECORD, 5, {**values, "statecode": 0}), parked, made, Intent.NONE)
    assert back.do is Do.UPDATE
