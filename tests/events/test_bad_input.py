"""Every bad input of the export files: what becomes of it, and that nothing else suffers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from sync.storage.files import FileRow, Files
from sync.storage.logs import LogFile
from tests.events.stage import (
    DELIVERY_HEADER,
    TEXT,
    TRACKING_HEADER,
    Stage,
    contact_id,
    csv_of,
    delivery_line,
    time_text,
    tracking_line,
)

GOOD = delivery_line(1, contact_id(1))


async def read(
    data: bytes, text: str = TEXT, **settings: str
) -> tuple[Stage, FileRow, list[tuple[int, str]]]:
    """The file is dropped before a good one: the stage at rest, what is said of the file, and its bad lines."""
    stage = Stage(text=text, settings=settings)
    stage.contacts(3)
    stage.drop("a.csv", data)
    stage.drop("b.csv", csv_of(DELIVERY_HEADER, [delivery_line(99, contact_id(0), delivery="GOOD")]))
    await stage.settle()
    files = Files(stage.account.view().table("exports"))
    found = await files.all()
    assert found["b.csv"].state == "done", "a bad file blocked the next one"
    assert [one for one in stage.activities("send") if one["acs_deliveryname"] == "GOOD"]
    return stage, found["a.csv"], [(line.line, line.code) async for line in files.bad_lines("a.csv")]


@pytest.mark.parametrize(
    ("data", "code", "detail"),
    [
        (csv_of(DELIVERY_HEADER.replace("status,", ""), []), "header_missing", "status"),
        (b"\x00\x01\x02\x03\n" * 10, "file_encoding", "line 1"),
        (csv_of(DELIVERY_HEADER, [GOOD]).decode().encode("utf-16"), "file_encoding", "UTF-16"),
        (csv_of(DELIVERY_HEADER, [GOOD]).decode().encode("utf-32"), "file_encoding", "UTF-16"),
        (b"x" * (1024 * 1024 + 1), "file_too_large", "1 MB"),
        (b"x" * 700_000, "file_encoding", "line 1"),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused_whole(data: bytes, code: str, detail: str) -> None:
    _, row, bad = await read(data, EVENTS_FILE_MB="1")
    assert (row.state, row.code, bad) == ("refused", code, [])
    assert detail in row.detail


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\n\n", csv_of(DELIVERY_HEADER, [])])
async def test_an_empty_file_is_done(data: bytes) -> None:
    _, row, bad = await read(data, EVENTS_PARTIAL_S="1")
    assert (row.state, row.events, bad) == ("done", 0, [])


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (delivery_line(2, contact_id(2), status="Vanished"), "kind_unknown"),
        (delivery_line(2, contact_id(2), status=""), "kind_unknown"),
        (delivery_line(2, contact_id(2)).replace(time_text(-3600), "24.11.2026"), "date_wrong"),
        (delivery_line(2, contact_id(2)).replace(time_text(-3600), "1826-11-24 10:50:08Z"), "date_wrong"),
        (delivery_line(2, contact_id(2), delivery=""), "value_missing"),
        (delivery_line("", contact_id(2)), "value_missing"),
        (delivery_line(2, contact_id(2), delivery="D" * 201), "name_too_long"),
        (delivery_line(2, contact_id(2)).replace("Sent,0,0", "Sent,perhaps,0"), "flag_unknown"),
        (delivery_line(2, contact_id(2)) + ",more", "line_width"),
        (delivery_line(2, contact_id(2)).replace("DM190", '"DM"190'), "line_malformed"),
        (delivery_line(2, contact_id(2)).replace("DM190", "DM\x00190"), "line_malformed"),
    ],
)
async def test_a_line_that_cannot_be_read_is_noted_and_the_others_are_shown(line: str, code: str) -> None:
    stage, row, bad = await read(csv_of(DELIVERY_HEADER, [GOOD, line, delivery_line(3, contact_id(0))]))
    assert (row.state, row.events, row.bad, bad) == ("done", 2, 1, [(3, code)])
    assert len(stage.activities("send")) == 3
    assert stage.counts()[f"line:{code}"] == 1


async def test_a_line_in_another_encoding_is_noted() -> None:
    line = delivery_line(2, contact_id(2), campaign="Frühling").encode("latin-1")
    data = csv_of(DELIVERY_HEADER, [GOOD]) + line + b"\n"
    _, row, bad = await read(data)
    assert (row.state, row.bad, bad) == ("done", 1, [(3, "line_encoding")])


async def test_a_quote_that_nobody_closes_costs_its_line_only() -> None:
    lines = [
        delivery_line(2, contact_id(2), campaign='"open'),
        *[GOOD] * 800,
        delivery_line(3, contact_id(0)),
    ]
    stage, row, bad = await read(csv_of(DELIVERY_HEADER, lines))
    assert (row.state, bad) == ("done", [(2, "line_open_quote")])
    assert len(stage.activities("send")) == 3


async def test_a_delivery_nobody_has_heard_of_is_shown_by_its_name() -> None:
    """There is no list of deliveries: a tracking line may well come before the delivery's own log."""
    stage, row, bad = await read(
        csv_of(TRACKING_HEADER, [tracking_line(1, contact_id(1), delivery="DM-unheard")])
    )
    assert (row.state, bad) == ("done", [])
    assert [one["acs_deliveryname"] for one in stage.activities("open")] == ["DM-unheard"]


