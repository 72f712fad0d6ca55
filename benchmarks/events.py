"""events: Dynamics requests per event, and the memory that reading an export takes.

Both run the app's own flow in process, over storage in memory and the Dataverse look-alike.
"""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sandbox.dynamics.options import DynamicsOptions
from sync.model import LedgerRow, State
from sync.storage.ledger import bucket_of, partition_of
from tests.events.stage import (
    DELIVERY_HEADER,
    ORG,
    TRACKING_HEADER,
    Stage,
    contact_id,
    csv_of,
    delivery_line,
    tracking_line,
)

EVENTS = 100_000
MAPPING = (
    "mapping: contacts\nsource: {table: contact, entity_set: contacts, key: contactid}\n"
    "target: {resource: profile, key: externalId}\n"
    "fields:\n  - {source: firstname, target: firstName, type: string, length: 30}\n"
)


async def know_contacts(stage: Stage, count: int) -> None:
    """Contacts in Dynamics and in the ledger of the contacts flow, as after its first load."""
    stage.contacts(count)
    context = stage.app.context
    await context.mappings.install("contacts", MAPPING, buckets=64)
    parts: dict[int, list[LedgerRow]] = {}
    for number in range(count):
        bucket = bucket_of(contact_id(number), 64)
        row = LedgerRow(partition_of("contacts", 1, bucket), contact_id(number))
        parts.setdefault(bucket, []).append(replace(row, state=State.SYNCED))
    for rows in parts.values():
        await context.ledger.write(rows)


def exports(events: int, deliveries: int) -> Iterator[tuple[str, bytes]]:
    """70 % sends, 20 % opens, 6 % clicks, and 4 % that bounce later, spread over the deliveries."""
    each = events // deliveries
    sent, opened, clicked = each * 70 // 100, each * 20 // 100, each * 6 // 100
    bounced = each - sent - opened - clicked
    sends, late, tracked = [], [], []
    for delivery in range(deliveries):
        name = f"DM{delivery}"
        sends += [
            delivery_line(delivery * sent + place, contact_id(place), delivery=name) for place in range(sent)
        ]
        for place in range(bounced):
            number = delivery * sent + place
            late.append(
                delivery_line(
                    number, contact_id(place), delivery=name, status="Failed", bounce="Hard", modified=-60.0
                )
            )
        for place in range(opened):
            number = delivery * (opened + clicked) + place
            tracked.append(tracking_line(number, contact_id(place % sent), delivery=name))
        for place in range(clicked):
            number = delivery * (opened + clicked) + opened + place
            line = tracking_line(
                number,
                contact_id(place % sent),
                delivery=name,
                type="Email click",
                url="https://shop.example/x",
            )
            tracked.append(line)
    yield "1-sends.csv", csv_of(DELIVERY_HEADER, sends)
    yield "2-tracking.csv", csv_of(TRACKING_HEADER, tracked)
    yield "3-late.csv", csv_of(DELIVERY_HEADER, late)


async def _requests(events: int, deliveries: int) -> dict[str, float]:
    stage = Stage(options=DynamicsOptions(origin=ORG, limits=False))
    await know_contacts(stage, events // deliveries * 70 // 100)
    files = list(exports(events, deliveries))
    since = len(stage.dynamics.log)
    for name, data in files:
        stage.drop(name, data)
        await stage.settle(ticks=1)
    requests = stage.requests(since)
    shown = sum(len(stage.activities(kind)) for kind in ("send", "open", "click", "bounce"))
    since = len(stage.dynamics.log)
    for name, data in files:
        stage.drop(f"again-{name}", data)
        await stage.settle(ticks=1)
    writes = sum(
        any(verb in entry.note for verb in ("create", "update", "$batch"))
        for entry in stage.dynamics.log[since:]
    )
    return {
        "per_event": round(requests / events, 5),
        "missing_or_double": abs(events - shown),
        "writes_after_rerun": writes,
    }


def requests(events: int = EVENTS) -> dict[str, Any]:
    """Requests to Dynamics per event, probes and checks included, for ten large and a thousand small deliveries."""
    ten = asyncio.run(_requests(events, 10))
    thousand = asyncio.run(_requests(events, events // 100))
    return {
        "dynamics_requests_per_event": ten["per_event"],
        "dynamics_requests_per_event_small": thousand["per_event"],
        "events_missing_or_double": ten["missing_or_double"] + thousand["missing_or_double"],
        "event_writes_after_rerun": ten["writes_after_rerun"] + thousand["writes_after_rerun"],
    }


def memory() -> dict[str, Any]:
    """Peak of Python allocations while an export is read, for one file and one five times as long."""
    peaks = []
    for count in (20_000, 100_000):
        stage = Stage(settings={"EVENTS_READ_ROWS": "5000"})
        # One contact's lines, so that the storage in memory holds as many rows for both.
        lines = [delivery_line(place % 5_000, contact_id(place % 5_000)) for place in range(count)]
        stage.drop("a.csv", csv_of(DELIVERY_HEADER, lines))
        tracemalloc.start()
        asyncio.run(stage.app.pull_email_events(invocation="pull"))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return {"export_memory_growth": round(peaks[1] / peaks[0], 3)}
