"""What gets installed is decided by files in this repository: exact versions, no registry named."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib

import pytest

from sandbox.node import ROOT
from scripts.install import at_least, enough


def test_everything_that_is_named_has_one_exact_version() -> None:
    pinned = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    lines = [
        *(ROOT / "requirements.txt").read_text().splitlines(),
        *(p for extra in extras.values() for p in extra),
    ]
    named = {re.split(r"[;<>=~\[ ]", line)[0].lower() for line in lines if line and line[0] not in "#-"}
    assert named - pinned == set(), "run scripts/lock"


def test_azure_gets_the_same_versions() -> None:
    assert "-c constraints.txt" in (ROOT / "requirements.txt").read_text().splitlines()


def test_the_node_lock_file_has_checksums_and_names_no_registry() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    installed = {name: entry for name, entry in packages.items() if name}
    assert all("integrity" in entry and "resolved" not in entry for entry in installed.values())


@pytest.mark.parametrize(
    ("stamp", "asked", "due"),
    [
        ("3.13 abc all", "demo", False),
        ("3.13 abc demo", "demo", False),
        ("3.13 abc cli", "demo", True),
        ("3.13 old all", "cli", True),
        ("3.13 abc", "cli", True),  # as it was written before there were levels
        ("", "cli", True),
    ],
)
def test_what_was_installed_for_less_or_from_other_files_is_not_enough(
    stamp: str, asked: str, due: bool
) -> None:
    assert enough(stamp, "3.13 abc", asked) is not due


def test_what_is_there_for_more_is_brought_up_to_date_whole() -> None:
    assert at_least("demo", "3.13 old all", "old all") == "all"
    assert at_least("demo", "3.13 old cli", "") == "demo"
    assert at_least("cli", "", "") == "cli"


def test_setup_refuses_a_purpose_it_does_not_know() -> None:
    refused = subprocess.run(
        ["bash", str(ROOT / "scripts" / "setup"), "--for", "fun"], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert "cli, demo or all" in refused.stderr


@pytest.mark.parametrize("script", ["setup", "test", "lock"])
def test_a_script_explains_itself(script: str) -> None:
    shown = subprocess.run(
        ["bash", str(ROOT / "scripts" / script), "--help"], capture_output=True, text=True, check=True
    )
    assert shown.stdout.startswith(f"Usage: scripts/{script}")


@pytest.mark.parametrize("script", ["setup", "test"])
def test_an_unknown_option_is_refused(script: str) -> None:
    refused = subprocess.run(
        ["bash", str(ROOT / "scripts" / script), "--nonsense"], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert "--nonsense" in refused.stderr
