"""Reads and single writes of the Dataverse Web API. Links travel byte for byte; every method raises SyncError only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sync.dynamics.changes import any_of, condition, page_of, quoted, selection
from sync.dynamics.errors import error_from
from sync.errors import SyncError
from sync.http import Answer, Http
from sync.model import SourcePage, SourceRow, to_iso

API = "/api/data/v9.2/"
IDS_PER_READ = 50
MOST_ROWS = 5000
"""Largest page that Dataverse gives (dataverse.md 1.3)."""
ORGANIZATION_S = 60.0
_HEADERS = {"Accept": "application/json", "OData-Version": "4.0", "OData-MaxVersion": "4.0"}


class Dynamics:
    """One environment. `http` must know the site `dynamics`."""

    def __init__(self, http: Http, *, url: str, page_size: int = 1000) -> None:
        self._site = http.site("dynamics")
        self._clock = http.clock
        self.base = url.rstrip("/") + API
        self._paged = {**_HEADERS, "Prefer": f"odata.maxpagesize={page_size}"}
        self._tracked = {**_HEADERS, "Prefer": f"odata.track-changes,odata.maxpagesize={page_size}"}
        self._ids_paged = {**_HEADERS, "Prefer": f"odata.maxpagesize={MOST_ROWS}"}
        self._organization = ("", 0.0)
        self.dop_hint: int | None = None
        """`x-ms-dop-hint` as last answered: the parallelism this environment recommends (dataverse.md 3)."""

    async def get(self, url: str, headers: dict[str, str] | None = None, *, link: bool = False) -> Answer:
        """GET a path below the API, or an absolute URL of this environment."""
        if not url.startswith(("https://", "http://")):
            url = self.base + url
        answer = self.heed(await self._site.call("GET", url, headers or _HEADERS))
        if not answer.ok:
            raise error_from(answer, link=link)
        return answer

    def heed(self, answer: Answer) -> Answer:
        """Note what any answer of this environment says about parallelism."""
        hint = answer.headers.get("x-ms-dop-hint", "")
        if hint.isdigit():
            self.dop_hint = int(hint)
        return answer

    async def write(
        self, method: str, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> Answer:
        """POST or PATCH a path below the API; raises SyncError, UnknownOutcome where it may have been applied."""
        sent = {**_HEADERS, "Content-Type": "application/json", **(headers or {})}
        content = json.dumps(body, separators=(",", ":")).encode()
        answer = self.heed(await self._site.call(method, self.base + path, sent, content))
        if not answer.ok:
            raise error_from(answer)
        return answer

    async def organization_id(self, *, fresh: bool = False) -> str:
        """The id of the environment behind the URL, asked at most once a minute unless `fresh`."""
        known, until = self._organization
        if fresh or not known or self._clock.now() >= until:
            answer = await self.get("WhoAmI")
            known = str(answer.json().get("OrganizationId", "")).lower()
            if not known:
                raise answer.lost("no OrganizationId")
            self._organization = (known, self._clock.now() + ORGANIZATION_S)
        return known

    async def prove_global_read(self, entity_set: str, key_column: str) -> None:
        """Raise `dynamics_forbidden` unless all rows may be read.

        With less than organization-wide read an untracked list merely leaves rows out, which looks like a delete; a
        tracked read is refused (dataverse.md 1.4). A row is called absent only if this passes after it was not found.
        """
        headers = {**_HEADERS, "Prefer": "odata.track-changes,odata.maxpagesize=1"}
        await self.get(f"{entity_set}?{selection(key_column, ())}", headers)

    async def start_tracking(self, entity_set: str, key_column: str, columns: Sequence[str]) -> SourcePage:
        """The first page of a full read that ends with a delta link (dataverse.md 1.1)."""
        return await self._page(f"{entity_set}?{selection(key_column, columns)}", key_column, self._tracked)

    async def follow(self, link: str, entity_set: str, key_column: str) -> SourcePage:
        """The page behind a delta or next link; raises `delta_expired` where it is no longer accepted."""
        if not self._site.owns(link):
            raise SyncError("foreign_link", f"the link of {entity_set} is of another origin")
        return await self._page(link, key_column, self._paged, link=True)

    async def modified_since(
        self, entity_set: str, key_column: str, columns: Sequence[str], since: float
    ) -> SourcePage:
        """The first page of what was modified at or after `since`, untracked: no deletes, no delta link."""
        stamp = to_iso(since)[:19] + "Z"
        query = f"{selection(key_column, columns)}&{condition(f'modifiedon ge {stamp}')}"
        return await self._page(f"{entity_set}?{query}", key_column, self._paged)

    async def every(self, entity_set: str, key_column: str, columns: Sequence[str]) -> SourcePage:
        """The first page of all rows, untracked."""
        return await self._page(f"{entity_set}?{selection(key_column, columns)}", key_column, self._paged)

    async def list_ids(self, entity_set: str, key_column: str) -> SourcePage:
        """The first page of all ids, untracked."""
        return await self._page(f"{entity_set}?{selection(key_column, ())}", key_column, self._ids_paged)

    async def list_matching(self, entity_set: str, key_column: str, wanted: str) -> SourcePage:
        """The first page of the ids of rows that meet an OData condition, untracked.

        Raises `unknown_column`, and `dynamics_refused` for a condition that Dynamics does not understand.
        """
        query = f"{selection(key_column, ())}&{condition(wanted)}"
        return await self._page(f"{entity_set}?{query}", key_column, self._ids_paged)

    async def having(
        self, entity_set: str, key_column: str, column: str, values: Sequence[str]
    ) -> list[SourceRow]:
        """The rows whose text column has one of some values, as Dynamics compares texts (case does not count)."""
        wanted = " or ".join(f"{column} eq {quoted(value)}" for value in values)
        query = f"{selection(key_column, (column,))}&{condition(wanted)}"
        page = await self._page(f"{entity_set}?{query}", key_column, self._paged)
        rows = list(page.rows)
        while page.next_link is not None:
            page = await self.follow(page.next_link, entity_set, key_column)
            rows += page.rows
        return rows

    async def read(
        self, entity_set: str, key_column: str, columns: Sequence[str], ids: Sequence[str]
    ) -> dict[str, SourceRow]:
        """The rows of up to 50 ids as they are now, in one request; an id that does not exist is absent."""
        if len(ids) > IDS_PER_READ:
            raise ValueError(f"{len(ids)} ids in one read")
        if not ids:
            return {}
        wanted = condition(" or ".join(any_of(key_column, ids)))
        page = await self._page(
            f"{entity_set}?{selection(key_column, columns)}&{wanted}", key_column, _HEADERS
        )
        rows = {row.record_id: row for row in page.rows}
        followed: set[str] = set()
        while page.next_link is not None:
            if page.next_link in followed:
                raise SyncError("paging_loop", "a next link came twice")
            followed.add(page.next_link)
            page = await self.follow(page.next_link, entity_set, key_column)
            rows.update((row.record_id, row) for row in page.rows)
        return rows

    async def update(self, entity_set: str, record_id: str, body: Mapping[str, Any], version: int) -> None:
        """PATCH a row if it still has the version that was read (dataverse.md 2.1).

        Raises `dynamics_conflict` if it has not, `dynamics_not_found`, UnknownOutcome.
        """
        (term,) = any_of("id", [record_id])
        url = f"{self.base}{entity_set}({term.removeprefix('id eq ')})"
        headers = {**_HEADERS, "Content-Type": "application/json", "If-Match": f'W/"{version}"'}
        answer = self.heed(await self._site.call("PATCH", url, headers, json.dumps(body).encode()))
        if not answer.ok:
            raise error_from(answer)

    async def _page(
        self, url: str, key_column: str, headers: dict[str, str], *, link: bool = False
    ) -> SourcePage:
        answer = await self.get(url, headers, link=link)
        return page_of(answer.json(), key_column, url)
