"""The consent part of a chunk of contacts: creates carry it, everything else only compares it and hints (design 4.7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sync.consent_row import ConsentRow
from sync.errors import SyncError
from sync.flows.consent_hints import hint
from sync.flows.consent_record import MAYBE_APPLIED, Made, record_creation
from sync.flows.context import Context
from sync.model import LedgerRow, Row, SourceRow, State
from sync.planning.consent_pairs import Consents
from sync.planning.consent_plan import Creation, created_row, creation, differs, opted_out
from sync.planning.outcome import Kind, Outcome
from sync.planning.plan import Plan
from sync.planning.rows import may_be_sent
from sync.storage.consent_journal import ASKED
from sync.storage.table import RowConflict

TRIES = 5


@dataclass
class ChunkConsent:
    """`consents` None: the map cannot be used, so that nothing may be created. `rows` are known by contact."""

    context: Context
    mapping: str
    partition: str
    owner: str
    consents: Consents | None
    rows: dict[str, ConsentRow]
    asked: dict[str, Made] = field(default_factory=dict)
    """The POSTs that were announced."""
    created: dict[str, Row] = field(default_factory=dict)
    """The profiles they were answered with."""
    unlooked: list[str] = field(default_factory=list)

    def creation(self, source: SourceRow) -> Creation:
        """The consent fields of a POST; raises SyncError `consent_unusable`."""
        if self.consents is None:
            raise SyncError("consent_unusable", record_id=source.record_id)
        return creation(self.consents, source.values)

    async def forget(self, record_id: str) -> bool:
        """Before a POST: nothing that an earlier profile agreed on holds for the new one. False: try later."""
        row = self.rows.get(record_id)
        for _ in range(TRIES):
            if row is None:
                row = await self.context.consents.get(self.partition, record_id)
            if not row.agreed and not row.found and not row.announced:
                self.rows[record_id] = row
                return True
            try:
                self.rows[record_id] = await self.context.consents.write(row.undecided())
                return True
            except RowConflict:
                row = None
        return False

    async def announce(self, source: SourceRow, made: Creation) -> None:
        """Journal the opt-outs of a POST before it is made."""
        asked = Made(source, made)
        await self._journal(asked, ASKED)
        self.asked[source.record_id] = asked

    def landed(self, source: SourceRow, profile: Row) -> None:
        """A POST of ours was answered with the profile."""
        self.created[source.record_id] = profile

    async def compare(
        self,
        sources: Mapping[str, SourceRow | None],
        ledger: Mapping[str, LedgerRow],
        *,
        at_once: bool,
        all_known: bool,
    ) -> None:
        """Hint the contacts that have a profile and whose consent is not what the row says, whatever is planned.

        Unless all go `at_once`, those that were only never looked at, and are not opted out, are left in `unlooked`:
        consent switched on over many contacts would keep the lane busy for days before the next opt-out.
        """
        if self.consents is None:
            return
        found = []
        for record_id, source in sources.items():
            row = ledger[record_id]
            written = may_be_sent(row, all_known=all_known)
            if source is None or not written or row.state is State.DELETED or source.version < row.version:
                continue
            known = self._row(record_id)
            if not differs(known, self.consents, contact=source.values):
                continue
            if at_once or known.agreed or opted_out(self.consents, source.values):
                found.append(record_id)
            else:
                self.unlooked.append(record_id)
        await hint(self.context, found)

    async def hint_unlooked(self) -> None:
        """Hint what `compare` left, once the budget says that there is time for it."""
        await hint(self.context, self.unlooked)

    async def after(self, ended: Mapping[str, tuple[Plan, Outcome]]) -> None:
        """Rows of what was created or found; hints for what is not agreed."""
        consents = self.consents
        if consents is None:
            return
        now = self.context.clock.now()
        rows: list[ConsentRow] = []
        hints: set[str] = set()
        for record_id, (plan, outcome) in ended.items():
            known = self._row(record_id)
            if record_id in self.asked:
                await self._journal(self.asked[record_id], _ending(outcome))
            if outcome.kind is Kind.CREATED and record_id in self.created:
                source, profile = self.asked[record_id].source, self.created[record_id]
                row = created_row(known, consents, source.values, profile)
                rows.append(replace(row, updated=now))
                if differs(row, consents):
                    hints.add(record_id)
            elif outcome.kind is Kind.UPDATED:
                if outcome.found and known.etag is None:
                    rows.append(replace(known, found=True, updated=now))
                if plan.source is not None and differs(known, consents, contact=plan.source.values):
                    hints.add(record_id)
        # Who wrote the row meanwhile knows more; the hint brings the two together.
        hints |= await self.context.consents.write_many(rows)
        await hint(self.context, sorted(hints))

    async def _journal(self, made: Made, outcome: str) -> None:
        assert self.consents is not None
        await record_creation(self.context, self.mapping, self.consents, made, outcome, self.owner)

    def _row(self, record_id: str) -> ConsentRow:
        return self.rows.get(record_id) or ConsentRow(self.partition, record_id)


def _ending(outcome: Outcome) -> str:
    """How a POST ended, for the journal."""
    if outcome.kind is Kind.CREATED:
        return "done"
    if outcome.kind is Kind.UNKNOWN or outcome.code in MAYBE_APPLIED:
        return "unknown"
    # Another profile was there, unless the outcome says why.
    return outcome.code or "duplicate_key"
