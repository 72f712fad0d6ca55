"""`replay`: records are read from Dynamics again and compared with what was sent, or sent whatever was."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from sync.cli.frame import FAILED, OK, run
from sync.cli.options import AsJson, Exact, MappingName, SettingsFile, Wait, Yes
from sync.cli.output import Output, counted
from sync.cli.records import ids_in, known_code, moment, person, record_ids, rows_of
from sync.cli.session import Session, UsageProblem
from sync.cli.work import QUEUED, confirm, cost_of, update_calls, wait_for
from sync.errors import SyncError
from sync.flows import jobs
from sync.flows import replay as flow
from sync.flows.replay import Replay, count_matching, send_list, send_records
from sync.model import Intent, Lane, LedgerRow, State

FEW = 50
"""Ids that are sent at once, in the live lane."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records, and how. `skip`: leave out the first so many of a list, which were queued before."""

    ids: list[str]
    file: Path | None
    skip: int
    code: str
    every: bool
    matching: str
    since: float
    until: float
    mapping: str
    force: bool

    @property
    def intent(self) -> Literal["replay", "force"]:
        return "force" if self.force else "replay"

    @property
    def ways(self) -> int:
        asks = bool(self.matching or self.since or self.until)
        return sum((bool(self.ids), self.file is not None, bool(self.code), self.every, asks))


def replay(
    context: typer.Context,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Record ids.")] = None,
    file: Annotated[
        Path | None,
        typer.Option("--ids", metavar="FILE", help="Ids from a file, one a line; - reads standard input."),
    ] = None,
    skip: Annotated[
        int, typer.Option("--skip", metavar="N", help="Leave out the first N ids: they were queued before.")
    ] = 0,
    every: Annotated[bool, typer.Option("--all", help="Every record of the mapping.")] = False,
    code: Annotated[str, typer.Option("--code", metavar="CODE", help="All records with this code.")] = "",
    matching: Annotated[
        str,
        typer.Option("--filter", metavar="CONDITION", help="Records that meet a condition of the Web API."),
    ] = "",
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="Records changed in Dynamics at or after this.")
    ] = "",
    until: Annotated[
        str, typer.Option("--until", metavar="TIME", help="Records changed in Dynamics before this.")
    ] = "",
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
    """Send records again. All, some, or those that a code, a condition or a time picks.

    Each is read from Dynamics and compared with what was sent last; unchanged ones cost no Campaign call. Prints
    what it costs and asks first. More than a few go in the backfill lane, after live changes; `status` shows how far
    it is, `pause --flow replay` holds it.

    Examples:

      python -m sync replay --all

      python -m sync replay 3f2504e0-4f89-41d3-9a0c-0305e82c3301 --force --yes

      python -m sync replay --filter "statecode eq 0 and address1_country eq 'DE'"

      python -m sync replay --since 2026-11-01 --until 2026-11-02T12:00Z

      python -m sync replay --ids affected.txt --yes
    """

    async def work(session: Session, out: Output) -> int:
        wanted = Wanted(
            ids or [], file, skip, code, every, matching, moment(since), moment(until), mapping, force
        )
        return await _replay(session, out, wanted=wanted, exact=exact, yes=yes, wait=wait)

    run(context, work, settings=settings, as_json=as_json)


async def _replay(
    session: Session, out: Output, *, wanted: Wanted, exact: bool, yes: bool, wait: bool
) -> int:
    if wanted.ways != 1:
        fix = "Give record ids, or --ids FILE, --code CODE, --filter CONDITION, --since TIME, or --all."
        raise UsageProblem("say which records", fix)
    ids = ids_in(wanted.file)[wanted.skip :] if wanted.file else record_ids(wanted.ids)
    context = session.context
    if wanted.ids:
        _note_held(out, wanted, await rows_of(context, wanted.mapping, ids))
    command = await _command(session, wanted)
    listed = bool(wanted.ids) or wanted.file is not None
    if listed:
        records, counted_exactly = len(ids), True
    else:
        records, counted_exactly = await _count(session, out, wanted, command, exact=exact)
    calls = await update_calls(context, wanted.mapping)
    cost = cost_of(context, records, (calls if wanted.force else 0, calls), exact=counted_exactly)
    out.line(f"This sends {cost}.")
    await _warn(session, out, wanted)
    if not confirm(out, "Send?", yes=yes):
        return FAILED
    job = ""
    lanes: tuple[Lane, ...] = (Lane.CONTROL, Lane.BACKFILL_HOLD, Lane.BACKFILL)
    if listed:
        lanes = await _list(session, out, wanted, ids)
    else:
        started = await flow.start(context, wanted.mapping, command, who=person(), total=records)
        job = started.name
    out.line(QUEUED)
    if wait:
        await wait_for(session, lanes, out)
        out.line("Done.")
    if out.as_json:
        told = {"queued": True, "mapping": wanted.mapping, "intent": wanted.intent, "cost": cost.as_json()}
        out.json({**told, **({"job": job} if job else {})})
    return OK


