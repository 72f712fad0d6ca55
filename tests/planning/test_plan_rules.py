"""plan() and close() against a tiny model of one record: whatever happens, what the ledger believes is true.

The model is Campaign itself (`there`: the hash of what it holds, or None), with calls that may be applied and then
lost. Hypothesis looks for a sequence after which the ledger skips a record that Campaign does not hold as it should.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sync.model import Change, ChangeKind, Chunk, Intent, Lane, LedgerRow, SourceRow, State
from sync.planning.compile import compile_mapping
from sync.planning.load import load_mapping
from sync.planning.outcome import Kind, Outcome, close
from sync.planning.plan import Do, Plan, needs_reread, plan, resolved

TEXT = """
mapping: contacts
source: {table: contact, entity_set: contacts, key: contactid}
target: {resource: profile, key: externalId}
fields:
  - {source: firstname, target: firstName, length: 30}
  - {source: emailaddress1, target: email, type: email, length: 128}
"""
COMPILED = compile_mapping(load_mapping(TEXT), "000001")
RECORD = "0a0a0a0a-0000-4000-8000-000000000001"
GOOD = ("a@example.com", "b@example.com", "")
BAD = "no address"


class OneRecord(RuleBasedStateMachine):
    """One contact, its ledger row, what Campaign holds, and old messages that may still arrive."""

    def __init__(self) -> None:
        super().__init__()
        self.version = 1
        self.email: str | None = GOOD[0]
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
        if needs_reread(change, self.row, chunk, COMPILED, 0, False):
            source = self._source()
        made = plan(RECORD, source, self.row, COMPILED, Intent.NONE)
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
        kind = (
            kinds[made.do]
            if ending == "answered"
            else Kind.RELEASED
            if ending == "released"
            else Kind.UNKNOWN
        )
        self.row = close(before, claimed, made, Outcome(kind, 1), COMPILED.version)

    def _apply(self, made: Plan) -> None:
        if made.do is Do.DELETE:
            self.there = None
            return
        assert made.projection is not None and made.source is not None
        assert made.source.version >= self.highest_written, "an older version overwrote a newer one"
        self.highest_written = made.source.version
        self.there = made.projection.hash

    def _source(self) -> SourceRow | None:
        return None if self.email is None else self._upsert().row

    def _upsert(self) -> Change:
        row = SourceRow(RECORD, self.version, {"firstname": "Zoë", "emailaddress1": self.email})
        return Change(RECORD, ChangeKind.UPSERT, row)

    @invariant()
    def a_resolved_row_is_true(self) -> None:
        """What the ledger calls known is what Campaign holds."""
        if resolved(self.row):
            assert (self.row.hash or None) == self.there

    @invariant()
    def a_synced_row_is_not_skipped_while_campaign_differs(self) -> None:
        source = self._source()
        made = plan(RECORD, source, self.row, COMPILED, Intent.NONE)
        if made.do is Do.NOTHING and source is not None and self.row.state is State.SYNCED:
            assert self.there == COMPILED.project(source.values, RECORD).hash


OneRecord.TestCase.settings = settings(max_examples=300, stateful_step_count=25, deadline=None)
TestOneRecord = OneRecord.TestCase
