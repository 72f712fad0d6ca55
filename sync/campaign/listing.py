"""Lists of a resource's records, page by page (adobe.md B.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sync.campaign.client import Campaign
from sync.errors import SyncError


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list, and the address of the next one."""

    rows: tuple[Mapping[str, Any], ...]
    next: str | None


class Listing:
    """What `Records` are listed with."""

    _campaign: Campaign

    @property
    def _path(self) -> str:
        raise NotImplementedError

    async def every(self, size: int) -> Page:
        """The first page of all records."""
        return await self.follow(f"{self._path}?_lineCount={size}&_forcePagination=true")

    async def follow(self, link: str) -> Page:
        """A page by its address; `next` links are followed as they are (adobe.md B.4)."""
        answer = await self._campaign.get(link)
        content = answer.get("content")
        if not isinstance(content, list) or not all(isinstance(item, dict) for item in content):
            raise SyncError("campaign_garbled", "a list without content")
        told = answer.get("next")
        following = told.get("href") if isinstance(told, dict) else None
        if following is not None and not isinstance(following, str):
            raise SyncError("campaign_garbled", "a next without href")
        if following == link:
            raise SyncError("paging_loop", "the next link is the page itself")
        return Page(tuple(content), following)
