"""replay: send ledger rows again as re-reads, a page of rows per control message, in the backfill lane."""

from __future__ import annotations

from sync import telemetry
from sync.errors import SyncError
from sync.flows.commands import Replay, send
from sync.flows.context import Context
from sync.flows.dispatch import dispatch
from sync.model import Change, ChangeKind, Intent, Lane, LedgerRow, State
from sync.storage.ledger import from_stored, partition_of

MOST_ROWS = 2_000
"""Rows sent by one message, about."""
WORK_S = 120.0
"""How long one message looks for rows."""


async def replay(context: Context, command: Replay) -> None:
    """Send matching rows page by page, and after MOST_ROWS the message that goes on from there."""
    progress = await context.watermarks.progress(command.mapping)
    if progress.epoch != command.epoch:
        return
    try:
        await context.working(command.mapping)
    except SyncError as error:
        if error.code != "mapping_disabled":
            raise
        # Switching it on again begins with a full read, which compares every record.
        telemetry.event("replay_superseded", mapping=command.mapping)
        return
    sent = 0
    until = context.clock.now() + WORK_S
    while command.bucket < context.buckets[command.mapping]:
        if sent >= MOST_ROWS or context.clock.now() >= until:
            await send(context.lanes, command)
            return
        partition = partition_of(command.mapping, command.epoch, command.bucket)
        page = await context.ledger.page(partition, token=command.token)
        rows = [row for row in map(from_stored, page.rows) if _wanted(row, command)]
        sent += await dispatch(
            context,
            [Change(row.record_id, ChangeKind.REREAD) for row in rows],
            progress=progress,
            lane=Lane.BACKFILL,
            queue=Lane.BACKFILL_HOLD,
            intent=Intent(command.intent),
        )
        command = _next(command, page.token, len(rows))
    telemetry.event("replay_queued", mapping=command.mapping, records=command.sent, intent=command.intent)


def _next(command: Replay, token: str | None, sent: int) -> Replay:
    bucket = command.bucket + (token is None)
    return command.model_copy(update={"sent": command.sent + sent, "token": token, "bucket": bucket})


def _wanted(row: LedgerRow, command: Replay) -> bool:
    if row.state is State.DELETED and not command.states:
        return False
    if row.state is State.HOLD and command.intent == "replay":
        return False
    if command.states and row.state.value not in command.states:
        return False
    if command.code and row.code != command.code:
        return False
    return not command.mapping_version or row.mapping_version != command.mapping_version


async def send_records(context: Context, mapping: str, record_ids: list[str], intent: Intent) -> int:
    """Send single records again at once, in the live lane."""
    progress = await context.watermarks.progress(mapping)
    await context.working(mapping)
    changes = [Change(record_id.lower(), ChangeKind.REREAD) for record_id in record_ids]
    return await dispatch(context, changes, progress=progress, lane=Lane.LIVE, intent=intent)


async def count_matching(context: Context, command: Replay) -> int:
    """How many rows a replay would send (a scan of the ledger)."""
    total = 0
    await context.active(command.mapping)
    for bucket in range(context.buckets[command.mapping]):
        async for row in context.ledger.scan(command.mapping, command.epoch, [bucket]):
            total += _wanted(row, command)
    return total
