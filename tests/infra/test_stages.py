"""scripts/test says how many compiler checks did not run, and where the compiler is looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.stages import NO_COMPILER, computing, stages, uncompiled
from tests.infra import bicep


def test_skips_for_want_of_a_compiler_are_counted_and_no_others() -> None:
    lines = [
        f"SKIPPED [18] tests/infra/conftest.py:19: {bicep.NO_COMPILER}\n",
        f"SKIPPED [3] tests/infra/conftest.py:19: {bicep.NO_COMPILER}\n",
        "SKIPPED [5] tests/other.py:1: something else\n",
    ]
    assert uncompiled(lines) == 21
    assert bicep.NO_COMPILER.startswith(NO_COMPILER)


def test_the_templates_have_a_stage_of_their_own() -> None:
    assert [stage.name for stage in stages(quick=True)] == ["format", "lint", "tests"]
    assert [stage.name for stage in computing(quick=True)] == ["types", "infra"]
    assert {"simulation", "types", "infra"} <= {stage.name for stage in computing(quick=False)}


def test_the_compiler_is_what_bicep_names_then_path_then_beside_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = tmp_path / "shared" / "tools" / "bicep" / "bicep"
    on_path = tmp_path / "bin" / "bicep"
    named = tmp_path / "mine"
    monkeypatch.setattr(bicep, "ROOT", tmp_path / "checkout")
    monkeypatch.setenv("PATH", str(on_path.parent))
    monkeypatch.delenv("BICEP", raising=False)
    assert bicep.find_compiler() is None
    for path in (beside, on_path, named):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    assert bicep.find_compiler() == on_path
    monkeypatch.setenv("BICEP", str(named))
    assert bicep.find_compiler() == named
    monkeypatch.delenv("BICEP")
    on_path.unlink()
    assert bicep.find_compiler() == beside
