"""From a Dataverse page to rows, deletes and links (dataverse.md 1.1, 1.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from sync.errors import SyncError
from sync.model import SourcePage, SourceRow

_ETAG = re.compile(r'W/"(\d+)"')
_GARBLED = "dynamics_garbled"


def page_of(content: Mapping[str, Any], key_column: str, asked: str) -> SourcePage:
    """The page in a collection answer; `asked` is the URL it answers."""
    items = content.get("value")
    if not isinstance(items, list):
        raise SyncError(_GARBLED, "no value")
    next_link = _link(content, "@odata.nextLink")
    if next_link == asked:
        raise SyncError("paging_loop", "the next link is the page itself")
    rows, deletes = [], []
    for item in items:
        if not isinstance(item, dict):
            raise SyncError(_GARBLED, "a row is no object")
        if str(item.get("@odata.context", "")).endswith("/$deletedEntity"):
            deletes.append(_identity(item, "id"))
        else:
            rows.append(_row(item, key_column))
    return SourcePage(tuple(rows), tuple(deletes), next_link, _link(content, "@odata.deltaLink"))


def _row(item: dict[str, Any], key_column: str) -> SourceRow:
    version = _ETAG.fullmatch(str(item.get("@odata.etag", "")))
    if version is None:
        raise SyncError(_GARBLED, "a row without version")
    values = {name: value for name, value in item.items() if "@" not in name}
    return SourceRow(_identity(item, key_column), int(version[1]), values)


def _identity(item: dict[str, Any], name: str) -> str:
    value = item.get(name)
    if not isinstance(value, str) or not value:
        raise SyncError(_GARBLED, f"a row without {name}")
    return value.lower()


def _link(content: Mapping[str, Any], name: str) -> str | None:
    value = content.get(name)
    return value if isinstance(value, str) and value else None


def selection(key_column: str, columns: Sequence[str]) -> str:
    """`$select=` of the key and the columns, each once, in the order given."""
    return "$select=" + ",".join(dict.fromkeys((key_column, *columns)))


def condition(text: str) -> str:
    """`$filter=` of an OData condition."""
    return "$filter=" + quote(text, safe="():'$,")


def quoted(text: str) -> str:
    """A text as a literal of a condition."""
    return "'" + text.replace("'", "''") + "'"


def any_of(key_column: str, ids: Sequence[str]) -> Iterator[str]:
    """The terms of a filter on ids; raises ValueError for what is no GUID."""
    for record_id in ids:
        if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", record_id):
            raise ValueError("not a GUID")
        yield f"{key_column} eq {record_id}"
