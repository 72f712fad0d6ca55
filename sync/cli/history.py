"""`history`: what was done to a record, and where it stands."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import typer

from sync.cli.frame import OK, run
from sync.cli.options import AsJson, MappingName, SettingsFile
from sync.cli.output import Output
from sync.cli.records import record_id, rows_of
from sync.cli.session import Session
from sync.errors import CATALOGUE
from sync.model import State, to_iso


def history(
    context: typer.Context,
    record: Annotated[str, typer.Argument(metavar="ID", help="Record id.")],
    mapping: MappingName = "contacts",
    lines: Annotated[
        int, typer.Option("--lines", metavar="N", min=1, max=1000, help="How many lines, newest first.")
    ] = 20,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Show what was done to a record and where it stands.

    Newest first. Holds no values of the record. Lines are kept for 90 days (HISTORY_DAYS).

    Example:

      python -m sync history 3f2504e0-4f89-41d3-9a0c-0305e82c3301
    """
    run(
        context,
        partial(_history, record=record, mapping=mapping, lines=lines),
        settings=settings,
        as_json=as_json,
    )


async def _history(session: Session, out: Output, *, record: str, mapping: str, lines: int) -> int:
    wanted = record_id(record)
    context = session.context
    row = (await rows_of(context, mapping, [wanted]))[wanted]
    events = await context.history.of(mapping, wanted, most=lines)
    if out.as_json:
        told: list[dict[str, Any]] = [
            {
                "at": to_iso(event.at),
                "did": event.did,
                "why": event.why,
                "calls": event.calls,
                "code": event.code,
                "correlation": event.correlation,
            }
            for event in events
        ]
        out.json(
            {
                "id": wanted,
                "mapping": mapping,
                "state": row.state.value,
                "code": row.code,
                "version": row.version,
                "mapping_version": row.mapping_version,
                "updated": to_iso(row.updated),
                "history": told,
            }
        )
        return OK
    code = f", code {row.code}" if row.code else ""
    state = "on hold" if row.state is State.HOLD else row.state.value
    out.line(f"{wanted} is {state}{code}, since {to_iso(row.updated)}")
    if row.code in CATALOGUE:
        out.line(f"  {CATALOGUE[row.code].meaning} Do: {CATALOGUE[row.code].fix}")
    out.line(f"  source version {row.version}, mapping version {row.mapping_version or '–'}")
    if row.claimed:
        out.line(
            "  in work just now"
            if row.take_over > context.clock.now()
            else "  its last worker did not finish"
        )
    rows = [
        [to_iso(event.at)[:19] + "Z", event.did, str(event.calls), event.code, event.correlation, event.why]
        for event in events
    ]
    out.table(("at", "did", "calls", "code", "correlation", "why"), rows)
    if not rows:
        out.line("Nothing was done to it within the days that history is kept.")
    return OK
