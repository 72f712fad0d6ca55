"""`scripts/demo` as a stranger runs it: its verdict, its exit code, its JSON, and that nothing stays behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.process import ChildProcess

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parent.parent.parent
DEMO = [sys.executable, "-m", "sandbox.demo"]


def test_once_agrees_and_tells_what_it_did_in_json() -> None:
    ended = subprocess.run(
        [*DEMO, "--once", "--contacts", "60", "--json"], cwd=ROOT, capture_output=True, text=True, timeout=200
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    result = json.loads(ended.stdout.splitlines()[-1])
    waits = result.pop("latency_s")
    assert result == {
        "equal": True,
        "created": 58 + 3 + 2 + 2 + 1,  # first load, new ones, created again, new ones, the mended one
        "updated": 6 + 2 + 2,  # edited, edited back, edited
        "unchanged": 3 + 2 + 2,  # an unmapped column, edited and at once back, deactivated
        "deleted": 3 + 2,
        "parked": 0,
        "quarantined": {"email_invalid": 1},
        "campaign_calls": {"insert": 1.0, "update": 1.0, "unchanged": 0.0, "delete": 2.0},
        "entities": {"accounts": 8, "orders": 11, "orderlines": 22, "waited": 2, "equal": True},
    }
    assert 0 < waits["p50"] <= waits["p95"] < 30
    assert "Both sides agree, record by record" in ended.stderr
    assert "Campaign calls, " in ended.stderr
    assert "Nothing was done." in ended.stderr


@pytest.mark.parametrize(
    ("ending", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_a_signal_ends_every_process(ending: signal.Signals, code: int) -> None:
    with ChildProcess([*DEMO, "--contacts", "60"], env={"PYTHONUNBUFFERED": "1"}) as demo:
        demo.wait_for("function app started")
        started = descendants(demo.pid)
        assert len(started) >= 4, "Azurite, two look-alikes and the host should run now"
        demo.process.send_signal(ending)
        assert demo.process.wait(30) == code
        assert "Traceback" not in demo.output()
        # Nobody cleans up after SIGKILL: the kernel ends the children, a moment later.
        until = time.monotonic() + (5 if ending is signal.SIGKILL else 0)
        while left := [pid for pid, begun in started.items() if start_of(pid) == begun]:
            assert time.monotonic() < until, left
            time.sleep(0.05)


def test_a_killed_function_app_is_told_without_a_traceback() -> None:
    with ChildProcess([*DEMO, "--contacts", "60"], env={"PYTHONUNBUFFERED": "1"}) as demo:
        demo.wait_for("function app started")
        (host,) = (pid for pid in descendants(demo.pid) if "host" in arguments_of(pid))
        os.kill(host, signal.SIGKILL)
        assert demo.process.wait(60) == 1
        assert "scripts/demo: the function app ended by itself" in demo.output()
        assert "Traceback" not in demo.output()


def test_a_wrong_option_is_told_at_once() -> None:
    ended = subprocess.run([*DEMO, "--contacts", "3"], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 2
    assert "40 contacts or more" in ended.stderr


def descendants(pid: int) -> dict[int, str]:
    """All processes below `pid` with their start times."""
    time.sleep(0.2)
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        fields = stat_of(int(entry)) if entry.isdigit() else []
        if fields:
            children.setdefault(int(fields[1]), []).append(int(entry))
    found: dict[int, str] = {}
    waiting = list(children.get(pid, []))
    while waiting:
        child = waiting.pop()
        found[child] = start_of(child)
        waiting += children.get(child, [])
    return found


def start_of(pid: int) -> str:
    """When a process began, empty if it is gone or a zombie."""
    fields = stat_of(pid)
    return fields[19] if fields and fields[0] != "Z" else ""


def arguments_of(pid: int) -> list[str]:
    """A process's command line."""
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")


def stat_of(pid: int) -> list[str]:
    """State, parent and the other fields of /proc/PID/stat behind the name."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
