"""What the events flow is doing, for `status`: files, lines and events, from rows and counters; nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sync.flows.context import Context
from sync.flows.events.context import FLOW, WAITS
from sync.flows.health import MappingHealth, mapping_health
from sync.storage.account import Account
from sync.storage.files import FileRow, Files
from sync.storage.parked_events import ParkedEvents
from sync.storage.pauses import Stop


@dataclass(frozen=True, slots=True)
class EventStatus:
    """`counts` by counter name; `files` that are not gone yet; `bad` lines noted; `parked` events wait for contacts.

    `failed` partitions ended workers and wait for their hour. What Dynamics `refused` waits for a person; it is counted
    by contact and delivery.
    """

    health: MappingHealth
    counts: Counter[str]
    files: list[FileRow]
    bad: int
    parked: int
    failed: int
    refused: int
    stops: Mapping[str, Stop]
    """What people have paused of this flow."""

    def left(self, kind: str) -> dict[str, int]:
        """`line` or `dropped` counters by reason."""
        return {
            name.partition(":")[2]: count
            for name, count in sorted(self.counts.items())
            if name.startswith(f"{kind}:")
        }


async def collect_events(context: Context, account: Account) -> EventStatus:
    """Read what is known of the flow."""
    files = Files(account.table("exports"))
    bad = sum([1 async for _ in files.bad_lines()])
    waiting = ParkedEvents(account.table("parkedevents"))
    contacts = [one.contact async for one in waiting.all()]
    failed = contacts.count("")
    refused = sum([1 async for _ in waiting.refused()])
    rows = sorted((await files.all()).values(), key=lambda row: row.updated)
    return EventStatus(
        await mapping_health(context, FLOW, WAITS),
        await context.counters.totals(FLOW),
        rows,
        bad,
        len(contacts) - failed,
        failed,
        refused,
        await context.pauses.read(FLOW),
    )
