"""deletes: what the brake parked, and a person's decision on it (design 4.5).

Approve marks the parked row and sends the record with `Intent.APPROVED`; `wake_parked` sends it again if that got
lost. Discard keeps the profile: the ledger row goes on `hold`, which sweeps, replays and repeated deletes leave alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sync.flows.context import Context
from sync.flows.replay import send_records
from sync.model import Intent, State
from sync.storage.history import Event, Parked
from sync.storage.ledger import bucket_of, partition_of

DISCARDED = "delete_discarded"
BATCH = 500


def approval_of(mapping: str) -> str:
    """What a braked delete awaits."""
    return f"approval:{mapping}"


async def waiting(context: Context, mapping: str) -> list[Parked]:
    """Deletes parked for approval, those approved but not carried out yet included; oldest first."""
    found = [item async for item in context.parked.all(approval_of(mapping))]
    return sorted(found, key=lambda item: (item.since, item.record_id))


async def approve(
    context: Context,
    mapping: str,
    items: Sequence[Parked],
    tell: Callable[[int], None] = lambda done: None,
) -> int:
    """Let deletes through the brake; the function app re-reads each and deletes it if it is still gone."""
    for start in range(0, len(items), BATCH):
        batch = items[start : start + BATCH]
        for item in batch:
            await context.parked.add(replace(item, approved=True, sent=context.clock.now()))
        await send_records(context, mapping, [item.record_id for item in batch], Intent.APPROVED)
        tell(start + len(batch))
    return len(items)


@dataclass
class Discarded:
    """How a discard ended: put on hold, no longer waiting, in work just now."""

    held: int = 0
    moved_on: int = 0
    busy: int = 0


async def discard(
    context: Context,
    mapping: str,
    items: Sequence[Parked],
    tell: Callable[[int], None] = lambda done: None,
) -> Discarded:
    """Keep the profiles: each ledger row goes on hold, then the parked row goes."""
    await context.active(mapping)
    progress = await context.watermarks.progress(mapping)
    done = Discarded()
    for number, item in enumerate(items, 1):
        await _discard(context, item, progress.epoch, done)
        tell(number)
    await context.counters.flush(now=True)
    return done


async def _discard(context: Context, item: Parked, epoch: int, done: Discarded) -> None:
    bucket = bucket_of(item.record_id, context.buckets[item.mapping])
    row = await context.ledger.get(partition_of(item.mapping, epoch, bucket), item.record_id)
    now = context.clock.now()
    if row.claimed or (row.state is not State.PARKED and now - item.since < context.settings.message_lease_s):
        # A worker parks first and writes the ledger row next: what was parked just now may still be on its way.
        done.busy += 1
        return
    if row.state is State.PARKED:
        written = await context.ledger.write(
            [replace(row, state=State.HOLD, code=DISCARDED, updated=now, correlation="")]
        )
        if written.conflicts:
            done.busy += 1
            return
        context.counters.count(item.mapping, "state:parked", -1)
        context.counters.count(item.mapping, "state:hold")
        await context.history.add(
            item.mapping, [Event(item.record_id, "held", 0, DISCARDED, "a person discarded the delete")]
        )
        done.held += 1
    else:
        done.moved_on += 1
    await context.parked.remove_unmoved(item)
