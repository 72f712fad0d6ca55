"""status: what each mapping is doing, from the watermarks, the counters and the lanes; nothing is written.

Counters answer at once and may be short after a crash by what was not flushed; `count_ledger` counts the rows.
"""

from __future__ import annotations

import asyncio
import enum
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sync.errors import SyncError
from sync.flows.context import Context
from sync.flows.record import counted_version, deletes_allowed
from sync.model import Lane, State
from sync.planning.mapping import Brake
from sync.storage.budget import BACKFILL_SHARE
from sync.storage.control import Pause
from sync.storage.jobs import RUNNING, Job
from sync.storage.pauses import Stop
from sync.storage.watermarks import Progress, Tick

FLOWS = ("drift", "pull", "apply", "full_read", "sweep", "consent", "consents")
POISON = (Lane.CONSENT, Lane.LIVE, Lane.BACKFILL, Lane.CONTROL, Lane.EVENTS)
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


class Phase(enum.StrEnum):
    """What a mapping's reads are doing."""

    DISABLED = "disabled"
    NOT_STARTED = "not started"
    FULL_READ = "full read"
    CLOSING = "deltas take over"
    SWEEP_DUE = "sweep waits for the backfill"
    SWEEPING = "sweeping"
    RUNNING = "running"


@dataclass(frozen=True, slots=True)
class Rate:
    """Means over the last `over_s` seconds, about five minutes."""

    records: float
    calls: float
    over_s: float


@dataclass(frozen=True, slots=True)
class MappingStatus:
    """One mapping. `counts` holds the counters by name; `parked` and `approved` the records that wait, by reason."""

    mapping: str
    version: str
    phase: Phase
    tick: Tick
    progress: Progress
    waits: dict[str, Pause]
    age_s: float | None
    fresh: bool
    counts: Counter[str]
    rate: Rate
    parked: Counter[str]
    approved: int
    braked: int
    """Deletes of the last 24 hours, and how many the brake lets through."""
    brake: int
    opt_ins_stopped: tuple[str, ...] = ()
    """Systems towards which removals of opt-outs wait for an approval."""
    stops: Mapping[str, Stop] = field(default_factory=dict)
    """What people have paused, by part."""
    jobs: tuple[Job, ...] = ()
    """Running ones, and those that ended within a day; oldest first."""

    def states(self) -> dict[str, int]:
        """Records by state, without those never seen."""
        return {state.value: self.counts[f"state:{state.value}"] for state in State if state is not State.NEW}

    def older(self) -> int:
        """Records whose last outcome was under another mapping version than the active one."""
        on = {name[3:]: count for name, count in self.counts.items() if name.startswith("on:")}
        return sum(count for version, count in on.items() if version != self.version and count > 0)

    def expired(self) -> dict[str, int]:
        """Rows removed for their age so far, by kind."""
        return {
            name[8:]: count for name, count in self.counts.items() if name.startswith("expired:") and count
        }

    def quarantined(self) -> dict[str, int]:
        """Quarantined records by code."""
        codes = {name[5:]: count for name, count in self.counts.items() if name.startswith("code:")}
        return {code: count for code, count in sorted(codes.items()) if count > 0}


@dataclass(frozen=True, slots=True)
class Status:
    """Everything at one moment. `lanes` are messages by queue name, poison queues included.

    `oldest_s` is how long the first message that waits in a lane has waited: those in work or delayed are not seen.
    """

    at: float
    mappings: list[MappingStatus]
    lanes: dict[str, int]
    oldest_s: dict[str, float]
    budget_used: float
    calls_per_s: float
    """What the budget permits at most, and its part for the backfill."""
    backfill_calls_per_s: float
    unreadable: int
    day_used: int = 0
    """Campaign calls of the last 24 hours, and how many are allowed; 0: no such limit."""
    day_calls: int = 0


async def collect(context: Context) -> Status:
    """Read everything that `status` shows without a scan of the ledger."""
    now = context.clock.now()
    names = sorted({*context.shipped, *(version.mapping for version in await context.mappings.all())})
    parked, approved, unreadable = await _parked(context)
    queues = {lane.value: context.lanes.queue(lane) for lane in Lane}
    queues |= {f"{lane.value}-poison": context.lanes.poison(lane) for lane in POISON}
    lengths = await asyncio.gather(*(queue.length() for queue in queues.values()))
    waiting = [name for name, length in zip(queues, lengths, strict=True) if length]
    since = await asyncio.gather(*(queues[name].oldest() for name in waiting))
    mappings = [
        await _mapping(context, name, now, parked.get(name, Counter()), approved[name]) for name in names
    ]
    rate = 1 / context.budget.limit.interval
    return Status(
        at=now,
        mappings=mappings,
        lanes=dict(zip(queues, lengths, strict=True)),
        oldest_s={
            name: max(now - put, 0.0) for name, put in zip(waiting, since, strict=True) if put is not None
        },
        budget_used=await context.budget.used(),
        calls_per_s=rate,
        backfill_calls_per_s=rate * BACKFILL_SHARE,
        unreadable=unreadable,
        day_used=await context.budget.used_of_day(),
        day_calls=context.budget.day.calls if context.budget.day else 0,
    )


