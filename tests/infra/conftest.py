"""What the tests of infra/ share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.infra.bicep import INFRA, NO_COMPILER, Compiler, Json, copy_to, find_compiler

SET_NAMES = ("default", "private", "minimal")


@pytest.fixture(scope="session")
def compiler() -> Compiler:
    """The real compiler; without one the test is skipped and scripts/test says so."""
    path = find_compiler()
    if path is None:
        pytest.skip(NO_COMPILER)
    return Compiler(path)


@pytest.fixture(scope="session")
def compiled(compiler: Compiler) -> Json:
    """main.bicep as an ARM template."""
    return compiler.build(INFRA / "main.bicep")


@pytest.fixture(scope="session")
def predicted(compiler: Compiler, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Json]]:
    """The resources that each parameter set would deploy."""
    sets = copy_to(tmp_path_factory.mktemp("predicted"))
    return {name: compiler.predicted(sets / f"{name}.bicepparam") for name in SET_NAMES}


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """A copy of the parameter sets, beside a copy of the templates, to change at will."""
    return copy_to(tmp_path)
