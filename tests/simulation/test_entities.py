"""A few seeds of the entities' simulation under pytest: once wrong ones, equal traces."""

from __future__ import annotations

import pytest

from tests.simulation.entities.mutants import MUTANTS
from tests.simulation.entities.run import simulate


@pytest.mark.parametrize("seed", [0, 9, 18, 194, 327, 399, 783, 10119])
def test_seeds_that_once_went_wrong(seed: int) -> None:
    assert simulate(seed).violation == ""


def test_the_same_seed_leaves_the_same_trace() -> None:
    assert simulate(3).digest == simulate(3).digest


def test_every_mutant_changes_one_place() -> None:
    assert [mutant.name for mutant in MUTANTS if mutant.places != 1] == []
