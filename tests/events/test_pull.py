"""Export files become event rows, once: overlap, duplicates, uploads under way, crashes, bad lines and files."""

from __future__ import annotations

import asyncio
import contextlib
import tracemalloc
from collections.abc import AsyncIterator

import pytest

from sync.storage.files import Files
from sync.storage.logs import LogFile
from sync.storage.table import StorageFault
from tests.events.stage import (
    DELIVERY_HEADER,
    TRACKING_HEADER,
    Stage,
    contact_id,
    csv_of,
    delivery_line,
    time_text,
    tracking_line,
    writes,
)


async def files(stage: Stage) -> dict[str, tuple[str, str]]:
    """State and code by file."""
    rows = await Files(stage.account.view().table("exports")).all()
    return {name: (row.state, row.code) for name, row in rows.items()}


async def bad(stage: Stage) -> list[tuple[str, int, str]]:
    lines = Files(stage.account.view().table("exports")).bad_lines()
    return sorted([(line.file, line.line, line.code) async for line in lines])


async def pull(stage: Stage) -> None:
    await stage.app.pull_email_events(invocation="i")


def sends(numbers: range, **more: str) -> list[str]:
    return [delivery_line(number, contact_id(number), **more) for number in numbers]  # type: ignore[arg-type]


async def test_lines_become_open_rows_and_messages_name_their_partitions() -> None:
    stage = Stage()
    stage.drop("a.csv", csv_of(DELIVERY_HEADER, sends(range(50))))
    await pull(stage)
    assert len(stage.rows()) == 50 and all(row["open"] for row in stage.rows())
    assert len(stage.account.queues["events"].messages) == 1
    assert await files(stage) == {"a.csv": ("done", "")}


async def test_overlapping_exports_and_the_same_file_again_store_nothing_new() -> None:
    stage = Stage()
    stage.contacts(60)
    stage.drop("a.csv", csv_of(DELIVERY_HEADER, sends(range(40))))
    await stage.settle()
    stage.drop("b.csv", csv_of(DELIVERY_HEADER, sends(range(20, 60))))
    await stage.settle()
    assert len(stage.activities("send")) == 60
    stored, since = stage.account.tables["events"].writes, len(stage.dynamics.log)
    for name in ("a.csv", "b.csv"):
        stage.drop(f"again-{name}", stage.logs.content[name][0])
    await stage.settle()
    assert stage.account.tables["events"].writes == stored
    assert writes(stage, since) == []


async def test_a_file_is_read_once_it_has_settled_and_again_when_it_was_written_again() -> None:
    stage = Stage()
    stage.logs.put("a.csv", csv_of(DELIVERY_HEADER, sends(range(3))))
    await pull(stage)
    assert stage.rows() == []
    stage.clock.at += 31
    await pull(stage)
    assert len(stage.rows()) == 3
    stage.drop("a.csv", csv_of(DELIVERY_HEADER, sends(range(5))))
    await pull(stage)
    assert len(stage.rows()) == 5


async def test_a_line_without_its_end_waits_for_the_rest_of_the_upload() -> None:
    stage = Stage()
    whole = csv_of(DELIVERY_HEADER, sends(range(3), mirror="https://mirror.test/page"))
    stage.drop("a.csv", whole[:-6])
    await pull(stage)
    assert len(stage.rows()) == 2
    assert (await files(stage))["a.csv"][0] == "reading"
    stage.drop("a.csv", whole)
    await pull(stage)
    assert {row["mirror"] for row in stage.rows()} == {"https://mirror.test/page"}


async def test_a_last_line_without_break_counts_once_the_file_is_old_enough() -> None:
    stage = Stage()
    stage.drop("a.csv", csv_of(DELIVERY_HEADER, sends(range(3)))[:-1])
    await pull(stage)
    stage.clock.at += 900
    await pull(stage)
    assert len(stage.rows()) == 3
    assert (await files(stage))["a.csv"][0] == "done"


