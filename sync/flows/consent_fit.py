"""The consent map held against live metadata, once per worker."""

from __future__ import annotations

from sync.campaign.profiles import RESOURCE
from sync.dynamics.metadata import Metadata
from sync.errors import SyncError
from sync.flows.context import STOPPED_DELAY_S, Context
from sync.planning.compile import CompiledMapping
from sync.planning.consent import Direction
from sync.planning.consent_map import ConsentMap
from sync.planning.consent_pairs import Consents, ConsentUnusable, SourceColumn, resolve


async def resolved(context: Context, mapping: str) -> Consents | None:
    """The consent map of a mapping; None if there is none for it.

    Raises SyncError `consent_unusable`, which is believed for a minute, and those of the two systems.
    """
    told = context.consent_of(mapping)
    if told is None:
        return None
    unusable, until = context.unusable_consents
    if unusable and context.clock.now() < until:
        raise SyncError("consent_unusable", unusable)
    if context.fitted_consents is None:
        context.fitted_consents = await _fit(context, told)
    return context.fitted_consents


async def _fit(context: Context, told: ConsentMap) -> Consents:
    compiled = await context.active(told.consent)
    if compiled.resource != RESOURCE:
        raise SyncError("consent_unusable", f"mapping {told.consent} does not write profiles")
    columns = await Metadata(context.dynamics).attributes(compiled.table)
    await context.spend()
    fields = await context.profiles.metadata()
    try:
        return resolve(
            told,
            {name: SourceColumn(column.type, column.options) for name, column in columns.items()},
            {path: field.type for path, field in fields.items()},
        )
    except ConsentUnusable as error:
        context.unusable_consents = (str(error), context.clock.now() + STOPPED_DELAY_S)
        raise SyncError("consent_unusable", str(error)) from None


async def usable(context: Context, mapping: str) -> Consents | None:
    """The same, but None where the map cannot be used; raises SyncError of the two systems."""
    try:
        return await resolved(context, mapping)
    except SyncError as error:
        if error.code != "consent_unusable":
            raise
        return None


async def astray(context: Context, compiled: CompiledMapping) -> bool:
    """Whether the consent map names no mapping that writes profiles: it may be meant for this one, which does."""
    told = context.consent_map
    if told is None or told.flows is Direction.OFF or told.consent == compiled.name:
        return False
    if compiled.resource != RESOURCE:
        return False
    try:
        return (await context.active(told.consent)).resource != RESOURCE
    except SyncError:
        return True
