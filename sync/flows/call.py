"""One planned action against Campaign: at most a few calls, each within its permit and before the claim's deadline."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

from sync.campaign.records import Action as CampaignAction
from sync.campaign.records import Addressing, Records, Ref
from sync.errors import Reaction, SyncError, Throttled, UnknownOutcome
from sync.flows.consent_apply import ChunkConsent
from sync.flows.context import STOPPED_DELAY_S, Context
from sync.flows.family import tells
from sync.flows.permits import Permits, TooLate
from sync.model import LedgerRow, RecordRef, Row, State
from sync.planning.compile import CompiledMapping, Projection
from sync.planning.outcome import Kind, Outcome, retry_delay
from sync.planning.plan import Do, Plan
from sync.planning.rows import UNDECIDED, may_be_sent
from sync.planning.ties import PARENT_DELETED
from sync.storage.table import StorageFault

T = TypeVar("T")
RETRY_S = 15.0
SETTLE_S = 90.0
"""`filter` mode: how long after a POST with unknown outcome the next lookup may trust what it finds (design 5)."""


@dataclass
class Action:
    """Performs the plan of one record under its claim."""

    context: Context
    compiled: CompiledMapping
    target: Records
    permits: Permits
    plan: Plan
    before: LedgerRow
    deadline: float
    consent: ChunkConsent | None = None
    kept: Outcome | None = None
    """How it ends if it is a delete that has to wait: then only its optional links are emptied."""
    all_known: bool = False
    """Whether a record without a ledger row is new (`Progress.all_known`)."""
    calls: int = 0
    found: bool = False
    given_up: tuple[RecordRef, ...] = ()
    shown: tuple[RecordRef, ...] = ()

    @cached_property
    def records(self) -> Records:
        """Calls that must end before the claim does."""
        return self.target.bounded(self.deadline)

    async def perform(self) -> Outcome:
        """Make the calls; every ending is an Outcome."""
        try:
            if self.kept is not None:
                await self._empty_links()
                return replace(self.kept, calls=self.calls)
            kind, code = await self._act()
            told = Outcome(kind, self.calls, code, found=self.found)
            return replace(told, given_up=self.given_up, shown=self.shown)
        except TooLate:
            return Outcome(Kind.RELEASED, self.calls, "too_late", 1.0)
        except StorageFault:
            # No permit could be taken, so the next call was not made; every call before it is accounted for.
            return Outcome(Kind.RELEASED, self.calls, "storage_failed", RETRY_S)
        except UnknownOutcome as error:
            return Outcome(Kind.UNKNOWN, self.calls, error.code, self._settle())
        except Throttled as error:
            await self._hold(error.retry_after)
            return Outcome(Kind.RELEASED, self.calls, error.code, error.retry_after)
        except SyncError as error:
            return self._failed(error)

    async def _hold(self, seconds: float) -> None:
        """Tell the others to wait too; if that cannot be stored, the next 429 says it again."""
        with suppress(StorageFault):
            await self.context.budget.hold_until(self.context.clock.now() + seconds)

    def _settle(self) -> float:
        filtered = self.target.addressing is Addressing.FILTER
        return SETTLE_S if filtered and self.plan.do is Do.INSERT else 0.0

    def _failed(self, error: SyncError) -> Outcome:
        if error.code == "too_late":
            return Outcome(Kind.RELEASED, self.calls, error.code, 1.0)
        if error.code in ("not_found", "campaign_error", "campaign_unexplained", "campaign_garbled"):
            # Found and gone between two calls, or an error that may pass: again, but not for ever.
            return Outcome(Kind.FAILED, self.calls, error.code, retry_delay(self.before.failures + 1))
        if error.reaction is Reaction.QUARANTINE:
            return Outcome(Kind.REFUSED, self.calls, error.code)
        if error.reaction is Reaction.STOP:
            return Outcome(Kind.RELEASED, self.calls, error.code, STOPPED_DELAY_S)
        return Outcome(Kind.RELEASED, self.calls, error.code, RETRY_S)

    async def _act(self) -> tuple[Kind, str]:
        if self.plan.do is Do.LOOK:
            return await self._look()
        if self.plan.do is Do.DELETE:
            return await self._delete()
        if self.plan.mark is not None:
            return await self._mark(self.plan.mark.body)
        if self.plan.do is Do.UPDATE:
            return await self._update()
        return await self._insert()

    async def _look(self) -> tuple[Kind, str]:
        """Whether Campaign holds it, and of the parents that it may point to which ones the record does not show."""
        ref = await self._find()
        if ref is None:
            return Kind.UNSEEN, ""
        self._see(ref.shown)
        return Kind.SEEN, ""

    def _see(self, shown: Row) -> None:
        self.given_up = tuple(one for one in self.before.parents if self.compiled.points_past(shown, one))
        self.shown = self.compiled.parents_shown(shown)

    async def _call(self, make: Callable[[], Awaitable[T]]) -> T:
        """One call: a place in flight, then a permit (it goes stale), the deadline, the request."""
        context = self.context
        async with context.calls_in_flight:
            await self.permits.one(self.deadline)
            if context.clock.now() + context.settings.call_timeout_s > self.deadline:
                raise TooLate
            self.calls += 1
            return await make()

    async def _find(self) -> Ref | None:
        """The one profile that carries the id, or None; raises SyncError `ambiguous_external_id`."""
        refs = await self._call(lambda: self.records.find(self.plan.record_id))
        if len(refs) > 1:
            raise SyncError("ambiguous_external_id", record_id=self.plan.record_id)
        return refs[0] if refs else None

    async def _create(self) -> tuple[Kind, str]:
        """POST with the contact's consent: a profile is never in Campaign without its opt-outs."""
        body, source, consent = self._projection.create, self.plan.source, self.consent
        if consent is None or source is None:
            await self._call(lambda: self.records.create(body))
            return Kind.CREATED, ""
        made = consent.creation(source)
        if made.fields is None:
            return Kind.HELD, UNDECIDED
        if not await consent.forget(source.record_id):
            raise TooLate
        body.update(made.fields)
        await consent.announce(source, made)
        ref = await self._call(lambda: self.records.create(body))
        consent.landed(source, ref.shown)
        return Kind.CREATED, ""

    async def _patch(self, ref: Ref | None, body: dict[str, Any] | None = None) -> tuple[Kind, str]:
        """PATCH by `ref`, or by key where `ref` is None; raises SyncError `not_found`."""
        records = self.records
        if body is None:
            body = self._projection.force if self.plan.force else self._projection.update
        if ref is None:
            await self._call(lambda: records.update_by_key(self.plan.record_id, body))
        else:
            await self._call(lambda: records.update(ref, body))
        return Kind.UPDATED, ""

    @property
    def _projection(self) -> Projection:
        assert self.plan.projection is not None
        return self.plan.projection

    async def _insert(self) -> tuple[Kind, str]:
        if self.target.addressing is Addressing.FILTER:
            ref = await self._find()
            if ref is not None:
                self.found = self._never_posted
                return await self._patch(ref)
        elif may_be_sent(self.before, all_known=self.all_known):
            # Addressed before it is posted: one that is there costs one call.
            try:
                return await self._patch(None)
            except SyncError as error:
                if error.code != "not_found":
                    raise
        try:
            return await self._create()
        except SyncError as error:
            # v8 does not tell a duplicate from other data that it refuses.
            if error.code not in ("duplicate_key", "campaign_unexplained"):
                raise
            refused = error
        ref = await self._find()
        if ref is None and refused.code != "duplicate_key":
            raise refused
        if ref is None:
            return Kind.REFUSED, "duplicate_other_key"
        self.found = self._never_posted
        return await self._patch(ref)

    @property
    def _never_posted(self) -> bool:
        """Whether no POST of ours for this record can have been applied before this chunk."""
        row = self.before
        deleted = row.state in (State.DELETED, State.FILTERED) or row.code == PARENT_DELETED
        return not row.unresolved and not row.hash and not deleted

    async def _update(self) -> tuple[Kind, str]:
        if self.target.addressing is Addressing.KEY:
            try:
                return await self._patch(None)
            except SyncError as error:
                if error.code != "not_found":
                    raise
        ref = await self._find()
        if ref is not None:
            return await self._patch(ref)
        if self.compiled.on_missing == "recreate":
            return await self._create()
        return Kind.HELD, "profile_missing"

    async def _mark(self, body: Row) -> tuple[Kind, str]:
        """PATCH instead of a delete, if there is a profile; where its row does not say where it points, a look does."""
        known = tells(self.before) or not self.compiled.links
        if self.target.addressing is Addressing.KEY and known:
            try:
                await self._call(lambda: self.records.update_by_key(self.plan.record_id, body))
                return Kind.UPDATED, ""
            except SyncError as error:
                if error.code != "not_found":
                    raise
        ref = await self._find()
        if ref is None:
            return Kind.DELETED, ""
        if not known:
            self._see(ref.shown)
        await self._call(lambda: self.records.update(ref, body))
        return Kind.UPDATED, ""

    async def _delete(self) -> tuple[Kind, str]:
        records = self.records
        try:
            if records.delete_by_key and await self._deleted_by_key():
                return Kind.DELETED, ""
            ref = await self._find()
            if ref is not None:
                await self._call(lambda: records.delete(ref))
        except SyncError as error:
            if error.code != "not_found":
                raise
        return Kind.DELETED, ""

    async def _empty_links(self) -> None:
        """Two records that point to each other would wait for each other's delete: the optional links go first."""
        assert self.kept is not None
        if not (self.kept.given_up or self.kept.empties):
            return
        ref: Ref | None = None
        if self.target.addressing is Addressing.FILTER:
            ref = await self._find()
            if ref is None:
                return
        try:
            await self._patch(ref, self.compiled.without_optional)
        except SyncError as error:
            if error.code != "not_found":
                raise

    async def _deleted_by_key(self) -> bool:
        """DELETE by key; False if this resource turns out to offer none, which is remembered."""
        try:
            await self._call(lambda: self.records.delete_by_key_of(self.plan.record_id))
        except SyncError as error:
            if error.code != "no_addressing":
                raise
            self.target.disprove_delete_by_key()
            return False
        return True


def planned_calls(target: Records, plan: Plan, row: LedgerRow, *, all_known: bool) -> int:
    """Calls the plan will normally make, for the budget."""
    if not plan.calls:
        return 0
    if plan.do is Do.LOOK:
        return 1
    normal = target.calls_for(CampaignAction(plan.do.value))
    # An insert goes by key before it is posted.
    first = plan.do is Do.INSERT and may_be_sent(row, all_known=all_known)
    doubtful = first and target.addressing is Addressing.KEY
    return normal + doubtful
