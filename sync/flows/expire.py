"""expire: remove what has been kept long enough: history, old counter hours, tombstones (daily, in pages, resumable)."""

from __future__ import annotations

from sync import telemetry
from sync.flows.context import Context
from sync.model import State, to_iso
from sync.storage.ledger import from_stored
from sync.storage.table import Op, Query, Table, Verb

DAY_S = 24 * 3600
COUNTER_HOURS_KEPT_S = 48 * 3600
WORK_S = 60.0
"""How long one run works; the page token is kept, and the next run goes on."""


async def expire_rows(context: Context, history: Table, ledger: Table) -> dict[str, int]:
    """One run; returns how many rows of each kind went."""
    until = context.clock.now() + WORK_S
    gone = {
        "history": await _history(context, history, until),
        "tombstones": await _tombstones(context, ledger, until),
    }
    for mapping in await context.mappings.names():
        token: str | None = None
        while context.clock.now() < until:
            token = await context.counters.fold(
                mapping, context.clock.now() - COUNTER_HOURS_KEPT_S, token=token
            )
            if token is None:
                break
        for kind, count in gone.items():
            if count:
                context.counters.count(mapping, f"expired:{kind}", count)
    await context.counters.flush(now=True)
    telemetry.event("rows_expired", **gone)
    return gone


async def _history(context: Context, table: Table, until: float) -> int:
    """History lines older than HISTORY_DAYS."""
    before = to_iso(context.clock.now() - context.settings.history_days * DAY_S)
    token: str | None = await context.control.noted("_expire", "history") or None
    gone = 0
    while True:
        page = await table.page(Query(where=(("at", "lt", before),)), token=token)
        for stored in page.rows:
            await table.submit([Op(Verb.DELETE, stored.entity)])
        gone += len(page.rows)
        token = page.token
        await context.control.note("_expire", "history", token or "")
        if token is None or context.clock.now() >= until:
            return gone


async def _tombstones(context: Context, table: Table, until: float) -> int:
    """Resolved tombstones, and rows of older epochs, that nothing has touched for TOMBSTONE_DAYS."""
    before = to_iso(context.clock.now() - context.settings.tombstone_days * DAY_S)
    epochs = {
        name: (await context.watermarks.progress(name)).epoch for name in await context.mappings.names()
    }
    token: str | None = await context.control.noted("_expire", "tombstones") or None
    gone = 0
    while True:
        page = await table.page(Query(where=(("updated", "lt", before),)), token=token)
        for row in map(from_stored, page.rows):
            mapping, epoch, _ = row.partition.split(":")
            tombstone = row.state is State.DELETED and not row.unresolved and not row.claimed
            outdated = int(epoch) < epochs.get(mapping, 0)
            if (tombstone or outdated) and await context.ledger.delete(row):
                gone += 1
                if not outdated:
                    context.counters.count(mapping, "state:deleted", -1)
        token = page.token
        await context.control.note("_expire", "tombstones", token or "")
        if token is None or context.clock.now() >= until:
            return gone
