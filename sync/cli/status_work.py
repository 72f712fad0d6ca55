"""What people asked for, in `status`: what is paused, and the jobs with their progress."""

from __future__ import annotations

from collections.abc import Mapping

from sync.cli.output import Output, counted, duration, number
from sync.errors import CATALOGUE
from sync.flows.status import MappingStatus, Status, job_eta_s
from sync.model import to_iso
from sync.settings import Settings
from sync.storage.jobs import FAILED, RUNNING, Job
from sync.storage.pauses import Stop


def show(found: Status, item: MappingStatus, settings: Settings, out: Output) -> None:
    """A line for each."""
    pauses(item.stops, out)
    for job in item.jobs:
        out.line(f"  {job.verb} {job.name} by {job.who}: {_told(found, item, job, settings)}")


def pauses(stops: Mapping[str, Stop], out: Output, more: str = "") -> None:
    """What people have paused, and who."""
    for part, stop in sorted(stops.items()):
        why = f" ({stop.why})" if stop.why else ""
        kind, _, name = part.partition(":")
        line = f"  {kind} {name} paused by {stop.who} since {to_iso(stop.since)[:19]}Z{why}"
        out.line(f"{line}: `python -m sync resume{more}`", style="yellow")


def paused_json(stops: Mapping[str, Stop]) -> dict[str, dict[str, str]]:
    """The same for `--json`."""
    return {
        part: {"who": stop.who, "since": to_iso(stop.since), "why": stop.why} for part, stop in stops.items()
    }


def _told(found: Status, item: MappingStatus, job: Job, settings: Settings) -> str:
    if job.state == FAILED:
        entry = CATALOGUE.get(job.code)
        return (
            f"ended with {job.code}: {entry.meaning if entry else ''} {number(job.done)} were queued before."
        )
    results = "".join(f", {number(count)} {name}" for name, count in sorted(job.found.items()) if count)
    if job.state != RUNNING:
        return f"{counted(job.done, 'record')} in {duration(job.updated - job.started)}{results}"
    done = f"{number(job.done)} of about {counted(max(job.total, job.done), 'record')}{results}"
    if f"flow:{job.verb}" in item.stops:
        return f"{done}, paused"
    eta = job_eta_s(found, item, job, settings.chunk_records)
    return done if eta is None else f"{done}, worked in at most {duration(eta)} at this rate"
