"""A small number of seeds in every test run; CI plays two thousand (`python -m tests.simulation`)."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from types import ModuleType

import pytest

from tests.simulation import mutants
from tests.simulation.consent import mutants as consent_mutants
from tests.simulation.events import mutants as event_mutants
from tests.simulation.report import Report
from tests.simulation.run import prepare, simulate
from tests.simulation.scenario import SPECIALS

SEEDS = range(100, 140)


@pytest.fixture(autouse=True)
def garbage() -> Iterator[None]:
    """A run switches the garbage collector off for speed; other tests want it back."""
    yield
    gc.unfreeze()
    gc.enable()


def test_invariants_hold_over_a_few_seeds() -> None:
    prepare()
    found = {seed: simulate(seed).violation for seed in SEEDS}
    assert {seed: violation for seed, violation in found.items() if violation} == {}


@pytest.mark.parametrize("seed", range(len(SPECIALS) + 1))
def test_the_same_seed_leaves_the_same_trace(seed: int) -> None:
    prepare()
    report = Report()
    report.add(simulate(seed))
    report.add(simulate(seed))
    assert report.differing == []
    assert report.violations == []


@pytest.mark.parametrize(
    "flow", [mutants, consent_mutants, event_mutants], ids=["contacts", "consent", "events"]
)
def test_every_mutant_still_finds_its_line(flow: ModuleType) -> None:
    directed = [one for group in getattr(flow, "DIRECTED", {}).values() for one in group]
    found = {mutant.name: mutant.places for mutant in (*flow.MUTANTS, *directed)}
    assert {name: count for name, count in found.items() if count != 1} == {}