async def _parked(context: Context) -> tuple[dict[str, Counter[str]], Counter[str], int]:
    """Parked records by mapping and reason, approved ones by mapping, unreadable messages."""
    reasons: dict[str, Counter[str]] = {}
    approved: Counter[str] = Counter()
    unreadable = 0
    async for item in context.parked.all():
        if item.awaited.startswith("unreadable:"):
            unreadable += 1
            continue
        if item.awaited.startswith("consent:"):
            continue
        reasons.setdefault(item.mapping, Counter())[item.reason] += 1
        approved[item.mapping] += item.approved
    return reasons, approved, unreadable


async def _mapping(
    context: Context, name: str, now: float, parked: Counter[str], approved: int
) -> MappingStatus:
    tick, progress = await context.watermarks.both(name)
    version = await context.mappings.active(name)
    waits = {flow: pause for flow in FLOWS if (pause := await context.control.paused(name, flow))}
    # Somebody may have pulled since `now`.
    age = max(now - tick.pulled_at, 0.0) if tick.pulled_at else None
    return MappingStatus(
        mapping=name,
        version=version.version if version else "",
        phase=Phase.DISABLED if version and not version.enabled else await _phase(context, progress),
        tick=tick,
        progress=progress,
        waits=waits,
        age_s=age,
        fresh=bool(version and not version.enabled)
        or (age is not None and age <= context.settings.freshness_s),
        counts=await context.counters.totals(name),
        rate=await _rate(context, name, now, progress),
        parked=parked,
        approved=approved,
        braked=await context.control.braked(name),
        brake=deletes_allowed(context.settings, await _brake(context, name), progress),
        opt_ins_stopped=await _opt_ins_stopped(context, name),
        stops=await context.pauses.read(name),
        jobs=await _jobs(context, name, now),
    )


async def _brake(context: Context, name: str) -> Brake | None:
    """The mapping's own brake, if it has one and can be read."""
    try:
        return (await context.active(name)).brake
    except SyncError:
        return None


async def _jobs(context: Context, name: str, now: float) -> tuple[Job, ...]:
    jobs = [job async for job in context.jobs.of(name)]
    shown = [job for job in jobs if job.state == RUNNING or now - job.updated < DAY_S]
    return tuple(sorted(shown, key=lambda job: job.started))


async def _opt_ins_stopped(context: Context, name: str) -> tuple[str, ...]:
    if context.consent_of(name) is None:
        return ()
    sides = ("campaign", "dynamics")
    return tuple([side for side in sides if await context.control.opt_ins_stopped(name, side)])


async def _phase(context: Context, progress: Progress) -> Phase:
    if progress.generation == 0:
        return Phase.NOT_STARTED
    if progress.running:
        return Phase.FULL_READ
    if progress.closing:
        return Phase.CLOSING
    if progress.swept < progress.generation:
        free = await context.control.lease_free(progress.mapping, "sweep")
        return Phase.SWEEP_DUE if free else Phase.SWEEPING
    return Phase.RUNNING


async def _rate(context: Context, name: str, now: float, progress: Progress) -> Rate:
    """The mean of the last minutes; of a load that began within them, from its start on."""
    recent = await context.counters.recent(name)
    over = max(now - max(recent.since, min(progress.started, now)), 1.0)
    return Rate(recent.records / over, recent.calls / over, over)


def backlog_s(status: Status, item: MappingStatus, chunk_records: int) -> float | None:
    """Seconds until the lanes are empty at the present rate, at most; None while nothing moves.

    A message holds up to `chunk_records` records, and a record waits in few messages: never more than there are records.
    """
    chunks = status.lanes[Lane.LIVE] + status.lanes[Lane.BACKFILL] + status.lanes[Lane.BACKFILL_HOLD]
    if not chunks:
        return 0.0
    if item.rate.records <= 0:
        return None
    known = max(item.progress.total, item.progress.records, chunks)
    return min(chunks * chunk_records, known) / item.rate.records


def job_eta_s(status: Status, item: MappingStatus, job: Job, chunk_records: int) -> float | None:
    """Seconds until a job's records are looked for and worked, at the present rate; None while nothing moves."""
    waiting = backlog_s(status, item, chunk_records)
    left = max(job.total - job.done, 0) if job.state == RUNNING else 0
    if waiting is None or not left:
        return waiting
    return waiting + left / item.rate.records if item.rate.records > 0 else None


@dataclass
class LedgerCount:
    """What a count of the ledger found; `older` are rows whose last outcome was under another mapping version."""

    rows: int = 0
    states: Counter[str] = field(default_factory=Counter)
    codes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By state and code."""
    older: int = 0
    claimed: int = 0
    unresolved: int = 0


async def count_ledger(
    context: Context, mapping: str, tell: Callable[[int, int], None] = lambda done, rows: None
) -> LedgerCount:
    """Count every row of the present epoch; `tell` is called after each bucket with buckets done and rows so far."""
    compiled = await context.active(mapping)
    progress = await context.watermarks.progress(mapping)
    found = LedgerCount()
    for bucket in range(context.buckets[mapping]):
        async for row in context.ledger.scan(mapping, progress.epoch, [bucket]):
            found.rows += 1
            found.states[row.state.value] += 1
            if row.code:
                found.codes[row.state.value, row.code] += 1
            found.older += counted_version(row) not in ("", compiled.version)
            found.claimed += row.claimed
            found.unresolved += row.unresolved
        tell(bucket + 1, found.rows)
    return found
