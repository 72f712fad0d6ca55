"""block: an erased person is never sent again, and what the sync still keeps or has queued of that id goes.

The id's digest comes first: whoever works a record looks there after it has read the ledger row, so that from then on
nobody begins. Then every row that may carry a claim is closed over its ETag: a claim of before that is waited for
until no call under it can land any more, and so is a comparison, which looks without claims. After `block` has returned
no call to Campaign for this id is made or can arrive; an event that was being written to Dynamics may.
docs/privacy.md is the runbook of an erasure over both systems.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sync import telemetry
from sync.flows.context import Context
from sync.flows.deletes import approval_of
from sync.flows.reconcile import lands_within
from sync.model import Lane, LedgerRow, State
from sync.planning.rows import blocked, may_be_sent
from sync.planning.taken import busy
from sync.storage.events import Events
from sync.storage.history import Event
from sync.storage.lanes import MessageUnreadable, without
from sync.storage.ledger import FIRST_EPOCH, bucket_of, partition_of
from sync.storage.parked_events import ParkedEvents
from sync.storage.queue import Queue
from sync.storage.table import RowConflict

BUSY_S = 5.0
HIDDEN_S = 120.0


@dataclass
class Erased:
    """What went. `fresh`: the id was not blocked before; `profiles`: mappings in which the sync had sent it."""

    fresh: bool = False
    sent_by: tuple[str, ...] = ()
    parked: int = 0
    consents: int = 0
    events: int = 0
    messages: int = 0


async def block(
    context: Context,
    events: Events,
    parked_events: ParkedEvents,
    record_id: str,
    *,
    who: str,
    why: str = "",
    tell: Callable[[str], None] = lambda what: None,
) -> Erased:
    """Block an id in every mapping and remove what is kept of it; may wait for a call that is under way."""
    erased = Erased(fresh=await context.blocked.add(record_id, who, why))
    now = context.clock.now()
    sent: list[str] = []
    # Also those that are switched off: what they sent is still in Campaign.
    for mapping in [version.mapping for version in await context.mappings.all()]:
        tell(f"closing its row in {mapping}")
        if await _close(context, mapping, record_id):
            sent.append(mapping)
        erased.consents += await _forget_consent(context, mapping, record_id)
        erased.parked += await _unpark(context, mapping, record_id)
        await context.findings.remove(mapping, [record_id])
    erased.sent_by = tuple(sent)
    tell("waiting for comparisons")
    await _outwait_looks(context, now)
    tell("removing its events")
    erased.events = await events.forget(record_id) + await parked_events.forget(record_id)
    for lane in (Lane.BACKFILL_HOLD, Lane.PAUSED):
        tell(f"looking through {lane.value}")
        erased.messages += await _purge(context, context.lanes.queue(lane), record_id)
    await context.counters.flush(now=True)
    telemetry.event("person_blocked", record=record_id, events=erased.events, messages=erased.messages)
    return erased


async def _outwait_looks(context: Context, since: float) -> None:
    """A comparison looks at records without a claim: what it asked before the id was blocked lands before this ends."""
    known = await context.mappings.all()
    longest = max([await lands_within(context, one.mapping) for one in known], default=0.0)
    left = since + longest - context.clock.now()
    if left > 0:
        await context.clock.sleep(left)


async def _close(context: Context, mapping: str, record_id: str) -> bool:
    """Make the ledger row a tombstone once nobody works it; whether the sync had sent this record.

    The row of the epoch before, too: a call of before a rebaseline may still be under way. Where there is none, one is
    made: whoever planned an insert before the id was blocked must not find the place free.
    """
    await context.active(mapping)
    progress = await context.watermarks.progress(mapping)
    epoch, bucket = progress.epoch, bucket_of(record_id, context.buckets[mapping])
    sent = False
    for number in _epochs(epoch):
        row = await _tombstone(context, partition_of(mapping, number, bucket), record_id)
        sent = sent or may_be_sent(row, all_known=progress.all_known)
        if number == epoch:
            await _count(context, mapping, row)
    return sent


async def _tombstone(context: Context, partition: str, record_id: str) -> LedgerRow:
    """Write the tombstone over whatever version of the row nobody works; the row as it was before."""
    while True:
        row = await context.ledger.get(partition, record_id)
        now = context.clock.now()
        if busy(row, "", now):
            await context.clock.sleep(min(row.take_over - now, BUSY_S))
            continue
        written = await context.ledger.write([replace(blocked(row), updated=now, correlation="")])
        if not written.conflicts:
            return row


async def _count(context: Context, mapping: str, was: LedgerRow) -> None:
    counters = context.counters
    if was.state not in (State.NEW, State.DELETED):
        counters.count(mapping, f"state:{was.state}", -1)
    if was.state is not State.DELETED:
        counters.count(mapping, f"state:{State.DELETED}")
    if was.state is State.QUARANTINED:
        counters.count(mapping, f"code:{was.code}", -1)
    await context.history.add(
        mapping, [Event(was.record_id, "blocked", 0, "blocked", "a person blocked the id")]
    )


async def _forget_consent(context: Context, mapping: str, record_id: str) -> int:
    """Remove the consent rows once nobody works them; the journal stays (docs/privacy.md says why)."""
    if context.consent_of(mapping) is None:
        return 0
    progress = await context.watermarks.progress(mapping)
    bucket = bucket_of(record_id, context.buckets[mapping])
    removed = 0
    for number in _epochs(progress.epoch):
        removed += await _remove_consent(context, partition_of(mapping, number, bucket), record_id)
    return removed


async def _remove_consent(context: Context, partition: str, record_id: str) -> int:
    while True:
        row = await context.consents.get(partition, record_id)
        if row.etag is None:
            return 0
        now = context.clock.now()
        if row.claim_owner and now < row.take_over:
            await context.clock.sleep(min(row.take_over - now, BUSY_S))
            continue
        try:
            await context.consents.remove_read(row)
        except RowConflict:
            continue
        return 1


def _epochs(epoch: int) -> range:
    """This one, and that before: a call of before a rebaseline may still be under way."""
    return range(max(epoch - 1, FIRST_EPOCH), epoch + 1)


async def _unpark(context: Context, mapping: str, record_id: str) -> int:
    gone = 0
    awaited = [approval_of(mapping), "consent:campaign", "consent:dynamics"]
    for what in awaited:
        if await context.parked.waits(what, mapping, record_id):
            await context.parked.remove(what, mapping, record_id)
            gone += 1
    return gone


async def _purge(context: Context, queue: Queue, record_id: str) -> int:
    """Take the record out of messages that nobody works yet; the other lanes drop it when they work theirs.

    Every message is hidden for two minutes while this looks, so that each is seen once; what another has hidden for a
    look of its own is waited for.
    """
    left = await queue.length()
    until = context.clock.now() + HIDDEN_S
    purged = 0
    while left > 0 and context.clock.now() < until:
        messages = await queue.receive(32, visibility_s=HIDDEN_S)
        if not messages:
            await context.clock.sleep(BUSY_S)
        left -= len(messages)
        for message in messages:
            if record_id not in message.body:
                continue
            await _put_without(queue, message.body, record_id)
            await queue.delete(message)
            purged += 1
    return purged


async def _put_without(queue: Queue, body: str, record_id: str) -> None:
    """The message again, without this record. One in `paused` has two lines before its chunk; a hint is one id."""
    before, newline, chunk = body.rpartition("\n")
    try:
        kept = without(chunk, record_id)
    except MessageUnreadable:
        return
    if kept:
        await queue.put(before + newline + kept)


async def unblock(context: Context, record_id: str) -> bool:
    """Let the id through again; whether it was blocked. Its next change is sent like a new record's."""
    found = await context.blocked.remove(record_id)
    if found:
        telemetry.event("person_unblocked", record=record_id)
    return found
