"""Campaign: credentials, metadata, and how records are addressed."""

from __future__ import annotations

from collections.abc import Iterator

from sync.campaign.dialect import Dialect
from sync.campaign.metadata import FieldInfo
from sync.campaign.profiles import Profiles
from sync.campaign.records import Action, Addressing, Records
from sync.cli.checks.finding import Finding, bad, good, of_error, skipped, warn
from sync.errors import SyncError
from sync.planning.mapping import Mapping

AREA = "Campaign"
GENERATIONS = {Dialect.STANDARD: "Campaign Standard", Dialect.V8: "Campaign v8"}


async def check_campaign(profiles: Profiles, wanted: str) -> tuple[list[Finding], dict[str, FieldInfo]]:
    """Credentials by reading the resource's description, then the addressing; the fields by path.

    `wanted` is CAMPAIGN_ADDRESSING. Reads only.
    """
    try:
        fields = await profiles.metadata()
    except SyncError as error:
        return [
            of_error(AREA, "credentials", error),
            skipped(AREA, "addressing", "Campaign cannot be used"),
        ], {}
    found = [good(AREA, "credentials", f"resource {profiles.resource} has {len(fields)} fields")]
    return [*found, await _generation(profiles), await _addressing(profiles, wanted)], fields


async def _generation(profiles: Profiles) -> Finding:
    """Whether the instance answers like the generation that the settings name, if they name one."""
    named = profiles.dialect if profiles.knows_dialect else None
    try:
        told = await profiles.told_dialect()
    except SyncError as error:
        return of_error(AREA, "generation", error)
    if told is None or named in (None, told):
        return good(AREA, "generation", GENERATIONS[told or named or Dialect.STANDARD])
    text = f"it answers like {GENERATIONS[told]}; CAMPAIGN_DIALECT says {named}"
    return bad(AREA, "generation", text, f"Set CAMPAIGN_DIALECT to auto or {told}.", "environment_changed")


def check_written_once(mapping: Mapping, dialect: Dialect) -> Iterator[Finding]:
    """Fields that this generation takes on create only."""
    for item in sorted(dialect.written_once):
        fields = [field.target for field in mapping.fields if field.target.partition(".")[0] == item]
        if fields and any(field.apply_updates for field in mapping.fields if field.target in fields):
            text = f"Campaign v8 refuses to change {item}: {len(fields)} fields stay as they were created"
            fix = (
                f"Write `apply_updates: false` to them, or leave {item} out: nothing else is possible there."
            )
            yield warn(f"Mapping {mapping.mapping}", item, text, fix)


async def check_resource(records: Records) -> tuple[list[Finding], dict[str, FieldInfo]]:
    """Whether a mapped resource is published, and how its records are found; the fields by path. Reads only."""
    name = f"resource {records.resource}"
    try:
        fields = (await records.describe()).fields
    except SyncError as error:
        return [of_error(AREA, name, error)], {}
    found = [good(AREA, name, f"published below {records.family}, {len(fields)} fields")]
    how = f"{records.resource} by {records.key_target}"
    try:
        records.addressing = await records.probe()
    except SyncError as error:
        return [*found, of_error(AREA, how, error)], fields
    return [*found, good(AREA, how, f"{records.addressing.value}; Campaign calls: {_calls(records)}")], fields


def _calls(records: Records) -> str:
    told = ", ".join(f"{action.value} {records.calls_for(action)}" for action in Action)
    return f"{told}, unchanged 0"


async def _addressing(profiles: Profiles, wanted: str) -> Finding:
    try:
        mode = await profiles.probe()
    except SyncError as error:
        return of_error(AREA, "addressing", error)
    profiles.addressing = mode
    text = f"{mode.value}; Campaign calls: {_calls(profiles)}"
    if wanted not in ("auto", mode.value):
        if mode is Addressing.KEY:
            fix = "Set CAMPAIGN_ADDRESSING to auto or key: it costs fewer calls."
            return warn(AREA, "addressing", f"{text}; the settings say {wanted}", fix)
        fix = "Set CAMPAIGN_ADDRESSING to auto, or make externalId an identification key in Campaign."
        return bad(AREA, "addressing", f"{text}; the settings say {wanted}", fix, "no_addressing")
    if mode is Addressing.FILTER:
        fix = "Make externalId an identification key in Campaign: writes then cost one call instead of two."
        return warn(AREA, "addressing", text, fix)
    how = "by key" if profiles.delete_by_key else "by PKey after a lookup"
    return good(AREA, "addressing", f"{text} (deletes go {how})")
