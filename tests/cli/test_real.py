"""The command line as a process against Azurite, both look-alikes over HTTP and the function app in its host."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.demo.stack import ROOT, Stack, stack
from sandbox.demo.story import Story
from tests.real.parts import fast, settled, tenant, until

pytestmark = pytest.mark.slow
CONTACTS = 40
NOWHERE = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;QueueEndpoint=http://127.0.0.1:9/a;TableEndpoint=http://127.0.0.1:9/a;"


class Terminal:
    """`python -m sync …` with the settings of a stack, after a first load."""

    story: Story
    before: Any
    """What `doctor` said before the first start."""

    def __init__(self, running: Stack, folder: Path) -> None:
        self.running = running
        self.file = folder / "local.settings.json"
        self.file.write_text(json.dumps({"IsEncrypted": False, "Values": running.settings}))

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "sync", *arguments, "--settings", str(self.file)]

    def sync(self, *arguments: str, code: int = 0, **environ: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*arguments),
            cwd=ROOT,
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def ask(self, *arguments: str, code: int = 0, **environ: str) -> Any:
        return json.loads(self.sync(*arguments, "--json", code=code, **environ).stdout)


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    folder = tmp_path_factory.mktemp("cli")
    with stack(fast(folder, DELETE_BRAKE_MIN="1", DELETE_BRAKE_PERCENT="0")) as running:
        terminal = Terminal(running, folder)
        terminal.story = tenant(running, CONTACTS)
        terminal.before = terminal.ask("doctor")
        running.start_host()
        settled(running, terminal.story, 60)
        yield terminal


def test_tables_are_yellow_before_the_first_start(terminal: Terminal) -> None:
    levels = [check["level"] for check in terminal.before["checks"] if check["area"] == "Storage"]
    assert levels == ["warn", "warn"]


def test_the_life_of_an_operator(terminal: Terminal) -> None:
    """After a first load: braked deletes, a retry, a replay, all by command."""
    running, story = terminal.running, terminal.story
    told = terminal.ask("doctor")
    # Both ship off: consent is a yellow line, events are left out.
    levels = {check["area"]: check["level"] for check in told["checks"] if check["level"] != "ok"}
    assert levels == {"Consent": "warn", "Email events": "skip"}
    (mapping,) = terminal.ask("status", "--exact")["mappings"]
    assert mapping["exact"]["rows"] == CONTACTS
    assert {name: n for name, n in mapping["states"].items() if n} == mapping["exact"]["states"]

    ids = [record["contactid"] for record in running.dynamics.records()]
    good = [record for record in ids if record not in story.bad][:3]
    for record in good:
        running.dynamics.command("delete", id=record)
    until(lambda: len(terminal.ask("deletes", "list")["deletes"]) == 2, 30, lambda: "two deletes wait")
    first, second = (item["id"] for item in terminal.ask("deletes", "list")["deletes"])
    terminal.sync("deletes", "approve", "{" + first.upper() + "}", "--wait")
    terminal.sync("deletes", "discard", second)
    assert terminal.ask("history", first)["state"] == "deleted"
    assert terminal.ask("history", second)["code"] == "delete_discarded"

    terminal.sync("retry", "--all", "--wait")
    terminal.sync("replay", "--all", "--yes", "--wait")
    states = terminal.ask("status", "--exact")["mappings"][0]["exact"]["states"]
    assert states == {
        "deleted": 2,
        "hold": 1,
        "quarantined": len(story.bad),
        "synced": CONTACTS - 3 - len(story.bad),
    }


def test_failures_of_real_clients_are_told_in_seconds(terminal: Terminal) -> None:
    began = time.monotonic()
    wrong_key = terminal.running.settings["AzureWebJobsStorage"].replace("AccountKey=E", "AccountKey=F")
    for connection, code in ((NOWHERE, "storage_unreachable"), (wrong_key, "storage_forbidden")):
        for command in (("status",), ("deletes", "list")):
            error = terminal.ask(*command, code=1, AzureWebJobsStorage=connection)["error"]
            assert error["code"] == code
    error = terminal.ask("status", code=2, AzureWebJobsStorage="nonsense")["error"]
    assert error["code"] == "settings_invalid"
    told = terminal.ask(
        "doctor", code=1, DYNAMICS_URL="http://127.0.0.1:9", CAMPAIGN_TOKEN_URL="http://127.0.0.1:9/t"
    )
    assert {c["area"] for c in told["checks"] if c["level"] == "fail"} == {"Dynamics", "Campaign"}
    assert time.monotonic() - began < 40


def test_configuration_as_code(terminal: Terminal, tmp_path: Path) -> None:
    """Check, plan, apply, look, take back: over HTTP and in Azure's tables."""
    shipped = (ROOT / "mappings" / "contacts.yaml").read_text()
    file, saved = tmp_path / "contacts.yaml", str(tmp_path / "metadata.json")
    file.write_text(
        shipped.replace(
            "target: lastName, type: string, length: 50", "target: lastName, type: string, length: 3"
        )
    )
    assert terminal.ask("mappings", "validate", str(file), "--save-metadata", saved)["valid"] is True
    assert terminal.ask("mappings", "validate", str(file), "--metadata", saved)["valid"] is True
    told = terminal.ask("mappings", "plan", "--file", str(file), "--sample", "8", "--show", "8")
    assert told["records"] == 8
    assert told["would"]["update"] > 4
    assert set(told["fields"]) == {"lastName"}
    record = next(one["id"] for one in told["shown"] if one["would"] == "update")
    terminal.ask("mappings", "apply", str(file), "--no-replay", "--yes")
    (traced,) = terminal.ask("trace", record)["traces"]
    assert (traced["ledger"]["state"], traced["now"]["would"]) == ("synced", "update")
    terminal.ask("mappings", "rollback", "--yes")
    kinds = [version["replay"] for version in terminal.ask("mappings", "history")["versions"]]
    assert kinds == [True, False, True]
    assert terminal.ask("mappings", "export", str(tmp_path / "out"))["files"]
    assert (tmp_path / "out" / "contacts.yaml").read_text() == shipped


