"""expire: remove what has been kept long enough: history, old counter hours, tombstones (daily, in pages, resumable)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable

from sync import telemetry
from sync.flows.commands import Expire, send
from sync.flows.context import Context
from sync.model import LedgerRow, State

DAY_S = 24 * 3600
COUNTER_HOURS_KEPT_S = 48 * 3600
WORK_S = 240.0
"""How long one run works; then its page tokens are kept and a `control` message goes on."""

Page = Callable[[str | None], Awaitable[tuple[Counter[str], str | None]]]


async def expire_rows(context: Context) -> dict[str, int]:
    """One run; returns how many rows of each kind went. `status` shows what has gone so far."""
    until = context.clock.now() + WORK_S
    epochs = {
        name: (await context.watermarks.progress(name)).epoch for name in await context.mappings.names()
    }

    async def history(token: str | None) -> tuple[Counter[str], str | None]:
        before = context.clock.now() - context.settings.history_days * DAY_S
        return await context.history.expire_page(before, token)

    async def tombstones(token: str | None) -> tuple[Counter[str], str | None]:
        return await _tombstones(context, epochs, token)

    async def journal(token: str | None) -> tuple[Counter[str], str | None]:
        before = context.clock.now() - context.settings.consent_journal_days * DAY_S
        return await context.journal.expire_page(before, token)

    gone = {
        "history": await _pages(context, "history", history, until),
        "journal": await _pages(context, "journal", journal, until),
        "tombstones": await _pages(context, "tombstones", tombstones, until),
    }
    await _fold_counters(context, until)
    await context.counters.flush(now=True)
    telemetry.event("rows_expired", **gone)
    if context.clock.now() >= until:
        await send(context.lanes, Expire())
    return gone


async def _pages(context: Context, kind: str, page: Page, until: float) -> int:
    """Page by page from where the last run stood."""
    token: str | None = await context.control.noted("_expire", kind) or None
    total = 0
    while True:
        gone, token = await page(token)
        for mapping, count in gone.items():
            context.counters.count(mapping, f"expired:{kind}", count)
        total += gone.total()
        await context.control.note("_expire", kind, token or "")
        if token is None or context.clock.now() >= until:
            return total


async def _tombstones(
    context: Context, epochs: dict[str, int], token: str | None
) -> tuple[Counter[str], str | None]:
    """Resolved tombstones, and rows of older epochs, that nothing has touched for TOMBSTONE_DAYS."""
    before = context.clock.now() - context.settings.tombstone_days * DAY_S
    rows, token = await context.ledger.older_page(before, token)
    gone: Counter[str] = Counter()
    for row in rows:
        mapping, epoch, _ = row.partition.split(":")
        outdated = int(epoch) < epochs.get(mapping, 0)
        if (outdated or _settled_tombstone(row)) and await context.ledger.delete(row):
            await context.consents.remove(row.partition, row.record_id)
            gone[mapping] += 1
            if not outdated:
                context.counters.count(mapping, "state:deleted", -1)
    return gone, token


def _settled_tombstone(row: LedgerRow) -> bool:
    return row.state is State.DELETED and not row.unresolved and not row.claimed


async def _fold_counters(context: Context, until: float) -> None:
    """Fold counter hours older than two days into one row a mapping."""
    before = context.clock.now() - COUNTER_HOURS_KEPT_S
    for mapping in await context.mappings.names():
        token: str | None = None
        while context.clock.now() < until:
            token = await context.counters.fold(mapping, before, token=token)
            if token is None:
                break
