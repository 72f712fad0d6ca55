"""A few seeds of the consent simulation under pytest: once wrong ones, equal traces, mutants that find their line."""

from __future__ import annotations

import pytest

from tests.simulation.consent.__main__ import simulate
from tests.simulation.consent.mutants import MUTANTS
from tests.simulation.mutants import ROOT


@pytest.mark.parametrize("seed", [44, 303, 353, 575, 1123, 2120])
def test_seeds_that_once_went_wrong(seed: int) -> None:
    wrong, _ = simulate(seed)
    assert not wrong


def test_the_same_seed_leaves_the_same_trace() -> None:
    assert simulate(3)[1].digest() == simulate(3)[1].digest()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_still_finds_its_line(mutant: object) -> None:
    file, old = str(mutant.file), str(mutant.old)  # type: ignore[attr-defined]
    assert (ROOT / file).read_text(encoding="utf-8").count(old) == 1
