"""Campaign: credentials, metadata, and how records are addressed."""

from __future__ import annotations

from sync.campaign.metadata import FieldInfo
from sync.campaign.profiles import Profiles
from sync.campaign.records import Action, Addressing
from sync.cli.checks.finding import Finding, bad, good, of_error, skipped, warn
from sync.errors import SyncError

AREA = "Campaign"


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
    return [*found, await _addressing(profiles, wanted)], fields


async def _addressing(profiles: Profiles, wanted: str) -> Finding:
    try:
        mode = await profiles.probe()
    except SyncError as error:
        return of_error(AREA, "addressing", error)
    profiles.addressing = mode
    calls = ", ".join(f"{action.value} {profiles.calls_for(action)}" for action in Action)
    text = f"{mode.value}; Campaign calls: {calls}, unchanged 0"
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
