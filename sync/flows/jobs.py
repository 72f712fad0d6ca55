"""jobs: start, work and wake the long work that people and timers ask for; each step is one `control` message.

A verb's worker does a page: it queues what it found and returns the job moved on, which is then written over its ETag.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from sync import telemetry
from sync.errors import Reaction, SyncError
from sync.flows.commands import JobStep, send
from sync.flows.context import Context
from sync.flows.walk import over
from sync.model import to_iso
from sync.storage.jobs import DONE, FAILED, RUNNING, Job
from sync.storage.table import RowConflict

Worker = Callable[[Context, Job], Awaitable[Job]]
WORK_S = 120.0
"""How long one message works."""
LOST_S = 30.0
"""A running job that nobody has moved for so long, and whose lease is free, lost its message."""
WRONG = ("dynamics_refused", "unknown_column")
"""What a job asks for and cannot have: it ends."""
_PLAIN = str.maketrans("", "", "-:")
KEPT_DAYS = 30
DAY_S = 24 * 3600


async def start(context: Context, mapping: str, verb: str, spec: str, *, who: str, total: int = 0) -> Job:
    """Write the job down, then queue its first step (`wake_jobs` sends a lost one again)."""
    now = context.clock.now()
    while True:
        # Sorts by time, and fits on a line.
        name = f"{to_iso(now)[2:19].translate(_PLAIN)}-{context.nonce()[:4]}"
        job = Job(mapping, name, verb, spec, who, total=total, started=now, updated=now)
        try:
            job = await context.jobs.write(job)
        except RowConflict:
            continue
        await send(context.lanes, JobStep(mapping=mapping, job=job.name))
        return job


async def step(context: Context, command: JobStep, owner: str, workers: Mapping[str, Worker]) -> None:
    """Work one step; a message whose step is past, or while another worker holds the lease, does nothing."""
    mapping = command.mapping
    job = await _due(context, command)
    if job is None or await context.pauses.paused(mapping, f"flow:{job.verb}"):
        return
    verb, lease_s = job.verb, context.settings.message_lease_s
    if not await context.control.take_lease(mapping, verb, owner, lease_s):
        return
    wait_s = 0.0
    try:
        job = await _due(context, command)
        if job is not None:
            await _work(context, job, owner, workers[verb])
    except RowConflict:
        telemetry.event("job_step_repeated", mapping=mapping, job=command.job)
    except SyncError as error:
        wait_s = await _failed(context, command, error)
    finally:
        # As with a full read: the lease is kept for the wait, and who finds it free sends the one next message.
        if not wait_s or not await context.control.take_lease(mapping, verb, owner, wait_s):
            await context.control.drop_lease(mapping, verb, owner)


async def _due(context: Context, command: JobStep) -> Job | None:
    job = await context.jobs.get(command.mapping, command.job)
    return job if job is not None and job.state == RUNNING and job.step == command.step else None


async def _work(context: Context, job: Job, owner: str, worker: Worker) -> None:
    until = context.clock.now() + WORK_S
    while job.state == RUNNING and context.clock.now() < until:
        job = await worker(context, job)
        job = await context.jobs.write(replace(job, updated=context.clock.now()))
        await context.control.take_lease(job.mapping, job.verb, owner, context.settings.message_lease_s)
    await context.control.resume(job.mapping, job.verb)
    if job.state == RUNNING:
        job = await context.jobs.write(replace(job, step=job.step + 1))
        await send(context.lanes, JobStep(mapping=job.mapping, job=job.name, step=job.step))
        return
    telemetry.event("job_done", mapping=job.mapping, job=job.name, verb=job.verb, done=job.done, **job.found)


async def _failed(context: Context, command: JobStep, error: SyncError) -> float:
    """How long to wait; what a person must correct ends the job.

    A list that is no longer kept, or leads in a circle, begins anew after the wait; what was sent costs no call.
    """
    job = await context.jobs.get(command.mapping, command.job)
    if job is None:
        return 0.0
    if error.code in WRONG:
        ended = replace(job, state=FAILED, code=error.code, updated=context.clock.now())
        await context.jobs.write(ended)
        telemetry.warning("job_failed", mapping=job.mapping, job=job.name, verb=job.verb, code=error.code)
        return 0.0
    if error.reaction is Reaction.RESYNC or error.code == "paging_loop":
        await context.jobs.write(replace(job, place=over(job.place), updated=context.clock.now()))
    return await context.stopped(command.mapping, job.verb, error)


async def wake_jobs(context: Context) -> int:
    """Send lost steps again, and forget what ended long ago; how many were sent."""
    now = context.clock.now()
    sent = 0
    for mapping in await context.mappings.names():
        async for job in context.jobs.of(mapping):
            if job.state != RUNNING:
                if now - job.updated > KEPT_DAYS * DAY_S:
                    await context.jobs.forget(job)
                continue
            lost = now - job.updated > LOST_S and await context.control.lease_free(mapping, job.verb)
            if lost and not await context.pauses.paused(mapping, f"flow:{job.verb}"):
                await send(context.lanes, JobStep(mapping=mapping, job=job.name, step=job.step))
                sent += 1
    return sent


def done(job: Job) -> Job:
    """The job with nothing left to do."""
    return replace(job, state=DONE)
