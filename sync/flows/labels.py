"""Labels of choices: read from Dynamics' metadata, kept in one row for all workers, part of the compiled mapping.

The tracked read gives no labels for certain (dataverse.md 1.2), and never those of a named language. A label that an
admin changes moves no record's version, so the pull looks at the metadata every LABELS_S; what changed is written down
first and then replayed. Workers read that row with every chunk, after the ledger rows: a label from before can only be
sent by a claim that the replay waits for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync import telemetry
from sync.dynamics.metadata import Metadata
from sync.planning.compile import CompiledMapping, relabelled
from sync.planning.expressions import Labelled
from sync.planning.replaced import Labels
from sync.storage.labels import StoredLabels
from sync.storage.table import RowConflict

if TYPE_CHECKING:
    from sync.flows.context import Context

LABELS_S = 600.0


async def labelled(context: Context, compiled: CompiledMapping) -> CompiledMapping:
    """The mapping with the labels it asks for, as they stand in the row; raises SyncError."""
    if not compiled.labels:
        return compiled
    stored = await context.mappings.labels.get(compiled.name)
    if stored is None or not stored.holds({label.column for label in compiled.labels}):
        stored = await _look(context, compiled, stored)
    key = (compiled.version, stored.etag)
    known = context.labelled.get(compiled.name)
    if known is None or known[0] != key:
        # One a mapping: every look moves the ETag.
        known = key, relabelled(compiled, chosen(stored.labels, compiled.labels))
        context.labelled[compiled.name] = known
    return known[1]


async def peeked(context: Context, compiled: CompiledMapping) -> CompiledMapping:
    """The same without writing anything down."""
    if not compiled.labels:
        return compiled
    stored = await context.mappings.labels.get(compiled.name)
    known = stored.labels if stored and stored.holds({label.column for label in compiled.labels}) else None
    if known is None:
        known = await Metadata(context.dynamics).labels(compiled.table)
    return relabelled(compiled, chosen(known, compiled.labels))


async def look_again(context: Context, compiled: CompiledMapping) -> None:
    """Bring the row up to date if it is LABELS_S old."""
    if not compiled.labels:
        return
    stored = await context.mappings.labels.get(compiled.name)
    if stored is not None and context.clock.now() - stored.at >= LABELS_S:
        await _look(context, compiled, stored)


async def _look(context: Context, compiled: CompiledMapping, before: StoredLabels | None) -> StoredLabels:
    wanted = {label.column for label in compiled.labels}
    async with context.dynamics_permit():
        found = await Metadata(context.dynamics).labels(compiled.table)
    labels = {column: found.get(column, {}) for column in sorted(wanted)}
    try:
        stored = await context.mappings.labels.put(compiled.name, labels, context.clock.now(), before)
    except RowConflict:
        known = await context.mappings.labels.get(compiled.name)
        if known is None or not known.holds(wanted):
            raise
        return known
    if before is not None and before.labels != labels:
        telemetry.event("labels_changed", mapping=compiled.name)
    return stored


def chosen(labels: Labels, wanted: tuple[Labelled, ...]) -> Labels:
    """Those that are asked for, each in its language; where that has no label the language of the user helps out."""
    found: dict[str, dict[int, dict[int, str]]] = {}
    for label in wanted:
        languages = labels.get(label.column, {})
        named = {**languages.get(0, {}), **languages.get(label.language, {})}
        found.setdefault(label.column, {})[label.language] = named
    return found
