"""replay: send records again as re-reads, in the backfill lane, a page after the other (a job of `jobs.py`).

Records come from the ledger (all, or by state or code) or from Dynamics (by a filter or the time of
the last change); lists of ids are queued by whoever has them (`send_list`). What is unchanged costs no Campaign call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, ConfigDict

from sync import telemetry
from sync.errors import SyncError
from sync.flows import jobs
from sync.flows.context import Context
from sync.flows.dispatch import dispatch
from sync.flows.walk import Walk
from sync.model import Change, ChangeKind, Intent, Lane, LedgerRow, State, to_iso
from sync.storage.jobs import Job
from sync.storage.ledger import from_stored, partition_of

VERB = "replay"
LIST_PART = 1_000


class Replay(BaseModel):
    """What is wanted. `matching` and `since` ask Dynamics, everything else the ledger.

    `matching` is an OData condition on columns of the table; `since` and `until` are bounds of `modifiedon` in unix
    seconds. A stored job outlives a release: what an older one asked for besides (`mapping_version`) is not needed.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    epoch: int
    intent: Literal["replay", "retry", "force"] = "replay"
    states: tuple[str, ...] = ()
    code: str = ""
    matching: str = ""
    since: float = 0.0
    until: float = 0.0

    @property
    def condition(self) -> str:
        """The OData condition; empty where the ledger is asked."""
        parts = [f"({self.matching})"] if self.matching else []
        parts += [f"modifiedon ge {_stamp(self.since)}"] if self.since else []
        parts += [f"modifiedon lt {_stamp(self.until)}"] if self.until else []
        return " and ".join(parts)


def _stamp(seconds: float) -> str:
    return to_iso(seconds)[:19] + "Z"


class Place(Walk):
    """How far it has come: in the ledger, or in the list that Dynamics gives."""

    bucket: int = 0
    token: str | None = None


async def start(context: Context, mapping: str, wanted: Replay, *, who: str, total: int = 0) -> Job:
    """Begin a replay."""
    return await jobs.start(context, mapping, VERB, wanted.model_dump_json(), who=who, total=total)


async def work(context: Context, job: Job) -> Job:
    """Send one page; the job as it stands after it."""
    wanted = Replay.model_validate_json(job.spec)
    progress = await context.watermarks.progress(job.mapping)
    if progress.epoch != wanted.epoch:
        return jobs.done(job)
    try:
        await context.working(job.mapping)
    except SyncError as error:
        if error.code != "mapping_disabled":
            raise
        # Switching it on again begins with a full read, which compares every record.
        telemetry.event("replay_superseded", mapping=job.mapping)
        return jobs.done(job)
    await context.guard(progress)
    place = Place.model_validate_json(job.place or "{}")
    if wanted.condition:
        ids, after = await _from_dynamics(context, job, wanted, place)
    else:
        ids, after = await _from_ledger(context, job, wanted, place)
    sent = await dispatch(
        context,
        [Change(record_id, ChangeKind.REREAD) for record_id in ids],
        progress=progress,
        lane=Lane.BACKFILL,
        queue=Lane.BACKFILL_HOLD,
        intent=Intent(wanted.intent),
    )
    job = replace(job, done=job.done + sent)
    if after is None:
        return jobs.done(replace(job, total=job.done))
    return replace(job, place=after.model_dump_json())


async def _from_ledger(
    context: Context, job: Job, wanted: Replay, place: Place
) -> tuple[list[str], Place | None]:
    await context.active(job.mapping)
    partition = partition_of(job.mapping, wanted.epoch, place.bucket)
    page = await context.ledger.page(partition, token=place.token)
    ids = [row.record_id for row in map(from_stored, page.rows) if _wanted(row, wanted)]
    if page.token is not None:
        return ids, Place(bucket=place.bucket, token=page.token)
    last = place.bucket + 1 >= context.buckets[job.mapping]
    return ids, None if last else Place(bucket=place.bucket + 1)


async def _from_dynamics(
    context: Context, job: Job, wanted: Replay, place: Place
) -> tuple[list[str], Place | None]:
    compiled = await context.sourced(await context.active(job.mapping))
    dynamics = context.dynamics
    if place.link:
        page = await dynamics.follow(place.link, compiled.entity_set, compiled.key_column)
    else:
        page = await dynamics.list_matching(compiled.entity_set, compiled.key_column, wanted.condition)
    ids = [row.record_id for row in page.rows]
    return ids, None if page.next_link is None else place.on(page.next_link)


def _wanted(row: LedgerRow, wanted: Replay) -> bool:
    if row.state is State.DELETED and not wanted.states:
        return False
    if row.state is State.HOLD and wanted.intent == "replay":
        return False
    if wanted.states and row.state.value not in wanted.states:
        return False
    return not wanted.code or row.code == wanted.code


async def send_records(context: Context, mapping: str, record_ids: Sequence[str], intent: Intent) -> int:
    """Send single records again at once, in the live lane."""
    return await _send(context, mapping, record_ids, intent, Lane.LIVE)


async def send_list(context: Context, mapping: str, record_ids: Sequence[str], intent: Intent) -> int:
    """Send a part of a list in the backfill lane."""
    return await _send(context, mapping, record_ids, intent, Lane.BACKFILL)


async def _send(context: Context, mapping: str, record_ids: Sequence[str], intent: Intent, lane: Lane) -> int:
    progress = await context.watermarks.progress(mapping)
    await context.working(mapping)
    changes = [Change(record_id.lower(), ChangeKind.REREAD) for record_id in record_ids]
    queue = Lane.BACKFILL_HOLD if lane is Lane.BACKFILL else lane
    return await dispatch(context, changes, progress=progress, lane=lane, queue=queue, intent=intent)


async def count_matching(context: Context, mapping: str, wanted: Replay) -> int:
    """How many rows a replay would send (a scan of the ledger)."""
    total = 0
    await context.active(mapping)
    for bucket in range(context.buckets[mapping]):
        async for row in context.ledger.scan(mapping, wanted.epoch, [bucket]):
            total += _wanted(row, wanted)
    return total
