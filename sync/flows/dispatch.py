"""Observations become chunks in a lane: one ledger partition a chunk (design 4.2)."""

from __future__ import annotations

from collections.abc import Iterable

from sync.flows.context import Context
from sync.model import Change, ChangeKind, Chunk, Intent, Lane, SourcePage
from sync.storage.lanes import chunks_of
from sync.storage.ledger import bucket_of
from sync.storage.watermarks import Progress


def changes_of(page: SourcePage) -> list[Change]:
    """The changes of a page: upserts, then deletes."""
    upserts = [Change(row.record_id, ChangeKind.UPSERT, row) for row in page.rows]
    return upserts + [Change(record_id, ChangeKind.DELETE) for record_id in page.deletes]


async def dispatch(
    context: Context,
    changes: Iterable[Change],
    *,
    progress: Progress,
    lane: Lane,
    queue: Lane | None = None,
    columns_hash: str = "",
    intent: Intent = Intent.NONE,
) -> int:
    """Queue changes durably; returns how many. `queue` is where they wait if not in the lane itself.

    The chunks say with which generation they were read, and whether that was still being read.
    """
    mapping = progress.mapping
    buckets = context.buckets[mapping]
    parts: dict[int, list[Change]] = {}
    count = 0
    for change in changes:
        parts.setdefault(bucket_of(change.record_id, buckets), []).append(change)
        count += 1
    correlation = context.nonce()
    chunks: list[Chunk] = []
    for bucket, part in sorted(parts.items()):
        template = Chunk(
            mapping=mapping,
            epoch=progress.epoch,
            bucket=bucket,
            lane=lane,
            changes=(),
            columns_hash=columns_hash,
            generation=progress.generation,
            reading=progress.running,
            intent=intent,
            correlation=f"{correlation}-{bucket:02d}",
        )
        chunks.extend(chunks_of(template, part, most=context.settings.chunk_records))
    await context.lanes.put_all(chunks, queue or lane)
    return count
