"""Lists: filters, column projection, order, pages and counts (adobe.md B.4)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from urllib.parse import urlencode

from sandbox.campaign import refusal
from sandbox.campaign.options import CampaignOptions
from sandbox.campaign.represent import represent
from sandbox.campaign.route import Route
from sandbox.campaign.schema import Resource, Values
from sandbox.campaign.table import Row, Table, pack
from sandbox.wire import Response, json_response

PAGE = 25
CONTROLS = frozenset({"_lineCount", "_lineStart", "_order", "_forcePagination"})
Test = Callable[[Values], bool]


def custom_filters(resource: Resource, family: str, options: CampaignOptions) -> dict[str, str]:
    """Custom filters a family offers: name in the URL → field; v8 takes the name without `by` (adobe.md D)."""
    if resource.keys:
        fields = resource.keys if options.custom_addressing == "filter" else ()
    elif (family, resource.name) == ("profileAndServicesExt", "profile"):
        fields = ("externalId",) if options.addressing == "filter" else ()
        fields += ("lastModified",) if options.time_filter else ()
    else:
        return {}
    prefix = "by" if options.dialect == "standard" else ""
    return {f"{prefix}{name[:1].upper()}{name[1:]}": name for name in fields}


def published_filters(resource: Resource, family: str, options: CampaignOptions) -> tuple[str, ...]:
    """The filters one endpoint family offers, custom ones last."""
    return (*resource.filters, *custom_filters(resource, family, options))


def is_collection(route: Route, options: CampaignOptions) -> bool:
    """Whether a GET means a list and not one record: no further segment, a filter, a column or `_count`."""
    resource = route.resource
    if resource is None or not route.rest:
        return True
    known = published_filters(resource, route.family, options)
    return route.rest[0] in known or route.rest[0] in resource.by_name or route.rest[0] == "_count"


class Collection:
    """One list request, read and checked; raises Refusal for what is not documented."""

    def __init__(self, route: Route, table: Table, options: CampaignOptions) -> None:
        self.route = route
        self.table = table
        self.options = options
        self.resource = table.resource
        self.query = dict(route.query)
        if len(self.query) != len(route.query):
            raise refusal.invalid("A parameter is given twice.")
        self.counting = bool(route.rest) and route.rest[-1] == "_count"
        steps = route.rest[:-1] if self.counting else route.rest
        known = published_filters(self.resource, route.family, options)
        self.filters = tuple(step for step in steps if step in known)
        columns = [step for step in steps if step not in known]
        self.column = columns[0] if columns else ""
        visible = {field.name for field in self.resource.visible(route.family)}
        if len(columns) > 1 or (columns and (self.filters or self.counting or self.column not in visible)):
            raise refusal.bad_path()
        self._rows = self._select()
        if unused := sorted(set(self.query) - CONTROLS - self._used):
            raise refusal.invalid(f"The parameter '{unused[0]}' is unknown.")

    def answer(self, base: str, now: float) -> Response:
        if self.counting:
            return json_response(200, {"count": sum(1 for _ in self._rows(0))})
        size = self._size()
        start = self._start()
        rows = list(islice(self._ordered(start, base, now), size + 1))
        content = [represent(row, self.table, self.route.family, base, now) for _, row in rows[:size]]
        href = f"{base}/{self.route.family}/{self.resource.name}/"
        shown: Values = {"content": [item[self.column] for item in content] if self.column else content}
        more = len(rows) > size
        shown["count"] = {"href": self._link(href, "_count", start)}
        if not more and start == 0:
            shown["count"]["value"] = len(rows)
        if more and self._may_continue():
            shown["next"] = {"href": self._link(href, self.column, rows[size][0])}
        shown["serverSidePagination"] = True
        return json_response(200, shown)

    def _ordered(self, start: int, base: str, now: float) -> Iterator[tuple[int, Row]]:
        """Rows with the place to continue at: the row's own number, or the rank under `_order`."""
        order = self.query.get("_order", "").replace("%20", " ")
        if order and self.options.order == "refused":
            raise refusal.invalid("The parameter '_order' is unknown.")
        if not order or self.options.order == "ignored":
            return ((row.number, row) for row in self._rows(start))
        name, _, direction = order.partition(" ")
        field = self.resource.by_name.get(name)
        if field is None or not field.sortable or direction not in ("", "asc", "desc"):
            raise refusal.unknown_property(name, self.resource.name)

        if name == "lastModified":
            # The same order as by the text, without making every object.
            newest = sorted(self._rows(0), key=lambda row: row.modified, reverse=direction == "desc")
            return islice(enumerate(newest), start, None)

        def rank(row: Row) -> tuple[str, float]:
            value = represent(row, self.table, self.route.family, base, now)[name]
            return (value, 0.0) if isinstance(value, str) else ("", float(value))

        rows = sorted(self._rows(0), key=rank, reverse=direction == "desc")
        return islice(enumerate(rows), start, None)

    def _select(self) -> Callable[[int], Iterator[Row]]:
        """How to walk the filtered rows from a place; remembers the parameters the filters use."""
        self._used: set[str] = set()
        custom = custom_filters(self.resource, self.route.family, self.options)
        fields = [custom[name] for name in self.filters if name in custom]
        keys = [field for field in fields if field != "lastModified"]
        if keys and len(self.filters) == 1:
            wanted = self._parameter(f"{keys[0]}_parameter")
            return lambda start: iter(
                row
                for row in self.table.find(keys[0], wanted)
                if row.number >= start and not self.table.hides(row)
            )
        since = self._since() if "lastModified" in fields else None
        tests = [self._test(name) for name in self.filters if name not in custom]
        tests += [self._equal(field) for field in keys]
        needle = pack({"": self.query["email"]})[4:-1] if self.filters == ("byEmail",) else b""
        return lambda start: (
            row
            for row in self.table.shown(start)
            if (since is None or row.modified >= since)
            and needle in row.packed
            and (not tests or all(test(row.values) for test in tests))
        )

    def _test(self, name: str) -> Test:
        """A filter as a question to a row's stored values."""
        if name == "byEmail":
            email = self._parameter("email")
            return lambda values: values.get("email", "") == email
        if name == "byChannel":
            channel = self._parameter("channel")
            return lambda values: values.get("messageType", "email") == channel
        if name == "byText":
            text, searched = self._parameter("text"), self.resource.searched
            if "filterType" in self.query:
                searched = (self._parameter("filterType"),)
                if searched[0] not in self.resource.by_name:
                    raise refusal.unknown_property(searched[0], self.resource.name)
            return lambda values: any(str(values.get(field, "")).startswith(text) for field in searched)
        raise refusal.bad_path()

    def _equal(self, field: str) -> Test:
        wanted = self._parameter(f"{field}_parameter")
        return lambda values: values.get(field, "") == wanted

    def _since(self) -> float:
        """The time of the filter on lastModified; what is no date-time with a zone is refused."""
        text = self._parameter("lastModified_parameter")
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            at = datetime.min
        if at.tzinfo is None:
            raise refusal.invalid("The parameter 'lastModified_parameter' is not a date and time.")
        return at.timestamp()

    def _parameter(self, name: str) -> str:
        """A filter's parameter; one that is missing or empty is undocumented and refused."""
        self._used.add(name)
        value = self.query.get(name, "")
        if not value:
            raise refusal.invalid(f"The parameter '{name}' is missing.")
        return value

    def _size(self) -> int:
        text = self.query.get("_lineCount", str(PAGE))
        if not text.isdecimal() or int(text) == 0:
            raise refusal.invalid("The parameter '_lineCount' is not a positive number.")
        return int(text)

    def _may_continue(self) -> bool:
        return len(self.table) <= self.options.big_table or self.query.get("_forcePagination") == "true"

    def _start(self) -> int:
        text = self.query.get("_lineStart")
        if text is None:
            return 0
        start = read_place(text)
        if start is None:
            raise refusal.invalid("The parameter '_lineStart' is not one this service gave out.")
        return start

    def _link(self, href: str, last: str, start: int) -> str:
        """A list address of ours; Adobe writes an empty segment before a filter and before `_count`."""
        kept = {name: value for name, value in self.query.items() if name != "_lineStart"}
        path = "/".join(("", *self.filters, *((last,) if last else ()))) if self.filters or last else ""
        return f"{href}{path}?{urlencode({**kept, '_lineStart': write_place(start)}, safe='@')}"


def write_place(start: int) -> str:
    """A place in a list as an opaque `@…` text."""
    raw = start.to_bytes(6, "big")
    return "@" + base64.urlsafe_b64encode(raw + _seal(raw)).decode()


def read_place(text: str) -> int | None:
    """The place, or None for a text that `write_place` did not make."""
    try:
        raw = base64.urlsafe_b64decode(text.removeprefix("@").encode())
    except ValueError:
        return None
    return int.from_bytes(raw[:6], "big") if text[:1] == "@" and raw[6:] == _seal(raw[:6]) else None


def _seal(raw: bytes) -> bytes:
    return hashlib.blake2b(raw, digest_size=6, key=b"line start").digest()
