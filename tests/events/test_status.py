"""What `status` and `health` say of the events flow."""

from __future__ import annotations

import json
import logging

import pytest

from sync.cli.status_events import as_json
from sync.flows.events.report import report_events
from sync.flows.events.status import collect_events
from sync.flows.report import Reporter
from tests.events.stage import DELIVERY_HEADER, Stage, contact_id, csv_of, delivery_line, sends
from tests.events.test_refused import refusing


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


async def test_dashboards_and_alerts_see_the_flow_as_a_mapping(caplog: pytest.LogCaptureFixture) -> None:
    stage = await refusing(2)
    sends(stage, 1, start=700)
    await stage.settle()
    stage.app.reporter = Reporter(stage.app.context)
    caplog.set_level(logging.INFO, "sync")
    stage.clock.at += 60
    caplog.clear()
    await stage.app.pull_email_events(invocation="i")
    told = [json.loads(record.getMessage()) for record in caplog.records]
    assert {"event": "pulled", "flow": "pull_email_events", "mapping": "email"} in told
    assert not await report_events(stage.app.events), "a minute has not passed"
    (state,) = [one for one in told if one["event"] == "mapping_state"]
    assert (state["mapping"], state["fresh"], state["quarantined"], state["parked"]) == ("email", True, 2, 1)
    codes = [(one["code"], one["records"]) for one in told if one["event"] == "quarantine_state"]
    assert codes == [("dynamics_value_refused", 2)]
