"""What every page of a read has: its columns, its size, its links, the preferences it applied."""

from __future__ import annotations

from dataclasses import replace

from sandbox.dynamics.links import Cookie, checksum
from sandbox.dynamics.organization import Organization
from sandbox.dynamics.projection import Projection
from sandbox.dynamics.query import Call
from sandbox.dynamics.store import TableRows

JSON = "application/json; odata.metadata=minimal"


class Pages:
    """Page parts of one organization."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        self.repeat = ""
        """A fault: `repeat_page`, the next link of a page is its own; `page_twice`, it is a new link to the same rows."""
        self._projections: dict[tuple[str, int, str | None, tuple[str, ...]], Projection] = {}

    def projection(
        self, rows: TableRows, select: str | None, annotations: tuple[str, ...] = ()
    ) -> Projection:
        """The compiled `$select`."""
        known = (rows.table.name, rows.table.generation, select, annotations)
        found = self._projections.get(known)
        if found is None:
            found = Projection(rows.table, select, annotations, self.organization.name_of)
            if len(self._projections) > 500:
                self._projections.clear()
            self._projections[known] = found
        return found

    def size(self, call: Call) -> int:
        """Rows a page may hold."""
        return min(
            call.prefer.max_page or self.organization.options.max_page, self.organization.options.max_page
        )

    def again(self, cookie: Cookie, first: bool) -> Cookie:
        """The cookie of a faulty next link. A first page has no cookie of its own and leads to one for the same rows."""
        own = self.repeat == "repeat_page" and not first
        return cookie if own else replace(cookie, page=cookie.page + 1)

    def checksum(self, rows: TableRows, call: Call) -> int:
        """What ties a paging cookie to its query."""
        return checksum(rows.table.entity_set, call.query.kept)

    def link(self, rows: TableRows, call: Call, option: str) -> str:
        """The address of this read with a token."""
        kept = f"{call.query.kept}&" if call.query.kept else ""
        return f"{call.root}/{rows.table.entity_set}?{kept}{option}"

    def applied(self, call: Call, *names: str) -> dict[str, str]:
        """Headers of a page: of the preferences `names`, those that were sent are echoed."""
        sent = call.prefer.sent
        applied = ",".join(sent[name] for name in names if name in sent)
        return {"content-type": JSON, **({"preference-applied": applied} if applied else {})}


def quoted(link: str) -> str:
    """A link as JSON text."""
    escaped = link.replace('"', '\\"')
    return f'"{escaped}"'


def page(head: str, values: list[str], tail: str = "") -> bytes:
    """A body: an object opened by `head`, the encoded entries, more members."""
    return f'{head},"value":[{",".join(values)}]{tail}}}'.encode()
