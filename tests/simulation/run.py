"""One seed from beginning to end."""

from __future__ import annotations

import functools
import gc
from collections import Counter
from dataclasses import dataclass, field

import sync.flows.context as flows_context
from sync.planning.compile import CompiledMapping, compile_mapping
from sync.planning.load import load_mapping
from sync.planning.mapping import Mapping
from tests.simulation.scenario import draw, widened
from tests.simulation.trace import quiet_logs
from tests.simulation.violation import Violation
from tests.simulation.world import World


@dataclass(slots=True)
class Result:
    """What a run showed; `digest` is the hash of its trace."""

    seed: int
    digest: str
    violation: str = ""
    fired: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    virtual_s: float = 0.0
    lines: list[str] = field(default_factory=list)


def prepare() -> None:
    """Once per interpreter: quiet logs, no garbage collection in runs, mapping texts compiled once (pure functions)."""
    quiet_logs()
    flows = vars(flows_context)
    if flows["compile_mapping"] is compile_mapping:
        flows["load_mapping"] = functools.cache(load_mapping)
        flows["compile_mapping"] = _compiled
    gc.collect()
    gc.freeze()
    gc.disable()


_by_version: dict[str, CompiledMapping] = {}


def _compiled(mapping: Mapping, version: str) -> CompiledMapping:
    """A version names its text's digest, so it is compiled once for all runs of this interpreter."""
    if version not in _by_version:
        _by_version[version] = compile_mapping(mapping, version)
    return _by_version[version]


def simulate(seed: int, *, tracing: bool = False) -> Result:
    """Play a seed and judge it."""
    world = World(widened(draw(seed)), tracing=tracing)
    violation = ""
    try:
        world.run()
    except Violation as found:
        violation = str(found)
    world.note("end", violation)
    result = Result(
        seed,
        world.digest(),
        violation,
        world.chaos.fired,
        world.outcomes,
        world.loop.virtual,
        world.lines,
    )
    world.loop.close()
    if seed % 25 == 0:
        gc.collect()
    return result
