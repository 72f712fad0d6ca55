"""`events`: what was refused of files, lines and events, and another try of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from typer.testing import CliRunner, Result

from sync.cli.program import app as program
from sync.cli.session import Desk, ServerDates, Session
from sync.settings import Settings
from tests.events.stage import (
    DELIVERY_HEADER,
    SETTINGS,
    Stage,
    WarpClock,
    contact_id,
    csv_of,
    delivery_line,
    sends,
)
from tests.events.test_refused import narrow, refusing


class Working(WarpClock):
    """A clock on which the function app works whenever somebody waits."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def now(self) -> float:
        return self._stage.clock.now()

    async def sleep(self, seconds: float) -> None:
        await self._stage.clock.sleep(seconds)
        await self._stage.work()


def sync(stage: Stage, *arguments: str, group: tuple[str, ...] = ("events",)) -> Result:
    """`python -m sync events …` against the stage's storage."""

    @asynccontextmanager
    async def opened(settings: Settings) -> AsyncIterator[Session]:
        app = stage.start()
        app.context.clock = Working(stage)
        yield Session(app, ServerDates(stage.transport, stage.clock))

    desk = Desk(opener=opened, environ={**SETTINGS, "AzureWebJobsStorage": "UseDevelopmentStorage=true"})
    return CliRunner().invoke(program, [*group, *arguments], obj=desk, catch_exceptions=False)


def ask(stage: Stage, *arguments: str, code: int = 0) -> dict[str, Any]:
    result = sync(stage, *arguments, "--json")
    assert result.exit_code == code, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def with_files() -> Stage:
    """One file that is good but for a line, one that was refused."""
    stage = Stage()
    stage.contacts(3)
    lines = [delivery_line(1, contact_id(1)), delivery_line(2, contact_id(2), status="Vanished")]
    stage.drop("good.csv", csv_of(DELIVERY_HEADER, lines))
    stage.drop("odd.csv", b"id;name\n1;2\n")
    asyncio.run(stage.settle())
    return stage


def test_files_and_lines_say_what_is_wrong_and_what_to_do() -> None:
    stage = with_files()
    told = ask(stage, "files")["files"]
    assert [(one["file"], one["state"], one["code"], one["bad_lines"]) for one in told] == [
        ("good.csv", "done", "", 1),
        ("odd.csv", "refused", "header_missing", 0),
    ]
    text = sync(stage, "files", "--refused").stdout
    assert "odd.csv" in text and "good.csv" not in text and "upload the file again" in text
    assert ask(stage, "lines") == ask(stage, "lines", "good.csv")
    assert ask(stage, "lines", "odd.csv") == {"lines": []}
    (line,) = ask(stage, "lines")["lines"]
    assert line == {"file": "good.csv", "line": 3, "code": "kind_unknown", "detail": "status"}
    shown = sync(stage, "lines").stdout
    assert "kind_unknown" in shown and "Vanished" not in shown
    assert ask(stage, "lines", "absent.csv", code=1)["error"]["code"] == "unknown_file"
    status = sync(stage, "status", group=()).stdout
    assert "  bad lines   1 could not be read: `python -m sync events lines`" in status
    assert "good.csv: done, 1 event, 1 bad line\n" in status


def test_lists_of_nothing_are_a_sentence() -> None:
    stage = Stage()
    assert sync(stage, "files").stdout == "0 files.\n"
    assert sync(stage, "lines").stdout == "0 lines in all.\n"
    assert sync(stage, "refused").stdout == "No event was refused.\n"
    assert "No mapping is active yet" in sync(stage, "mappings", "list", group=()).stdout


def test_a_refused_file_is_read_again_once_the_configuration_knows_its_columns() -> None:
    stage = Stage()
    stage.contacts(2)
    header = DELIVERY_HEADER.replace("status", "Zustand")
    stage.drop("odd.csv", csv_of(header, [delivery_line(n, contact_id(n)) for n in range(2)]))
    asyncio.run(stage.settle())
    assert ask(stage, "files")["files"][0]["code"] == "header_missing"
    stage.text += "exports:\n  delivery_log: {status: [Zustand]}\n"
    stage.app = stage.start()
    asyncio.run(stage.settle())
    assert stage.activities("send") == [], "a refused file is not looked at again by itself"
    assert ask(stage, "reread", "--refused") == {"files": ["odd.csv"]}
    asyncio.run(stage.settle())
    assert len(stage.activities("send")) == 2
    assert ask(stage, "reread", "--refused") == {"files": []}
    assert ask(stage, "reread", "odd.csv") == {"files": ["odd.csv"]}
    written = stage.account.tables["events"].writes
    asyncio.run(stage.settle())
    assert stage.account.tables["events"].writes == written
    assert sync(stage, "reread").exit_code == sync(stage, "reread", "odd.csv", "--refused").exit_code == 2


def test_refused_events_are_shown_and_tried_again() -> None:
    stage = asyncio.run(refusing(2))
    told = ask(stage, "refused")["events"]
    assert [(one["contact"], one["kind"], one["code"]) for one in told] == [
        (contact_id(n), "send", "dynamics_value_refused") for n in range(2)
    ]
    assert contact_id(1) in sync(stage, "refused").stdout
    assert ask(stage, "retry", "--all", "--wait") == {"events": 2, "partitions": 0, "refused_again": 2}
    narrow(stage, 200)
    assert ask(stage, "retry", contact_id(1), "--wait")["refused_again"] == 0
    assert ask(stage, "retry", "--code", "dynamics_value_refused") == {"events": 1, "partitions": 0}
    asyncio.run(stage.settle())
    assert len(stage.activities("send")) == 2
    assert "No event was refused" in sync(stage, "refused").stdout
    assert sync(stage, "retry").exit_code == sync(stage, "retry", "--all", contact_id(1)).exit_code == 2


def test_partitions_that_wait_after_failures_are_tried_at_once() -> None:
    stage = Stage()
    stage.contacts(1)
    sends(stage, 1)

    async def fail() -> None:
        await stage.app.pull_email_events(invocation="i")
        (message,) = stage.account.queues["events"].messages
        stage.account.queues["events"].messages.clear()
        await stage.app.apply_events(message.body, dequeue_count=10, invocation="i")

    asyncio.run(fail())
    assert stage.activities("send") == []
    assert ask(stage, "retry", "--all", "--wait") == {"events": 0, "partitions": 1, "refused_again": 0}
    assert len(stage.activities("send")) == 1
