"""control: one message of the `control` lane to the flow it names."""

from __future__ import annotations

from sync.flows.commands import Expire, FullRead, Replay, RunNow, read_command
from sync.flows.context import Context
from sync.flows.expire import expire_rows
from sync.flows.feed import feed_backfill
from sync.flows.full_read import read_group
from sync.flows.pull import Pull
from sync.flows.replay import replay
from sync.flows.sweep import sweep


async def control(context: Context, body: str, *, invocation: str) -> None:
    """Carry out a command; raises MessageUnreadable for what is none."""
    command = read_command(body)
    owner = f"{invocation}:{context.nonce()}"
    if isinstance(command, RunNow):
        await Pull(context).one(command.mapping)
    elif isinstance(command, FullRead):
        await read_group(context, command, owner)
        await feed_backfill(context)
    elif isinstance(command, Replay):
        await replay(context, command)
        await feed_backfill(context)
    elif isinstance(command, Expire):
        await expire_rows(context)
    else:
        await sweep(context, command, owner)
        await feed_backfill(context)
