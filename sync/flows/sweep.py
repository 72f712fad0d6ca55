"""sweep: find the deletes that nobody reported by listing the ids alone (design 4.1).

A pass keeps the ids of as many ledger buckets as fit into memory, as sorted 64-bit digests, and compares those
buckets; the next message goes on at the next bucket. Two ids with one digest would hide a delete, never cause one.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count

from sync import telemetry
from sync.errors import SyncError
from sync.flows.commands import Sweep, send
from sync.flows.context import Context
from sync.flows.dispatch import dispatch
from sync.model import Change, ChangeKind, Lane, LedgerRow, State
from sync.planning.cycle import next_mark
from sync.planning.rows import UNDECIDED
from sync.storage.ledger import bucket_of, from_stored, partition_of
from sync.storage.table import RowConflict
from sync.storage.watermarks import Progress

MOST_IDS = 4_000_000
"""Ids held at once: 8 bytes each."""


def digest(record_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(record_id.encode(), digest_size=8).digest(), "big")


@dataclass
class Present:
    """The ids that exist, for buckets `first` up to (not including) `below`."""

    buckets: int
    first: int
    below: int
    most: int = MOST_IDS
    digests: dict[int, array[int]] = field(default_factory=dict)
    count: int = 0

    def add(self, record_id: str) -> None:
        """Keep an id if its bucket is in this pass; the highest buckets leave the pass when memory is full."""
        bucket = bucket_of(record_id, self.buckets)
        if not self.first <= bucket < self.below:
            return
        self.digests.setdefault(bucket, array("Q")).append(digest(record_id))
        self.count += 1
        while self.count > self.most and self.below > self.first + 1:
            self.below -= 1
            self.count -= len(self.digests.pop(self.below, ()))

    def sort(self) -> None:
        self.digests = {bucket: array("Q", sorted(ids)) for bucket, ids in self.digests.items()}

    def holds(self, bucket: int, record_id: str) -> bool:
        ids = self.digests.get(bucket)
        if ids is None:
            return False
        wanted = digest(record_id)
        index = bisect_left(ids, wanted)
        return index < len(ids) and ids[index] == wanted


async def sweep(context: Context, command: Sweep, owner: str) -> None:
    """One pass; then the next message, or the generation is swept."""
    mapping = command.mapping
    progress = await context.watermarks.progress(mapping)
    if progress.running or (progress.epoch, progress.generation) != (command.epoch, command.generation):
        return
    if progress.swept >= command.generation or command.bucket != progress.sweep_bucket:
        return
    if not await context.control.take_lease(mapping, "sweep", owner, context.settings.message_lease_s):
        return
    wait_s = 0.0
    try:
        await context.guard(progress)
        await _pass(context, command, progress, owner)
    except RowConflict:
        telemetry.event("sweep_repeated", mapping=mapping, generation=command.generation)
    except SyncError as error:
        wait_s = await context.stopped(mapping, "sweep", error)
    finally:
        # After a failure the lease is kept for the wait: the first tick that finds it free sends the pass again. A
        # message of our own beside those of the ticks would add up while the failure lasts.
        if not wait_s or not await context.control.take_lease(mapping, "sweep", owner, wait_s):
            await context.control.drop_lease(mapping, "sweep", owner)


async def _pass(context: Context, command: Sweep, progress: Progress, owner: str) -> None:
    compiled = await context.sourced(await context.working(command.mapping))
    buckets = context.buckets[command.mapping]
    present = Present(buckets, command.bucket, buckets)
    page = await context.dynamics.list_ids(compiled.entity_set, compiled.key_column)
    mark = ""
    for pages in count(1):
        for row in page.rows:
            present.add(row.record_id)
        if page.next_link is None:
            break
        after = next_mark(mark, pages, page.next_link)
        if after is None:
            raise SyncError("paging_loop", "a next link of the ids came again")
        mark = after
        await context.control.take_lease(command.mapping, "sweep", owner, context.settings.message_lease_s)
        page = await context.dynamics.follow(page.next_link, compiled.entity_set, compiled.key_column)
    await context.dynamics.prove_global_read(compiled.entity_set, compiled.key_column)
    present.sort()
    sent = 0
    for bucket in range(present.first, present.below):
        sent += await _compare(context, progress, present, bucket)
        await context.control.take_lease(command.mapping, "sweep", owner, context.settings.message_lease_s)
    telemetry.event(
        "sweep_pass",
        mapping=command.mapping,
        generation=command.generation,
        from_bucket=present.first,
        below_bucket=present.below,
        doubtful=sent,
    )
    current = await context.watermarks.progress(command.mapping)
    if (current.epoch, current.generation) != (command.epoch, command.generation):
        return
    if present.below < buckets:
        # What was compared stays compared, whatever happens to the message or to the next pass.
        await context.watermarks.write_progress(replace(current, sweep_bucket=present.below))
        await send(context.lanes, replace_bucket(command, present.below))
        return
    await context.watermarks.write_progress(replace(current, swept=command.generation, sweep_bucket=0))


def replace_bucket(command: Sweep, bucket: int) -> Sweep:
    """The same sweep from another bucket on."""
    return command.model_copy(update={"bucket": bucket})


async def _compare(context: Context, progress: Progress, present: Present, bucket: int) -> int:
    """Send every doubtful row of a bucket as a re-read, page by page."""
    partition = partition_of(progress.mapping, progress.epoch, bucket)
    token: str | None = None
    sent = 0
    while True:
        page = await context.ledger.page(partition, token=token)
        rows = (from_stored(stored) for stored in page.rows)
        changes = [Change(row.record_id, ChangeKind.REREAD) for row in _doubtful(rows, present, bucket)]
        sent += await dispatch(
            context, changes, progress=progress, lane=Lane.BACKFILL, queue=Lane.BACKFILL_HOLD
        )
        token = page.token
        if token is None:
            return sent


def _doubtful(rows: Iterator[LedgerRow], present: Present, bucket: int) -> Iterator[LedgerRow]:
    """Rows not in the list, but for resolved tombstones and `hold` of a profile; and tombstones with an open claim."""
    for row in rows:
        settled = (row.state is State.HOLD and row.code != UNDECIDED) or (
            row.state is State.DELETED and not row.unresolved and not row.claimed
        )
        open_tombstone = row.state is State.DELETED and (row.claimed or row.unresolved)
        if open_tombstone or (not settled and not present.holds(bucket, row.record_id)):
            yield row
