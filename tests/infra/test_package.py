"""The deployment package holds the app and nothing else, and the real worker library indexes it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pathspec
import pytest

from scripts.packing import MOST_BYTES, contents, pack
from tests.infra.bicep import ROOT

INDEX = """
import asyncio, json, sys
from pathlib import Path
from sandbox.host.worker import Worker
functions = asyncio.run(Worker(Path(sys.argv[1])).start())
import sync.app
print(json.dumps({"functions": {f.name: f.trigger.type for f in functions}, "sync": sync.app.__file__}), flush=True)
import os; os._exit(0)  # the worker library keeps a thread pool
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `scripts/package` writes."""
    path = tmp_path_factory.mktemp("package") / "app.zip"
    subprocess.run(["bash", str(ROOT / "scripts" / "package"), "--output", str(path)], check=True)
    return path


def test_what_azure_needs_lies_at_the_root(package: Path) -> None:
    names = set(zipfile.ZipFile(package).namelist())
    assert {"host.json", "function_app.py", "requirements.txt", "constraints.txt"} <= names
    assert "mappings/contacts.yaml" in names


def test_nothing_else_is_in_it(package: Path) -> None:
    names = zipfile.ZipFile(package).namelist()
    assert {name.split("/")[0] for name in names if "/" in name} == {"sync", "mappings"}
    assert {Path(name).suffix for name in names} == {".py", ".yaml", ".json", ".txt"}
    assert not [name for name in names if name.startswith("sync/cli")]
    assert package.stat().st_size <= MOST_BYTES


def test_the_same_files_give_the_same_bytes(package: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.zip"
    pack(again)
    assert again.read_bytes() == package.read_bytes()


def test_what_is_in_it_matches_the_checkout(package: Path) -> None:
    archive = zipfile.ZipFile(package)
    for name in archive.namelist():
        assert archive.read(name) == (ROOT / name).read_bytes(), name


def test_func_and_azd_leave_the_same_files_at_home() -> None:
    """Of the files under version control; `.funcignore` has the grammar of `.gitignore`."""
    lines = (ROOT / ".funcignore").read_text("utf-8").splitlines()
    ignored = pathspec.PathSpec.from_lines("gitignore", lines)
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    kept = {name for name in listed if not ignored.match_file(name) and (ROOT / name).exists()}
    packed = {path.as_posix() for path in contents()}
    assert kept - packed == set()
    assert packed & set(listed) - kept == set()


def test_a_secret_file_is_never_packed() -> None:
    names = {path.name for path in contents()}
    assert not names & {"local.settings.json", "cloud.settings.json"}


def test_the_worker_library_indexes_the_package(package: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        archive.extractall(tmp_path / "app")
    done = subprocess.run(
        [sys.executable, "-P", "-c", INDEX, str(tmp_path / "app")],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        # The package first: `sync` must be the packed one, and `sandbox` brings the worker.
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / "app"), str(ROOT)])},
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["sync"].startswith(str(tmp_path))
    source = (ROOT / "function_app.py").read_text("utf-8")
    assert set(told["functions"]) == set(re.findall(r"^async def ([a-z]\w+)", source, re.MULTILINE))
    assert told["functions"]["pull_changes"] == "timerTrigger"


def test_always_ready_instances_name_functions_that_exist() -> None:
    main = (ROOT / "infra" / "main.bicep").read_text("utf-8")
    named = re.search(r"alwaysReady: \{(.*?)\}", main)
    assert named is not None
    source = (ROOT / "function_app.py").read_text("utf-8")
    for name in re.findall(r"(\w+):", named[1]):
        assert f"async def {name}(" in source


def test_a_package_that_grew_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.packing.MOST_BYTES", 1000)
    from scripts.packing import TooLarge

    with pytest.raises(TooLarge):
        pack(tmp_path / "app.zip")


@pytest.mark.parametrize("script", ["package", "cloud-settings"])
def test_a_script_explains_itself(script: str) -> None:
    shown = subprocess.run(
        [str(ROOT / "scripts" / script), "--help"], capture_output=True, text=True, check=True
    )
    assert f"usage: {script}" in shown.stdout.lower().replace("scripts/", "")
