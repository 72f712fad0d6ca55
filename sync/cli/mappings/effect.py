"""What activating a text makes the sync do, and what that costs."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from sync.campaign.records import Action
from sync.cli.checks.dynamics import count_records
from sync.cli.work import Cost, cost_of
from sync.errors import SyncError
from sync.flows.context import Context
from sync.planning.compile import CompiledMapping, compile_mapping
from sync.planning.load import load_mapping
from sync.planning.mapping import Mapping
from sync.storage.mappings import MappingVersion

LIVING = ("state:synced", "state:quarantined", "state:parked")


@dataclass(frozen=True, slots=True)
class Effect:
    """`word` is `first`, `full_read`, `replay`, `later` or `none`; `cost` what follows by itself."""

    word: str
    text: str
    cost: Cost | None = None


def effect_of(before: CompiledMapping | None, after: CompiledMapping, *, replay: bool = True) -> Effect:
    """What the pull does once it notices `after` (design 4.1)."""
    if before is None:
        return Effect("first", "It is new: the first full read starts with the next pull.")
    columns = before.columns_hash != after.columns_hash
    if not columns and before.sends_hash == after.sends_hash:
        return Effect("none", "It sends what the version before sent: nothing is sent again.")
    if not replay:
        return Effect(
            "later",
            "Nothing is sent again for it: each record goes by the new version when it changes in Dynamics or is "
            "replayed; `status` counts those that are on an older one.",
        )
    if columns:
        return Effect("full_read", "It reads other columns: a full read starts with the next pull.")
    return Effect("replay", "It sends other values: every record is compared again, changed ones are sent.")


async def effect(context: Context, stored: MappingVersion | None, after: Mapping, *, replay: bool) -> Effect:
    """The effect and its cost; raises SyncError where Dynamics cannot be asked for the size of a new table."""
    compiled = compile_mapping(after, "")
    found = effect_of(_before(stored), compiled, replay=replay)
    if stored is not None and not stored.enabled:
        return Effect("none", "The mapping is switched off and stays so: nothing is sent.")
    if found.word in ("none", "later"):
        return found
    calls = await _calls(context, compiled, Action.INSERT if found.word == "first" else Action.UPDATE)
    if found.word == "first":
        entity_set = (await context.sourced(compiled)).entity_set
        count = await count_records(context.dynamics, after.source.table, entity_set)
        cost = cost_of(context, count.records, (calls, calls), exact=False)
    else:
        counts = await context.counters.totals(compiled.name)
        records = sum(max(counts[state], 0) for state in LIVING)
        cost = cost_of(context, records, (0, calls), exact=False)
    return Effect(found.word, found.text, cost)


def _before(stored: MappingVersion | None) -> CompiledMapping | None:
    try:
        return compile_mapping(load_mapping(stored.text), stored.version) if stored else None
    except SyncError:
        return None  # The active text is unusable; the new one replaces it.


async def _calls(context: Context, compiled: CompiledMapping, action: Action) -> int:
    """Calls of an action by the resource's addressing; 2, the most, where Campaign cannot be asked."""
    try:
        return (await context.target(compiled)).calls_for(action)
    except SyncError:
        return 2


def diff(before: str, after: str, name: str, version: str) -> list[str]:
    """The lines that differ, as `diff -u` tells them."""
    return list(
        difflib.unified_diff(
            before.splitlines(), after.splitlines(), f"{name} {version or '(none)'}", name, lineterm="", n=2
        )
    )
