"""CSV of any size as a stream of records, each with its line and the byte position behind it.

A record is complete when its quotes are even in number, so a quoted value may hold line breaks. A quote that nobody
closes would swallow the rest of a file: above LONGEST bytes its first line is blamed, and reading goes on behind it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 64 * 1024
BOM = b"\xef\xbb\xbf"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")
"""UTF-16 and UTF-32; exports are UTF-8."""


@dataclass(frozen=True, slots=True)
class Record:
    """`problem` ("" = none): `open_quote`, `malformed`, `encoding`; then there are no `fields`."""

    line: int
    end: int
    fields: tuple[str, ...] = ()
    problem: str = ""


class CsvStream:
    """Splits what it is fed; `position` and `line` say where reading (again) begins."""

    def __init__(self, delimiter: str = ",", *, position: int = 0, line: int = 1) -> None:
        self._delimiter = delimiter
        self._position = position
        self._line = line
        self._rest = b""
        self._held: list[bytes] = []
        self._bytes = 0
        self._quotes = 0

    @property
    def line(self) -> int:
        """The line behind the record that was given last."""
        return self._line

    @property
    def position(self) -> int:
        """The byte behind it."""
        return self._position

    def feed(self, data: bytes) -> Iterator[Record]:
        """The records that `data` completes; empty lines are none."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            yield from self._take(line + b"\n")
        if self._bytes + len(self._rest) > 4 * LONGEST:
            # Not even a line break: no text of ours.
            rest, self._rest = self._rest, b""
            yield from self._take(rest)

    def tail(self) -> Record | None:
        """What is left at the end of the file, as a record; None if there is nothing."""
        held = [*self._held, self._rest] if self._rest else self._held
        if not held:
            return None
        size = sum(map(len, held))
        if self._quotes % 2 != self._rest.count(b'"') % 2:
            return Record(self._line, self._position + size, problem="open_quote")
        record = self._record(b"".join(held), self._position + size)
        return record if record.problem or record.fields else None

    def _take(self, line: bytes) -> Iterator[Record]:
        self._held.append(line)
        self._bytes += len(line)
        self._quotes += line.count(b'"')
        if self._quotes % 2 == 0:
            yield from self._close(self._held)
        elif self._bytes > LONGEST:
            first, *others = self._held
            self._forget(first, 1)
            yield Record(self._line - 1, self._position, problem="open_quote")
            for other in others:
                yield from self._take(other)

    def _close(self, held: list[bytes]) -> Iterator[Record]:
        text = held[0] if len(held) == 1 else b"".join(held)
        line = self._line
        record = self._record(text, self._position + len(text))
        self._forget(text, len(held))
        if record.problem or record.fields:
            yield Record(line, record.end, record.fields, record.problem)

    def _forget(self, text: bytes, lines: int) -> None:
        self._position += len(text)
        self._line += lines
        self._held = []
        self._bytes = self._quotes = 0

    def _record(self, text: bytes, end: int) -> Record:
        if len(text) > LONGEST:
            return Record(self._line, end, problem="malformed")
        if self._position == 0:
            text = text.removeprefix(BOM)
        try:
            plain = text.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            return Record(self._line, end, problem="encoding")
        if not plain.strip():
            return Record(self._line, end)
        if _CONTROL.search(plain):
            # No text of Campaign's, and no table or activity would take it.
            return Record(self._line, end, problem="malformed")
        if '"' not in plain:
            return Record(self._line, end, tuple(plain.split(self._delimiter)))
        try:
            (fields,) = csv.reader([plain], delimiter=self._delimiter, strict=True)
        except (csv.Error, ValueError):
            return Record(self._line, end, problem="malformed")
        return Record(self._line, end, tuple(fields))
