"""The real Bicep compiler, where there is one; and the templates read by pycep, which always is.

The compiler is what `BICEP` names, else `bicep` on the PATH, else ../shared/tools/bicep/bicep. Each test that needs it
asks for the fixture `compiler` and is skipped without; scripts/test then says how many checks did not run.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pycep import BicepParser

ROOT = Path(__file__).resolve().parent.parent.parent
INFRA = ROOT / "infra"
SETS = Path(__file__).parent / "sets"
TEMPLATES = (INFRA / "main.bicep", *sorted((INFRA / "modules").glob("*.bicep")))
NO_COMPILER = "no Bicep compiler (set BICEP, or put bicep on the PATH)"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
TENANT = "00000000-0000-0000-0000-000000000002"

Json = dict[str, Any]


def find_compiler() -> Path | None:
    """Where the compiler is."""
    beside = ROOT.parent / "shared" / "tools" / "bicep" / "bicep"
    for place in (os.environ.get("BICEP"), shutil.which("bicep"), str(beside)):
        if place and Path(place).is_file():
            return Path(place)
    return None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call of the compiler gave."""

    code: int
    out: str
    diagnostics: str


@dataclass(frozen=True, slots=True)
class Compiler:
    """The compiler as a program."""

    path: Path

    def run(self, *arguments: str | Path, **environment: str) -> Answer:
        # Without the setting it looks for ICU libraries that a bare machine does not have.
        env = {**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1", **environment}
        done = subprocess.run(
            [str(self.path), *map(str, arguments)],
            capture_output=True,
            text=True,
            env=env,
            timeout=120,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def build(self, path: Path) -> Json:
        """The compiled ARM template; raises AssertionError with the diagnostics."""
        answer = self.run("build", path, "--stdout")
        assert answer.code == 0, answer.diagnostics
        return dict(json.loads(answer.out))

    def snapshot(self, parameters: Path) -> Answer:
        """Resolves every resource that a parameter file would deploy, into a file beside it."""
        where = ["--subscription-id", SUBSCRIPTION, "--tenant-id", TENANT]
        where += ["--resource-group", "rg-sync", "--location", "westeurope"]
        return self.run("snapshot", parameters, "--mode", "overwrite", *where)

    def predicted(self, parameters: Path) -> list[Json]:
        """What `snapshot` found; raises AssertionError with the diagnostics."""
        answer = self.snapshot(parameters)
        assert answer.code == 0, answer.diagnostics
        found = json.loads(parameters.with_suffix(".snapshot.json").read_text(encoding="utf-8"))
        assert found["diagnostics"] == []
        return list(found["predictedResources"])


def copy_to(folder: Path) -> Path:
    """The templates and the parameter sets in a folder where the compiler may write; the sets' folder."""
    shutil.copytree(INFRA, folder / "infra")
    sets = folder / "tests" / "infra" / "sets"
    shutil.copytree(SETS, sets)
    return sets


@functools.cache
def parsed(path: Path) -> Json:
    """A template as pycep reads it."""
    return dict(BicepParser().parse(text=path.read_text(encoding="utf-8")))


def templates_of(compiled: Json) -> Iterator[tuple[str, Json]]:
    """A compiled template and, by the name of their module, the ones nested in it."""
    yield "main", compiled
    for name, resource in compiled["resources"].items():
        if resource["type"] == "Microsoft.Resources/deployments":
            yield name, resource["properties"]["template"]


def resources_of(compiled: Json) -> Iterator[Json]:
    """Every resource of a compiled template, modules' own included."""
    for _, template in templates_of(compiled):
        yield from template["resources"].values()
