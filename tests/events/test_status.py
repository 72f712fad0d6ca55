"""What `status` and `health` say of the events flow."""

from __future__ import annotations

from sync.cli.status_events import as_json
from sync.flows.events.status import collect_events
from tests.events.stage import DELIVERY_HEADER, Stage, contact_id, csv_of, delivery_line


async def test_status_counts_what_was_read_written_and_left_out() -> None:
    stage = Stage()
    stage.contacts(2)
    lines = [delivery_line(number, contact_id(number)) for number in range(3)]
    lines += [delivery_line(4, contact_id(1), proof=1), "broken"]
    stage.drop("a.csv", csv_of(DELIVERY_HEADER, lines))
    stage.drop("b.csv", b"id\n1\n")
    await stage.settle()
    told = as_json(await collect_events(stage.app.context, stage.account.view()))
    assert told["fresh"] is True
    assert told["events"] == {"new": 3, "revised": 0}
    assert told["activities"] == {"created": 2, "corrected": 0, "tasks": 0, "deleted": 0}
    assert told["lines_left_out"] == {"line_width": 1, "proof": 1}
    assert told["events_not_shown"] == {"contact_unknown": 1}
    assert (told["parked"], told["refused"], told["bad_lines"]) == (1, 0, 1)
    assert told["refused_files"] == {"b.csv": "header_missing"}


async def test_health_needs_a_pull_of_the_events_too() -> None:
    stage = Stage()
    _, found = await stage.app.health()
    assert [(item.mapping, item.fresh) for item in found] == [("email", False)]
    await stage.app.pull_email_events(invocation="i")
    _, found = await stage.app.health()
    assert [(item.mapping, item.fresh) for item in found] == [("email", True)]
