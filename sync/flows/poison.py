"""poison: what the platform gave up on goes back as single records; only what cannot be parsed is set aside.

A poison copy is a new message with a 7-day life (reference azure.md 2.3), so it must not be left there.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from sync import telemetry
from sync.flows.commands import read_command, send
from sync.flows.consent_hints import from_hint, hint_again
from sync.flows.context import Context
from sync.model import Lane
from sync.storage.history import Parked
from sync.storage.lanes import MessageUnreadable, from_message
from sync.storage.table import RowConflict

DELAY_S = 60.0


async def poison(context: Context, lane: Lane, body: str) -> None:
    """Send a poison message back to its lane, each record alone, after a pause."""
    try:
        if lane is Lane.CONSENT:
            await hint_again(context, from_hint(body), delay_s=DELAY_S)
        elif lane is Lane.CONTROL:
            await send(context.lanes, read_command(body), delay_s=DELAY_S)
        else:
            chunk = from_message(body)
            for change in chunk.changes:
                alone = replace(chunk.alone(change), redelivered=chunk.redelivered + 1)
                await context.lanes.put(alone, delay_s=DELAY_S)
        telemetry.warning("poison_returned", lane=lane.value)
    except MessageUnreadable:
        await set_aside(context, lane, body)


async def set_aside(context: Context, lane: Lane, body: str) -> None:
    """Keep the digest and length of an unreadable message, not its text: it may hold personal data."""
    name = hashlib.blake2b(body.encode(), digest_size=16).hexdigest()
    telemetry.warning(
        "message_unreadable", lane=lane.value, code="message_unreadable", digest=name, length=len(body)
    )
    await context.parked.add(
        Parked(f"unreadable:{lane.value}", "_", name, "message_unreadable", context.clock.now())
    )
    if lane in (Lane.LIVE, Lane.BACKFILL):
        await _read_again(context)


async def _read_again(context: Context) -> None:
    """The watermark has passed what an unreadable chunk held: only a full read brings it back."""
    for mapping in await context.mappings.names():
        while True:
            tick = await context.watermarks.tick(mapping)
            if tick.etag is None or tick.resync:
                break
            try:
                await context.watermarks.write_tick(replace(tick, resync="message_unreadable"))
            except RowConflict:
                continue
            break
