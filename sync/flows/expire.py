"""expire: remove what has been kept long enough: history, old counter hours, tombstones (daily, in pages, resumable)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping

from sync import telemetry
from sync.flows.commands import Expire, send
from sync.flows.context import Context
from sync.flows.events.context import FLOW as EVENTS
from sync.model import LedgerRow, State, from_iso, to_iso

DAY_S = 24 * 3600
COUNTER_HOURS_KEPT_S = 48 * 3600
WORK_S = 240.0
"""How long one run works; then its page tokens are kept and a `control` message goes on with what is left."""
STALLED_S = 3600.0
"""Work that went on within this time is still under way."""
_OF = "_expire"

Page = Callable[[str | None], Awaitable[tuple[Counter[str], str | None]]]
"""Removes old rows of the page behind a token: how many by mapping, and the next token."""
NO_PAGES: Mapping[str, Page] = {}


async def expire_daily(context: Context, more: Mapping[str, Page] = NO_PAGES) -> None:
    """Begin the day's run, unless the last one still goes on: a second would start over behind its back."""
    at = await context.control.noted(_OF, "goes-on")
    if not at or context.clock.now() - from_iso(at) > STALLED_S:
        await expire_rows(context, more)


async def expire_rows(
    context: Context, more: Mapping[str, Page] = NO_PAGES, kinds: Collection[str] = ()
) -> dict[str, int]:
    """One run over some kinds of rows, or all; returns how many of each went. `status` shows what has gone so far.

    `more` are kinds that other flows keep, with the names of their counters' mappings.
    """
    until = context.clock.now() + WORK_S
    gone: dict[str, int] = {}
    left: list[str] = []
    for kind, page in {**await _kept_by_all(context), **more}.items():
        if kinds and kind not in kinds:
            continue
        gone[kind], over = await _pages(context, kind, page, until)
        if not over:
            left.append(kind)
    await _fold_counters(context, until)
    await context.counters.flush(now=True)
    telemetry.event("rows_expired", **gone)
    await context.control.note(_OF, "goes-on", to_iso(context.clock.now()) if left else "")
    if left:
        await send(context.lanes, Expire(kinds=tuple(left)))
    return gone


async def _kept_by_all(context: Context) -> dict[str, Page]:
    """History, the consent journal and tombstones."""
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

    return {"history": history, "journal": journal, "tombstones": tombstones}


async def _pages(context: Context, kind: str, page: Page, until: float) -> tuple[int, bool]:
    """Page by page from where the last run stood; how many rows went, and whether that was all."""
    token: str | None = await context.control.noted(_OF, kind) or None
    total = 0
    while True:
        gone, token = await page(token)
        for mapping, count in gone.items():
            context.counters.count(mapping, f"expired:{kind}", count)
        total += gone.total()
        await context.control.note(_OF, kind, token or "")
        if token is None or context.clock.now() >= until:
            return total, token is None


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
    """Fold counter hours older than two days into one row a mapping, and one of email events."""
    before = context.clock.now() - COUNTER_HOURS_KEPT_S
    for mapping in [*await context.mappings.names(), EVENTS]:
        token: str | None = None
        while context.clock.now() < until:
            token = await context.counters.fold(mapping, before, token=token)
            if token is None:
                break
