"""The lanes and the one message they carry: a chunk of changes of one ledger partition (design 4.2)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sync.model import Change, ChangeKind, Chunk, Intent, Lane, SourceRow
from sync.storage.account import Account
from sync.storage.queue import MAX_MESSAGE_BYTES, Queue


class MessageUnreadable(Exception):
    """A message is not one of ours; its text is not shown, since it may hold personal data."""


def to_message(chunk: Chunk) -> str:
    """Compact JSON."""
    return json.dumps(
        {
            "mapping": chunk.mapping,
            "epoch": chunk.epoch,
            "bucket": chunk.bucket,
            "lane": chunk.lane.value,
            "columns": chunk.columns_hash,
            "generation": chunk.generation,
            "reading": chunk.reading,
            "intent": chunk.intent.value,
            "redelivered": chunk.redelivered,
            "reserved_at": chunk.reserved_at,
            "permits": chunk.permits,
            "correlation": chunk.correlation,
            "changes": [_change_json(change) for change in chunk.changes],
        },
        separators=(",", ":"),
    )


def _change_json(change: Change) -> list[Any]:
    if change.row is None:
        return [change.record_id, change.kind.value]
    return [change.record_id, change.kind.value, change.row.version, change.row.values]


def from_message(body: str) -> Chunk:
    """The chunk of a message; raises MessageUnreadable."""
    try:
        raw = json.loads(body)
        return Chunk(
            mapping=raw["mapping"],
            epoch=raw["epoch"],
            bucket=raw["bucket"],
            lane=Lane(raw["lane"]),
            changes=tuple(_change(item) for item in raw["changes"]),
            # Optional, so that a message of an older or newer release can still be worked.
            columns_hash=raw.get("columns", ""),
            generation=raw.get("generation", 0),
            reading=raw.get("reading", False),
            intent=Intent(raw.get("intent", "")),
            redelivered=raw.get("redelivered", 0),
            reserved_at=raw.get("reserved_at", 0.0),
            permits=raw.get("permits", 0),
            correlation=raw.get("correlation", ""),
        )
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        raise MessageUnreadable("a message that is not a chunk") from None


def _change(item: list[Any]) -> Change:
    record_id, kind = item[0], ChangeKind(item[1])
    if kind is not ChangeKind.UPSERT:
        return Change(record_id, kind)
    return Change(record_id, kind, SourceRow(record_id, int(item[2]), dict(item[3])))


def without(body: str, record_id: str) -> str:
    """A chunk's message without one of its records; empty if nothing is left. Raises MessageUnreadable."""
    chunk = from_message(body)
    changes = tuple(change for change in chunk.changes if change.record_id != record_id)
    return to_message(replace(chunk, changes=changes)) if changes else ""


def chunks_of(template: Chunk, changes: Iterable[Change], *, most: int) -> list[Chunk]:
    """The changes of one partition as chunks of at most `most` records and 48 KiB each.

    A record seen twice becomes one "re-read"; an oversized record travels as a reference (design 4.2).
    """
    once: dict[str, Change] = {}
    for change in changes:
        known = change.record_id in once
        once[change.record_id] = Change(change.record_id, ChangeKind.REREAD) if known else change
    chunks: list[Chunk] = []
    part: list[Change] = []
    size = 0
    limit = MAX_MESSAGE_BYTES - 1024
    for change in once.values():
        weight = len(json.dumps(_change_json(change), separators=(",", ":"))) + 1
        if weight > limit:
            change, weight = Change(change.record_id, ChangeKind.REREAD), 64
        if part and (len(part) == most or size + weight > limit):
            chunks.append(replace(template, changes=tuple(part)))
            part, size = [], 0
        part.append(change)
        size += weight
    if part:
        chunks.append(replace(template, changes=tuple(part)))
    return chunks


class Lanes:
    """The queues by lane."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def queue(self, lane: Lane) -> Queue:
        return self._account.queue(lane.value)

    def poison(self, lane: Lane) -> Queue:
        return self._account.queue(f"{lane.value}-poison")

    async def put(self, chunk: Chunk, *, delay_s: float = 0.0) -> None:
        """Queue a chunk in its lane."""
        await self.queue(chunk.lane).put(to_message(chunk), delay_s=delay_s)

    async def put_all(self, chunks: Sequence[Chunk], lane: Lane) -> None:
        """Queue chunks durably in `lane` (a chunk of the backfill lane may wait in `backfill-hold`)."""
        queue = self.queue(lane)
        for start in range(0, len(chunks), 16):
            await gather_all([queue.put(to_message(chunk)) for chunk in chunks[start : start + 16]])


async def gather_all(awaitables: Sequence[Any]) -> None:
    """Wait for all, then raise the first error: nothing is left running behind the caller's back."""
    import asyncio

    results = await asyncio.gather(*awaitables, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
