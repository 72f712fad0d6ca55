"""A small number of seeds in every test run; CI plays two thousand (`python -m tests.simulation`)."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from types import ModuleType

import pytest

from sync.flows import context
from tests.simulation import mutants
from tests.simulation.consent import mutants as consent_mutants
from tests.simulation.events import mutants as event_mutants
from tests.simulation.report import Report
from tests.simulation.run import prepare, simulate
from tests.simulation.scenario import SPECIALS

SEEDS = range(100, 140)


@pytest.fixture
def prepared() -> Iterator[None]:
    """A run switches garbage collection off and keeps compiled mappings; other tests want both as they were."""
    flows = vars(context)
    kept = {name: flows[name] for name in ("load_mapping", "compile_mapping")}
    prepare()
    yield
    flows.update(kept)
    gc.unfreeze()
    gc.enable()


@pytest.mark.usefixtures("prepared")
def test_invariants_hold_over_a_few_seeds() -> None:
    found = {seed: simulate(seed).violation for seed in SEEDS}
    assert {seed: violation for seed, violation in found.items() if violation} == {}


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("seed", range(len(SPECIALS) + 1))
def test_the_same_seed_leaves_the_same_trace(seed: int) -> None:
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
