"""Many seeds on a few interpreters."""

from __future__ import annotations

import multiprocessing
import os
import queue
import sys
from collections.abc import Callable, Sequence
from multiprocessing.queues import Queue

from tests.simulation.report import Report
from tests.simulation.run import Result, prepare, simulate

Share = Sequence[int]
Play = Callable[[int], Result]


def run_all(
    seeds: Sequence[int],
    jobs: int,
    *,
    once: bool,
    stop: bool,
    play: Play = simulate,
    report: Report | None = None,
) -> Report:
    """Worker i runs share i first, then share i + 1: each share runs in two interpreters."""
    shares: list[Share] = [seeds[at::jobs] for at in range(jobs)]
    report = report or Report()
    context = multiprocessing.get_context("spawn")
    results: Queue[Result | None] = context.Queue()
    workers = []
    for number in range(jobs):
        # Another string hashing in each interpreter: an order taken from a set would show as a difference.
        os.environ["PYTHONHASHSEED"] = str(number + 1)
        work = [shares[number]] if once else [shares[number], shares[(number + 1) % jobs]]
        workers.append(context.Process(target=_work, args=(work, results, play), daemon=True))
        workers[-1].start()
    running = jobs
    total = len(seeds) * (1 if once else 2)
    done = 0
    while running:
        try:
            result = results.get(timeout=5)
        except queue.Empty:
            # One that has done its share is no dead one: a seed of the other may take longer.
            if all(worker.exitcode in (None, 0) for worker in workers):
                continue
            raise SystemExit("an interpreter of the simulation died") from None
        if result is None:
            running -= 1
            continue
        known = len(report.violations)
        report.add(result)
        done += 1
        if len(report.violations) > known:
            print(f"seed {result.seed}: {result.violation}", flush=True)
            if stop:
                break
        if sys.stderr.isatty() and done % 50 == 0:
            print(f"\r{done} of {total} runs", end="", file=sys.stderr, flush=True)
    for worker in workers:
        if running:
            worker.terminate()
        worker.join()
    return report


def _work(work: Sequence[Share], results: Queue[Result | None], play: Play) -> None:
    prepare()
    for share in work:
        for seed in share:
            results.put(play(seed))
    results.put(None)
