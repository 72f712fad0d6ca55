"""control: one message of the `control` lane to the flow it names."""

from __future__ import annotations

from collections.abc import Mapping

from sync.flows import jobs, reconcile, replay
from sync.flows.commands import Expire, FullRead, JobStep, RunNow, read_command
from sync.flows.context import Context
from sync.flows.expire import NO_PAGES, Page, expire_rows
from sync.flows.feed import feed_backfill
from sync.flows.full_read import read_group
from sync.flows.pull import Pull
from sync.flows.sweep import sweep

WORKERS: dict[str, jobs.Worker] = {replay.VERB: replay.work, reconcile.VERB: reconcile.work}


async def control(
    context: Context, body: str, *, invocation: str, old_rows: Mapping[str, Page] = NO_PAGES
) -> None:
    """Carry out a command; raises MessageUnreadable for what is none.

    `old_rows` are kinds of rows that other flows let expire. A full read, a sweep or a job that a person has paused is
    left: whoever finds it resumed sends it again.
    """
    command = read_command(body)
    owner = f"{invocation}:{context.nonce()}"
    if isinstance(command, RunNow):
        await Pull(context).one(command.mapping)
    elif isinstance(command, FullRead):
        if not await context.pauses.paused(command.mapping, "flow:full_read"):
            await read_group(context, command, owner)
        await feed_backfill(context)
    elif isinstance(command, JobStep):
        await jobs.step(context, command, owner, WORKERS)
        await feed_backfill(context)
    elif isinstance(command, Expire):
        await expire_rows(context, old_rows, command.kinds)
    else:
        if not await context.pauses.paused(command.mapping, "flow:sweep"):
            await sweep(context, command, owner)
        await feed_backfill(context)