async def _list(session: Session, out: Output, wanted: Wanted, ids: list[str]) -> tuple[Lane, ...]:
    """Queue a list; the lanes it goes through."""
    intent = Intent(wanted.intent)
    if len(ids) <= FEW:
        await send_records(session.context, wanted.mapping, ids, intent)
        return (Lane.LIVE,)
    with out.progress("queueing") as tell:
        for start in range(0, len(ids), flow.LIST_PART):
            part = ids[start : start + flow.LIST_PART]
            try:
                await send_list(session.context, wanted.mapping, part, intent)
            except BaseException:
                out.note(
                    f"{counted(start, 'record')} queued. Go on with --skip {wanted.skip + start}; one that is queued "
                    "twice costs nothing."
                )
                raise
            tell(start + len(part), len(ids))
    return (Lane.BACKFILL_HOLD, Lane.BACKFILL)


def _note_held(out: Output, wanted: Wanted, rows: dict[str, LedgerRow]) -> None:
    held = [record for record, row in rows.items() if row.state is State.HOLD]
    if held and not wanted.force:
        out.note(
            f"On hold, and left so without --force unless Dynamics has a newer version: {', '.join(held)}"
        )


async def _command(session: Session, wanted: Wanted) -> Replay:
    await session.context.working(wanted.mapping)
    progress = await session.context.watermarks.progress(wanted.mapping)
    return Replay(
        epoch=progress.epoch,
        intent=wanted.intent,
        code=known_code(wanted.code) if wanted.code else "",
        matching=wanted.matching,
        since=wanted.since,
        until=wanted.until,
    )


async def _count(
    session: Session, out: Output, wanted: Wanted, command: Replay, *, exact: bool
) -> tuple[int, bool]:
    """How many records it sends at most, and whether they were counted one by one."""
    context = session.context
    counts = await context.counters.totals(wanted.mapping)
    states = ["state:synced", "state:filtered", "state:quarantined", "state:parked"]
    states += ["state:hold"] * wanted.force
    known = sum(max(counts[state], 0) for state in states)
    if command.condition:
        return await _ask(session, out, wanted, command, known, exact=exact)
    if exact:
        with out.progress("counting the ledger"):
            return await count_matching(context, wanted.mapping, command), True
    if wanted.code:
        return max(counts[f"code:{wanted.code}"], 0), False
    return known, False


async def _ask(
    session: Session, out: Output, wanted: Wanted, command: Replay, known: int, *, exact: bool
) -> tuple[int, bool]:
    """The first page says whether Dynamics understands the condition; a short list is counted with it."""
    compiled = await session.context.sourced(await session.context.active(wanted.mapping))
    dynamics = session.context.dynamics
    try:
        page = await dynamics.list_matching(compiled.entity_set, compiled.key_column, command.condition)
    except SyncError as error:
        if error.code not in jobs.WRONG or not wanted.matching:
            raise
        fix = "Write it as a `$filter` of the Web API: statecode eq 0 and address1_country eq 'DE'."
        raise UsageProblem(f"Dynamics does not take this condition ({error.detail})", fix) from None
    records = len(page.rows)
    with out.progress("counting in Dynamics") as tell:
        while page.next_link is not None:
            if not exact:
                return max(known, records), False
            page = await dynamics.follow(page.next_link, compiled.entity_set, compiled.key_column)
            records += len(page.rows)
            tell(records, None, counted(records, "record"))
    return records, True


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
