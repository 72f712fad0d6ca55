"""`retry`: quarantined, held and parked records are looked at again."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Annotated

import typer

from sync.cli.frame import OK, run
from sync.cli.options import AsJson, MappingName, SettingsFile, Wait
from sync.cli.output import Output, counted, number
from sync.cli.records import known_code, person, record_ids, rows_of
from sync.cli.session import Session, UsageProblem
from sync.cli.work import QUEUED, wait_for
from sync.flows import replay as flow
from sync.flows.replay import Replay, send_records
from sync.flows.status import count_ledger
from sync.model import Intent, Lane, State

WAITING = (State.QUARANTINED, State.HOLD, State.PARKED)


def retry(
    context: typer.Context,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Record ids.")] = None,
    code: Annotated[
        str, typer.Option("--code", metavar="CODE", help="All records that wait with this code.")
    ] = "",
    every: Annotated[
        bool, typer.Option("--all", help="All quarantined records, whatever their code.")
    ] = False,
    mapping: MappingName = "contacts",
    wait: Wait = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Look again at records that are quarantined, on hold or parked.

    Each is read from Dynamics once more and planned anew, so it goes through if the cause is mended. `--all` takes
    quarantined ones only: what a person put on hold is named by id or code.

    Examples:

      python -m sync retry --code email_invalid

      python -m sync retry 3f2504e0-4f89-41d3-9a0c-0305e82c3301 --wait
    """
    work = partial(_retry, ids=ids or [], code=code, every=every, mapping=mapping, wait=wait)
    run(context, work, settings=settings, as_json=as_json)


async def _retry(
    session: Session, out: Output, *, ids: list[str], code: str, every: bool, mapping: str, wait: bool
) -> int:
    if sum((bool(ids), bool(code), every)) != 1:
        raise UsageProblem("say which records", "Give record ids, or --code CODE, or --all.")
    if ids:
        return await _by_id(session, out, record_ids(ids), mapping, wait=wait)
    states = (State.QUARANTINED,) if every else WAITING
    context = session.context
    await context.active(mapping)
    progress = await context.watermarks.progress(mapping)
    command = Replay(
        epoch=progress.epoch,
        intent="retry",
        states=tuple(state.value for state in states),
        code=known_code(code) if code else "",
    )
    await flow.start(context, mapping, command, who=person())
    what = f"with code {code}" if code else "that are quarantined"
    out.line(f"All records of {mapping} {what} will be looked at again.")
    out.line(QUEUED)
    if wait:
        await wait_for(session, (Lane.CONTROL, Lane.BACKFILL_HOLD, Lane.BACKFILL), out)
        left = await _left(session, out, mapping, command)
        out.line(f"Done. {number(left)} of them still {'waits' if left == 1 else 'wait'}.")
    if out.as_json:
        out.json({"queued": True, "mapping": mapping, "code": code, "states": list(command.states)})
    return OK


async def _left(session: Session, out: Output, mapping: str, command: Replay) -> int:
    """How many rows are as the command looked for them; every row is read, as the command itself did."""
    with out.progress("counting what still waits") as tell:
        found = await count_ledger(session.context, mapping, lambda done, rows: tell(rows))
    return sum(
        count
        for (state, code), count in found.codes.items()
        if state in command.states and command.code in ("", code)
    )


async def _by_id(session: Session, out: Output, ids: list[str], mapping: str, *, wait: bool) -> int:
    rows = await rows_of(session.context, mapping, ids)
    waiting = [record for record, row in rows.items() if row.state in WAITING]
    settled = {record: row.state.value for record, row in rows.items() if row.state not in WAITING}
    if waiting:
        await send_records(session.context, mapping, waiting, Intent.RETRY)
        out.line(f"{counted(len(waiting), 'record')} will be looked at again.")
        out.line(QUEUED)
    for record, state in settled.items():
        out.line(f"{record} is {state}: it waits for nothing (`replay {record}` sends it again).")
    after: dict[str, str] = {}
    if wait and waiting:
        await wait_for(session, (Lane.LIVE,), out)
        rows = await rows_of(session.context, mapping, waiting)
        after = {record: " ".join(filter(None, (row.state.value, row.code))) for record, row in rows.items()}
        for state, count in sorted(Counter(after.values()).items()):
            out.line(f"{counted(count, 'record')} now {state}")
    if out.as_json:
        out.json({"queued": waiting, "not_waiting": settled, **({"now": after} if after else {})})
    return OK
