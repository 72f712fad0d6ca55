"""A few seeds of the consent simulation under pytest: once wrong ones, equal traces."""

from __future__ import annotations

import pytest

from tests.simulation.consent.__main__ import simulate


@pytest.mark.parametrize("seed", [44, 303, 353, 575, 1123, 2120])
def test_seeds_that_once_went_wrong(seed: int) -> None:
    wrong, _ = simulate(seed)
    assert not wrong


def test_the_same_seed_leaves_the_same_trace() -> None:
    assert simulate(3)[1].digest() == simulate(3)[1].digest()
