"""What a person or a machine gets to see: tables or one JSON object on stdout, notes and progress on stderr."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

WIDE = 150
"""Columns where stdout is no terminal: a log or a pipe does not wrap."""


class Tell(Protocol):
    """Moves a progress bar."""

    def __call__(self, done: int, total: int | None = None, note: str = "") -> None: ...


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as a person needs it: code, what happened, which record, what to do."""

    code: str
    what: str
    fix: str
    record: str = ""


class CommandFailed(Exception):
    """A command cannot do what was asked, and says why; exit code 1."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.code)


class Output:
    """Colours and bars appear on terminals only."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._out = Console(width=None if sys.stdout.isatty() else WIDE, highlight=False, markup=False)
        self._err = Console(
            stderr=True, width=None if sys.stderr.isatty() else WIDE, highlight=False, markup=False
        )

    def json(self, content: Mapping[str, Any]) -> None:
        """The one object of `--json`."""
        print(json.dumps(content, ensure_ascii=True))

    def line(self, text: str | Text = "", style: str = "") -> None:
        """A line for people; nothing with `--json`."""
        if not self.as_json:
            self._out.print(text, style=style or None, soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str | Text]], title: str = "") -> None:
        """A table without frame; nothing with `--json`, or without rows: what is said below it counts them."""
        if self.as_json or not rows:
            return
        table = Table(box=None, pad_edge=False, title=title or None, title_justify="left", title_style="bold")
        for number, column in enumerate(columns):
            # Ids and names stay whole; the last two columns hold sentences.
            table.add_column(column, no_wrap=number < len(columns) - 2, overflow="fold")
        for row in rows:
            table.add_row(*row)
        self._out.print(table)

    def note(self, text: str) -> None:
        """Something to know that is no result."""
        self._err.print(text, soft_wrap=True)

    def problem(self, problem: Problem) -> None:
        """An error: on stderr for people, as the JSON object for machines."""
        if self.as_json:
            told = {"code": problem.code, "what": problem.what, "record": problem.record, "fix": problem.fix}
            self.json({"error": {name: value for name, value in told.items() if value}})
            return
        self._err.print(Text(f"{problem.code}: {problem.what}", style="red"), soft_wrap=True)
        if problem.record:
            self._err.print(f"  record: {problem.record}", soft_wrap=True)
        if problem.fix:
            self._err.print(f"  do: {problem.fix}", soft_wrap=True)

    @contextmanager
    def progress(self, what: str) -> Iterator[Tell]:
        """A bar on stderr while something takes long; it is gone afterwards."""
        if not self._err.is_terminal:
            yield lambda done, total=None, note="": None
            return
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"))
        with Progress(*columns, TimeElapsedColumn(), console=self._err, transient=True) as bars:
            task = bars.add_task(what, total=None, note="")
            yield lambda done, total=None, note="": bars.update(task, completed=done, total=total, note=note)

    def ask(self, question: str) -> bool:
        """Whether a person typed yes; the question is on stderr."""
        with _interruptible():
            self._err.print(f"{question} [y/N] ", end="")
            return sys.stdin.readline().strip().lower() in ("y", "yes")


@contextmanager
def _interruptible() -> Iterator[None]:
    """The running loop takes the first Ctrl-C for itself, and a blocked read would never see it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def duration(seconds: float) -> str:
    """`45 s`, `3 min`, `2 h 10 min`, `13 days`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{round(seconds / 86400)} days"


def number(count: float) -> str:
    """With thousands' commas; one decimal below ten."""
    return f"{count:,.1f}" if isinstance(count, float) and count < 100 else f"{count:,.0f}"


def counted(count: int, noun: str) -> str:
    """`1 record`, `2 records`."""
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"
