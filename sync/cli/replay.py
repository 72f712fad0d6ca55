"""`replay`: records are read from Dynamics again and compared with what was sent, or sent whatever was."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import typer

from sync.cli.frame import FAILED, OK, run
from sync.cli.options import AsJson, Exact, MappingName, SettingsFile, Wait, Yes
from sync.cli.output import Output
from sync.cli.records import known_code, record_ids, rows_of
from sync.cli.session import Session, UsageProblem
from sync.cli.work import QUEUED, confirm, cost_of, update_calls, wait_for
from sync.flows.commands import Replay, send
from sync.flows.replay import count_matching, send_records
from sync.model import Intent, Lane, LedgerRow, State


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records, and how."""

    ids: list[str]
    code: str
    every: bool
    mapping: str
    force: bool

    @property
    def intent(self) -> Literal["replay", "force"]:
        return "force" if self.force else "replay"


def replay(
    context: typer.Context,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Record ids.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every record of the mapping.")] = False,
    code: Annotated[str, typer.Option("--code", metavar="CODE", help="All records with this code.")] = "",
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Send even what is unchanged, with the fields that updates leave out, and what is on hold.",
        ),
    ] = False,
    mapping: MappingName = "contacts",
    exact: Exact = False,
    yes: Yes = False,
    wait: Wait = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Send records again: all, some, or those with a code.

    Each is read from Dynamics and compared with what was sent last; unchanged ones cost no Campaign call. Prints
    what it costs and asks first.

    Examples:

      python -m sync replay --all

      python -m sync replay 3f2504e0-4f89-41d3-9a0c-0305e82c3301 --force --yes

      python -m sync replay --code value_too_long --exact
    """
    wanted = Wanted(ids or [], code, every, mapping, force)
    work = partial(_replay, wanted=wanted, exact=exact, yes=yes, wait=wait)
    run(context, work, settings=settings, as_json=as_json)


async def _replay(
    session: Session, out: Output, *, wanted: Wanted, exact: bool, yes: bool, wait: bool
) -> int:
    if sum((bool(wanted.ids), bool(wanted.code), wanted.every)) != 1:
        raise UsageProblem("say which records", "Give record ids, or --code CODE, or --all.")
    ids = record_ids(wanted.ids)
    context = session.context
    if ids:
        _note_held(out, wanted, await rows_of(context, wanted.mapping, ids))
    command = await _command(session, wanted)
    records, counted_exactly = await _count(session, out, wanted, command, exact=exact)
    calls = await update_calls(context)
    cost = cost_of(context, records, (calls if wanted.force else 0, calls), exact=counted_exactly)
    out.line(f"This sends {cost}.")
    await _warn(session, out, wanted)
    if not confirm(out, "Send?", yes=yes):
        return FAILED
    if ids:
        await send_records(context, wanted.mapping, ids, Intent(wanted.intent))
    else:
        await send(context.lanes, command)
    out.line(QUEUED)
    if wait:
        lanes = (Lane.LIVE,) if ids else (Lane.CONTROL, Lane.BACKFILL_HOLD, Lane.BACKFILL)
        await wait_for(session, lanes, out)
        out.line("Done.")
    if out.as_json:
        out.json({"queued": True, "mapping": wanted.mapping, "intent": wanted.intent, "cost": cost.as_json()})
    return OK


def _note_held(out: Output, wanted: Wanted, rows: dict[str, LedgerRow]) -> None:
    held = [record for record, row in rows.items() if row.state is State.HOLD]
    if held and not wanted.force:
        out.note(
            f"On hold, and left so without --force unless Dynamics has a newer version: {', '.join(held)}"
        )


async def _command(session: Session, wanted: Wanted) -> Replay:
    await session.context.working(wanted.mapping)
    progress = await session.context.watermarks.progress(wanted.mapping)
    code = known_code(wanted.code) if wanted.code else ""
    return Replay(mapping=wanted.mapping, epoch=progress.epoch, intent=wanted.intent, code=code)


async def _count(
    session: Session, out: Output, wanted: Wanted, command: Replay, *, exact: bool
) -> tuple[int, bool]:
    """How many records it sends, and whether they were counted one by one."""
    context = session.context
    if wanted.ids:
        return len(set(wanted.ids)), True
    if exact:
        with out.progress("counting the ledger"):
            return await count_matching(context, command), True
    counts = await context.counters.totals(wanted.mapping)
    if wanted.code:
        return max(counts[f"code:{wanted.code}"], 0), False
    states = ["state:synced", "state:quarantined", "state:parked"] + ["state:hold"] * wanted.force
    return sum(max(counts[state], 0) for state in states), False


async def _warn(session: Session, out: Output, wanted: Wanted) -> None:
    """What is easily overlooked."""
    if wanted.force and wanted.every:
        counts = await session.context.counters.totals(wanted.mapping)
        held = counts["state:hold"]
        if held > 0:
            out.line(
                f"Included are {held} on hold: discarded deletes are carried out then, and missing profiles looked "
                "for again.",
                style="yellow",
            )
