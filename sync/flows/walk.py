"""walk: how far work has come along a list that one of the systems gives page by page."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict

from sync.errors import SyncError
from sync.planning.cycle import next_mark


class Walk(BaseModel):
    """Before the page at `link` ("" for the first), after `pages` of them; `mark` notices a circle."""

    model_config = ConfigDict(frozen=True)
    link: str = ""
    mark: str = ""
    pages: int = 0

    def on(self, link: str) -> Self:
        """One page further; raises SyncError `paging_loop`."""
        pages = self.pages + 1
        mark = next_mark(self.mark, pages, link)
        if mark is None:
            raise SyncError("paging_loop", "a next link came again")
        return self.model_copy(update={"link": link, "mark": mark, "pages": pages})


class Anywhere(Walk):
    """A walk with whatever else a verb knows of its place."""

    model_config = ConfigDict(frozen=True, extra="allow")


def over(place: str) -> str:
    """A job's place (JSON) at the first page of its list; a place in anything else stays."""
    return (
        Anywhere.model_validate_json(place or "{}").model_copy(update=Walk().model_dump()).model_dump_json()
    )
