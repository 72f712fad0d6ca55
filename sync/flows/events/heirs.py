"""heirs: where the events of a contact go that was merged into another and has no profile any more."""

from __future__ import annotations

from collections.abc import Collection

from sync.dynamics.client import IDS_PER_READ
from sync.flows.context import Context
from sync.planning.compile import MERGE_COLUMNS

MOST_MERGES = 5
"""A winner may have lost in its turn."""


async def heirs(context: Context, contacts: Collection[str]) -> dict[str, str]:
    """The contact into which each of these was merged in the end, if it is in Dynamics; raises SyncError."""
    found = dict.fromkeys(contacts, "")
    at = {contact: contact for contact in contacts}
    for _ in range(MOST_MERGES):
        masters = await _masters(context, set(at.values()))
        found |= {contact: now for contact, now in at.items() if masters.get(now) == ""}
        at = {contact: masters[now] for contact, now in at.items() if masters.get(now)}
        if not at:
            break
    return {contact: heir for contact, heir in found.items() if heir and heir != contact}


async def _masters(context: Context, contacts: Collection[str]) -> dict[str, str]:
    """For each contact that there is: the one it was merged into, "" if it was not."""
    ids = sorted(contacts)
    masters: dict[str, str] = {}
    for start in range(0, len(ids), IDS_PER_READ):
        async with context.dynamics_permit(spare=1):
            rows = await context.dynamics.read(
                "contacts", "contactid", MERGE_COLUMNS, ids[start : start + IDS_PER_READ]
            )
        for record_id, row in rows.items():
            master = str(row.values.get("_masterid_value") or "").lower()
            masters[record_id] = master if row.values.get("merged") is True else ""
    return masters
