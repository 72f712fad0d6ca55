"""The expression language: a text becomes a function of a row, once per mapping version.

The grammar is Python's for expressions, read by Python's own parser into a tree that is never executed; only the nodes
below are known, and each becomes a closure (docs/decisions/expressions.md says why). There are no loops, no
definitions and no access to anything but columns, so every expression ends, and gives a value or Unusable.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass, field

from sync.planning.advice import did_you_mean
from sync.planning.function_table import FUNCTIONS
from sync.planning.functions import Unusable, number

MOST_LENGTH = 1_000
MOST_NODES = 200
_COLUMN = re.compile(r"[a-z_][a-z0-9_]{0,127}")
COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)
CALCULATIONS = (ast.Add, ast.Sub, ast.Mult, ast.Div)
WORDS = {"null": None, "true": True, "false": False}


class ExpressionError(Exception):
    """What is wrong with an expression, and the fix, in sentences."""

    def __init__(self, what: str, fix: str) -> None:
        self.what = what
        self.fix = fix
        super().__init__(f"{what} {fix}")


@dataclass(frozen=True, slots=True)
class Related:
    """A column of the row that a lookup points to; `tables` are (table, column), one for each it may point to."""

    lookup: str
    tables: tuple[tuple[str, str], ...]

    @property
    def key(self) -> str:
        """The name of its value beside a row's columns."""
        return f"{self.lookup}/{','.join(f'{table}.{column}' for table, column in self.tables)}"


@dataclass(frozen=True, slots=True)
class Labelled:
    """The label of a choice in a language (LCID; 0 is the language of the application user)."""

    column: str
    language: int

    @property
    def key(self) -> str:
        return f"{self.column}#{self.language}"


@dataclass
class Expression:
    """A parsed expression and what it reads."""

    source: str
    tree: ast.expr
    columns: list[str] = field(default_factory=list)
    related: list[Related] = field(default_factory=list)
    labels: list[Labelled] = field(default_factory=list)


def parse(source: str) -> Expression:
    """Parse and check an expression; raises ExpressionError."""
    if len(source) > MOST_LENGTH:
        raise ExpressionError(f"it is longer than {MOST_LENGTH} characters.", "Split it into two fields.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        where = f" at character {error.offset}" if isinstance(error, SyntaxError) and error.offset else ""
        raise ExpressionError(f"it cannot be read{where}.", "Check quotes, commas and brackets.") from None
    if sum(1 for _ in ast.walk(tree)) > MOST_NODES:
        raise ExpressionError("it has too many parts.", "Split it into two fields.")
    made = Expression(source, tree)
    _check(tree, made)
    return made


def _check(node: ast.expr, made: Expression) -> None:
    """Refuse everything that the language does not have; note what is read."""
    if isinstance(node, ast.Name):
        if node.id not in WORDS and node.id not in made.columns:
            made.columns.append(_column(node))
    elif isinstance(node, ast.Constant):
        if not isinstance(node.value, str | int | float) or isinstance(node.value, bool):
            raise _unknown(node)
        if isinstance(node.value, int | float):
            _literal_number(node)
    elif isinstance(node, ast.Call):
        _check_call(node, made)
    elif isinstance(node, ast.Compare):
        if any(type(one) not in COMPARISONS and not isinstance(one, ast.In | ast.NotIn) for one in node.ops):
            raise _unknown(node)
        _check(node.left, made)
        for one, compared in zip(node.ops, node.comparators, strict=True):
            if isinstance(one, ast.In | ast.NotIn) and isinstance(compared, ast.List | ast.Tuple):
                for item in compared.elts:
                    _check(item, made)
            elif isinstance(one, ast.In | ast.NotIn):
                raise ExpressionError("`in` needs a list.", "Write `x in ['a', 'b']`.")
            else:
                _check(compared, made)
    elif isinstance(node, ast.BoolOp | ast.BinOp | ast.UnaryOp | ast.IfExp):
        if (
            isinstance(node, ast.BinOp)
            and type(node.op) not in CALCULATIONS
            and not isinstance(node.op, ast.Add)
        ):
            raise _unknown(node)
        if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not | ast.USub):
            raise _unknown(node)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                _check(child, made)
    else:
        raise _unknown(node)


def _check_call(node: ast.Call, made: Expression) -> None:
    if not isinstance(node.func, ast.Name) or node.keywords:
        raise _unknown(node)
    name = node.func.id
    if name == "label":
        made.labels.append(label_of(node))
        made.columns += [one for one in [made.labels[-1].column] if one not in made.columns]
        return
    if name == "related":
        made.related.append(related_of(node))
        made.columns += [one for one in [made.related[-1].lookup] if one not in made.columns]
        return
    function = FUNCTIONS.get(name)
    if function is None:
        fix = did_you_mean(name, (*FUNCTIONS, "label", "related"))
        raise ExpressionError(f"there is no function `{name}`.", fix)
    if not function.least <= len(node.args) <= function.most:
        least, most = function.least, function.most
        count = str(least) if least == most else f"{least} to {most}"
        fix = f"Write it like `{function.example}`."
        raise ExpressionError(f"`{name}` takes {count} values, here are {len(node.args)}.", fix)
    for argument in node.args:
        _check(argument, made)


def _column(node: ast.expr) -> str:
    if not isinstance(node, ast.Name) or not _COLUMN.fullmatch(node.id):
        shown = node.id if isinstance(node, ast.Name) else ast.unparse(node)
        fix = "Columns have small letters; a lookup is `_name_value`; texts are in quotes."
        raise ExpressionError(f"`{shown}` is no column.", fix)
    return node.id


def label_of(node: ast.Call) -> Labelled:
    rest = node.args[1:]
    language = rest[0].value if len(rest) == 1 and isinstance(rest[0], ast.Constant) else 0
    if not node.args or len(rest) > 1 or (rest and type(language) is not int):
        fix = "Write `label(gendercode)` or `label(gendercode, 1031)`."
        raise ExpressionError("`label` takes a column and a language's number.", fix)
    return Labelled(_column(node.args[0]), int(str(language)))


def related_of(node: ast.Call) -> Related:
    tables: list[tuple[str, str]] = []
    for one in node.args[1:]:
        told = one.value if isinstance(one, ast.Constant) else None
        table, dot, column = told.partition(".") if isinstance(told, str) else ("", "", "")
        if not dot or not _COLUMN.fullmatch(table) or not _COLUMN.fullmatch(column):
            tables = []
            break
        tables.append((table, column))
    if not tables:
        fix = "Write `related(_parentcustomerid_value, 'account.name', 'contact.fullname')`."
        raise ExpressionError("`related` takes a lookup, and for each table it may point to a column.", fix)
    return Related(_column(node.args[0]), tuple(tables))


def _literal_number(node: ast.Constant) -> None:
    try:
        number(node.value)
    except Unusable:
        raise ExpressionError("a number is too large.", "Use at most 15 digits.") from None


def _unknown(node: ast.AST) -> ExpressionError:
    shown = ast.unparse(node)
    shown = shown if len(shown) <= 40 else f"{shown[:40]}…"
    fix = "The language has columns, texts, numbers, + - * /, comparisons, `in`, and/or/not, `a if b else c`, functions."
    return ExpressionError(f"`{shown}` is not understood.", fix)
