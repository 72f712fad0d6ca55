"""Dynamics: credentials, the recorded environment, roles, change tracking, life of delta links, number of records."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from sync.cli.checks.finding import Finding, bad, good, of_error, skipped, warn
from sync.dynamics.client import Dynamics
from sync.dynamics.metadata import ColumnInfo, Metadata, TableInfo
from sync.errors import SyncError
from sync.planning.mapping import Mapping
from sync.storage.watermarks import Progress

AREA = "Dynamics"
SHORT_DAYS = 3
_NAMES = {"standard": "Campaign Standard", "v8": "Campaign v8"}
COUNT_CAP = 5000
"""`/$count` never says more (dataverse.md 1.1)."""


@dataclass(frozen=True, slots=True)
class RecordCount:
    """How many records a table has; `capped`: at least so many."""

    records: int
    capped: bool


async def check_credentials(dynamics: Dynamics) -> tuple[Finding, str]:
    """WhoAmI: the finding and the organization id, empty if there is none."""
    try:
        organization = await dynamics.organization_id()
    except SyncError as error:
        return of_error(AREA, "credentials", error), ""
    return good(AREA, "credentials", f"organization {organization} answers"), organization


def check_environment(
    mapping: str, progress: Progress, organization: str, campaign: str, dialect: str = ""
) -> Finding:
    """Whether the settings name the environment that the mapping was first read from and sent to."""
    if not progress.organization:
        return good(AREA, f"environment of {mapping}", "none recorded yet: the first pull records this one")
    other = []
    if progress.organization != organization:
        other.append(f"Dynamics organization {progress.organization}, not {organization}")
    if progress.campaign != campaign:
        other.append(f"Campaign tenant {progress.campaign}, not {campaign}")
    if progress.dialect and dialect and progress.dialect != dialect:
        other.append(f"{_NAMES[progress.dialect]}, not {_NAMES[dialect]}")
    if not other:
        return good(AREA, f"environment of {mapping}", "is the recorded one")
    return bad(
        AREA,
        f"environment of {mapping}",
        f"this sync was set up for {' and '.join(other)}",
        "Correct the settings; if the new environment is meant, run `python -m sync rebaseline`.",
        "environment_changed",
    )


async def check_token_days(metadata: Metadata) -> Finding:
    """ExpireChangeTrackingInDays: how long the sync may stand still without a full read."""
    try:
        days = await metadata.token_days()
    except SyncError as error:
        return of_error(AREA, "delta link life", error)
    if days >= SHORT_DAYS:
        return good(AREA, "delta link life", f"{days} days")
    return warn(
        AREA,
        "delta link life",
        f"{days} day(s): a sync that stands still for longer must read everything again",
        "Set ExpireChangeTrackingInDays of the organization to 7 or more.",
    )


@dataclass(frozen=True, slots=True)
class Source:
    """A mapping's table as Dynamics describes it; None and empty where that could not be read."""

    findings: list[Finding]
    table: TableInfo | None = None
    columns: dict[str, ColumnInfo] = field(default_factory=dict)


async def check_table(metadata: Metadata, mapping: Mapping) -> Source:
    """Table name, change tracking, and the columns."""
    name = f"table {mapping.source.table}"
    try:
        table = await metadata.table(mapping.source.table)
    except SyncError as error:
        return Source([of_error(AREA, name, error)])
    found = [good(AREA, name, f"set {table.entity_set}, key {table.key_column}")]
    for what, told, mapped in (
        ("entity set", table.entity_set, mapping.source.entity_set),
        ("key", table.key_column, mapping.source.key),
    ):
        if mapped is not None and told != mapped:
            fix = f"Write {told} in the mapping's source, or leave it out."
            found[0] = bad(
                AREA, name, f"the {what} is {told}, the mapping says {mapped}", fix, "unknown_table"
            )
    if table.change_tracking:
        found.append(good(AREA, f"change tracking of {mapping.source.table}", "is on"))
    else:
        off = of_error(AREA, f"change tracking of {mapping.source.table}", SyncError("change_tracking_off"))
        if not table.can_track:
            off = replace(
                off, fix="Dynamics does not offer change tracking for this table: it cannot be synced."
            )
        found.append(off)
    try:
        return Source(found, table, await metadata.attributes(mapping.source.table))
    except SyncError as error:
        return Source([*found, of_error(AREA, f"columns of {mapping.source.table}", error)], table)


async def check_privileges(
    dynamics: Dynamics, metadata: Metadata, name_of_table: str, table: TableInfo | None
) -> Finding:
    """Read at organization level: less hides records, which then look deleted."""
    name = f"read {name_of_table}"
    try:
        held = {privilege.lower(): depth for privilege, depth in (await metadata.privileges()).items()}
    except SyncError as error:
        if error.code != "dynamics_forbidden" or table is None:
            return of_error(AREA, name, error)
        return await _try_reading(dynamics, table, name)
    depth = held.get(f"prvread{name_of_table}")
    if depth == "Global":
        return good(AREA, name, "at organization level")
    what = f"the role reads at level {depth} only" if depth else "the role has no read privilege"
    return bad(
        AREA,
        name,
        f"{what}: records it hides look deleted",
        "Give the application user the role shipped with the product (read at organization level).",
        "dynamics_forbidden",
    )


async def _try_reading(dynamics: Dynamics, table: TableInfo, name: str) -> Finding:
    """Roles cannot be read: at least see whether records can."""
    try:
        await dynamics.get(f"{table.entity_set}?$select={table.key_column}&$top=1")
    except SyncError as error:
        return of_error(AREA, name, error)
    fix = "Look at the role in the Power Platform admin center: it must read at organization level."
    return warn(AREA, name, "records can be read; at which level is not known", fix)


async def count_records(dynamics: Dynamics, name: str, entity_set: str) -> RecordCount:
    """How many records the first load has; raises SyncError.

    RetrieveTotalRecordCount is Microsoft's daily snapshot without a cap; where it is refused, `/$count`.
    """
    try:
        names = f'["{name}"]'
        path = f"RetrieveTotalRecordCount(EntityNames=@EntityNames)?@EntityNames={names}"
        told = (await dynamics.get(path)).json()["EntityRecordCountCollection"]
        return RecordCount(int(told["Values"][0]), capped=False)
    except (SyncError, KeyError, IndexError, TypeError, ValueError):
        text = (await dynamics.get(f"{entity_set}/$count")).text
    found = re.fullmatch(r"\ufeff?(\d+)", text.strip())
    if found is None:
        raise SyncError("dynamics_garbled", "no count")
    count = int(found[1])
    return RecordCount(count, capped=count >= COUNT_CAP)


def not_reached(names: list[str]) -> list[Finding]:
    """The lines that need credentials."""
    why = "Dynamics cannot be reached (tables, roles, change tracking, mapped columns, number of records)"
    return [skipped(AREA, name, why) for name in names]
