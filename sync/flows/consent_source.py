"""Where profiles changed in Campaign are found: by a filter, by walking newest first, or in export files."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from sync.campaign.profiles import Profiles
from sync.campaign.records import Spend
from sync.errors import SyncError
from sync.model import Row
from sync.planning.consent_plan import seconds


class Source(enum.StrEnum):
    """In the order of preference."""

    FILTER = "filter"
    """The published filter byLastModified."""
    ORDER = "order"
    """`_order=lastModified desc`, down to the last look."""
    EXPORT = "export"
    """Export files in the container of log exports."""


async def find_source(profiles: Profiles, spend: Spend, *, exports: bool) -> Source:
    """Ask Campaign, in two or three calls; raises SyncError `consents_not_found` where none of the three is there."""
    if await profiles.filters_by_time(spend):
        return Source.FILTER
    rows = await profiles.newest(spend)
    if rows is not None and newest_first(rows):
        return Source.ORDER
    if exports:
        return Source.EXPORT
    raise SyncError("consents_not_found", "no filter byLastModified, no order by time, no export files")


def newest_first(rows: Sequence[Row]) -> bool:
    """Whether a page is in the order that was asked for: an instance that ignores it would end a walk too early."""
    times = [at for row in rows if (at := seconds(str(row.get("lastModified") or ""))) is not None]
    return times == sorted(times, reverse=True)
