"""Whether the contact of an event is there, and who is in its place after a merge.

The ledger of the contacts flow tells, else Dynamics is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from enum import StrEnum

from sync.dynamics.client import IDS_PER_READ
from sync.errors import SyncError
from sync.flows.context import Context
from sync.model import LedgerRow, State
from sync.storage.ledger import bucket_of, partition_of

CONTACTS = "contacts"
"""The mapping whose ledger knows the contacts."""
MOST_GETS = 64
MOST_MERGES = 16
"""A winner may have lost in its turn."""


class Standing(StrEnum):
    THERE = "there"
    UNKNOWN = "contact_unknown"
    DELETED = "contact_deleted"
    BLOCKED = "contact_blocked"
    """Its profile was erased in Campaign, perhaps by the person's own wish, or a person blocked the id."""


async def standings(
    context: Context, contacts: Collection[str]
) -> tuple[dict[str, Standing], dict[str, str]]:
    """How it stands with each contact, and the winners of those that were merged; raises SyncError.

    A loser stands like the winner as long as that is there, else like any other contact.
    """
    rows = await _rows(context, sorted(contacts))
    winners = await _winners(context, rows)
    found = await _each(context, {*contacts, *winners.values()}, rows)
    heirs: dict[str, str] = {}
    for loser, winner in winners.items():
        if found[loser] is not Standing.BLOCKED and found[winner] in (Standing.THERE, Standing.BLOCKED):
            found[loser] = found[winner]
            heirs[loser] = winner
    return found, heirs


async def _winners(context: Context, rows: dict[str, LedgerRow]) -> dict[str, str]:
    """Who won in the end, for each of these that lost; the rows of all winners come into `rows`."""
    at = {loser: row.heir for loser, row in rows.items() if row.heir}
    for _ in range(MOST_MERGES):
        rows |= await _rows(context, sorted(set(at.values()) - rows.keys()))
        further = {loser: rows[now].heir for loser, now in at.items() if now in rows and rows[now].heir}
        if not further:
            break
        at |= further
    return at


async def _each(
    context: Context, contacts: Collection[str], rows: dict[str, LedgerRow]
) -> dict[str, Standing]:
    """How it stands with each contact by itself."""
    ids = sorted(contacts)
    found = {record_id: _standing(row) for record_id, row in rows.items()}
    doubtful = [record_id for record_id in ids if found.get(record_id) is None]
    for start in range(0, len(doubtful), IDS_PER_READ):
        part = doubtful[start : start + IDS_PER_READ]
        there = await exist(context, part)
        found.update((one, Standing.THERE if one in there else _missing(rows.get(one))) for one in part)
    found.update(dict.fromkeys(await context.blocked.among(ids), Standing.BLOCKED))
    return {record_id: standing for record_id, standing in found.items() if standing is not None}


async def exist(context: Context, ids: Sequence[str]) -> set[str]:
    """Which of up to 50 contacts Dynamics has now."""
    async with context.dynamics_permit(spare=1):
        return set(await context.dynamics.read("contacts", "contactid", (), ids))


async def _rows(context: Context, ids: Sequence[str]) -> dict[str, LedgerRow]:
    """Ledger rows of the contacts; none where that flow is not set up."""
    if not ids:
        return {}
    try:
        await context.active(CONTACTS)
    except SyncError:
        return {}
    epoch = (await context.watermarks.progress(CONTACTS)).epoch
    buckets = context.buckets[CONTACTS]
    rows: dict[str, LedgerRow] = {}
    for start in range(0, len(ids), MOST_GETS):
        part = ids[start : start + MOST_GETS]
        gets = [context.ledger.get(partition_of(CONTACTS, epoch, bucket_of(i, buckets)), i) for i in part]
        rows.update(zip(part, await asyncio.gather(*gets), strict=True))
    return rows


def _standing(row: LedgerRow) -> Standing | None:
    if row.etag is None or row.state is State.NEW:
        return None
    if row.state is State.DELETED:
        return Standing.DELETED
    if row.state is State.HOLD:
        # Else a person decided to keep a profile: of a contact that is gone, or that only left the filter.
        return Standing.BLOCKED if row.code == "profile_missing" else None
    return Standing.THERE


def _missing(row: LedgerRow | None) -> Standing:
    """How it stands with a contact that Dynamics does not have: one that was sent once is not waited for."""
    return Standing.UNKNOWN if row is None or row.state is State.NEW else Standing.DELETED
