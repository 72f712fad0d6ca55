"""Collection reads: untracked pages, counts, and change tracking (dataverse.md 1).

Choices where the documents are silent: untracked and *full* tracked reads page by primary key and show the newest values,
so a row created behind the cursor, or deleted or edited after its page, is not in the read; whether the delta reports it
depends on where the token is anchored (`Organization.anchor`). *Delta* reads page by version, bounded by the version at
their first page, where their token is anchored too, so they lose nothing. A tracked next link works without the header.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cmp_to_key
from itertools import islice
from typing import Any

from sandbox.dynamics.columns import Row
from sandbox.dynamics.errors import Refused, bad, no_property, silent
from sandbox.dynamics.filters import Predicate, parse, reader
from sandbox.dynamics.links import (
    Cookie,
    checksum,
    delta_token,
    expired,
    invalid,
    parse_delta_token,
    parse_skip_token,
    skip_token,
)
from sandbox.dynamics.organization import Organization
from sandbox.dynamics.projection import Projection
from sandbox.dynamics.query import Call
from sandbox.dynamics.store import TableRows
from sandbox.wire import Response

COUNT_CAP = 5000
JSON = "application/json; odata.metadata=minimal"


class Reading:
    """Answers GET on a set."""

    def __init__(self, organization: Organization) -> None:
        self._org = organization
        self.repeat = False
        """The fault `repeat_page`: the next link leads to the same page again."""
        self._projections: dict[tuple[str, int, str | None, tuple[str, ...]], Projection] = {}

    def projection(
        self, rows: TableRows, select: str | None, annotations: tuple[str, ...] = ()
    ) -> Projection:
        """The compiled `$select`."""
        known = (rows.table.name, rows.table.generation, select, annotations)
        found = self._projections.get(known)
        if found is None:
            found = Projection(rows.table, select, annotations, self._org.name_of)
            if len(self._projections) > 500:
                self._projections.clear()
            self._projections[known] = found
        return found

    def collection(self, rows: TableRows, call: Call) -> tuple[Response, str]:
        """One page, and what kind of read it was: `full`, `delta` or `page`."""
        query, prefer = call.query, call.prefer
        token = query.get("$skiptoken")
        cookie = parse_skip_token(token, self._checksum(rows, call)) if token is not None else None
        if "$deltatoken" in query and cookie is not None:
            raise bad("$deltatoken and $skiptoken cannot be combined.")
        if prefer.track_changes or "$deltatoken" in query or (cookie is not None and cookie.tracking):
            if cookie is not None and not cookie.tracking:
                raise bad("The paging cookie does not belong to a change tracking read.", "0x80041129")
            return self._tracked(rows, call, cookie)
        return self._untracked(rows, call, cookie), "page"

    def count(self, rows: TableRows, call: Call) -> Response:
        """`/$count`: rows (5,000 at most), or with `$deltatoken` changes (dataverse.md 1.1)."""
        options = set(call.query.options)
        if "$deltatoken" in call.query:
            if options != {"$deltatoken"}:
                raise silent("Other options beside $deltatoken on $count")
            self._may_track(rows)
            since, upto = self._since(call), self._org.versions.last
            found = sum(1 for _ in self._delta(rows, Cookie(1, since=since, upto=upto, at=since)))
        else:
            if options - {"$filter"}:
                raise bad("Only $filter is supported on $count.")
            chosen = self._candidates(rows, self._predicate(rows, call), "")
            found = sum(1 for _ in islice(chosen, COUNT_CAP))
        return Response(200, {"content-type": "text/plain"}, b"\xef\xbb\xbf" + str(found).encode())

    def _size(self, call: Call) -> int:
        return min(call.prefer.max_page or self._org.options.max_page, self._org.options.max_page)

    def _checksum(self, rows: TableRows, call: Call) -> int:
        return checksum(rows.table.entity_set, call.query.kept)

    def _link(self, rows: TableRows, call: Call, option: str) -> str:
        kept = f"{call.query.kept}&" if call.query.kept else ""
        return f"{call.root}/{rows.table.entity_set}?{kept}{option}"

    def _applied(self, call: Call, *names: str) -> dict[str, str]:
        sent = call.prefer.sent
        applied = ",".join(sent[name] for name in names if name in sent)
        return {"content-type": JSON, **({"preference-applied": applied} if applied else {})}

    # Change tracking.

    def _may_track(self, rows: TableRows) -> None:
        if not rows.table.change_tracking:
            raise Refused(400, "0x80072491", f"Entity {rows.table.name} isn't enabled for change tracking.")
        self._org.require("Read", rows)

    def _tracked(self, rows: TableRows, call: Call, cookie: Cookie | None) -> tuple[Response, str]:
        for name in ("$filter", "$orderby", "$expand", "$top", "$count"):
            if name in call.query:
                raise bad(
                    f'The "${{{name[1:]}}}" query parameter isn\'t supported when Change Tracking is enabled.'
                )
        self._may_track(rows)
        # Annotations are not documented for tracked reads: the preference is ignored, and not echoed.
        projection = self.projection(rows, call.query.get("$select"))
        if cookie is None:
            since = self._since(call) if "$deltatoken" in call.query else 0
            cookie = Cookie(
                1, tracking=True, since=since, at=since, upto=self._org.versions.last,
                options=self._checksum(rows, call),
            )  # fmt: skip
        elif cookie.since and cookie.since < self._org.token_floor:
            raise expired()
        size = self._size(call)
        if cookie.since:
            values, following = self._delta_page(rows, call, cookie, size, projection)
        else:
            values, following = self._full_page(rows, cookie, size, projection)
        if self.repeat:
            following = replace(cookie, page=cookie.page + 1)
        if following is not None:
            mark, link = "nextLink", self._link(rows, call, f"$skiptoken={skip_token(following)}")
        else:
            whole = not cookie.since and self._org.anchor == "last"
            version = self._org.versions.last if whole else cookie.upto
            mark, link = (
                "deltaLink",
                self._link(rows, call, f"$deltatoken={delta_token(version, self._org.now())}"),
            )
        context = f"{call.root}/$metadata#{rows.table.entity_set}{projection.context}{'/$delta' if cookie.since else ''}"
        body = _page(f'{{"@odata.context":"{context}","@odata.{mark}":{_quoted(link)}', values)
        headers = self._applied(call, "odata.track-changes", "odata.maxpagesize")
        return Response(200, headers, body), "delta" if cookie.since else "full"

    def _since(self, call: Call) -> int:
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

    def _delta(self, rows: TableRows, cookie: Cookie) -> Iterator[tuple[int, str, Row | None]]:
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
        found = list(islice(self._delta(rows, cookie), size + 1))
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

    # Untracked reads.

    def _untracked(self, rows: TableRows, call: Call, cookie: Cookie | None) -> Response:
        query = call.query
        if "$expand" in query:
            raise silent("$expand")
        depth = self._org.depth("Read", rows)
        annotations = call.prefer.annotations
        projection = self.projection(rows, query.get("$select"), annotations)
        predicate = self._predicate(rows, call)
        if depth != "Global":
            predicate = _narrowed(predicate, self._org.own)
        top = _whole(query.get("$top"), "$top")
        size = self._size(call) if top is None else min(top, self._org.options.max_page)
        last = cookie.last if cookie is not None else ""
        order = query.get("$orderby")
        chosen = (
            self._candidates(rows, predicate, last)
            if order is None
            else self._ordered(rows, predicate, order, last)
        )
        page = list(islice(chosen, size + 1))
        values = [projection.encode(row) for row in page[:size]]
        head = f'{{"@odata.context":"{call.root}/$metadata#{rows.table.entity_set}{projection.context}"'
        if "$count" in query:
            if query.get("$count") not in ("true", "false"):
                raise bad("Invalid value for $count; expected true or false.")
            if query.get("$count") == "true":
                everything = self._candidates(rows, predicate, "")
                head += f',"@odata.count":{sum(1 for _ in islice(everything, COUNT_CAP))}'
        tail = ""
        if (len(page) > size and top is None) or self.repeat:
            number = cookie.page + 1 if cookie is not None else 2
            at = last if self.repeat else page[size - 1][rows.table.key]
            following = Cookie(number, at, options=self._checksum(rows, call))
            tail = (
                f',"@odata.nextLink":{_quoted(self._link(rows, call, f"$skiptoken={skip_token(following)}"))}'
            )
        return Response(
            200,
            self._applied(call, "odata.maxpagesize", "odata.include-annotations"),
            _page(head, values, tail),
        )

    def _predicate(self, rows: TableRows, call: Call) -> Predicate | None:
        text = call.query.get("$filter")
        return None if text is None else parse(text, rows.table.columns, rows.table.name, rows.table.key)

    def _candidates(self, rows: TableRows, predicate: Predicate | None, last: str) -> Iterator[Row]:
        """Matching rows behind `last` in id order, looking at as few as the filter allows."""
        table = rows.rows
        if predicate is None:
            return (table[row_id] for row_id in rows.ids_after(last))
        ids: list[str] | None = None
        if predicate.ids is not None:
            ids = sorted(row_id for row_id in predicate.ids if row_id in table)
        elif predicate.since is not None:
            ids = rows.modified_since(predicate.since)
        test = predicate.test
        some = rows.ids_after(last) if ids is None else (row_id for row_id in ids if row_id > last)
        return (row for row_id in some if test(row := table[row_id]))

    def _ordered(self, rows: TableRows, predicate: Predicate | None, order: str, last: str) -> Iterator[Row]:
        """Matching rows in `$orderby` order, ties by id, behind `last`."""
        chosen = sorted(self._candidates(rows, predicate, ""), key=cmp_to_key(_order(rows, order)))
        if not last:
            return iter(chosen)
        key = rows.table.key
        at = next((index for index, row in enumerate(chosen) if row[key] == last), None)
        if at is None:
            raise bad("The paging cookie points to a row that is gone; ordered paging is not covered then.")
        return iter(chosen[at + 1 :])


def _order(rows: TableRows, order: str) -> Callable[[Row, Row], int]:
    """Comparison for `$orderby`; null sorts first, as in the database."""
    terms: list[tuple[Callable[[Row], Any], int]] = []
    for part in order.split(","):
        name, _, direction = part.strip().partition(" ")
        direction = direction.strip() or "asc"
        if name not in rows.table.columns:
            raise no_property(name, rows.table.name)
        if direction not in ("asc", "desc"):
            raise bad(f"Syntax error in '$orderby' near '{direction[:20]}'.")
        terms.append((reader(rows.table.columns[name]), 1 if direction == "asc" else -1))
    terms.append((reader(rows.table.columns[rows.table.key]), 1))

    def compare(left: Row, right: Row) -> int:
        for read, sign in terms:
            one, other = read(left), read(right)
            if one != other:
                smaller = one is None or (other is not None and one < other)
                return -sign if smaller else sign
        return 0

    return compare


def _narrowed(predicate: Predicate | None, own: Callable[[Row], bool]) -> Predicate:
    if predicate is None:
        return Predicate(own)
    test = predicate.test
    return Predicate(lambda row: own(row) and test(row), predicate.ids, predicate.since)


def _whole(text: str | None, name: str) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise bad(f"Invalid value '{text[:20]}' for {name} query option found.")
    return int(text)


def _quoted(link: str) -> str:
    escaped = link.replace('"', '\\"')
    return f'"{escaped}"'


def _page(head: str, values: list[str], tail: str = "") -> bytes:
    return f'{head},"value":[{",".join(values)}]{tail}}}'.encode()
