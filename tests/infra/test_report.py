"""The log events that the workbook and the alerts live on (docs/operations.md)."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from benchmarks.calls import Bench
from benchmarks.engine import contacts
from sync.flows.report import Reporter
from sync.model import Lane
from sync.storage.memory import OpenGate
from sync.storage.table import StorageFault

Event = dict[str, Any]


def events(caplog: pytest.LogCaptureFixture, name: str) -> list[Event]:
    lines = [record.message for record in caplog.records if record.name == "sync"]
    return [event for event in map(json.loads, lines) if event["event"] == name]


@pytest.fixture(autouse=True)
def logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="sync")


async def loaded(count: int) -> Bench:
    bench = Bench(addressing="key", delete_by_key=False)
    bench.dynamics.seed(contacts(count))
    await bench.settle()
    return bench


async def test_every_successful_pull_is_told_and_a_failed_one_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = await loaded(1)
    caplog.clear()
    await bench.app.pull_changes()
    assert events(caplog, "pulled") == [{"event": "pulled", "flow": "pull", "mapping": "contacts"}]
    caplog.clear()
    bench.dynamics.privileges(prvReadContact=None)
    await bench.app.pull_changes()
    assert events(caplog, "pulled") == []
    assert events(caplog, "flow_waits")[0]["code"] == "dynamics_forbidden"


async def test_every_lane_is_reported_with_its_length_and_oldest_message(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = await loaded(1)
    await bench.app.context.lanes.queue(Lane.LIVE).put("{}")
    await bench.app.context.lanes.poison(Lane.LIVE).put("{}")
    bench.clock.at += 90
    await Reporter(bench.app.context).report()
    lanes = {event["lane"]: (event["messages"], event["oldest_s"]) for event in events(caplog, "lane_state")}
    assert lanes == {
        "consent": (0, 0.0),
        "consent-poison": (0, 0.0),
        "live": (1, 90.0),
        "live-poison": (1, 90.0),
        "backfill": (0, 0.0),
        "backfill-poison": (0, 0.0),
        "backfill-hold": (0, 0.0),
        "paused": (0, 0.0),
        "control": (0, 0.0),
        "control-poison": (0, 0.0),
        "events": (0, 0.0),
        "events-poison": (0, 0.0),
    }


async def test_the_state_of_a_mapping_tells_what_its_counters_say(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(addressing="key", delete_by_key=False)
    rows = contacts(3)
    rows[0]["emailaddress1"] = "nobody"
    bench.dynamics.seed(rows)
    await bench.settle()
    bench.dynamics.privileges(prvReadContact=None)
    await bench.app.pull_changes()
    await Reporter(bench.app.context).report()
    state = events(caplog, "mapping_state")[-1]
    assert (state["synced"], state["quarantined"], state["to_approve"]) == (2, 1, 0)
    assert state["waits"] == "pull:dynamics_forbidden"
    assert events(caplog, "quarantine_state") == [
        {"event": "quarantine_state", "mapping": "contacts", "code": "email_invalid", "records": 1}
    ]
    limit = bench.app.context.budget.limit
    budget = events(caplog, "budget_state")[0]
    assert (budget["limit"], budget["calls"], budget["window_s"]) == ("campaign", limit.calls, limit.window_s)


async def test_deletes_that_wait_for_approval_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    bench = await loaded(60)
    for profile in bench.campaign.dump()[:55]:
        bench.dynamics.delete(str(profile["externalId"]))
    await bench.settle()
    await Reporter(bench.app.context).report()
    assert events(caplog, "mapping_state")[-1]["to_approve"] == 5


async def test_it_reports_once_a_minute_however_often_the_timer_ticks(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = await loaded(1)
    reporter = Reporter(bench.app.context)
    reported = []
    for _ in range(9):
        reported.append(await reporter.report())
        bench.clock.at += 15
    assert reported == [True, False, False, False, True, False, False, False, True]


async def test_a_report_that_fails_is_told_and_does_not_fail_the_timer(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = await loaded(1)

    class Down(OpenGate):
        async def before(self, effect: str) -> None:
            if effect.endswith(".length"):
                raise StorageFault("down")

    for queue in bench.account.queues.values():
        monkeypatch.setattr(queue, "gate", Down())
    bench.app.reporter = Reporter(bench.app.context)
    assert await bench.app.reporter.report() is False
    assert events(caplog, "report_failed") == [{"event": "report_failed", "kind": "StorageFault"}]


async def test_how_late_an_opt_out_may_be_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    bench = await loaded(1)
    shipped = bench.app.context.consent_map
    assert shipped is not None
    # As if a direction had been switched on; it ships off.
    bench.app.context.consent_map = shipped.model_copy(update={"direction": "both"})
    await bench.app.pull_consents()
    await bench.app.context.lanes.queue(Lane.CONSENT).put("{}")
    bench.clock.at += 120
    await Reporter(bench.app.context).report()
    assert events(caplog, "consent_state") == [
        {"event": "consent_state", "mapping": "contacts", "look_s": 120.0, "oldest_s": 120.0}
    ]
