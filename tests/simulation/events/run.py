"""python -m tests.simulation.events --seeds N --start S [--trace SEED]: exit 1 on a violation.

Every seed runs twice; the traces must be the same.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Sequence

from tests.simulation.events.world import SPECIAL_OF, SPECIALS, EventWorld
from tests.simulation.run import Result, prepare
from tests.simulation.violation import Violation


def simulate(seed: int, *, tracing: bool = False) -> Result:
    """Play a seed and judge it."""
    world = EventWorld(seed, tracing=tracing)
    violation = ""
    try:
        world.run()
    except Violation as found:
        violation = str(found)
    world.note("end", violation)
    result = Result(
        seed, world.digest(), violation, world.chaos.fired, world.outcomes, world.loop.virtual, world.lines
    )
    world.loop.close()
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.events", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many")
    parser.add_argument("--start", type=int, default=0, help="the first one")
    parser.add_argument("--once", action="store_true", help="run each seed once only")
    parser.add_argument("--stop", action="store_true", help="stop at the first violation")
    parser.add_argument(
        "--trace", type=int, metavar="SEED", help="print what happens in one seed, line by line"
    )
    parser.add_argument("--special", choices=SPECIALS, help="only seeds of this kind, N of them")
    options = parser.parse_args(arguments)
    prepare()
    if options.trace is not None:
        result = simulate(options.trace, tracing=True)
        print("\n".join(result.lines))
        print(f"seed {options.trace}: {result.violation or 'no violation'}")
        return 1 if result.violation else 0
    seeds = range(options.start, options.start + options.seeds)
    if options.special:
        kind = SPECIALS.index(options.special)
        seeds = range(options.start + kind, options.start + kind + options.seeds * SPECIAL_OF, SPECIAL_OF)
    return _many(seeds, once=options.once, stop=options.stop)


def _many(seeds: Sequence[int], *, once: bool, stop: bool) -> int:
    began = time.monotonic()
    fired: Counter[str] = Counter()
    wrong = differ = 0
    for seed in seeds:
        result = simulate(seed)
        fired.update(result.fired)
        fired.update(result.outcomes)
        if result.violation:
            wrong += 1
            print(f"seed {seed}: {result.violation}", flush=True)
            if stop:
                break
        if not once and simulate(seed).digest != result.digest:
            differ += 1
            print(f"seed {seed}: two runs, two traces", flush=True)
    for name, count in sorted(fired.items()):
        print(f"  {name:32} {count:8}")
    print(
        f"events simulation: {len(seeds)} seeds in {time.monotonic() - began:.0f} s, {wrong} violations, "
        f"{differ} traces differ: {'FAILED' if wrong or differ else 'ok'}"
    )
    return 1 if wrong or differ else 0
