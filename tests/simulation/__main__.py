"""python -m tests.simulation --seeds N --start S [--jobs 2] [--trace SEED]: exit 1 on a violation.

Every seed runs twice, in two interpreters with different string hashing; the traces must be the same byte for byte.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Protocol

from tests.simulation.fleet import run_all
from tests.simulation.report import Report
from tests.simulation.run import Result, prepare, simulate


class Traceable(Protocol):
    """Plays a seed."""

    def __call__(self, seed: int, *, tracing: bool = False) -> Result: ...


def main(arguments: Sequence[str] | None = None) -> int:
    return command("tests.simulation", simulate, Report(), arguments)


def command(
    name: str,
    play: Traceable,
    report: Report,
    arguments: Sequence[str] | None = None,
    *,
    specials: Sequence[str] = (),
    special_of: int = 1,
) -> int:
    """The command line of a simulation; `report` says what must occur in it.

    Of `special_of` seeds in a row each kind of `specials` has one, in their order.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {name}", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many")
    parser.add_argument("--start", type=int, default=0, help="the first one")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument(
        "--once", action="store_true", help="run each seed once only (no comparison of traces)"
    )
    parser.add_argument("--stop", action="store_true", help="stop at the first violation")
    parser.add_argument(
        "--trace", type=int, metavar="SEED", help="print what happens in one seed, line by line"
    )
    parser.add_argument(
        "--strict-coverage", action="store_true", help=f"fail if anything occurred less than {report.enough}×"
    )
    if specials:
        parser.add_argument("--special", choices=specials, help="only seeds of this kind, N of them")
    options = parser.parse_args(arguments)
    if options.trace is not None:
        return _trace(options.trace, play)
    seeds = range(options.start, options.start + options.seeds)
    if specials and options.special:
        first = options.start + specials.index(options.special)
        seeds = range(first, first + options.seeds * special_of, special_of)
    began = time.monotonic()
    jobs = max(1, min(options.jobs, len(seeds)))
    run_all(seeds, jobs, once=options.once, stop=options.stop, play=play, report=report)
    return _tell(report, seeds, time.monotonic() - began, strict=options.strict_coverage, once=options.once)


def _trace(seed: int, play: Traceable) -> int:
    prepare()
    result = play(seed, tracing=True)
    print("\n".join(result.lines))
    print(f"seed {seed}: {result.violation or 'no violation'}, {result.virtual_s:.0f} virtual seconds")
    return 1 if result.violation else 0


def _tell(report: Report, seeds: Sequence[int], seconds: float, *, strict: bool, once: bool) -> int:
    print(report.table())
    rare = report.rare()
    for seed in report.differing:
        print(f"seed {seed}: two runs, two traces")
    if strict:
        for name, count in rare.items():
            print(f"too rare: {name} {count} times")
    failed = bool(report.violations or report.differing or (strict and rare))
    print(
        f"simulation: {len(seeds)} seeds {'once' if once else 'twice'} in {seconds:.0f} s, "
        f"{report.virtual_s / 3600:.0f} virtual hours, {len(report.violations)} violations, "
        f"{len(report.differing)} traces differ: {'FAILED' if failed else 'ok'}"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
