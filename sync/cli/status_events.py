"""The part of `status` that tells of email events."""

from __future__ import annotations

from typing import Any

from sync.cli import status_work
from sync.cli.output import Output, counted, duration, number
from sync.errors import CATALOGUE
from sync.flows.events.status import EventStatus
from sync.settings import Settings

NEWEST = 3


def as_json(found: EventStatus) -> dict[str, Any]:
    """The object under `events`."""
    return {
        "fresh": found.health.fresh,
        "age_s": found.health.age_s,
        "waits": found.health.paused,
        "paused": status_work.paused_json(found.stops),
        "events": {"new": found.counts["events:new"], "revised": found.counts["events:revised"]},
        "activities": {
            "created": found.counts["did:created"],
            "corrected": found.counts["did:corrected"],
            "tasks": found.counts["did:tasks"],
            "deleted": found.counts["did:deleted"],
        },
        "lines_left_out": found.left("line"),
        "events_not_shown": found.left("dropped"),
        "expired": found.counts["expired:events"],
        "parked": found.parked,
        "failed_partitions": found.failed,
        "refused": found.refused,
        "bad_lines": found.bad,
        "refused_files": {row.name: row.code for row in found.files if row.state == "refused"},
    }


def show(found: EventStatus, settings: Settings, out: Output) -> None:
    """A few lines, and what a person must look at."""
    out.line("email events", style="bold")
    status_work.pauses(found.stops, out, " --mapping email")
    age = found.health.age_s
    text = (
        "never looked at: is the function app running?" if age is None else f"looked at {duration(age)} ago"
    )
    late = age is not None and not found.health.fresh
    if late:
        text += f", more than {duration(settings.freshness_s)} (FRESHNESS_S)"
    out.line(f"  files       {text}", style="red" if late or age is None else "")
    for row in found.files[-NEWEST:]:
        read = f"{counted(row.events, 'event')}, {counted(row.bad, 'bad line')}"
        out.line(f"              {row.name}: {row.state}, {read}")
    if found.bad:
        out.line(
            f"  bad lines   {number(found.bad)} could not be read: `python -m sync events lines` shows where and why",
            style="yellow",
        )
    counts = found.counts
    out.line(f"  events      {number(counts['events:new'])} new, {number(counts['events:revised'])} revised")
    did = [f"{number(counts[f'did:{what}'])} {what}" for what in ("created", "corrected")]
    more = [
        f"{number(counts[f'did:{what}'])} {name}"
        for what, name in (("tasks", "follow-up tasks"), ("deleted", "old ones deleted"))
        if counts[f"did:{what}"]
    ]
    out.line(f"  activities  {', '.join([*did, *more])}")
    for title, kind in (("left out", "line"), ("not shown", "dropped")):
        reasons = found.left(kind)
        if reasons:
            out.line(
                f"  {title:10}  " + ", ".join(f"{number(count)} {why}" for why, count in reasons.items())
            )
    if counts["expired:events"]:
        out.line(f"  expired     {number(counts['expired:events'])} event rows removed for their age")
    if found.parked:
        out.line(f"  waiting     {number(found.parked)} for contacts that are not known yet")
    if found.failed:
        out.line(
            f"  failed      {number(found.failed)} partitions: their work ended workers again and again",
            style="red",
        )
        out.line(
            "    do: Look for the error in the log; they are tried again every hour, and by `events retry --all`."
        )
    if found.refused:
        out.line(
            f"  refused     {number(found.refused)} times by Dynamics, counted by contact and delivery",
            style="red",
        )
        out.line("    do: See `python -m sync events refused`.")
    for row in found.files:
        if row.state == "refused":
            out.line(f"  refused     {row.name}: {row.code} ({row.detail})", style="red")
            out.line(f"    do: {CATALOGUE[row.code].fix}")
    for flow, code in found.health.paused.items():
        out.line(f"  {flow} waits: {code}", style="red")
        out.line(f"    do: {CATALOGUE[code].fix}")
    out.line()
