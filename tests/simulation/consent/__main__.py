"""python -m tests.simulation.consent --seeds N --start S [--trace SEED]: exit 1 on a violation of I4."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from dataclasses import replace

from tests.simulation.chaos import CALM
from tests.simulation.consent.world import ConsentWorld
from tests.simulation.report import ENOUGH
from tests.simulation.run import prepare
from tests.simulation.scenario import draw
from tests.simulation.violation import Violation


def simulate(seed: int, *, tracing: bool = False) -> tuple[str, ConsentWorld]:
    """Play a seed; what is wrong, and the world it happened in."""
    scenario = draw(seed)
    special = "" if scenario.special in ("environment", "killer", "outage") else scenario.special
    weather = scenario.weather
    if weather != CALM and random.Random(f"crash {seed}").random() < 0.3:
        weather = replace(weather, crash=0.015)
    scenario = replace(scenario, special=special, acts=scenario.acts + 8, weather=weather)
    world = ConsentWorld(scenario, tracing=tracing)
    try:
        world.run()
    except Violation as found:
        return str(found), world
    finally:
        world.loop.close()
    return "", world


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.consent", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--stop", action="store_true")
    parser.add_argument("--twice", action="store_true", help="play each seed twice and compare the traces")
    parser.add_argument("--trace", type=int, metavar="SEED")
    parser.add_argument(
        "--strict-coverage", action="store_true", help=f"fail if anything occurred less than {ENOUGH}×"
    )
    options = parser.parse_args()
    prepare()
    if options.trace is not None:
        wrong, world = simulate(options.trace, tracing=True)
        print("\n".join(world.lines))
        print(f"seed {options.trace}: {world.direction} {world.policy}: {wrong or 'no violation'}")
        return 1 if wrong else 0
    began, failed, outcomes = time.monotonic(), 0, Counter[str]()
    for seed in range(options.start, options.start + options.seeds):
        wrong, world = simulate(seed)
        if not wrong and options.twice and simulate(seed)[1].digest() != world.digest():
            wrong = "two runs, two traces"
        outcomes.update(world.outcomes)
        if wrong:
            failed += 1
            print(f"seed {seed}: {wrong}", flush=True)
            if options.stop:
                break
    told = {name: n for name, n in sorted(outcomes.items()) if name.startswith(TOLD)}
    print(", ".join(f"{name} {count}" for name, count in told.items()))
    rare = {name: outcomes[name] for name in WANTED if outcomes[name] < ENOUGH}
    if options.strict_coverage:
        failed += len(rare)
        for name, count in rare.items():
            print(f"too rare: {name} {count} times")
    seconds = time.monotonic() - began
    print(
        f"consent: {options.seeds} seeds in {seconds:.0f} s, {failed} violations: {'FAILED' if failed else 'ok'}"
    )
    return 1 if failed else 0


WANTED = (
    "act_campaign_in",
    "act_campaign_out",
    "act_deploy",
    "act_dynamics_in",
    "act_dynamics_out",
    "act_on_settled_ground",
    "brake_stopped",
    "export_file",
    "journal_asked",
    "journal_done",
    "journal_refused",
    "opt_in_arrived",
    "people_unsay",
    "race_flip",
    "undecided_held",
    "wrote_campaign_False",
    "wrote_campaign_True",
    "wrote_dynamics_False",
    "wrote_dynamics_True",
)
"""What must have occurred often enough to say that it is tested."""
TOLD = (
    "act_",
    "race_",
    "wrote_",
    "exempt_",
    "opt_in_",
    "journal_",
    "brake_",
    "undecided_",
    "export_",
    "people_unsay",
)

if __name__ == "__main__":
    sys.exit(main())