async def test_a_cut_version_of_a_line_never_wins_over_the_whole_one() -> None:
    for order in ((0, 1), (1, 0)):
        stage = Stage()
        line = delivery_line(1, contact_id(1), mirror="https://mirror.test/page")
        versions = [csv_of(DELIVERY_HEADER, [line]), csv_of(DELIVERY_HEADER, [line[:-5]])]
        for place in order:
            stage.drop(f"{place}.csv", versions[place])
        await pull(stage)
        assert stage.rows()[0]["mirror"] == "https://mirror.test/page"


async def test_a_kill_in_the_middle_resumes_and_no_line_is_lost_or_doubled() -> None:
    stage = Stage(settings={"EVENTS_READ_ROWS": "10"})
    stage.contacts(55)
    stage.logs.piece = 500
    stage.drop("a.csv", csv_of(DELIVERY_HEADER, sends(range(55))))

    class Killed(BaseException):
        """As after SIGKILL, but for `finally`."""

    for effect in range(0, 60, 7):
        count = 0

        class Gate:
            async def before(self, name: str, last: int = effect) -> None:
                nonlocal count
                count += 1
                if count > last:
                    raise Killed

            async def after(self, name: str) -> None:
                return

        worker = Stage.start(stage)
        view = stage.account.view(Gate())
        worker.events.events._table = view.table("events")
        worker.events.files._table = view.table("exports")
        with contextlib.suppress(Killed):
            await worker.pull_email_events(invocation="killed")
        stage.clock.at += 3600
    await stage.settle()
    assert len(stage.rows()) == 55
    assert len(stage.activities("send")) == 55


async def test_time_runs_out_and_the_next_tick_goes_on() -> None:
    stage = Stage(settings={"EVENTS_READ_ROWS": "10", "EVENTS_PULL_SECONDS": "1"})
    stage.logs.piece = 700
    stage.drop("a.csv", csv_of(DELIVERY_HEADER, sends(range(40))))
    seen = []
    stage.clock.now = lambda: _later(stage)  # type: ignore[method-assign]
    for _ in range(12):
        await pull(stage)
        seen.append(len(stage.rows()))
    assert seen[0] < 40 and seen[-1] == 40 and seen == sorted(seen)


def _later(stage: Stage) -> float:
    stage.clock.at += 0.05
    return stage.clock.at


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"id;name\n1;2\n", "header_missing"),
        ("broadlogID,lastModified\n".encode("utf-16"), "file_encoding"),
        (b"broadlogID,M\xfcller\n", "file_encoding"),
    ],
)
async def test_a_bad_file_is_refused_and_the_next_one_is_read(data: bytes, code: str) -> None:
    stage = Stage()
    stage.drop("a-bad.csv", data)
    stage.drop("b-good.csv", csv_of(DELIVERY_HEADER, sends(range(2))))
    await pull(stage)
    assert await files(stage) == {"a-bad.csv": ("refused", code), "b-good.csv": ("done", "")}
    assert len(stage.rows()) == 2


async def test_an_empty_file_is_done_and_one_above_the_limit_refused() -> None:
    stage = Stage(settings={"EVENTS_FILE_MB": "1"})
    stage.drop("empty.csv", b"")
    stage.drop("large.csv", b"x" * (1024 * 1024 + 1))
    stage.drop("header.csv", csv_of(DELIVERY_HEADER, []))
    await pull(stage)
    assert await files(stage) == {
        "empty.csv": ("done", ""),
        "large.csv": ("refused", "file_too_large"),
        "header.csv": ("done", ""),
    }


async def test_a_file_older_than_the_event_rows_is_refused() -> None:
    stage = Stage()
    stage.logs.put("old.csv", csv_of(DELIVERY_HEADER, sends(range(2))))
    stage.clock.at += 401 * 86400
    await pull(stage)
    assert await files(stage) == {"old.csv": ("refused", "file_too_old")}
    assert stage.rows() == []


async def test_a_line_older_than_the_event_rows_is_left_out_and_counted() -> None:
    stage = Stage()
    stage.drop("a.csv", csv_of(DELIVERY_HEADER, [delivery_line(1, contact_id(1), at=-401 * 86400.0)]))
    await pull(stage)
    assert stage.rows() == [] and stage.counts()["line:line_too_old"] == 1


