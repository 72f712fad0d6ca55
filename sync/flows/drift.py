"""drift: a schema that changed under a running mapping pauses that mapping alone, until both sides fit again.

Errors that speak of a table or resource are believed at once; those of single writes are confirmed by Campaign's
description of the resource first, so that one bad record never stops a mapping.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from sync import telemetry
from sync.campaign.metadata import FieldInfo
from sync.dynamics.metadata import Metadata
from sync.errors import SyncError
from sync.flows.context import STOPPED_DELAY_S, Context
from sync.model import Chunk, Lane, from_iso, to_iso
from sync.planning.compile import CompiledMapping
from sync.planning.drift import CONFIRMED, DOUBTFUL, DRIFT, SURE, source_gaps, target_gaps, told
from sync.planning.matrix import column_type
from sync.planning.outcome import Kind, Outcome, retry_delay
from sync.storage.lanes import to_message
from sync.storage.table import StorageFault

FLOW = "drift"
LOOK_S = 60.0
"""How often a drifted mapping is compared with both systems, and how long a description is believed to fit."""
MOST_CONTRADICTED = 2
"""How often a record is sent again that was refused for its schema, which its resource's description calls right."""
MOST_TOLD = 3
NOTE = "drift"
"""The version that was looked at last, and when."""
ADDRESS = frozenset({"campaign_wrong_address", "no_addressing"})
"""What Campaign may say of a resource that is gone, before anything is written."""


async def wait(context: Context, chunk: Chunk) -> None:
    """Queue a chunk of a paused mapping again, behind others, as it was."""
    later = replace(chunk, reserved_at=0.0, permits=0)
    # Not into the lane: the feeder would take it for full, and other mappings' work would wait.
    lane = Lane.BACKFILL_HOLD if chunk.lane is Lane.BACKFILL else chunk.lane
    await context.lanes.queue(lane).put(to_message(later), delay_s=STOPPED_DELAY_S)


async def still(context: Context, mapping: str) -> bool:
    """Whether a mapping is paused; once a minute, or at once after an edit, both sides are looked at again."""
    pause = await context.control.paused(mapping, FLOW)
    if pause is None:
        return False
    compiled = await context.working(mapping)
    version, _, at = (await context.control.noted(mapping, NOTE)).partition(" ")
    if version == compiled.version and context.clock.now() < from_iso(at) + LOOK_S:
        return True
    await context.control.note(mapping, NOTE, f"{compiled.version} {to_iso(context.clock.now())}")
    try:
        gaps = [*await _source(context, compiled), *await _target(context, compiled)]
    except SyncError as error:
        telemetry.warning("drift_not_seen", mapping=mapping, code=error.code)
        await context.control.pause(mapping, FLOW, DRIFT, pause.detail)
        return True
    if gaps:
        await context.control.pause(mapping, FLOW, DRIFT, _words(gaps))
        return True
    await context.control.note(mapping, NOTE, "")
    await context.control.resume(mapping, FLOW)
    telemetry.event("drift_mended", mapping=mapping)
    return False


async def check_source(context: Context, compiled: CompiledMapping) -> None:
    """Before a full read: raise `schema_drift` if Dynamics does not have what the mapping reads.

    A column that was deleted and made again with another type is found here alone: its values would be set aside one
    by one. Whoever may not read definitions goes on without.
    """
    try:
        gaps = await _source(context, compiled)
    except SyncError as error:
        if error.code == "dynamics_forbidden":
            return
        raise
    if gaps:
        raise SyncError(DRIFT, _words(gaps))


async def explained(context: Context, mapping: str, error: SyncError) -> SyncError:
    """The error, or `schema_drift` where its reason is that Campaign's resource is another one by now."""
    if error.code not in ADDRESS:
        return error
    try:
        gaps = await _target(context, await context.working(mapping))
    except SyncError:
        return error
    return SyncError(DRIFT, _words(gaps)) if gaps else error


