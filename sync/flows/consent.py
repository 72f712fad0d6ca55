"""consent: one hint: claim the row, read both sides, decide on what was read, write at most one side, record.

The claim holds like one of the ledger (design 4.3): no call starts that cannot end before it, and who finds it open
waits until no call of it can land any more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NoReturn

from sync import telemetry
from sync.campaign.records import Addressing, Ref
from sync.consent_row import ConsentRow, Side
from sync.errors import Reaction, SyncError, Throttled, UnknownOutcome
from sync.flows import consent_fit
from sync.flows.consent_brake import brake
from sync.flows.consent_hints import Hint, has_profile, hint, hint_again
from sync.flows.consent_record import MAYBE_APPLIED, announce, record_seen, record_written
from sync.flows.context import Context
from sync.flows.fence import fenced_s
from sync.flows.permits import Permits, TooLate
from sync.model import SourceRow
from sync.planning.compile import CompiledMapping
from sync.planning.consent_pairs import Consents
from sync.planning.consent_plan import ConsentPlan, plan_consent
from sync.storage.ledger import bucket_of, partition_of
from sync.storage.table import RowConflict

RETRY_S = 15.0
BUSY_S = 5.0
MOVED_S = 0.5
LONGEST_WAIT_S = 60.0
"""How long a look waits for its calls inside the function."""
CALLS = 2
"""Campaign calls of a look: the read, and perhaps a write."""
LATER_S = 900.0
"""When a write that a system refused is tried again."""


class _ComeBack(Exception):
    """Nothing more can be done now."""

    def __init__(self, delay_s: float) -> None:
        self.delay_s = delay_s
        super().__init__()


async def work_hint(context: Context, told: Hint, invocation: str) -> None:
    """Work one hint; what cannot be done now is hinted again."""
    consent = context.consent_map
    if consent is None or context.consent_of(consent.consent) is None:
        return
    try:
        consents = await consent_fit.resolved(context, consent.consent)
        assert consents is not None
        await Look(context, consents, told, f"{invocation}:{context.nonce()}").work()
    except _ComeBack as later:
        await hint_again(context, told, delay_s=later.delay_s)
    except SyncError as error:
        delay = await context.stopped(consent.consent, "consent", error)
        await hint_again(context, told, delay_s=delay)
    else:
        await context.control.resume(consent.consent, "consent")
    await context.counters.flush()


@dataclass
class Look:
    """One look at a contact under the claim of its row."""

    context: Context
    consents: Consents
    hint: Hint
    owner: str
    began: float = 0.0
    """When the row was claimed."""

    @property
    def mapping(self) -> str:
        return self.consents.map.consent

    @property
    def record_id(self) -> str:
        return self.hint.record_id

    async def work(self) -> None:
        """Claim the row and look; raises _ComeBack, SyncError."""
        context = self.context
        compiled = await context.reading(self.mapping)
        progress = await context.watermarks.progress(self.mapping)
        if wait := fenced_s(context, progress):
            raise _ComeBack(wait)
        await context.guard(progress)
        await context.know_addressing()
        context.guard_dialect(progress)
        bucket = bucket_of(self.record_id, context.buckets[self.mapping])
        partition = partition_of(self.mapping, progress.epoch, bucket)
        if not await has_profile(context, partition, self.record_id, all_known=progress.all_known):
            # Unknown to the sync, or not created yet: a create carries consent and compares it afterwards.
            return
        before = await self._free_row(partition)
        if self._looked_since(before):
            return
        now = context.clock.now()
        # Waiting comes before the claim: it is too short to wait in.
        grant = await context.budget.take(CALLS, straight=True)
        wait = grant.start - now if grant.denied else 0.0
        if grant.denied:
            if wait > LONGEST_WAIT_S or not grant.reserved:
                # Campaign said when to come back (a reservation that far away would only be lost), or the day's limit.
                await context.budget.give_back(grant, grant.reserved)
                raise _ComeBack(wait)
            await context.clock.sleep(wait)
        permits = Permits(context, grant)
        try:
            if wait:
                before = await self._free_row(partition)
                if self._looked_since(before):
                    return
            claimed = await self._claim(before, context.clock.now())
            if await context.blocked.among([self.record_id]):
                # Looked for under the claim: whoever blocks an id waits for claims that were there before.
                await self._release(claimed)
                return
            await self._look(compiled, claimed, permits)
        except RowConflict:
            # The row moved under our claim: the profile was created anew. Nothing of ours is under way: look again.
            await self._let_go(partition)
            raise _ComeBack(1.0) from None
        finally:
            await context.budget.give_back(grant, grant.calls - permits.used)

    def _looked_since(self, row: ConsentRow) -> bool:
        """Whether a look that came to its end began after this hint was given, whichever clock told its time."""
        return bool(self.hint.at) and row.looked > self.hint.at + self.context.settings.skew_s

    async def _free_row(self, partition: str) -> ConsentRow:
        """The row, unless somebody else holds a live claim; raises _ComeBack."""
        row = await self.context.consents.get(partition, self.record_id)
        now = self.context.clock.now()
        if row.claim_owner and now < row.take_over:
            raise _ComeBack(min(row.take_over - now, BUSY_S))
        return row

    async def _claim(self, before: ConsentRow, now: float) -> ConsentRow:
        self.began = now
        settings = self.context.settings
        until = settings.claim_deadline(now)
        claim = replace(
            before,
            claim_owner=self.owner,
            claim_until=until,
            take_over=settings.takeover_at(until),
            updated=now,
        )
        try:
            return await self.context.consents.write(claim)
        except RowConflict:
            raise _ComeBack(BUSY_S) from None

    async def _look(self, compiled: CompiledMapping, claimed: ConsentRow, permits: Permits) -> None:
        """Read, decide, write at most one side, record. Raises _ComeBack, RowConflict, SyncError."""
        try:
            contact, ref = await self._read(compiled, claimed, permits)
            plan = plan_consent(claimed, contact, ref.shown if ref else None, self.consents)
            plan = await brake(self.context, self.mapping, plan)
        except SyncError as error:
            await self._release(claimed)
            if error.code == "too_late":
                raise _ComeBack(1.0) from None
            raise
        # The journal first, always: what the row says agreed is no news any more to whoever takes over.
        await record_seen(self.context, self.mapping, plan, self.owner)
        if plan.write is None or contact is None or ref is None:
            await self._record(plan, claimed)
            return
        held, seen = claimed, replace(plan.seen(), etag=claimed.etag)
        if plan.opt_ins or seen.fields != claimed.fields:
            # Said before it is done: who takes over must not take our opt-in for a person's, and knows what was seen.
            announced = {**seen.announced, **plan.announced}
            held = await self.context.consents.write(replace(seen, announced=announced))
        await announce(self.context, self.mapping, plan, self.owner)
        try:
            await self._write(plan, claimed, contact, ref, compiled, permits)
        except SyncError as error:
            if isinstance(error, UnknownOutcome) or error.code in MAYBE_APPLIED:
                await self._unknown(plan, held, error)
            # Answered, and nothing was applied: what was announced did not happen.
            await record_written(self.context, self.mapping, plan, error.code, self.owner)
            await self._release(replace(held, announced=seen.announced))
            await self._refused(plan, error)
        await record_written(self.context, self.mapping, plan, "done", self.owner)
        await self._record(plan, held)

    async def _unknown(self, plan: ConsentPlan, held: ConsentRow, error: SyncError) -> NoReturn:
        """The claim and what was announced stay until no call of ours can land any more."""
        telemetry.warning("consent_outcome_unknown", record=self.record_id, code=error.code)
        await record_written(self.context, self.mapping, plan, "unknown", self.owner)
        raise _ComeBack(max(held.take_over - self.context.clock.now(), 1.0))

    async def _read(
        self, compiled: CompiledMapping, claim: ConsentRow, permits: Permits
    ) -> tuple[SourceRow | None, Ref | None]:
        """Both sides, Campaign last: nothing guards its write."""
        context = self.context
        async with context.dynamics_permit():
            found = await context.dynamics.read(
                compiled.entity_set, compiled.key_column, self.consents.columns, [self.record_id]
            )
            if not found:
                await context.dynamics.prove_global_read(compiled.entity_set, compiled.key_column)
        await self._permit(permits, claim)
        refs = await context.profiles.find(self.record_id)
        if len(refs) > 1:
            raise SyncError("ambiguous_external_id", record_id=self.record_id)
        return found.get(self.record_id), refs[0] if refs else None

    async def _write(
        self,
        plan: ConsentPlan,
        claim: ConsentRow,
        contact: SourceRow,
        ref: Ref,
        compiled: CompiledMapping,
        permits: Permits,
    ) -> None:
        context = self.context
        profiles, body = context.profiles, plan.body
        if plan.write is Side.CAMPAIGN:
            await self._permit(permits, claim)
        if context.clock.now() + context.settings.call_timeout_s > claim.claim_until:
            raise SyncError("too_late", record_id=self.record_id)
        if plan.write is Side.DYNAMICS:
            async with context.dynamics_permit():
                await context.dynamics.update(compiled.entity_set, self.record_id, body, contact.version)
        elif profiles.addressing is Addressing.KEY:
            await profiles.update_by_key(self.record_id, body)
        else:
            await profiles.update(ref, body)

    async def _permit(self, permits: Permits, claim: ConsentRow) -> None:
        """One of the calls that were granted, or one more if they have gone stale; raises SyncError `too_late`."""
        try:
            await permits.one(claim.claim_until)
        except TooLate:
            raise SyncError("too_late", record_id=self.record_id) from None

    async def _record(self, plan: ConsentPlan, held: ConsentRow) -> None:
        """The row, once the journal has it; what the other side still needs is another hint."""
        context = self.context
        after = replace(plan.done(), etag=held.etag, updated=context.clock.now(), looked=self.began)
        await context.consents.write(after.released())
        if plan.more:
            await hint(context, [self.record_id])

    async def _let_go(self, partition: str) -> None:
        """Give back a claim of ours in a row that somebody else wrote meanwhile."""
        row = await self.context.consents.get(partition, self.record_id)
        if row.claim_owner == self.owner:
            try:
                await self._release(row)
            except RowConflict:
                return

    async def _release(self, claimed: ConsentRow) -> None:
        """Give the claim back; nothing was applied."""
        await self.context.consents.write(claimed.released())

    async def _refused(self, plan: ConsentPlan, error: SyncError) -> NoReturn:
        """A write was answered with an error: nothing was applied. Raises what comes next."""
        context = self.context
        if plan.opt_ins and plan.write is not None:
            # They did not happen: the next try counts them again.
            await context.control.unbrake_opt_ins(self.mapping, plan.write.value, len(plan.opt_ins))
        if isinstance(error, Throttled):
            if plan.write is Side.CAMPAIGN:
                await context.budget.hold_until(context.clock.now() + error.retry_after)
            raise _ComeBack(error.retry_after)
        if error.reaction is Reaction.STOP:
            raise error
        if error.reaction is Reaction.QUARANTINE:
            raise _ComeBack(LATER_S)
        raise _ComeBack(MOVED_S if error.code in ("dynamics_conflict", "too_late") else RETRY_S)