async def test_bad_lines_are_quarantined_with_file_and_line_and_good_ones_go_on() -> None:
    stage = Stage()
    lines = [
        delivery_line(1, contact_id(1)),
        delivery_line(2, contact_id(2), status="Vanished"),
        delivery_line(3, contact_id(3)).replace(time_text(-3600), "yesterday"),
        delivery_line(4, contact_id(4)) + ",surplus",
        delivery_line(5, contact_id(5), reason='"a\nb"'),
        delivery_line(6, contact_id(6)),
    ]
    stage.drop("a.csv", csv_of(DELIVERY_HEADER, lines))
    await pull(stage)
    assert await bad(stage) == [
        ("a.csv", 3, "kind_unknown"),
        ("a.csv", 4, "date_wrong"),
        ("a.csv", 5, "line_width"),
    ]
    assert len(stage.rows()) == 3
    lines[1:4] = sends(range(2, 5))
    stage.drop("a.csv", csv_of(DELIVERY_HEADER, lines))
    await pull(stage)
    assert await bad(stage) == [] and len(stage.rows()) == 6


async def test_proofs_and_seeds_never_get_as_far_as_a_row() -> None:
    stage = Stage()
    lines = [delivery_line(1, contact_id(1), proof=1), delivery_line(2, contact_id(2), seed=1)]
    stage.drop("a.csv", csv_of(DELIVERY_HEADER, lines))
    await pull(stage)
    assert stage.rows() == []
    assert (stage.counts()["line:proof"], stage.counts()["line:seed"]) == (1, 1)


async def test_storage_that_fails_is_tried_again_by_the_next_tick() -> None:
    stage = Stage()
    stage.drop("a.csv", csv_of(TRACKING_HEADER, [tracking_line(1, contact_id(1))]))
    failing = stage.logs.read

    async def fail(file: LogFile, start: int) -> AsyncIterator[bytes]:
        if start >= 0:
            raise StorageFault("simulated")
        yield b""

    stage.logs.read = fail  # type: ignore[method-assign]
    await pull(stage)
    assert stage.rows() == []
    stage.logs.read = failing  # type: ignore[method-assign]
    await pull(stage)
    assert len(stage.rows()) == 1


async def test_a_container_that_cannot_be_read_is_told_until_it_can() -> None:
    stage = Stage()
    listing = stage.logs.files

    async def fail() -> AsyncIterator[LogFile]:
        if stage.clock.at:
            raise StorageFault("ResourceNotFoundError")
        yield LogFile("", "", 0, 0.0)

    stage.logs.files = fail  # type: ignore[method-assign]
    await pull(stage)
    pause = await stage.app.context.control.paused("email", "pull")
    assert pause is not None and (pause.code, pause.detail) == (
        "exports_unreachable",
        "ResourceNotFoundError",
    )
    stage.logs.files = listing  # type: ignore[method-assign]
    await pull(stage)
    assert await stage.app.context.control.paused("email", "pull") is None


async def test_log_ids_of_another_instance_are_other_lines() -> None:
    stage = Stage()
    stage.contacts(1)
    for word in ("", "v8"):
        stage.text = stage.text + (f"exports: {{log_ids: {word}}}\n" if word else "")
        stage.app = stage.start()
        stage.drop(f"{word}.csv", csv_of(DELIVERY_HEADER, sends(range(1))))
        await stage.settle()
    assert len(stage.activities("send")) == 2


async def test_two_pulls_at_once_do_not_read_twice() -> None:
    stage = Stage()
    stage.drop("a.csv", csv_of(DELIVERY_HEADER, sends(range(5))))
    await asyncio.gather(pull(stage), pull(stage))
    assert len(stage.account.queues["events"].messages) == 1


async def test_memory_does_not_grow_with_the_file() -> None:
    """Ten times the lines, about the same peak."""
    peaks = []
    for count in (4_000, 40_000):
        stage = Stage(settings={"EVENTS_READ_ROWS": "1000"})
        stage.logs.piece = 64 * 1024
        line = delivery_line(1, contact_id(1), mirror="https://m.test/" + "x" * 100)
        stage.drop("a.csv", csv_of(DELIVERY_HEADER, [line] * count))
        tracemalloc.start()
        await pull(stage)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5
