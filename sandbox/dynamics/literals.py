"""The words of a `$filter`: tokens, and literals as comparable values of a column."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from sandbox.dynamics.columns import Column, Kind
from sandbox.dynamics.errors import Refused, bad
from sandbox.dynamics.values import GUID, parse_date, parse_stamp

_TOKEN = re.compile(
    rf"""\s*(?:
      (?P<string>'(?:[^']|'')*') | (?P<json>"(?:[^"\\]|\\.)*") | (?P<guid>{GUID.pattern}(?![\w-]))
    | (?P<stamp>\d{{4}}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))
    | (?P<date>\d{{4}}-\d\d-\d\d)(?![\w:-])
    | (?P<number>-?\d{{1,18}}(?:\.\d{{1,18}})?)(?![\w.-]) | (?P<word>[A-Za-z_][\w./]*) | (?P<mark>[(),=\[\]])
    )""",
    re.X,
)
LITERALS = {
    "string": "Edm.String",
    "guid": "Edm.Guid",
    "stamp": "Edm.DateTimeOffset",
    "date": "Edm.Date",
    "number": "Edm.Int32",
    "boolean": "Edm.Boolean",
}
TAKES = {
    "Edm.String": ("string",),
    "Edm.Guid": ("guid",),
    "Edm.Boolean": ("boolean",),
    "Edm.Int32": ("number",),
    "Edm.Int64": ("number",),
    "Edm.Decimal": ("number",),
    "Edm.Double": ("number",),
    "Edm.Date": ("date",),
    "Edm.DateTimeOffset": ("stamp", "date"),
}


class Token(NamedTuple):
    """One piece of a filter."""

    kind: str
    text: str


def syntax(near: str) -> Refused:
    """400: the filter breaks off here."""
    return bad(f"Syntax error in '$filter' near '{near[:40]}'.")


def tokenize(text: str) -> list[Token]:
    """The pieces of a decoded filter."""
    tokens: list[Token] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise syntax(text[at:].strip())
        tokens.append(Token(found.lastgroup, found.group(found.lastgroup)))
        at = found.end()
    return tokens


def text_of(quoted: str) -> str:
    """A text literal without its quotes."""
    return quoted[1:-1].replace("''", "'")


def json_text(quoted: str) -> str:
    """A text in double quotes, as PropertyValues also takes them."""
    try:
        return str(json.loads(quoted))
    except ValueError:
        raise syntax(quoted) from None


def value_of(kind: str, text: str, column: Column) -> Any:
    """A literal as it compares with the column's stored values."""
    if kind == "string":
        return text_of(text).casefold()
    if kind == "guid":
        return text.lower()
    if kind == "boolean":
        return text == "true"
    if kind == "number":
        return float(text) if "." in text else int(text)
    if column.kind is Kind.DATE:
        value: Any = parse_date(text)
    else:
        value = parse_stamp(text if kind == "stamp" else f"{text}T00:00:00Z")
    if value is None:
        raise bad(f"The literal '{text}' is not valid.")
    return value
