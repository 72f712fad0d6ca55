"""`status`: what each mapping is doing, what waits and why."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import typer
from rich.text import Text

from sync.cli import status_events, status_work
from sync.cli.checks.forecast import NEARLY
from sync.cli.frame import FAILED, OK, run
from sync.cli.options import AsJson, Exact, SettingsFile
from sync.cli.output import Output, counted, duration, number
from sync.cli.session import Session
from sync.cli.status_json import as_json as told
from sync.errors import CATALOGUE
from sync.flows.events.status import collect_events
from sync.flows.status import LedgerCount, MappingStatus, Phase, Status, backlog_s, collect, count_ledger
from sync.model import to_iso
from sync.settings import Settings

WORTH_TELLING_S = 1.0
TOKEN_DAYS = 7
"""Life of a delta link unless an admin changed it; `doctor` asks (dataverse.md 1.4)."""


def status(
    context: typer.Context,
    exact: Exact = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Show what the sync is doing, what waits, and why.

    Answers at once from counters, which can be a little short after a crash. Exit code 1 if a mapping is not fresh
    or waits for something to be mended.

    Examples:

      python -m sync status

      python -m sync status --exact --json
    """
    run(context, partial(_status, exact=exact), settings=settings, as_json=as_json)


async def _status(session: Session, out: Output, *, exact: bool) -> int:
    found = await collect(session.context)
    counts: dict[str, LedgerCount] = {}
    if exact:
        counts = {
            item.mapping: await _count(session, out, item.mapping) for item in found.mappings if item.version
        }
    events = None
    if session.settings.events_container:
        events = await collect_events(session.context, session.account)
    if out.as_json:
        mail = {"events": status_events.as_json(events)} if events else {}
        out.json({**told(found, counts, session.settings), **mail})
    else:
        for item in found.mappings:
            _mapping(found, item, counts.get(item.mapping), session.settings, out)
        if events:
            status_events.show(events, session.settings, out)
        _lanes(found, session.settings, out)
    mailing = events is None or (events.health.fresh and not events.health.paused)
    return OK if all(healthy(item) for item in found.mappings) and found.mappings and mailing else FAILED


def healthy(item: MappingStatus) -> bool:
    """Fresh, and nothing waits for a person to mend it."""
    return item.fresh and not item.waits


async def _count(session: Session, out: Output, mapping: str) -> LedgerCount:
    with out.progress(f"counting {mapping}") as tell:
        buckets = session.context.buckets
        return await count_ledger(
            session.context, mapping, lambda done, rows: tell(done, buckets[mapping], counted(rows, "row"))
        )


def _mapping(
    found: Status, item: MappingStatus, exact: LedgerCount | None, settings: Settings, out: Output
) -> None:
    out.line(_title(item))
    rows = list(_facts(found, item, exact, settings))
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        line = Text(f"  {name:{width}}  ")
        line.append_text(text if isinstance(text, Text) else Text(text))
        out.line(line)
    for flow, pause in item.waits.items():
        entry = CATALOGUE.get(pause.code)
        out.line(f"  {flow} waits since {to_iso(pause.since)[:19]}Z: {pause.code}", style="red")
        if entry:
            out.line(f"    {entry.meaning}" + (f" ({pause.detail})" if pause.detail else ""))
            out.line(f"    do: {entry.fix}")
    status_work.show(found, item, settings, out)
    _set_aside(item, exact, out)
    out.line()


def _title(item: MappingStatus) -> Text:
    title = Text(item.mapping, style="bold")
    title.append("  ")
    if "flow:pull" in item.stops or "lane:live" in item.stops:
        title.append("PAUSED", style="yellow")
    elif item.waits:
        codes = sorted({pause.code for pause in item.waits.values()})
        title.append(f"WAITING {', '.join(codes)}", style="red")
    elif item.phase is Phase.FULL_READ:
        pages = counted(item.progress.pages, "page")
        title.append(f"FULL READ {pages}, {counted(item.progress.records, 'record')}", style="yellow")
    else:
        title.append(item.phase.value.upper(), style="green" if item.phase is Phase.RUNNING else "yellow")
    title.append(f"  epoch {item.progress.epoch}, generation {item.progress.generation}", style="dim")
    return title


def _facts(
    found: Status, item: MappingStatus, exact: LedgerCount | None, settings: Settings
) -> Iterator[tuple[str, str | Text]]:
    yield "fresh", _freshness(item, settings)
    yield "backlog", _backlog(found, item, settings)
    rate = item.rate
    yield (
        "rate",
        f"{rate.records:.1f} records/s, {rate.calls:.1f} Campaign calls/s (mean of {duration(rate.over_s)})",
    )
    yield "records", _states(item, exact)
    yield "mapping", _version(item, exact)
    yield "last read", _last_read(item)
    yield "delta link", _delta(found, item)
    if any(name.startswith("consent:") for name in item.counts) or item.opt_ins_stopped:
        yield "consent", _consent(item)
    yield "deletes", f"{number(item.braked)} of {number(item.brake)} that the brake allows in 24 h"
    if item.expired():
        kinds = (f"{number(count)} of {kind}" for kind, count in sorted(item.expired().items()))
        yield "expired", f"rows removed for their age: {', '.join(kinds)}"


