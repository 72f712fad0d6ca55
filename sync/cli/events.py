"""`events`: export files and lines that were refused, events that Dynamics refused, and another try of each."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Annotated

import typer

from sync.cli.frame import OK, run
from sync.cli.options import AsJson, SettingsFile, Wait
from sync.cli.output import CommandFailed, Output, Problem, counted, number
from sync.cli.records import known_code, record_ids
from sync.cli.session import Session, UsageProblem
from sync.cli.work import QUEUED, wait_for
from sync.errors import CATALOGUE
from sync.flows.events.refused import Refusal, refused_events, retry_failed, retry_refused
from sync.model import Lane, to_iso
from sync.storage.files import FileRow

app = typer.Typer(
    help="Email events: what was refused, and another try of it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
SHOWN = 50
REFUSED = "refused"
Code = Annotated[str, typer.Option("--code", metavar="CODE", help="Only those with this code.")]


@app.command()
def files(
    context: typer.Context,
    refused: Annotated[bool, typer.Option("--refused", help="Only files that were refused.")] = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Show the export files that were read. Newest last, and why some were refused.

    Example:

      python -m sync events files --refused
    """
    run(context, partial(_files, refused=refused), settings=settings, as_json=as_json)


@app.command()
def lines(
    context: typer.Context,
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="Name of one export file.")] = None,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Show the lines that could not be read. File, line, code and column, never their text.

    Example:

      python -m sync events lines broadlog-20261124-1045.csv
    """
    run(context, partial(_lines, file=file), settings=settings, as_json=as_json)


@app.command()
def reread(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="FILE", help="Names of export files.")] = None,
    refused: Annotated[bool, typer.Option("--refused", help="All files that were refused.")] = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Read files from their start with the next tick. As after a new upload. Lines that are known change nothing.

    For files that were refused because of what `mappings/events.yaml` or a setting said.

    Example:

      python -m sync events reread --refused
    """
    run(context, partial(_reread, names=names or [], refused=refused), settings=settings, as_json=as_json)