async def test_html_in_a_subject_stays_text() -> None:
    odd = "<script>alert(1)</script>"
    stage, _, bad = await read(csv_of(DELIVERY_HEADER, [delivery_line(1, contact_id(1), campaign=odd)]))
    assert bad == []
    (shown,) = [one for one in stage.activities("send") if one["acs_campaignname"] == odd]
    assert shown["subject"] == f"Campaign Name: {odd}; Delivery Name: DM190"


async def test_a_url_over_the_columns_length_is_left_out_and_the_click_is_shown() -> None:
    text = TEXT.replace("tracking_url: acs_trackingurl", "tracking_url: {name: acs_trackingurl, length: 100}")
    urls = ["https://x.test/" + "a" * length for length in (85, 86, 30_000)]
    lines = [
        tracking_line(number, contact_id(number), type="Email click", url=url)
        for number, url in enumerate(urls)
    ]
    stage, _, bad = await read(csv_of(TRACKING_HEADER, lines), text)
    shown = sorted(stage.activities("click"), key=lambda one: str(one["_regardingobjectid_value"]))
    assert (bad, [one["acs_trackingurl"] for one in shown]) == ([], [urls[0], None, None])


async def test_our_own_mistake_with_one_file_keeps_no_other_from_being_read() -> None:
    stage = Stage()
    stage.contacts(3)
    stage.drop("a.csv", csv_of(DELIVERY_HEADER, [GOOD]))
    stage.drop("b.csv", csv_of(DELIVERY_HEADER, [delivery_line(3, contact_id(0))]))
    reads = stage.logs.read

    async def broken(file: LogFile, start: int) -> AsyncIterator[bytes]:
        if file.name == "a.csv":
            raise ZeroDivisionError
        async for data in reads(file, start):
            yield data

    stage.logs.read = broken  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        await stage.app.pull_email_events(invocation="i")
    await stage.work()
    assert len(stage.activities("send")) == 1
    stage.logs.read = reads  # type: ignore[method-assign]
    await stage.settle()
    assert len(stage.activities("send")) == 2


async def test_without_the_user_agents_column_the_bot_rule_leaves_no_open_out_for_want_of_it() -> None:
    header = TRACKING_HEADER.removesuffix(",userAgent")
    line = tracking_line(1, contact_id(1)).rpartition(",")[0]
    text = TEXT.replace("filter_bots: false", "filter_bots: true")
    stage, _, bad = await read(csv_of(header, [line]), text)
    assert (bad, len(stage.activities("open"))) == ([], 1)