def _consent(item: MappingStatus) -> str | Text:
    """Writes since the start, what is kept different, and the opt-in brake."""
    done = {
        what: sum(count for name, count in item.counts.items() if name.startswith(f"consent:{what}:"))
        for what in ("opt_out", "opt_in")
    }
    text = (
        f"{counted(done['opt_out'], 'opt-out')} and {counted(done['opt_in'], 'opt-in')} carried, "
        f"{number(item.counts['consent:kept'])} kept different, "
        f"{number(item.counts['consent:undecidable'])} undecidable"
    )
    if not item.opt_ins_stopped:
        return text
    sides = " and ".join(f"`consent approve --to {side}`" for side in item.opt_ins_stopped)
    return Text(f"{text}; opt-ins wait for {sides}", style="red")


def _freshness(item: MappingStatus, settings: Settings) -> str | Text:
    if item.phase is Phase.DISABLED:
        return "switched off: nothing is read or sent"
    if item.age_s is None:
        return Text("never pulled" + ("" if item.waits else ": is the function app running?"), style="red")
    text = f"last pull {duration(item.age_s)} ago"
    if item.fresh:
        return text
    return Text(f"{text}, more than {duration(settings.freshness_s)} (FRESHNESS_S)", style="red")


def _backlog(found: Status, item: MappingStatus, settings: Settings) -> str:
    left = backlog_s(found, item, settings.chunk_records)
    if left == 0:
        return "none"
    if left is None:
        return "waiting in the lanes, and none was worked lately"
    return f"empty in at most {duration(left)} at this rate"


def _states(item: MappingStatus, exact: LedgerCount | None) -> str:
    states = dict(exact.states) if exact else item.states()
    shown = ", ".join(f"{number(count)} {state}" for state, count in sorted(states.items()) if count)
    return (shown or "none") + (" (counted)" if exact else "")


def _version(item: MappingStatus, exact: LedgerCount | None) -> str:
    if not item.version:
        return "none active yet"
    if exact is None:
        return f"{item.version}, about {counted(item.older(), 'record')} on an older one"
    older = counted(exact.older, "record")
    return f"{item.version}, {older} on an older one" + (
        f", {exact.unresolved} with an open outcome" if exact.unresolved else ""
    )


def _last_read(item: MappingStatus) -> str:
    progress = item.progress
    if not progress.finished:
        return "none finished yet"
    took = duration(max(progress.finished - progress.started, 0))
    if progress.running:
        return f"{counted(progress.total, 'record')}, the one before this"
    return (
        f"generation {progress.generation}: {counted(progress.total, 'record')} in {took}, "
        f"{to_iso(progress.finished)[:19]}Z"
    )


def _delta(found: Status, item: MappingStatus) -> str | Text:
    if not item.tick.link_at:
        return "none yet: it comes with the last page of the full read"
    age = max(found.at - item.tick.link_at, 0.0)
    text = f"{duration(age)} old; Dynamics keeps it for {TOKEN_DAYS} days unless changed"
    if age > TOKEN_DAYS * 86400 / 2:
        return Text(f"{text}: a full read follows if it expires. Mend the pull.", style="yellow")
    return text


def _set_aside(item: MappingStatus, exact: LedgerCount | None, out: Output) -> None:
    """Parked and quarantined records by code, with what it means and what to do."""
    for state, code, count in set_aside(item, exact):
        line = Text(f"  {number(count)} {state}", style="red" if state == "quarantined" else "yellow")
        entry = CATALOGUE.get(code)
        line.append(f"  {code}: {entry.meaning if entry else 'not in the catalogue'}", style="default")
        out.line(line)
        if entry:
            out.line(f"    do: {entry.fix}")


def set_aside(item: MappingStatus, exact: LedgerCount | None) -> list[tuple[str, str, int]]:
    """(state, code, records) of what waits or needs a person; what is on hold has a code in the exact count only."""
    if exact:
        return sorted(
            (state, code, count) for (state, code), count in exact.codes.items() if state != "deleted"
        )
    found = [("parked", code, count) for code, count in sorted(item.parked.items())]
    return found + [("quarantined", code, count) for code, count in item.quarantined().items()]


def _lanes(found: Status, settings: Settings, out: Output) -> None:
    waiting = ", ".join(
        f"{name} {number(count)}" for name, count in found.lanes.items() if "poison" not in name
    )
    out.line(f"lanes    {waiting} (messages of up to {counted(settings.chunk_records, 'record')})")
    oldest = [
        f"{name} {duration(age)}"
        for name, age in found.oldest_s.items()
        if "poison" not in name and age >= WORTH_TELLING_S
    ]
    if oldest:
        out.line(f"lag      the first message that waits: {', '.join(oldest)}")
    poison = {name: count for name, count in found.lanes.items() if "poison" in name and count}
    if poison:
        told = ", ".join(f"{name} {number(count)}" for name, count in poison.items())
        out.line(f"poison   {told}: the function app returns them by itself while it runs", style="yellow")
    out.line(
        f"budget   at most {found.calls_per_s:.1f} Campaign calls/s, {found.backfill_calls_per_s:.1f} of them for first "
        f"loads and replays; {found.budget_used:.0%} of the reserve for bursts is in use"
    )
    if found.day_calls:
        used = found.day_used / found.day_calls
        out.line(
            f"a day    {number(found.day_used)} of {number(found.day_calls)} Campaign calls in the last 24 hours "
            f"({used:.0%})",
            style="yellow" if used > NEARLY else "",
        )
    if found.unreadable:
        out.line(f"{counted(found.unreadable, 'message')} unreadable (message_unreadable)", style="red")