async def judge(
    context: Context, compiled: CompiledMapping, outcomes: Sequence[Outcome], failures: Sequence[int]
) -> list[Outcome]:
    """The outcomes of a chunk, where those that the schema caused are released instead of quarantined.

    `failures` are those of each record before. Where Campaign cannot say what the resource is, a refusal counts as a
    call that failed and may pass.
    """
    codes = {outcome.code for outcome in outcomes if outcome.kind is not Kind.UNKNOWN}
    if not codes & (CONFIRMED | DOUBTFUL):
        return list(outcomes)
    try:
        gaps = await _gaps(context, compiled, sure=bool(codes & SURE))
    except (SyncError, StorageFault) as error:
        code = error.code if isinstance(error, SyncError) else "storage_failed"
        telemetry.warning("drift_not_seen", mapping=compiled.name, code=code)
        return [_again(outcome, failed) for outcome, failed in zip(outcomes, failures, strict=True)]
    if not gaps:
        # Mended between the refusal and the look; should Campaign contradict its own description, that ends soon.
        return [
            _again(outcome, failed) if outcome.code in SURE and failed < MOST_CONTRADICTED else outcome
            for outcome, failed in zip(outcomes, failures, strict=True)
        ]
    # Where the pause cannot be stored, the next chunk says it again: these calls have to be recorded.
    with suppress(StorageFault):
        await context.drifted(compiled.name, _words(gaps))
    telemetry.warning("schema_drifted", mapping=compiled.name, code=DRIFT, detail=_words(gaps))
    return [_released(outcome) for outcome in outcomes]


def _suspicious(outcome: Outcome) -> bool:
    return outcome.kind is Kind.REFUSED and outcome.code in CONFIRMED | DOUBTFUL


def _released(outcome: Outcome) -> Outcome:
    if not _suspicious(outcome):
        return outcome
    return replace(outcome, kind=Kind.RELEASED, code=DRIFT, delay_s=STOPPED_DELAY_S)


def _again(outcome: Outcome, failures: int) -> Outcome:
    if outcome.kind is not Kind.REFUSED or outcome.code not in CONFIRMED:
        return outcome
    return replace(outcome, kind=Kind.FAILED, delay_s=retry_delay(failures + 1))


async def _gaps(context: Context, compiled: CompiledMapping, *, sure: bool) -> list[str]:
    """What the resource lacks; a description that was found to fit is believed for a while, unless one is `sure`."""
    version, at = context.fitted.get(compiled.name, ("", 0.0))
    if not sure and version == compiled.version and context.clock.now() < at + LOOK_S:
        return []
    gaps = await _target(context, compiled)
    if not gaps:
        context.fitted[compiled.name] = (compiled.version, context.clock.now())
    return gaps


async def _source(context: Context, compiled: CompiledMapping) -> list[str]:
    metadata = Metadata(context.dynamics)
    try:
        table = await metadata.table(compiled.table)
        columns = await metadata.attributes(compiled.table)
    except SyncError as error:
        if error.code != "unknown_table":
            raise
        return [told(error.code, error.detail)]
    gaps = list(
        source_gaps(compiled, {name: column_type(info.type, info.behavior) for name, info in columns.items()})
    )
    return gaps if table.change_tracking else [*gaps, told("change_tracking_off", "")]


async def _target(context: Context, compiled: CompiledMapping) -> list[str]:
    try:
        fields = await _fields(context, compiled)
    except SyncError as error:
        if error.code != "resource_missing":
            raise
        return [told(error.code, error.detail)]
    return list(target_gaps(compiled, {path: (info.type, info.read_only) for path, info in fields.items()}))


async def _fields(context: Context, compiled: CompiledMapping) -> dict[str, FieldInfo]:
    records = context.profiles.of(compiled.resource, compiled.key_target)
    return (await records.describe(context.spend)).fields


def _words(gaps: Sequence[str]) -> str:
    more = f"; and {len(gaps) - MOST_TOLD} more" if len(gaps) > MOST_TOLD else ""
    return "; ".join(gaps[:MOST_TOLD]) + more
