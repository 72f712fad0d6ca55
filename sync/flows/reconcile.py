"""reconcile: read records in Campaign and compare them with map(source); a job of `jobs.py`, page by page.

`ledger`: rows in the order of their buckets, a part of them or all; each costs one Campaign call from the backfill's
share of the budget. `extras` (`extras.py`) comes after all rows. What differs is kept in the table `findings`, and sent
again where that was asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sync import telemetry
from sync.campaign.records import Ref
from sync.dynamics.client import IDS_PER_READ
from sync.errors import SyncError
from sync.flows import jobs
from sync.flows.context import LONGEST_WAIT_S, Context
from sync.flows.extras import list_page
from sync.flows.look import Look, Place, Reconcile, send_again, sources_of
from sync.flows.spend import spend_backfill
from sync.model import Intent, LedgerRow, SourceRow, State
from sync.planning.compare import DIFFERS, Found, Verdict, judge
from sync.storage.budget import BACKFILL_SHARE, CLOCK_SLACK_S, RESERVATION_S
from sync.storage.findings import Finding
from sync.storage.jobs import RUNNING, Job
from sync.storage.lanes import gather_all
from sync.storage.ledger import from_stored, partition_of

VERB = "reconcile"
NOTE = "reconcile"
CALLS_LONG = 2.0
"""A look at one record ends within so many call timeouts after it was made sure that the id is not blocked."""
STEP_S = 300.0
"""A job that moved so recently may have a step under way, or a call of its last one, whatever its state."""
AT_ONCE = 16
"""Records of a page that wait for their permits together."""


async def start(context: Context, mapping: str, wanted: Reconcile, *, who: str, total: int) -> Job:
    """Begin a look."""
    return await jobs.start(context, mapping, VERB, wanted.model_dump_json(), who=who, total=total)


async def work(context: Context, job: Job) -> Job:
    """Compare one page; the job as it stands after it."""
    wanted = Reconcile.model_validate_json(job.spec)
    progress = await context.watermarks.progress(job.mapping)
    if progress.epoch != wanted.epoch:
        return jobs.done(job)
    await context.guard(progress)
    try:
        compiled = await context.reading(job.mapping)
    except SyncError as error:
        if error.code != "mapping_disabled":
            raise
        return jobs.done(job)
    target = await context.target(compiled)
    context.guard_dialect(progress)
    look = Look(context, job.mapping, wanted, compiled, target, progress)
    place = (
        Place.model_validate_json(job.place) if job.place else Place(bucket=wanted.bucket, after=wanted.after)
    )
    after = await (_ledger_page(look, place, job) if place.part == "ledger" else list_page(look, place))
    seen = look.counts.pop("seen", 0)
    job = replace(job, done=job.done + seen).counted(**look.counts)
    if after is not None:
        return replace(job, place=after.model_dump_json())
    telemetry.event("reconciled", mapping=job.mapping, records=job.done, **job.found)
    return jobs.done(job)


async def _ledger_page(look: Look, place: Place, job: Job) -> Place | None:
    """Compare the rows behind `place`; where the next page begins, None after the last."""
    context, wanted = look.context, look.wanted
    buckets = context.buckets[look.mapping]
    most = _affordable(context)
    most = min(most, wanted.sample - job.done) if wanted.sample else most
    partition = partition_of(look.mapping, wanted.epoch, place.bucket)
    page = await context.ledger.after(partition, place.after, size=most)
    rows = [from_stored(stored) for stored in page]
    await _compare(look, rows)
    look.counts["seen"] += len(rows)
    if wanted.sample and job.done + len(rows) >= wanted.sample:
        await _remember(look, place.bucket, rows[-1].record_id)
        return None
    if len(rows) == most:
        return place.model_copy(update={"after": rows[-1].record_id})
    # The first bucket comes once more where the look began in its middle.
    turns = place.turns + 1
    if turns < buckets or (turns == buckets and wanted.after):
        return Place(bucket=(place.bucket + 1) % buckets, turns=turns)
    await _remember(look, wanted.bucket, wanted.after)
    return None if wanted.sample else Place(part="extras")


def _affordable(context: Context) -> int:
    """Rows of a page: as many as the backfill's share pays for while a function may wait."""
    slot = context.budget.limit.interval / BACKFILL_SHARE
    return max(1, min(IDS_PER_READ, int(LONGEST_WAIT_S / slot)))


async def _remember(look: Look, bucket: int, after: str) -> None:
    if look.wanted.rotates:
        await look.context.control.note(look.mapping, NOTE, f"{bucket} {after}")


