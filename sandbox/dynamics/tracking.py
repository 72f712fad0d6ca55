"""Change tracking: full reads, deltas, their tokens (dataverse.md 1).

Choices where the documents are silent: *full* reads page by primary key and show the newest values,
so a row created behind the cursor, or deleted or edited after its page, is not in the read; whether the delta reports it
depends on where the token is anchored (`Organization.anchor`). *Delta* reads page by version, bounded by the version at
their first page, where their token is anchored too, so they lose nothing. A tracked next link works without the header.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from sandbox.dynamics.columns import Row
from sandbox.dynamics.errors import Refused, bad
from sandbox.dynamics.links import Cookie, delta_token, expired, invalid, parse_delta_token, skip_token
from sandbox.dynamics.pages import Pages, page, quoted
from sandbox.dynamics.projection import Projection
from sandbox.dynamics.query import Call
from sandbox.dynamics.store import TableRows
from sandbox.wire import Response


class Tracking:
    """Answers tracked reads."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._org = pages.organization

    def allow(self, rows: TableRows) -> None:
        """Refuses a table without change tracking, and a user without Global read."""
        if not rows.table.change_tracking:
            raise Refused(400, "0x80072491", f"Entity {rows.table.name} isn't enabled for change tracking.")
        self._org.require("Read", rows)

    def read(self, rows: TableRows, call: Call, cookie: Cookie | None) -> tuple[Response, str]:
        """One page of a `full` or a `delta` read."""
        for name in ("$filter", "$orderby", "$expand", "$top", "$count"):
            if name in call.query:
                raise bad(
                    f'The "${{{name[1:]}}}" query parameter isn\'t supported when Change Tracking is enabled.'
                )
        self.allow(rows)
        # Annotations are not documented for tracked reads: the preference is ignored, and not echoed.
        projection = self._pages.projection(rows, call.query.get("$select"))
        first = cookie is None
        if cookie is None:
            since = self.since(call) if "$deltatoken" in call.query else 0
            cookie = Cookie(
                1, tracking=True, since=since, at=since, upto=self._org.versions.last,
                options=self._pages.checksum(rows, call),
            )  # fmt: skip
        elif cookie.since and cookie.since < self._org.token_floor:
            raise expired()
        size = self._pages.size(call)
        if cookie.since:
            values, following = self._delta_page(rows, call, cookie, size, projection)
        else:
            values, following = self._full_page(rows, cookie, size, projection)
        if self._pages.repeat:
            following = self._pages.again(cookie, first)
        if following is not None:
            mark, link = "nextLink", self._pages.link(rows, call, f"$skiptoken={skip_token(following)}")
        else:
            whole = not cookie.since and self._org.anchor == "last"
            version = self._org.versions.last if whole else cookie.upto
            mark, link = (
                "deltaLink",
                self._pages.link(rows, call, f"$deltatoken={delta_token(version, self._org.now())}"),
            )
        context = f"{call.root}/$metadata#{rows.table.entity_set}{projection.context}{'/$delta' if cookie.since else ''}"
        body = page(f'{{"@odata.context":"{context}","@odata.{mark}":{quoted(link)}', values)
        headers = self._pages.applied(call, "odata.track-changes", "odata.maxpagesize")
        return Response(200, headers, body), "delta" if cookie.since else "full"

    def since(self, call: Call) -> int:
        """The version of a `$deltatoken` that is still good."""
        version, issued = parse_delta_token(call.query.get("$deltatoken") or "")
        organization = self._org
        if version > organization.versions.last:
            raise invalid()
        days = organization.tables["organization"].rows[organization.id]["expirechangetrackingindays"]
        if version < organization.token_floor or organization.now() - issued > days * 86400:
            raise expired()
        return version

    def _full_page(
        self, rows: TableRows, cookie: Cookie, size: int, projection: Projection
    ) -> tuple[list[str], Cookie | None]:
        ids = list(islice(rows.ids_after(cookie.last), size + 1))
        values = [projection.encode(rows.rows[row_id]) for row_id in ids[:size]]
        if len(ids) <= size:
            return values, None
        following = Cookie(cookie.page + 1, ids[size - 1], True, 0, cookie.upto, 0, "rows", cookie.options)
        return values, following

    def delta(self, rows: TableRows, cookie: Cookie) -> Iterator[tuple[int, str, Row | None]]:
        """(version, id, row or None for a deletion) from where the cookie stands: rows first, then deletions."""
        key = rows.table.key
        if cookie.phase == "rows":
            for row in rows.changed(cookie.at, cookie.upto):
                yield row["versionnumber"], row[key], row
        start = cookie.at if cookie.phase == "deletes" else cookie.since
        for version, row_id in rows.removed(start, cookie.upto):
            if self._org.recreated == "both" or row_id not in rows.rows:
                yield version, row_id, None

    def _delta_page(
        self, rows: TableRows, call: Call, cookie: Cookie, size: int, projection: Projection
    ) -> tuple[list[str], Cookie | None]:
        found = list(islice(self.delta(rows, cookie), size + 1))
        start = f'{{"@odata.context":"{call.root}/$metadata#{rows.table.entity_set}/$deletedEntity","id":"'
        values = [
            f'{start}{row_id}","reason":"deleted"}}' if row is None else projection.encode(row)
            for _, row_id, row in found[:size]
        ]
        if len(found) <= size:
            return values, None
        version, row_id, row = found[size - 1]
        phase = "rows" if row is not None else "deletes"
        following = Cookie(
            cookie.page + 1, row_id, True, cookie.since, cookie.upto, version, phase, cookie.options
        )
        return values, following
