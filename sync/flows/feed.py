"""feed: move backfill chunks from the queue without a trigger into the lane, one minute's work at a time (design 4.2)."""

from __future__ import annotations

import math

from sync import telemetry
from sync.flows.context import Context
from sync.flows.pause import part_of, restore, wait
from sync.model import Lane
from sync.storage.budget import BACKFILL_SHARE
from sync.storage.lanes import MessageUnreadable, from_message, gather_all
from sync.storage.queue import Received

MINUTE_S = 60.0


async def feed_backfill(context: Context) -> int:
    """Fill the lane up to a minute's work; puts before it deletes, so a crash repeats a chunk and loses none."""
    hold, lane = context.lanes.queue(Lane.BACKFILL_HOLD), context.lanes.queue(Lane.BACKFILL)
    await restore(context)
    paused = await _paused(context)
    room = await _minute(context) - await lane.length()
    if room > 0 and await context.budget.backfill_waits_for_tomorrow():
        room = 0
    moved = 0
    while room > 0:
        messages = await hold.receive(min(32, room), visibility_s=MINUTE_S)
        if not messages:
            break
        await gather_all([_move(context, message, paused) for message in messages])
        moved += len(messages)
        room -= len(messages)
    if moved:
        telemetry.event("backfill_fed", chunks=moved)
    return moved


async def _move(context: Context, message: Received, paused: frozenset[str]) -> None:
    mapping = _mapping_of(message.body) if paused else ""
    if mapping in paused:
        await wait(context, part_of(Lane.BACKFILL), mapping, message.body)
    else:
        await context.lanes.queue(Lane.BACKFILL).put(message.body)
    await context.lanes.queue(Lane.BACKFILL_HOLD).delete(message)


async def _paused(context: Context) -> frozenset[str]:
    """The mappings whose backfill a person has paused."""
    part = part_of(Lane.BACKFILL)
    names = await context.mappings.names()
    return frozenset([name for name in names if await context.pauses.paused(name, part)])


def _mapping_of(body: str) -> str:
    """The mapping of a chunk; empty for what is none: the lane sets that aside."""
    try:
        return from_message(body).mapping
    except MessageUnreadable:
        return ""


async def _minute(context: Context) -> int:
    """Chunks that a minute of the backfill's share can work, at the calls per record of the last minutes."""
    calls = MINUTE_S / context.budget.limit.interval * BACKFILL_SHARE
    per_record = await _calls_per_record(context)
    return max(1, math.ceil(calls / (per_record * context.settings.chunk_records)))


async def _calls_per_record(context: Context) -> float:
    """Mean Campaign calls a worked record, from the counters; 1 until there are some, and never under a tenth."""
    records = calls = 0
    for mapping in await context.mappings.names():
        recent = await context.counters.recent(mapping)
        records, calls = records + recent.records, calls + recent.calls
    return max(calls / records, 0.1) if records else 1.0