async def _compare(look: Look, rows: Sequence[LedgerRow]) -> None:
    context = look.context
    sent = {row.record_id: row for row in rows if row.state is State.SYNCED}
    look.counts[Found.LEFT.value] += len(rows) - len(sent)
    if not sent:
        return
    erased = await context.blocked.among(sent)
    sources = await sources_of(look, [record_id for record_id in sent if record_id not in erased])
    policies = await _policies(look)
    verdicts: dict[str, Verdict] = {}
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(record_id: str, source: SourceRow) -> None:
        async with turns:
            found = await _find(look, record_id)
        if found is not None:
            shown = found[0].shown if found else None
            verdicts[record_id] = judge(
                source, sent[record_id], shown, look.compiled, policies, look.target.dialect.written_once
            )

    await gather_all([one(record_id, source) for record_id, source in sources.items()])
    look.counts[Found.LEFT.value] += len(sent) - len(verdicts)
    await _settle(look, sent, verdicts)


async def _policies(look: Look) -> Mapping[str, str]:
    """Campaign's data policies by field, asked for once per worker and mapping version."""
    context = look.context
    key = (look.mapping, look.compiled.version)
    known = context.policies.get(key)
    if known is None:
        told = await look.target.describe(lambda: spend_backfill(context))
        known = {path: info.policy for path, info in told.fields.items() if info.policy}
        context.policies[key] = known
    return known


async def _find(look: Look, record_id: str) -> Sequence[Ref] | None:
    """The record in Campaign, None if it was blocked meanwhile; a second one with the same key is the apply's to find.

    `block` waits for what looked at the blocked ids before it (`lands_within`).
    """
    context = look.context
    while True:
        # Before a place in flight is taken: whoever waits for the backfill's share must not hold up live work.
        await spend_backfill(context)
        stale = context.clock.now() + RESERVATION_S - CLOCK_SLACK_S
        async with context.calls_in_flight:
            if context.clock.now() >= stale:
                continue
            deadline = context.clock.now() + CALLS_LONG * context.settings.call_timeout_s
            if await context.blocked.among([record_id]):
                return None
            look.counts["calls"] += 1
            return await look.target.bounded(deadline).find(record_id)


async def _settle(look: Look, rows: Mapping[str, LedgerRow], verdicts: Mapping[str, Verdict]) -> None:
    """Send what is to be healed, then write down what was found."""
    context = look.context
    findings: list[Finding] = []
    heal: list[str] = []
    agree: list[str] = []
    for record_id, verdict in verdicts.items():
        before = await context.findings.get(look.mapping, record_id)
        found = verdict.found
        row_hash = rows[record_id].hash
        if (
            found is Found.EDITED
            and before
            and before.healed
            and (before.hash, before.fields) == (row_hash, verdict.fields)
        ):
            found = Found.REWRITTEN
        look.counts[found.value] += 1
        if found in DIFFERS and look.wanted.heal:
            heal.append(record_id)
        if found is Found.AGREES and before is not None:
            agree.append(record_id)
        if found in (*DIFFERS, Found.REWRITTEN):
            healed = record_id in heal or found is Found.REWRITTEN
            findings.append(
                Finding(record_id, found.value, verdict.fields, row_hash, healed, context.clock.now())
            )
    if heal:
        await send_again(look, heal, Intent.HEAL)
        look.counts["healed"] += len(heal)
    await context.findings.put(look.mapping, findings)
    await context.findings.remove(look.mapping, agree)


async def lands_within(context: Context, mapping: str) -> float:
    """Seconds until no call of a comparison can arrive that began before now; 0 where none is at work."""
    settings, now = context.settings, context.clock.now()
    longest = CALLS_LONG * settings.call_timeout_s + settings.gateway_s + settings.skew_s
    at_work = [
        job
        async for job in context.jobs.of(mapping)
        if job.verb == VERB and (job.state == RUNNING or now - job.updated < STEP_S)
    ]
    return longest if at_work else 0.0


async def reconcile_sample(context: Context) -> int:
    """Timer: a look at RECONCILE_PERCENT of each mapping's records, in turn; how many looks began."""
    begun = 0
    percent = context.settings.reconcile_percent
    for mapping in await context.mappings.names() if percent else ():
        progress = await context.watermarks.progress(mapping)
        running = [job async for job in context.jobs.of(mapping) if job.verb == VERB and job.state == RUNNING]
        sample = -int(-progress.total * percent // 100)
        if running or progress.running or not progress.generation or sample < 1:
            continue
        bucket, _, after = (await context.control.noted(mapping, NOTE) or "0 ").partition(" ")
        await context.active(mapping)
        wanted = Reconcile(
            epoch=progress.epoch,
            sample=sample,
            bucket=int(bucket) % context.buckets[mapping],
            after=after,
            heal=context.settings.reconcile_heal,
            rotates=True,
        )
        await start(context, mapping, wanted, who="timer", total=sample)
        begun += 1
    return begun
