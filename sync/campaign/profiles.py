"""The resource `profile`, and what only profiles are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync.campaign.client import escaped
from sync.campaign.dialect import Dialect
from sync.campaign.listing import Page
from sync.campaign.metadata import LINKED
from sync.campaign.records import NOT_THERE, Addressing, Records, Spend
from sync.errors import SyncError
from sync.http import Http

RESOURCE = "profile"
SAMPLE = 50


class Profiles(Records):
    """Profiles by `externalId`, in the family that shows extended fields too."""

    def __init__(
        self,
        http: Http,
        *,
        url: str,
        api_key: str,
        addressing: Addressing = Addressing.KEY,
        delete_by_key: bool = False,
        dialect: Dialect | None = Dialect.STANDARD,
    ) -> None:
        super().__init__(
            http,
            url=url,
            api_key=api_key,
            resource=RESOURCE,
            family=LINKED,
            addressing=addressing,
            delete_by_key=delete_by_key,
            dialect=dialect,
        )
        self._time_filter = ""

    async def changed(self, since: str, size: int, *, filtered: bool) -> Page:
        """The first page of the profiles changed lately.

        `filtered`: by the published filter on lastModified, from `since` on; else newest first, without an end.
        """
        if filtered:
            name = self._time_filter or self.dialect.filters("lastModified")[0]
            query = f"/{name}?lastModified_parameter={escaped(since)}&"
        else:
            query = "?_order=lastModified%20desc&"
        return await self.follow(f"{self._path}{query}_lineCount={size}&_forcePagination=true")

    async def newest(self, spend: Spend) -> tuple[Mapping[str, Any], ...] | None:
        """The profiles changed last, or None where Campaign refuses the order; `spend` is awaited before the call."""
        await spend()
        try:
            return (await self.changed("", SAMPLE, filtered=False)).rows
        except SyncError as error:
            if error.code not in NOT_THERE or error.detail.startswith("gateway"):
                raise
            return None

    async def filters_by_time(self, spend: Spend) -> bool:
        """Whether a filter on lastModified is published; `spend` is awaited before each of two calls."""
        told = await self.describe(spend)
        if not told.filters:
            return False
        await spend()
        published = await self._campaign.get(told.filters)
        names = [name for name in self.dialect.filters("lastModified") if name in published]
        self._time_filter = names[0] if names else ""
        return bool(names)
