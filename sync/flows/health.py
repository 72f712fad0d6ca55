"""health: freshness per mapping, for the HTTP function, alerts and `status`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sync.flows.context import Context

FLOWS = ("drift", "pull", "apply", "full_read", "sweep")


@dataclass(frozen=True, slots=True)
class MappingHealth:
    """`age_s` is how long ago the last pull succeeded, None if none ever did; `paused` the code a flow waits with."""

    mapping: str
    fresh: bool
    age_s: float | None
    paused: dict[str, str]


async def health(context: Context) -> tuple[bool, list[MappingHealth]]:
    """Whether every mapping was pulled within FRESHNESS_S, and each mapping's state."""
    versions = await context.mappings.all()
    off = {version.mapping for version in versions if not version.enabled}
    names = sorted({*context.shipped, *(version.mapping for version in versions)} - off)
    found = [await mapping_health(context, name) for name in names]
    return bool(found) and all(item.fresh for item in found), found


async def mapping_health(context: Context, mapping: str, flows: Sequence[str] = FLOWS) -> MappingHealth:
    """How old the last good pull is, and which of its flows wait."""
    tick = await context.watermarks.tick(mapping)
    age = context.clock.now() - tick.pulled_at if tick.pulled_at else None
    paused = {}
    for flow in flows:
        pause = await context.control.paused(mapping, flow)
        if pause is not None:
            paused[flow] = pause.code
    fresh = age is not None and age <= context.settings.freshness_s
    return MappingHealth(mapping, fresh, None if age is None else round(age, 1), paused)