@app.command("refused")
def refused_(
    context: typer.Context,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Contact ids.")] = None,
    code: Code = "",
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Show the events that Dynamics refused, by contact and code.

    Example:

      python -m sync events refused --code dynamics_value_refused
    """
    run(context, partial(_refused, ids=ids or [], code=code), settings=settings, as_json=as_json)


@app.command()
def retry(
    context: typer.Context,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Contact ids.")] = None,
    code: Code = "",
    every: Annotated[
        bool, typer.Option("--all", help="All of them, and partitions that wait after failures.")
    ] = False,
    wait: Wait = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Write events again that Dynamics refused. What a salesperson deleted stays deleted.

    Examples:

      python -m sync events retry --all --wait

      python -m sync events retry 3f2504e0-4f89-41d3-9a0c-0305e82c3301
    """
    work = partial(_retry, ids=ids or [], code=code, every=every, wait=wait)
    run(context, work, settings=settings, as_json=as_json)


async def _files(session: Session, out: Output, *, refused: bool) -> int:
    found = await _all_files(session)
    if refused:
        found = [row for row in found if row.state == REFUSED]
    if out.as_json:
        told = [
            {
                "file": row.name, "state": row.state, "code": row.code, "detail": row.detail, "events": row.events,
                "bad_lines": row.bad, "at": to_iso(row.updated),
            }
            for row in found
        ]  # fmt: skip
        out.json({"files": told})
        return OK
    shown = found[-SHOWN:]
    out.table(
        ("file", "state", "events", "bad lines", "at", "why"),
        [
            [
                row.name,
                row.state,
                number(row.events),
                number(row.bad),
                to_iso(row.updated)[:19] + "Z",
                _why(row),
            ]
            for row in shown
        ],
    )
    out.line(f"{counted(len(found), 'file')}{', refused ones only' if refused else ''}.")
    for code in sorted({row.code for row in shown if row.code}):
        out.line(f"  {code}: {CATALOGUE[code].fix}")
    return OK


def _why(row: FileRow) -> str:
    return f"{row.code} ({row.detail})" if row.code else ""


async def _all_files(session: Session) -> list[FileRow]:
    rows = await session.app.events.files.all()
    return sorted(rows.values(), key=lambda row: row.updated)


async def _lines(session: Session, out: Output, *, file: str | None) -> int:
    if file is not None:
        await _named(session, [file])
    found = [line async for line in session.app.events.files.bad_lines(file)]
    found.sort(key=lambda line: (line.file, line.line))
    if out.as_json:
        told = [
            {"file": line.file, "line": line.line, "code": line.code, "detail": line.detail} for line in found
        ]
        out.json({"lines": told})
        return OK
    out.table(
        ("file", "line", "code", "column"),
        [[line.file, str(line.line), line.code, line.detail] for line in found[:SHOWN]],
    )
    if len(found) > SHOWN:
        out.line(f"… and {number(len(found) - SHOWN)} more (--json lists all)")
    out.line(f"{counted(len(found), 'line')} in all.")
    for code in sorted({line.code for line in found}):
        out.line(f"  {code}: {CATALOGUE[code].meaning} {CATALOGUE[code].fix}")
    return OK


async def _named(session: Session, names: list[str]) -> list[FileRow]:
    """The rows of files; raises CommandFailed for names that were never read."""
    rows = await session.app.events.files.all()
    unknown = [name for name in names if name not in rows]
    if unknown:
        raise CommandFailed(
            Problem(
                "unknown_file",
                f"the sync has not read {', '.join(unknown)}.",
                "`python -m sync events files` shows the names; a file is forgotten a day after it left the container.",
            )
        )
    return [rows[name] for name in names]


async def _reread(session: Session, out: Output, *, names: list[str], refused: bool) -> int:
    if bool(names) == refused:
        raise UsageProblem("say which files", "Give file names, or --refused.")
    rows = await _named(session, names) if names else await _all_files(session)
    chosen = [row for row in rows if names or row.state == REFUSED]
    for row in chosen:
        await session.app.events.files.write(row.begun_again(session.context.clock.now()))
    out.line(f"{counted(len(chosen), 'file')} will be read from the start with the next tick.")
    if out.as_json:
        out.json({"files": [row.name for row in chosen]})
    return OK


async def _refused(session: Session, out: Output, *, ids: list[str], code: str) -> int:
    found = await _refusals(session, ids, code)
    if out.as_json:
        told = [
            {
                "contact": one.contact, "kind": one.event.kind, "log": one.event.log, "log_id": one.event.log_id,
                "delivery": one.event.delivery, "code": one.code, "since": to_iso(one.since),
            }
            for one in found
        ]  # fmt: skip
        out.json({"events": told})
        return OK
    out.table(
        ("contact", "event", "log id", "since", "delivery", "code"),
        [
            [
                one.contact, one.event.kind, one.event.log_id, to_iso(one.since)[:19] + "Z", one.event.delivery, one.code
            ]
            for one in found[:SHOWN]
        ],
    )  # fmt: skip
    if len(found) > SHOWN:
        out.line(f"… and {number(len(found) - SHOWN)} more (--json lists all)")
    for name, count in sorted(Counter(one.code for one in found).items()):
        out.line(f"{counted(count, 'event')} with {name}: {CATALOGUE[name].fix}")
    if not found:
        out.line("No event was refused.")
    return OK


async def _refusals(session: Session, ids: list[str], code: str) -> list[Refusal]:
    contacts = record_ids(ids)
    chosen = known_code(code) if code else ""
    return [one async for one in refused_events(session.app.events, contacts=contacts, code=chosen)]


async def _retry(session: Session, out: Output, *, ids: list[str], code: str, every: bool, wait: bool) -> int:
    if every == bool(ids or code):
        raise UsageProblem("say which events", "Give contact ids or --code CODE, or --all.")
    events = session.app.events
    chosen = known_code(code) if code else ""
    queued = await retry_refused(events, contacts=record_ids(ids), code=chosen)
    partitions = await retry_failed(events) if every else 0
    out.line(f"{counted(queued, 'event')} will be written again.")
    if partitions:
        out.line(f"{counted(partitions, 'partition')} will be worked again.")
    left: list[Refusal] = []
    if queued or partitions:
        out.line(QUEUED)
        if wait:
            await wait_for(session, (Lane.EVENTS,), out)
            left = await _refusals(session, ids, code)
            out.line(f"{counted(len(left), 'event')} refused again.")
    if out.as_json:
        now = {"refused_again": len(left)} if wait else {}
        out.json({"events": queued, "partitions": partitions, **now})
    return OK
