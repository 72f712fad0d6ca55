"""What the Functions host will see of function_app.py, and the numbers that must agree with each other."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sync.model import Lane
from sync.settings import Settings
from sync.storage.account import QUEUES
from sync.storage.budget import CLOCK_SLACK_S, RESERVATION_S

ROOT = Path(__file__).parent.parent
HOST: dict[str, Any] = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
BINDINGS = """
import json, warnings
warnings.simplefilter("ignore")
import function_app
found = {f.get_function_name(): json.loads(f.get_function_json())["bindings"] for f in function_app.app.get_functions()}
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def bindings() -> dict[str, list[dict[str, Any]]]:
    done = subprocess.run(
        [sys.executable, "-c", BINDINGS], cwd=ROOT, check=True, capture_output=True, text=True
    )
    found: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    return found


def test_every_lane_with_a_trigger_has_a_poison_trigger(bindings: dict[str, list[dict[str, Any]]]) -> None:
    queues = {b["queueName"] for found in bindings.values() for b in found if b["type"] == "queueTrigger"}
    assert queues == set(QUEUES) - {Lane.BACKFILL_HOLD.value, Lane.PAUSED.value}
    for queue in queues:
        assert queue.endswith("-poison") or f"{queue}-poison" in queues


def test_schedules_are_settings_that_exist(bindings: dict[str, list[dict[str, Any]]]) -> None:
    timers = {
        name: b["schedule"] for name, found in bindings.items() for b in found if b["type"] == "timerTrigger"
    }
    assert {"pull_changes", "feed_backfill", "wake_parked", "expire_rows"} <= set(timers)
    for schedule in timers.values():
        assert schedule.strip("%") in Settings.names()


def test_the_documents_name_every_function_and_every_schedule(
    bindings: dict[str, list[dict[str, Any]]],
) -> None:
    table = (
        (ROOT / "docs" / "operations.md")
        .read_text("utf-8")
        .partition("## What runs")[2]
        .partition("\n## ")[0]
    )
    listed = {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split(" | ")[0])}
    assert listed == set(bindings)
    host = (ROOT / "docs" / "host.md").read_text("utf-8")
    timers = [
        b["schedule"].strip("%") for found in bindings.values() for b in found if b["type"] == "timerTrigger"
    ]
    assert [name for name in timers if f"`{name}`" not in host] == []


def test_health_needs_a_key(bindings: dict[str, list[dict[str, Any]]]) -> None:
    (trigger,) = [b for b in bindings["health"] if b["type"] == "httpTrigger"]
    assert str(trigger["authLevel"]).upper().endswith("FUNCTION")


def test_importing_the_app_stays_under_two_seconds() -> None:
    code = "import time; t = time.perf_counter(); import function_app; print(time.perf_counter() - t)"

    def seconds() -> float:
        command = [sys.executable, "-W", "ignore", "-c", code]
        return float(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)

    # Other tests run beside: it may have to be tried again.
    assert any(seconds() < 2.0 for _ in range(3))


def test_messages_are_plain_text_on_both_sides() -> None:
    assert HOST["extensions"]["queues"]["messageEncoding"] == "none"


def test_a_delayed_chunk_is_polled_while_its_reservation_holds() -> None:
    text = HOST["extensions"]["queues"]["maxPollingInterval"]
    hours, minutes, seconds = map(int, text.split(":"))
    polling = hours * 3600 + minutes * 60 + seconds
    assert polling <= (RESERVATION_S - CLOCK_SLACK_S) / 2


def test_production_times() -> None:
    names = ("MESSAGE_LEASE_S", "CALL_TIMEOUT_S", "GATEWAY_S", "SKEW_S")
    shipped = json.loads((ROOT / "local.settings.sample.json").read_text(encoding="utf-8"))["Values"]
    defaults = [Settings.names()[name].default for name in names]
    assert defaults == [600.0, 30.0, 60.0, 30.0]
    assert [float(shipped[name]) for name in names] == defaults
