"""extras: keys in Campaign that no record has, from the list of what it holds, some hundred records a call."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sync.dynamics.client import IDS_PER_READ
from sync.flows.look import Look, Place, send_again, sources_of
from sync.flows.spend import spend_backfill
from sync.model import Intent, LedgerRow, State
from sync.planning.compare import Found
from sync.planning.rows import BLOCKED
from sync.storage.findings import Finding
from sync.storage.lanes import gather_all
from sync.storage.ledger import bucket_of, partition_of

LIST_PAGE = 200
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def list_page(look: Look, place: Place) -> Place | None:
    """Look for keys that no record has among one page of what Campaign holds."""
    context = look.context
    await spend_backfill(context)
    look.counts["calls"] += 1
    page = await (look.target.follow(place.link) if place.link else look.target.every(LIST_PAGE))
    keys = {str(row.get(look.target.key_target) or "").lower() for row in page.rows} - {""}
    ours = sorted(key for key in keys if _ID.fullmatch(key))
    look.counts["foreign"] += len(keys) - len(ours)
    for start in range(0, len(ours), IDS_PER_READ):
        await _extras(look, ours[start : start + IDS_PER_READ])
    return place.on(page.next) if page.next else None


async def _extras(look: Look, record_ids: Sequence[str]) -> None:
    """A record is extra if it is not in Dynamics, and the ledger does not know that it is to be deleted yet.

    What the mapping's `deletes` keeps or marks is none: its row is a tombstone with a hash, or says so. After a
    rebaseline rows do not tell: then none is extra where deleted records stay.
    """
    context = look.context
    buckets = context.buckets[look.mapping]
    rows: dict[str, LedgerRow] = {}

    async def one(record_id: str) -> None:
        partition = partition_of(look.mapping, look.wanted.epoch, bucket_of(record_id, buckets))
        rows[record_id] = await context.ledger.get(partition, record_id)

    await gather_all([one(record_id) for record_id in record_ids])
    erased = await context.blocked.among(record_ids)
    unknown = [
        one for one in record_ids if rows[one].state in (State.NEW, State.DELETED) and not rows[one].claimed
    ]
    doubtful = [one for one in unknown if one not in erased]
    there = await sources_of(look, doubtful) if doubtful else {}
    if len(there) < len(doubtful):
        await context.dynamics.prove_global_read(look.compiled.entity_set, look.compiled.key_column)
    kept = {one for one in doubtful if rows[one].hash or rows[one].code == "deletes_off"}
    if not look.compiled.deletes:
        kept |= {one for one in doubtful if rows[one].unresolved}
    gone = [one for one in doubtful if one not in there and one not in kept]
    found = [*gone, *sorted(erased)]
    look.counts[Found.EXTRA.value] += len(found)
    now = context.clock.now()
    await context.findings.put(
        look.mapping,
        [
            Finding(one, Found.EXTRA.value, (BLOCKED,) if one in erased else (), "", False, now)
            for one in found
        ],
    )
    if look.wanted.delete_extras and gone:
        await send_again(look, gone, Intent.EXTRA)
        look.counts["deletes"] += len(gone)
