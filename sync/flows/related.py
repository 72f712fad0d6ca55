"""Columns of related rows: read in one request per chunk and table, and put beside the columns of the records.

Each related row is read once per chunk, after the ledger rows, and never kept longer: a kept one would be sent after a
newer one had been.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace

from sync.dynamics.client import IDS_PER_READ
from sync.dynamics.metadata import Metadata, TableInfo
from sync.flows.context import Context
from sync.model import SourceRow
from sync.planning.compile import CompiledMapping
from sync.planning.evaluate import NO_VALUE
from sync.planning.expressions import Related

Found = Mapping[str, Mapping[str, SourceRow]]
"""Rows by table and id."""


async def beside(
    context: Context,
    compiled: CompiledMapping,
    sources: Mapping[str, SourceRow | None],
    *,
    permits: bool = True,
) -> dict[str, SourceRow | None]:
    """The same records with the related values that the mapping uses; raises SyncError.

    Without `permits` nothing is written, and the requests are not counted among those of the workers.
    """
    if not compiled.related:
        return dict(sources)
    ids: dict[str, set[str]] = {}
    columns: dict[str, set[str]] = {}
    for related in compiled.related:
        for table, column in related.tables:
            columns.setdefault(table, set()).add(column)
            for source in sources.values():
                if source is not None and (one := _id(source, related)):
                    ids.setdefault(table, set()).add(one)
    found = {
        table: await _read(context, table, sorted(columns[table]), sorted(wanted), permits=permits)
        for table, wanted in sorted(ids.items())
    }
    return {
        record_id: None if source is None else _with(source, compiled, found)
        for record_id, source in sources.items()
    }


def _id(source: SourceRow, related: Related) -> str:
    value = source.values.get(related.lookup)
    return value.lower() if isinstance(value, str) else ""


async def _read(
    context: Context, table: str, columns: list[str], ids: list[str], *, permits: bool
) -> dict[str, SourceRow]:
    about = await _table(context, table)
    rows: dict[str, SourceRow] = {}
    for start in range(0, len(ids), IDS_PER_READ):
        async with context.dynamics_permit() if permits else nullcontext():
            part = ids[start : start + IDS_PER_READ]
            rows.update(await context.dynamics.read(about.entity_set, about.key_column, columns, part))
    return rows


async def _table(context: Context, table: str) -> TableInfo:
    """How a related table is addressed, asked for once per worker: that never changes."""
    if table not in context.related_tables:
        context.related_tables[table] = await Metadata(context.dynamics).table(table)
    return context.related_tables[table]


def _with(source: SourceRow, compiled: CompiledMapping, found: Found) -> SourceRow:
    """A lookup that is null gives null; one whose row cannot be found gives no value, and `invalid` decides."""
    values = dict(source.values)
    for related in compiled.related:
        if related.lookup not in values:
            continue
        one = _id(source, related)
        value: object = NO_VALUE if one else None
        for table, column in related.tables:
            row = found.get(table, {}).get(one)
            if row is not None:
                value = row.values.get(column)
                break
        values[related.key] = value
    return replace(source, values=values)
