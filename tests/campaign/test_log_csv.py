"""CSV as a stream: positions, quoted line breaks, broken lines."""

from __future__ import annotations

import csv
import io
import random

import pytest

from sync.campaign.log_csv import LONGEST, CsvStream, Record


def read(data: bytes, piece: int = 7, *, position: int = 0, line: int = 1) -> list[Record]:
    stream = CsvStream(position=position, line=line)
    found = [
        record for start in range(0, len(data), piece) for record in stream.feed(data[start : start + piece])
    ]
    last = stream.tail()
    return [*found, last] if last else found


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 8, 1000])
def test_what_pieces_a_file_comes_in_changes_nothing(piece: int) -> None:
    text = '\ufeffid,name\r\n1,"two\nlines, and a ""quote"""\n\n2,Zoë\r\n3,last'
    records = read(text.encode(), piece)
    assert [record.fields for record in records] == [
        ("id", "name"), ("1", 'two\nlines, and a "quote"'), ("2", "Zoë"), ("3", "last"),
    ]  # fmt: skip
    assert [record.line for record in records] == [1, 2, 5, 6]


def test_reading_can_go_on_behind_any_record() -> None:
    data = b'a,b\n1,"x\ny"\n2,z\n3,w\n'
    whole = read(data)
    stream = CsvStream()
    lines = [(record.end, stream.line) for record in stream.feed(data)]
    for (end, line), index in zip(lines, range(1, len(whole) + 1), strict=True):
        assert read(data[end:], position=end, line=line) == whole[index:]


def test_random_tables_come_back_as_written() -> None:
    rng = random.Random(5)
    letters = 'ab",;\n\r é\t'
    for _ in range(200):
        table = [
            ["x" + "".join(rng.choice(letters) for _ in range(rng.randrange(6))) for _ in range(3)]
            for _ in range(rng.randrange(1, 8))
        ]
        text = io.StringIO(newline="")
        # With "\n" alone, Python 3.11 and 3.12 leave a bare "\r" unquoted.
        csv.writer(text, lineterminator="\r\n").writerows(table)
        data = text.getvalue().encode()
        assert [list(record.fields) for record in read(data, rng.randrange(1, 40))] == table


def test_an_open_quote_costs_its_own_line_only() -> None:
    rows = "".join(f"{number},plain\n" for number in range(20_000))
    assert len(rows) > LONGEST
    records = read(f'1,"open\n{rows}'.encode(), 4096)
    assert records[0].problem == "open_quote" and records[0].line == 1
    assert [record.fields[0] for record in records[1:]] == [str(number) for number in range(20_000)]
    assert records[-1].line == 20_001


def test_another_encoding_is_a_problem_of_its_line() -> None:
    records = read(b"a,b\n1,M\xfcller\n2,ok\n")
    assert [(record.line, record.problem) for record in records] == [(1, ""), (2, "encoding"), (3, "")]


def test_text_behind_a_closed_quote_is_malformed() -> None:
    assert [record.problem for record in read(b'a\n"x"y\nz\n')] == ["", "malformed", ""]


def test_a_last_line_without_break_is_the_tail() -> None:
    stream = CsvStream()
    assert [record.fields for record in stream.feed(b"a,b\n1,2")] == [("a", "b")]
    assert stream.position == 4
    last = stream.tail()
    assert last is not None and last.fields == ("1", "2") and last.end == 7


def test_a_file_without_a_line_break_does_not_fill_the_memory() -> None:
    stream = CsvStream()
    for _ in range(40):
        list(stream.feed(b"x" * LONGEST))
        assert len(stream._rest) + stream._bytes <= 6 * LONGEST
