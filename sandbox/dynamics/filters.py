"""`$filter`: the documented subset that this look-alike covers; everything else is a 400.

Grammar: `or`, `and`, `not`, parentheses; `column op literal` with eq ne gt ge lt le; contains, startswith, endswith;
`Microsoft.Dynamics.CRM.In(PropertyName='c',PropertyValues=['a','b'])`. Texts compare without case, as the database does;
`ne` is true for null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.dynamics.columns import Column, Row
from sandbox.dynamics.errors import bad, no_property
from sandbox.dynamics.literals import LITERALS, TAKES, Token, json_text, syntax, text_of, tokenize, value_of

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
DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Predicate:
    """A parsed filter; `ids` and `since` say which rows can match at all, so that not every row is looked at."""

    test: Callable[[Row], bool]
    ids: frozenset[str] | None = None
    since: int | None = None
    """Lower bound of modifiedon."""


def parse(text: str, columns: Mapping[str, Column], table: str, key: str = "") -> Predicate:
    """The predicate of a decoded `$filter` value."""
    parser = _Parser(tokenize(text), columns, table, key)
    predicate = parser.either()
    if parser.at < len(parser.tokens):
        raise syntax(parser.tokens[parser.at].text)
    return predicate


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
            raise syntax(operator)
        value = self._literal(column, operator)
        read, compare = reader(column), _COMPARE[operator]
        if value is None:
            if operator not in ("eq", "ne"):
                raise syntax("null")
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
        if kind not in TAKES[column.kind.edm]:
            if kind not in LITERALS:
                raise syntax(text)
            raise bad(
                "A binary operator with incompatible types was detected. Found operand types "
                f"'{column.kind.edm}' and '{LITERALS[kind]}' for operator kind '{_KINDS[operator]}'."
            )
        return value_of(kind, text, column)

    def _text_function(self, name: str) -> Predicate:
        column = self._column(self._next("word").text)
        if column.kind.edm != "Edm.String":
            raise bad(
                f"No function signature for the function with name '{name}' matches the specified arguments."
            )
        self._expect(",")
        wanted = text_of(self._next("string").text).casefold()
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
        column = self._column(text_of(self._next("string").text))
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
            raise syntax(token.text)
        text = text_of(token.text) if token.kind == "string" else json_text(token.text)
        if column.kind.edm == "Edm.String":
            return text.casefold()
        parts = tokenize(text)
        if len(parts) != 1 or parts[0].kind not in TAKES[column.kind.edm]:
            raise bad(f"'{text[:40]}' is not a value of '{column.name}'.")
        return value_of(parts[0].kind, parts[0].text, column)

    def _argument(self, name: str) -> None:
        if self._next("word").text != name:
            raise syntax(name)
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
            raise syntax(token.text)
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
            raise syntax(near)


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
