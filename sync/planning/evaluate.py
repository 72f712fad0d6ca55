"""Expressions as closures over a row: the parsed tree (expressions.py) is walked once and never executed."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from sync.model import Row
from sync.planning.expressions import WORDS, Expression, label_of, related_of
from sync.planning.function_table import FUNCTIONS
from sync.planning.functions import Unusable, capped, number, text, true

Evaluate = Callable[[Row], Any]


class NoValue:
    """What an expression gives that has no value for a row: no type accepts it."""


NO_VALUE = NoValue()


def evaluator(expression: Expression) -> Evaluate:
    """The expression as a function: a value, or NO_VALUE. A column that the row lacks is a KeyError."""
    run = _closure(expression.tree)

    def evaluate(row: Row) -> Any:
        try:
            return run(row)
        except Unusable:
            return NO_VALUE

    return evaluate


def without_value(expression: Expression) -> str:
    """A part that reads no column and never has a value, such as `1 / 0`, as it is written; empty if there is none."""
    functions = {id(node.func) for node in ast.walk(expression.tree) if isinstance(node, ast.Call)}

    def reads(part: ast.AST) -> bool:
        names = (node for node in ast.walk(part) if isinstance(node, ast.Name) and id(node) not in functions)
        return any(node.id not in WORDS for node in names)

    for part in ast.walk(expression.tree):
        if isinstance(part, ast.Call | ast.BinOp | ast.UnaryOp | ast.Compare) and not reads(part):
            try:
                _closure(part)({})
            except Unusable:
                return ast.unparse(part)
    return ""


def _closure(node: ast.expr) -> Evaluate:
    if isinstance(node, ast.Constant):
        value = node.value
        return lambda row: value
    if isinstance(node, ast.Name):
        if node.id in WORDS:
            word = WORDS[node.id]
            return lambda row: word
        return operator.itemgetter(node.id)
    if isinstance(node, ast.Call):
        return _call(node)
    if isinstance(node, ast.IfExp):
        test, yes, no = _closure(node.test), _closure(node.body), _closure(node.orelse)
        return lambda row: yes(row) if true(test(row)) else no(row)
    if isinstance(node, ast.BoolOp):
        parts = [_closure(part) for part in node.values]
        if isinstance(node.op, ast.And):
            return lambda row: all(true(part(row)) for part in parts)
        return lambda row: any(true(part(row)) for part in parts)
    if isinstance(node, ast.UnaryOp):
        inner = _closure(node.operand)
        if isinstance(node.op, ast.Not):
            return lambda row: not true(inner(row))
        return lambda row: None if (value := inner(row)) is None else -number(value)
    if isinstance(node, ast.Compare):
        return _compare(node)
    assert isinstance(node, ast.BinOp)
    return _calculate(node)


def _call(node: ast.Call) -> Evaluate:
    assert isinstance(node.func, ast.Name)
    if node.func.id == "label":
        return operator.itemgetter(label_of(node).key)
    if node.func.id == "related":
        return operator.itemgetter(related_of(node).key)
    run = FUNCTIONS[node.func.id].run
    arguments = [_closure(argument) for argument in node.args]
    if node.func.id == "when":
        test, yes, no = arguments
        return lambda row: yes(row) if true(test(row)) else no(row)
    return lambda row: run(*[argument(row) for argument in arguments])


def same(one: Any, other: Any) -> bool:
    """Equal and of one kind: in Python 1 equals true."""
    if one.__class__ is bool or other.__class__ is bool:
        return one is other
    return bool(one == other)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def run(one: Any, other: Any) -> bool:
        if one is None or other is None:
            return False
        if one.__class__ is str and other.__class__ is str:
            return compare(one, other)
        return compare(number(one), number(other))

    return run


_COMPARE: dict[type, Callable[[Any, Any], bool]] = {
    ast.Eq: same,
    ast.NotEq: lambda one, other: not same(one, other),
    ast.Lt: _ordered(operator.lt),
    ast.LtE: _ordered(operator.le),
    ast.Gt: _ordered(operator.gt),
    ast.GtE: _ordered(operator.ge),
}


def _compare(node: ast.Compare) -> Evaluate:
    tests: list[tuple[Callable[[Any, Any], bool], Evaluate]] = []
    for one, compared in zip(node.ops, node.comparators, strict=True):
        if isinstance(one, ast.In | ast.NotIn):
            assert isinstance(compared, ast.List | ast.Tuple)
            tests.append(_membership([_closure(item) for item in compared.elts], isinstance(one, ast.In)))
        else:
            tests.append((_COMPARE[type(one)], _closure(compared)))
    left = _closure(node.left)

    def run(row: Row) -> bool:
        value = left(row)
        for test, other in tests:
            against = other(row)
            if not test(value, against):
                return False
            value = against
        return True

    return run


def _membership(items: list[Evaluate], wanted: bool) -> tuple[Callable[[Any, Any], bool], Evaluate]:
    def test(value: Any, found: list[Any]) -> bool:
        return any(same(value, one) for one in found) is wanted

    return test, lambda row: [item(row) for item in items]


_CALCULATE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def _calculate(node: ast.BinOp) -> Evaluate:
    left, right = _closure(node.left), _closure(node.right)
    if isinstance(node.op, ast.Add):
        return lambda row: _plus(left(row), right(row))
    work = _CALCULATE[type(node.op)]

    def run(row: Row) -> Any:
        one, other = left(row), right(row)
        if one is None or other is None:
            return None
        try:
            return number(work(number(one), number(other)))
        except (ZeroDivisionError, OverflowError):
            raise Unusable from None

    return run


def _plus(one: Any, other: Any) -> Any:
    """The sum of two numbers; else both as one text."""
    kinds = {one.__class__, other.__class__}
    if kinds <= {int, float}:
        return number(one + other)
    return capped(text(one) + text(other))
