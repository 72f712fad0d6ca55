"""Consent: how each column is read, how changes in Campaign are found, and the right to write contacts."""

from __future__ import annotations

from collections.abc import Mapping

from sync.campaign.metadata import FieldInfo
from sync.campaign.profiles import Profiles
from sync.campaign.records import free
from sync.cli.checks.finding import Finding, bad, good, of_error, skipped, warn
from sync.consent_row import Side
from sync.dynamics.metadata import ColumnInfo, Metadata
from sync.errors import SyncError
from sync.flows.consent_source import Source, find_source
from sync.planning.consent import Direction
from sync.planning.consent_map import ConsentMap
from sync.planning.consent_pairs import ConsentUnusable, SourceColumn, resolve

AREA = "Consent"
CHOOSE = "Choose a direction in mappings/consent.yaml before the first load (docs/consent.md), and deploy it."
FIX = "Correct mappings/consent.yaml (docs/consent.md) and deploy it."


def check_map(
    consent: ConsentMap | None, columns: Mapping[str, ColumnInfo], fields: Mapping[str, FieldInfo]
) -> list[Finding]:
    """How the map reads both systems' metadata, a sentence a field; a side that could not be read is not judged."""
    if consent is None:
        return [good(AREA, "direction", "there is no map: opt-outs are not carried")]
    if consent.flows is Direction.OFF:
        text = "off: opt-outs are not carried, and contacts that opted out in Dynamics are created reachable"
        return [warn(AREA, "direction", text, CHOOSE)]
    found = [good(AREA, "direction", f"{consent.direction}, policy {consent.policy}")]
    if not columns or not fields:
        return [*found, skipped(AREA, "fields", "one of the two systems could not be read")]
    try:
        consents = resolve(
            consent,
            {name: SourceColumn(column.type, column.options) for name, column in columns.items()},
            {path: field.type for path, field in fields.items()},
        )
    except ConsentUnusable as error:
        return found + [bad(AREA, "fields", problem, FIX, "consent_unusable") for problem in error.problems]
    found += [good(AREA, pair.column, pair.sentence) for pair in consents.pairs]
    fix = "Ask Adobe why the field has none; opt-ins made in Campaign still arrive."
    return found + [warn(AREA, "times", warning, fix) for warning in consents.warnings]


def wrong_mapping(consent: ConsentMap) -> Finding:
    """There is no such mapping, or it does not write profiles."""
    text = f"there is no usable mapping {consent.consent} that writes profiles"
    return bad(AREA, "mapping", text, FIX, "consent_unusable")


async def check_flow(
    consent: ConsentMap | None, profiles: Profiles, metadata: Metadata, table: str, *, exports: bool
) -> list[Finding]:
    """How changes in Campaign are found, with what latency, and whether contacts may be written. Reads only."""
    if consent is None or consent.flows is Direction.OFF:
        return []
    found = [await _finding(profiles, exports=exports)]
    if consent.flows.permits(Side.DYNAMICS):
        found.append(await _write(metadata, table))
    return found


async def _finding(profiles: Profiles, *, exports: bool) -> Finding:
    try:
        source = await find_source(profiles, free, exports=exports)
    except SyncError as error:
        return of_error(AREA, "changes in Campaign", error)
    if source is Source.EXPORT:
        return warn(AREA, "changes in Campaign", FOUND[source], "Publish the filter (docs/consent.md).")
    return good(AREA, "changes in Campaign", FOUND[source])


FOUND = {
    Source.FILTER: "by the filter byLastModified, every minute: an opt-out is in Dynamics within about 1½ minutes",
    Source.ORDER: "by walking the profiles newest first, every minute, 200 a call: an opt-out is in Dynamics within "
    "about 1½ minutes; a full load adds a call for each 200 profiles written in the last 6 minutes",
    Source.EXPORT: "from export files: an opt-out is in Dynamics about 2 minutes after Campaign's workflow wrote it",
}


async def _write(metadata: Metadata, table: str) -> Finding:
    name = f"write {table}"
    try:
        held = {privilege.lower(): depth for privilege, depth in (await metadata.privileges()).items()}
    except SyncError as error:
        return of_error(AREA, name, error)
    depth = held.get(f"prvwrite{table}")
    if depth == "Global":
        return good(AREA, name, "at organization level")
    what = f"the role writes at level {depth} only" if depth else "the role has no write privilege"
    return bad(
        AREA,
        name,
        f"{what}: opt-outs made in Campaign cannot be carried to every contact",
        "Give the application user's role Write on the table at organization level, or set `direction: to_campaign`.",
        "dynamics_forbidden",
    )
