"""`$filter`: the documented subset that this look-alike covers; everything else is a 400.

Grammar: `or`, `and`, `not`, parentheses; `column op literal` with eq ne gt ge lt le; contains, startswith, endswith;
`Microsoft.Dynamics.CRM.In(PropertyName='c',PropertyValues=['a','b'])`. Texts compare without case, as the database does;
`ne` is true for null.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sandbox.dynamics.columns import Column, Kind, Row
from sandbox.dynamics.errors import Refused, bad, no_property
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
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
}
_KINDS = {"eq": "Equal", "ne": "NotEqual", "gt": "GreaterThan", "ge": "GreaterThanOrEqual", "lt": "LessThan"}
_KINDS["le"] = "LessThanOrEqual"
_LITERALS = {
    "string": "Edm.String",
    "guid": "Edm.Guid",
    "stamp": "Edm.DateTimeOffset",
    "date": "Edm.Date",
    "number": "Edm.Int32",
    "boolean": "Edm.Boolean",
}
_TAKES = {
    "Edm.String": ("string",),
    "Edm.Guid": ("guid",),
    "Edm.Boolean": ("boolean",),
    "Edm.Int32": ("number",),
    "Edm.Int64": ("number",),
    "Edm.Decimal": ("number",),
    "Edm.Date": ("date",),
    "Edm.DateTimeOffset": ("stamp", "date"),
}

DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Predicate:
    """A parsed filter; `ids` and `since` say which rows can match at all, so that not every row is looked at."""

    test: Callable[[Row], bool]
    ids: frozenset[str] | None = None
    since: int | None = None
    """Lower bound of modifiedon."""


class Token(NamedTuple):
    """One piece of a filter."""

    kind: str
    text: str


def parse(text: str, columns: Mapping[str, Column], table: str, key: str = "") -> Predicate:
    """The predicate of a decoded `$filter` value."""
    parser = _Parser(_tokens(text), columns, table, key)
    predicate = parser.either()
    if parser.at < len(parser.tokens):
        raise _syntax(parser.tokens[parser.at].text)
    return predicate


def _syntax(near: str) -> Refused:
    return bad(f"Syntax error in '$filter' near '{near[:40]}'.")


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise _syntax(text[at:].strip())
        tokens.append(Token(found.lastgroup, found.group(found.lastgroup)))
        at = found.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[Token], columns: Mapping[str, Column], table: str, key: str) -> None:
        self.tokens = tokens
        self.at = 0
        self._depth = 0
        self._columns = columns
        self._table = table
        self._key = key

    def either(self) -> Predicate:
        terms = [self.both()]
        while self._word("or"):
            terms.append(self.both())
        if len(terms) == 1:
            return terms[0]
        ids: frozenset[str] | None = frozenset()
        since: int | None = None
        for term in terms:
            ids = None if ids is None or term.ids is None else ids | term.ids
        if all(term.since is not None for term in terms):
            since = min(term.since for term in terms if term.since is not None)
        tests = [term.test for term in terms]
        return Predicate(lambda row: any(test(row) for test in tests), ids, since)

    def both(self) -> Predicate:
        result = self._one()
        while self._word("and"):
            result = _and(result, self._one())
        return result

    def _one(self) -> Predicate:
        if self._word("not"):
            self._deeper()
            inner = self._one()
            self._depth -= 1
            return Predicate(lambda row: not inner.test(row))
        if self._mark("("):
            self._deeper()
            inner = self.either()
            self._depth -= 1
            self._expect(")")
            return inner
        token = self._next("word")
        if token.text in ("contains", "startswith", "endswith") and self._mark("("):
            return self._text_function(token.text)
        if token.text == "Microsoft.Dynamics.CRM.In" and self._mark("("):
            return self._in()
        return self._comparison(self._column(token.text))

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise bad("The '$filter' expression is nested too deeply.")

    def _comparison(self, column: Column) -> Predicate:
        operator = self._next("word").text
        if operator not in _COMPARE:
            raise _syntax(operator)
        value = self._literal(column, operator)
        read, compare = reader(column), _COMPARE[operator]
        if value is None:
            if operator not in ("eq", "ne"):
                raise _syntax("null")
            wanted = operator == "eq"
            return Predicate(lambda row: (read(row) is None) is wanted)
        if operator == "ne":
            return Predicate(lambda row: read(row) != value)
        if operator == "eq":
            ids = frozenset((value,)) if column.name == self._key else None
            return Predicate(lambda row: read(row) == value, ids)

        def test(row: Row) -> bool:
            found = read(row)
            return found is not None and compare(found, value)

        bounded = column.name == "modifiedon" and operator in ("ge", "gt")
        return Predicate(test, None, value if bounded else None)

    def _literal(self, column: Column, operator: str) -> Any:
        token = self._next()
        kind, text = token
        if kind == "word" and text in ("true", "false", "null"):
            if text == "null":
                return None
            kind = "boolean"
        if kind not in _TAKES[column.kind.edm]:
            if kind not in _LITERALS:
                raise _syntax(text)
            raise bad(
                "A binary operator with incompatible types was detected. Found operand types "
                f"'{column.kind.edm}' and '{_LITERALS[kind]}' for operator kind '{_KINDS[operator]}'."
            )
        return _value(kind, text, column)

    def _text_function(self, name: str) -> Predicate:
        column = self._column(self._next("word").text)
        if column.kind.edm != "Edm.String":
            raise bad(
                f"No function signature for the function with name '{name}' matches the specified arguments."
            )
        self._expect(",")
        wanted = _text(self._next("string").text).casefold()
        self._expect(")")
        read = reader(column)
        found: dict[str, Callable[[str], bool]] = {
            "contains": lambda value: wanted in value,
            "startswith": lambda value: value.startswith(wanted),
            "endswith": lambda value: value.endswith(wanted),
        }
        matches = found[name]
        return Predicate(lambda row: (value := read(row)) is not None and matches(value))

    def _in(self) -> Predicate:
        self._argument("PropertyName")
        column = self._column(_text(self._next("string").text))
        self._expect(",")
        self._argument("PropertyValues")
        self._expect("[")
        values = [self._in_value(column)]
        while self._mark(","):
            values.append(self._in_value(column))
        self._expect("]")
        self._expect(")")
        wanted, read = frozenset(values), reader(column)
        return Predicate(lambda row: read(row) in wanted, wanted if column.name == self._key else None)

    def _in_value(self, column: Column) -> Any:
        """PropertyValues is a collection of strings whatever the column's type."""
        token = self._next()
        if token.kind not in ("string", "json"):
            raise _syntax(token.text)
        text = _text(token.text) if token.kind == "string" else _json_text(token.text)
        if column.kind.edm == "Edm.String":
            return text.casefold()
        parts = _tokens(text)
        if len(parts) != 1 or parts[0].kind not in _TAKES[column.kind.edm]:
            raise bad(f"'{text[:40]}' is not a value of '{column.name}'.")
        return _value(parts[0].kind, parts[0].text, column)

    def _argument(self, name: str) -> None:
        if self._next("word").text != name:
            raise _syntax(name)
        self._expect("=")

    def _column(self, name: str) -> Column:
        column = self._columns.get(name)
        if column is None:
            raise no_property(name, self._table)
        return column

    def _next(self, kind: str = "") -> Token:
        if self.at >= len(self.tokens):
            raise bad("Expression expected at the end of '$filter'.")
        token = self.tokens[self.at]
        self.at += 1
        if kind and token.kind != kind:
            raise _syntax(token.text)
        return token

    def _accept(self, kind: str, text: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at] == (kind, text):
            self.at += 1
            return True
        return False

    def _word(self, text: str) -> bool:
        return self._accept("word", text)

    def _mark(self, text: str) -> bool:
        return self._accept("mark", text)

    def _expect(self, mark: str) -> None:
        if not self._mark(mark):
            near = self.tokens[self.at].text if self.at < len(self.tokens) else "the end"
            raise _syntax(near)


def _and(left: Predicate, right: Predicate) -> Predicate:
    ids = left.ids if right.ids is None else right.ids if left.ids is None else left.ids & right.ids
    since = left.since if right.since is None else right.since
    first, second = left.test, right.test
    return Predicate(lambda row: first(row) and second(row), ids, since)


def reader(column: Column) -> Callable[[Row], Any]:
    """The comparable value of a column in a row."""
    name, default = column.name, column.default
    if column.kind.edm == "Edm.String":

        def folded(row: Row) -> str | None:
            value = row.get(name, default)
            return None if value is None else str(value).casefold()

        return folded
    return lambda row: row.get(name, default)


def _text(quoted: str) -> str:
    return quoted[1:-1].replace("''", "'")


def _json_text(quoted: str) -> str:
    try:
        return str(json.loads(quoted))
    except ValueError:
        raise _syntax(quoted) from None


def _value(kind: str, text: str, column: Column) -> Any:
    if kind == "string":
        return _text(text).casefold()
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
