"""The edge of every command: settings files, foreseeable failures in words, exit codes, no traceback."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sync.cli.program import app as program
from sync.cli.session import Desk, Session
from sync.settings import Settings
from tests.cli.office import SETTINGS, Office
from tests.cli.test_doctor import Broken


def file_of(tmp_path: Path, values: object, **more: object) -> str:
    file = tmp_path / "local.settings.json"
    file.write_text(json.dumps({"IsEncrypted": False, "Values": values, **more}))
    return str(file)


def test_settings_come_from_the_file(tmp_path: Path) -> None:
    office = Office()
    office.synced("Ada")
    office.environ = {}
    assert office.ask("status", "--settings", file_of(tmp_path, SETTINGS))["mappings"][0]["fresh"]
    assert office.ask("status", code=2)["error"]["code"] == "settings_invalid"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    office = Office()
    office.synced("Ada")
    file = file_of(tmp_path, {**SETTINGS, "FRESHNESS_S": "0.001"})
    assert not office.ask("status", "--settings", file, code=1)["mappings"][0]["fresh"]
    office.environ["FRESHNESS_S"] = "300"
    assert office.ask("status", "--settings", file)["mappings"][0]["fresh"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "is not JSON"),
        ("[]", "has no object `Values`"),
        ('{"Values": {"BUCKETS": 4}}', "has no object `Values` of texts"),
        ('{"IsEncrypted": true, "Values": {}}', "is encrypted"),
    ],
)
def test_files_that_are_no_settings(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(text)
    error = Office().ask("status", "--settings", str(file), code=2)["error"]
    assert error["code"] == "usage"
    assert told in error["what"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert (
        "does not exist"
        in Office().ask("doctor", "--settings", str(tmp_path / "none"), code=2)["error"]["what"]
    )


def test_all_wrong_settings_are_one_error_without_values() -> None:
    office = Office()
    office.environ |= {"BUCKETS": "canary", "DYNAMICS_URL": "http://canary.example", "CAMPAIGN_CLIENT_ID": ""}
    result = office.sync("status")
    assert result.exit_code == 2
    assert all(name in result.stderr for name in ("BUCKETS", "DYNAMICS_URL", "CAMPAIGN_CLIENT_ID"))
    assert "canary" not in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("ServiceRequestError", "storage_unreachable"),
        ("ResourceNotFoundError", "storage_missing"),
        ("ClientAuthenticationError", "storage_forbidden"),
        ("HttpResponseError", "storage_forbidden"),
    ],
)
@pytest.mark.parametrize(
    "command", [("status",), ("retry", "--all"), ("deletes", "list"), ("mappings", "list")]
)
def test_storage_that_fails(command: tuple[str, ...], kind: str, code: str) -> None:
    office = Office(gate=Broken(kind))
    error = office.ask(*command, code=1)["error"]
    assert error["code"] == code
    assert error["fix"]


def test_ctrl_c_closes_everything_and_exits_130() -> None:
    office = Office()
    closed = []

    @asynccontextmanager
    async def opener(settings: Settings) -> AsyncIterator[Session]:
        try:
            async with office.open(settings) as session:
                yield session
                raise AssertionError("not reached")
        finally:
            closed.append(True)

    class Interrupted:
        async def before(self, effect: str) -> None:
            raise KeyboardInterrupt

        async def after(self, effect: str) -> None:
            raise AssertionError

    office.gate = Interrupted()
    result = CliRunner().invoke(program, ["status"], obj=Desk(opener=opener, environ=SETTINGS))
    assert result.exit_code == 130
    assert closed == [True]
    assert "Stopped" in result.stderr


def test_no_colours_where_nobody_looks() -> None:
    office = Office()
    office.synced("Ada")
    for command in ("status", "doctor"):
        assert "\x1b" not in office.sync(command).output


def test_json_is_one_object_and_nothing_else() -> None:
    office = Office()
    office.synced("Ada")
    for command in (["doctor"], ["status", "--exact"], ["deletes", "list"], ["mappings", "list"]):
        result = office.sync(*command, "--json")
        assert len(result.stdout.splitlines()) == 1, command
        assert result.stderr == ""
