"""Collection reads: tracked ones go to `tracking`, here are untracked pages and counts. Pages follow the primary key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cmp_to_key
from itertools import islice
from typing import Any

from sandbox.dynamics.columns import Row
from sandbox.dynamics.errors import bad, no_property, silent
from sandbox.dynamics.filters import Predicate, parse, reader
from sandbox.dynamics.links import Cookie, parse_skip_token, skip_token
from sandbox.dynamics.pages import Pages, page, quoted
from sandbox.dynamics.query import Call
from sandbox.dynamics.store import TableRows
from sandbox.dynamics.tracking import Tracking
from sandbox.wire import Response

COUNT_CAP = 5000


class Reading:
    """Answers GET on a set."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._tracking = Tracking(pages)
        self._org = pages.organization

    def collection(self, rows: TableRows, call: Call) -> tuple[Response, str]:
        """One page, and what kind of read it was: `full`, `delta` or `page`."""
        query, prefer = call.query, call.prefer
        token = query.get("$skiptoken")
        cookie = parse_skip_token(token, self._pages.checksum(rows, call)) if token is not None else None
        if "$deltatoken" in query and cookie is not None:
            raise bad("$deltatoken and $skiptoken cannot be combined.")
        if prefer.track_changes or "$deltatoken" in query or (cookie is not None and cookie.tracking):
            if cookie is not None and not cookie.tracking:
                raise bad("The paging cookie does not belong to a change tracking read.", "0x80041129")
            return self._tracking.read(rows, call, cookie)
        return self._untracked(rows, call, cookie), "page"

    def count(self, rows: TableRows, call: Call) -> Response:
        """`/$count`: rows (5,000 at most), or with `$deltatoken` changes (dataverse.md 1.1)."""
        options = set(call.query.options)
        if "$deltatoken" in call.query:
            if options != {"$deltatoken"}:
                raise silent("Other options beside $deltatoken on $count")
            self._tracking.allow(rows)
            since, upto = self._tracking.since(call), self._org.versions.last
            found = sum(1 for _ in self._tracking.delta(rows, Cookie(1, since=since, upto=upto, at=since)))
        else:
            if options - {"$filter"}:
                raise bad("Only $filter is supported on $count.")
            chosen = self._candidates(rows, self._predicate(rows, call), "")
            found = sum(1 for _ in islice(chosen, COUNT_CAP))
        return Response(200, {"content-type": "text/plain"}, b"\xef\xbb\xbf" + str(found).encode())

    def _untracked(self, rows: TableRows, call: Call, cookie: Cookie | None) -> Response:
        query = call.query
        if "$expand" in query:
            raise silent("$expand")
        depth = self._org.depth("Read", rows)
        annotations = call.prefer.annotations
        projection = self._pages.projection(rows, query.get("$select"), annotations)
        predicate = self._predicate(rows, call)
        if depth != "Global":
            predicate = _narrowed(predicate, self._org.own)
        top = _whole(query.get("$top"), "$top")
        size = self._pages.size(call) if top is None else min(top, self._org.options.max_page)
        last = cookie.last if cookie is not None else ""
        order = query.get("$orderby")
        chosen = (
            self._candidates(rows, predicate, last)
            if order is None
            else self._ordered(rows, predicate, order, last)
        )
        found = list(islice(chosen, size + 1))
        values = [projection.encode(row) for row in found[:size]]
        head = f'{{"@odata.context":"{call.root}/$metadata#{rows.table.entity_set}{projection.context}"'
        if "$count" in query:
            if query.get("$count") not in ("true", "false"):
                raise bad("Invalid value for $count; expected true or false.")
            if query.get("$count") == "true":
                everything = self._candidates(rows, predicate, "")
                head += f',"@odata.count":{sum(1 for _ in islice(everything, COUNT_CAP))}'
        tail = ""
        following = None
        if self._pages.repeat:
            start = cookie or Cookie(1, options=self._pages.checksum(rows, call))
            following = self._pages.again(start, cookie is None)
        elif len(found) > size and top is None:
            number = cookie.page + 1 if cookie is not None else 2
            following = Cookie(
                number, found[size - 1][rows.table.key], options=self._pages.checksum(rows, call)
            )
        if following is not None:
            tail = f',"@odata.nextLink":{quoted(self._pages.link(rows, call, f"$skiptoken={skip_token(following)}"))}'
        return Response(
            200,
            self._pages.applied(call, "odata.maxpagesize", "odata.include-annotations"),
            page(head, values, tail),
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
