"""Command line of the benchmarks: python -m benchmarks [--quick | --full] [--json]."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import backfill, calls, consent, engine, events, latency, pipeline, protection

RESULTS = Path(__file__).parent / "results.json"
PIPELINE_RECORDS = 4_000
QUICK_RECORDS = 1_500
TARGETS = {
    "engine_ratio": (">=", 0.33),
    "engine_rich_ratio": (">=", 0.33),
    "engine_rows_per_s": (">=", 40_000),
    "pipeline_ratio": (">=", 0.75),
    "latency_s.p95": ("<", 30.0),
    "import_s": ("<", 2.0),
    "memory_growth": ("<=", 1.05),
    "campaign_calls.key.insert": ("<=", 1.0),
    "campaign_calls.key.update": ("<=", 1.0),
    "campaign_calls.key.unchanged": ("<=", 0.0),
    "campaign_calls.key.delete": ("<=", 2.0),
    "campaign_calls.key_delete_by_key.delete": ("<=", 1.0),
    "campaign_calls.filter.insert": ("<=", 2.0),
    "campaign_calls.filter.update": ("<=", 2.0),
    "campaign_calls.filter.unchanged": ("<=", 0.0),
    "campaign_calls.filter.delete": ("<=", 2.0),
    "look_alike_cpu": ("<", 0.5),
    "dynamics_requests_per_event": ("<=", 0.005),
    "events_missing_or_double": ("<=", 0.0),
    "event_writes_after_rerun": ("<=", 0.0),
    "event_campaign_minutes": ("<", 60.0),
    "consent_latency_s.to_dynamics.p95": ("<", 300.0),
    "consent_latency_s.to_dynamics_during_load.p95": ("<", 300.0),
    "consent_load_ratio": ("<=", 1.2),
    "live_backfill_ratio": ("<=", 1.2),
    "event_refusals_after_first_minute": ("<=", 0.0),
    "event_model_missing_or_double": ("<=", 0.0),
    "export_memory_growth": ("<=", 1.05),
}
"""The targets of design 9."""
EXAMPLES = """examples:
  scripts/bench --quick         all but consent and the large loads, under two minutes
  scripts/bench                 with first loads of 20,000 and 100,000 contacts
  scripts/bench --full          also a first load of 200,000 contacts
  scripts/bench --only memory   that step again; the other numbers stay as they were
  scripts/bench --quick --json  one JSON object as the last line"""


def import_seconds() -> float:
    """Seconds to import `function_app` in a new process; the best of three."""
    code = "import time; t=time.perf_counter(); import function_app; print(time.perf_counter()-t)"
    command = [sys.executable, "-W", "ignore", "-c", code]
    runs = [
        float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])
        for _ in range(3)
    ]
    return round(min(runs), 2)


class Run:
    """Steps with progress on stderr; the numbers land in `results`."""

    def __init__(self, console: Console, only: str = "") -> None:
        self._console = console
        self._only = only
        self.results: dict[str, Any] = {}
        self.done: list[str] = []

    def step(self, title: str, work: Callable[[pipeline.Say], dict[str, Any]]) -> None:
        """Do one measurement, unless others were asked for; what it returns is kept."""
        if self._only not in title:
            return
        start = time.monotonic()
        with self._console.status(title) as status:
            found = work(lambda text: status.update(f"{title}: {text}"))
        self.results.update(found)
        self.done.append(title)
        shown = ", ".join(f"{name} {value}" for name, value in found.items())
        self._console.print(f"{title} [{time.monotonic() - start:.0f} s]: {shown}", highlight=False)


def run(arguments: argparse.Namespace, console: Console) -> Run:
    """All measurements that were asked for."""
    bench = Run(console, arguments.only)
    bench.step("engine", lambda say: dict(engine.measure()))
    bench.step("calls per record", lambda say: {"campaign_calls": calls.measure()})
    bench.step("import", lambda say: {"import_s": import_seconds()})
    count = QUICK_RECORDS if arguments.quick else PIPELINE_RECORDS
    bench.step("pipeline at 50 ms", lambda say: _pipeline(say, count))
    bench.step("pipeline at 50 ms, 64 in flight", lambda say: _beside(say, count, 64, 50, "pipeline_64"))
    bench.step("pipeline at 0 ms", lambda say: _beside(say, count, 16, 0, "pipeline_0ms"))
    bench.step("latency", lambda say: {"latency_s": latency.measure(say, quick=arguments.quick)})
    count = 20_000 if arguments.quick else events.EVENTS
    bench.step("events", lambda say: events.requests(count))
    bench.step("events under service protection", lambda say: protection.measure(quick=arguments.quick))
    bench.step("export memory", lambda say: events.memory())
    if not arguments.quick:
        bench.step("consent", consent.measure)
        bench.step("live beside a backfill", backfill.measure)
        sizes = [20_000, 100_000] + ([200_000] if arguments.full else [])
        bench.step("memory of a first load", lambda say: _memory(say, sizes))
    return bench


def _pipeline(say: pipeline.Say, count: int) -> dict[str, Any]:
    found = pipeline.compare(count, in_flight=16, latency_ms=50, say=say)
    return {
        "pipeline_ratio": found["ratio"],
        "pipeline_records_per_s": found["records_per_s"],
        "bare_calls_per_s": found["bare_calls_per_s"],
        "look_alike_cpu": found["look_alike_cpu"],
        "app_cpu_ms_per_record": found["app_cpu_ms_per_record"],
    }


def _beside(say: pipeline.Say, count: int, in_flight: int, latency_ms: int, name: str) -> dict[str, Any]:
    found = pipeline.compare(count, in_flight=in_flight, latency_ms=latency_ms, say=say)
    ratio = "pipeline_ratio_0ms" if latency_ms == 0 else f"{name}_ratio"
    return {ratio: found["ratio"], f"{name}_records_per_s": found["records_per_s"]}


def _memory(say: pipeline.Say, sizes: list[int]) -> dict[str, Any]:
    """The growth within the large load; the small one is loaded alone too, lest memory depend on what is to come."""
    alone = pipeline.memory(sizes[:1], lambda text: say(f"alone: {text}"))[sizes[0]]
    peaks = pipeline.memory(sizes, say)
    shown = {f"alone_{sizes[0]}": alone, **{str(size): peak for size, peak in peaks.items()}}
    return {"peak_mb": shown, "memory_growth": round(peaks[sizes[-1]] / peaks[sizes[0]], 3)}


def flat(results: dict[str, Any], prefix: str = "") -> dict[str, float]:
    """Nested results by dotted name."""
    found: dict[str, float] = {}
    for name, value in results.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict):
            found.update(flat(value, f"{path}."))
        elif isinstance(value, (int, float)):
            found[path] = value
    return found


def missed(results: dict[str, Any]) -> list[str]:
    """Names of targets that were measured and not met."""
    numbers = flat(results)
    tests: dict[str, Callable[[float, float], bool]] = {
        ">=": lambda a, b: a >= b,
        "<=": lambda a, b: a <= b,
        "<": lambda a, b: a < b,
    }
    return [
        name
        for name, (word, bound) in TARGETS.items()
        if name in numbers and not tests[word](numbers[name], bound)
    ]


def table(results: dict[str, Any]) -> Table:
    """The numbers beside their targets."""
    shown = Table(title="Benchmarks")
    for column in ("what", "measured", "target", ""):
        shown.add_column(column, justify="right" if column == "measured" else "left")
    failed = set(missed(results))
    for name, value in flat(results).items():
        word, bound = TARGETS.get(name, ("", ""))
        mark = "" if name not in TARGETS else "[red]missed[/red]" if name in failed else "[green]met[/green]"
        shown.add_row(name, f"{value:,}", f"{word} {bound}".strip(), mark)
    return shown


def main(argv: list[str] | None = None) -> int:
    """Exit code 1 if a target is missed."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measure against the targets; writes benchmarks/results.json. "
        "Everything runs with the shipped schedule and the 10-minute message lease.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="leave out the large loads")
    size.add_argument("--full", action="store_true", help="add a first load of 200,000 contacts")
    parser.add_argument(
        "--json", action="store_true", help="print the results as one JSON object, last line of stdout"
    )
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="only the steps with this text in their title; others stay"
    )
    arguments = parser.parse_args(argv)
    console = Console(stderr=True)
    try:
        bench = run(arguments, console)
    except KeyboardInterrupt:
        return 130
    if not bench.done:
        parser.error(f"no step has {arguments.only!r} in its title")
    results = bench.results
    if arguments.only:
        return _again(results, bench.done, arguments)
    results["machine"] = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.machine()}"
    results["date"] = time.strftime("%Y-%m-%d")
    results["run"] = "quick" if arguments.quick else "full" if arguments.full else "standard"
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    Console().print(table(results))
    if arguments.json:
        print(json.dumps(results))
    return 1 if missed(results) else 0


def _again(results: dict[str, Any], done: list[str], arguments: argparse.Namespace) -> int:
    """Write some steps' numbers over those of an earlier run, with their own date."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    again = {**kept.get("again", {}), **dict.fromkeys(done, time.strftime("%Y-%m-%d"))}
    RESULTS.write_text(json.dumps({**kept, **results, "again": again}, indent=2) + "\n", encoding="utf-8")
    Console().print(table(results))
    if arguments.json:
        print(json.dumps(results))
    return 1 if missed(results) else 0


if __name__ == "__main__":
    sys.exit(main())