def test_no_secret_is_ever_printed(terminal: Terminal) -> None:
    secrets = {"DYNAMICS_CLIENT_SECRET": "canary-one", "CAMPAIGN_CLIENT_SECRET": "canary-two"}
    for command in ("doctor", "status"):
        done = terminal.sync(command, code=1 if command == "doctor" else 0, **secrets)
        assert "canary" not in done.stdout + done.stderr


def test_ctrl_c_leaves_nothing_behind(terminal: Terminal) -> None:
    """Stopped while it waits for an app that is not running: exit 130, no traceback, the message stays queued."""
    running = terminal.running
    running.stop_host()
    child = subprocess.Popen(
        terminal.command("replay", "--all", "--yes", "--wait"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith("Queued"):
            break
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=10)
    assert child.returncode == 130
    assert "Traceback" not in errors
    assert "Stopped" in errors
    assert terminal.ask("status", code=0)["lanes"]["control"] == 1
    running.start_host()
    until(lambda: terminal.ask("status")["lanes"]["control"] == 0, 30, lambda: "the replay is worked")


def test_ctrl_c_at_a_question(terminal: Terminal) -> None:
    outside, inside = pty.openpty()
    child = subprocess.Popen(
        terminal.command("replay", "--all"), cwd=ROOT, stdin=inside, stdout=inside, stderr=inside
    )
    os.close(inside)
    shown = b""
    while b"[y/N]" not in shown:
        shown += os.read(outside, 4096)
    child.send_signal(signal.SIGINT)
    assert child.wait(10) == 130
    os.close(outside)


def test_a_terminal_gets_colours(terminal: Terminal) -> None:
    outside, inside = pty.openpty()
    environ = {**os.environ, "TERM": "xterm-256color"}
    for name in ("NO_COLOR", "CI"):
        environ.pop(name, None)
    child = subprocess.Popen(
        terminal.command("mappings", "list"),
        cwd=ROOT,
        env=environ,
        stdin=inside,
        stdout=inside,
        stderr=inside,
    )
    os.close(inside)
    shown = b""
    while True:
        try:
            part = os.read(outside, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(outside)
    assert child.wait(10) == 0
    assert b"\x1b[" in shown
