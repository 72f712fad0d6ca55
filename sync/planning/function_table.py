"""The functions by name, each with the example that docs/mapping.md shows and a test runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sync.planning.functions import (
    add_days,
    capped,
    day,
    first,
    joined,
    left,
    nth,
    number,
    or_null,
    part,
    replaced,
    right,
    rounded,
    text,
    true,
)


@dataclass(frozen=True, slots=True)
class Function:
    """`least` to `most` arguments; `example` gives `result`."""

    run: Callable[..., Any]
    least: int
    most: int
    does: str
    example: str
    result: Any


MANY = 20
FUNCTIONS: dict[str, Function] = {
    "join": Function(
        joined,
        2,
        MANY,
        "texts with a separator between them; empty ones are left out",
        "join(' ', 'Ada', null, 'King')",
        "Ada King",
    ),
    "first": Function(first, 1, MANY, "the first value that is not empty", "first(null, '', 'x')", "x"),
    "when": Function(
        lambda test, yes, no: yes if true(test) else no,
        3,
        3,
        "the second value if the first is true, else the third",
        "when(2 > 1, 'yes', 'no')",
        "yes",
    ),
    "empty": Function(
        lambda value: value is None or value == "",
        1,
        1,
        "whether a value is null or an empty text",
        "empty('')",
        True,
    ),
    "text": Function(text, 1, 1, "a value as text", "text(20000.5)", "20000.5"),
    "lower": Function(lambda value: text(value).lower(), 1, 1, "small letters", "lower('ADA')", "ada"),
    "upper": Function(
        lambda value: capped(text(value).upper()), 1, 1, "capital letters", "upper('de')", "DE"
    ),
    "trim": Function(
        lambda value: text(value).strip(), 1, 1, "without white space around", "trim('  a ')", "a"
    ),
    "left": Function(left, 2, 2, "the first characters", "left('Lovelace', 4)", "Love"),
    "right": Function(right, 2, 2, "the last characters", "right('Lovelace', 4)", "lace"),
    "part": Function(
        part, 3, 3, "from a position (1 is the first) so many characters", "part('Lovelace', 2, 3)", "ove"
    ),
    "nth": Function(
        nth,
        3,
        3,
        "the n-th piece between separators; null if there are fewer",
        "nth('Ada King', ' ', 2)",
        "King",
    ),
    "replace": Function(
        replaced, 3, 3, "every occurrence replaced", "replace('0049-221', '-', ' ')", "0049 221"
    ),
    "digits": Function(
        lambda value: "".join(char for char in text(value) if char in "0123456789"),
        1,
        1,
        "only the digits",
        "digits('+49 (221) 7')",
        "492217",
    ),
    "length": Function(lambda value: len(text(value)), 1, 1, "how many characters", "length('Zoë')", 3),
    "contains": Function(
        lambda value, piece: text(piece) in text(value),
        2,
        2,
        "whether the second is in the first (case matters)",
        "contains('Köln', 'ö')",
        True,
    ),
    "starts_with": Function(
        lambda value, piece: text(value).startswith(text(piece)),
        2,
        2,
        "whether it begins so",
        "starts_with('+49 221', '+49')",
        True,
    ),
    "ends_with": Function(
        lambda value, piece: text(value).endswith(text(piece)),
        2,
        2,
        "whether it ends so",
        "ends_with('a@b.de', '.de')",
        True,
    ),
    "number": Function(or_null(number), 1, 1, "a text as number", "number('12') + 1", 13),
    "round": Function(
        or_null(rounded),
        1,
        2,
        "rounded, half up, to so many decimals (0 if left out)",
        "round(2.345, 2)",
        2.35,
    ),
    "abs": Function(or_null(lambda value: abs(number(value))), 1, 1, "without its sign", "abs(-3)", 3),
    "date": Function(
        or_null(lambda value: day(value).isoformat()),
        1,
        1,
        "the day of a date or time, as written",
        "date('2024-01-31T22:00:00Z')",
        "2024-01-31",
    ),
    "year": Function(or_null(lambda value: day(value).year), 1, 1, "its year", "year('1985-12-10')", 1985),
    "month": Function(or_null(lambda value: day(value).month), 1, 1, "its month", "month('1985-12-10')", 12),
    "day": Function(
        or_null(lambda value: day(value).day), 1, 1, "its day of the month", "day('1985-12-10')", 10
    ),
    "add_days": Function(
        or_null(add_days), 2, 2, "so many days later", "add_days('2024-02-28', 2)", "2024-03-01"
    ),
}


def as_markdown() -> str:
    """The functions as they stand in docs/mapping.md (a test compares them and runs every example)."""
    lines = ["| function | gives | example | = |", "|---|---|---|---|"]
    for name, function in FUNCTIONS.items():
        lines.append(f"| `{name}` | {function.does} | `{function.example}` | `{shown(function.result)}` |")
    return "\n".join(lines)


def shown(value: Any) -> str:
    """A value as the language writes it."""
    return repr(value) if isinstance(value, str) else text(value) if value is not None else "null"
