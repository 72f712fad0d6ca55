"""`deletes`: what the brake parked, and the decision on it."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from sync.cli.frame import FAILED, OK, run
from sync.cli.options import AsJson, MappingName, SettingsFile, Wait
from sync.cli.output import CommandFailed, Output, Problem, counted, duration, number
from sync.cli.records import record_ids
from sync.cli.session import Session, UsageProblem
from sync.cli.work import QUEUED, wait_for
from sync.flows import deletes as flow
from sync.model import Lane, to_iso
from sync.storage.history import Parked

app = typer.Typer(
    help="Deletes that the brake holds back until a person decides.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
SHOWN = 50
NONE_WAITS = "No delete of {} waits for a decision."
Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="Record ids.")]
Every = Annotated[bool, typer.Option("--all", help="All that wait.")]


@app.command("list")
def list_(
    context: typer.Context,
    mapping: MappingName = "contacts",
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Show the deletes that wait for a decision.

    Example:

      python -m sync deletes list
    """
    run(context, partial(_list, mapping=mapping), settings=settings, as_json=as_json)


@app.command()
def approve(
    context: typer.Context,
    ids: Ids = None,
    every: Every = False,
    mapping: MappingName = "contacts",
    wait: Wait = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Carry deletes out.

    Each contact is looked for in Dynamics once more; a profile is deleted only if the contact is still gone.

    Examples:

      python -m sync deletes approve 3f2504e0-4f89-41d3-9a0c-0305e82c3301

      python -m sync deletes approve --all --wait
    """
    run(
        context,
        partial(_approve, ids=ids or [], every=every, mapping=mapping, wait=wait),
        settings=settings,
        as_json=as_json,
    )


@app.command()
def discard(
    context: typer.Context,
    ids: Ids = None,
    every: Every = False,
    mapping: MappingName = "contacts",
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Keep the profiles. Their records go on hold with the code delete_discarded.

    Example:

      python -m sync deletes discard --all
    """
    run(
        context,
        partial(_discard, ids=ids or [], every=every, mapping=mapping),
        settings=settings,
        as_json=as_json,
    )


async def _list(session: Session, out: Output, *, mapping: str) -> int:
    found = await flow.waiting(session.context, mapping)
    now = session.context.clock.now()
    if out.as_json:
        told = [
            {"id": p.record_id, "reason": p.reason, "since": to_iso(p.since), "approved": p.approved}
            for p in found
        ]
        out.json({"mapping": mapping, "deletes": told})
        return OK
    if not found:
        out.line(NONE_WAITS.format(mapping))
        return OK
    out.table(
        ("id", "waits for", "why", "decision"),
        [
            [
                p.record_id,
                duration(now - p.since),
                p.reason,
                "approved, in work" if p.approved else "none yet",
            ]
            for p in found[:SHOWN]
        ],
    )
    if len(found) > SHOWN:
        out.line(f"… and {number(len(found) - SHOWN)} more (--json lists all)")
    out.line(f"{counted(len(found), 'delete')} in all. After 7 days without a decision they are quarantined.")
    return OK


async def _chosen(session: Session, ids: list[str], mapping: str, *, every: bool) -> list[Parked]:
    if bool(ids) == every:
        raise UsageProblem("say which deletes", "Give record ids, or --all; `deletes list` shows them.")
    wanted = record_ids(ids)
    found = {item.record_id: item for item in await flow.waiting(session.context, mapping)}
    missing = [record for record in wanted if record not in found]
    if missing:
        raise CommandFailed(
            Problem(
                "unknown_record",
                f"no delete of {'this record' if len(missing) == 1 else 'these records'} waits for a decision.",
                "`python -m sync deletes list` shows those that do.",
                ", ".join(missing),
            )
        )
    return [found[record] for record in wanted] if ids else list(found.values())


async def _approve(
    session: Session, out: Output, *, ids: list[str], every: bool, mapping: str, wait: bool
) -> int:
    items = await _chosen(session, ids, mapping, every=every)
    with out.progress("approving") as tell:
        await flow.approve(session.context, mapping, items, lambda done: tell(done, len(items)))
    if items:
        out.line(f"{counted(len(items), 'delete')} approved.")
        out.line(QUEUED)
    else:
        out.line(NONE_WAITS.format(mapping))
    if wait and items:
        await wait_for(session, (Lane.LIVE,), out)
        out.line("Done.")
    if out.as_json:
        out.json({"mapping": mapping, "approved": len(items)})
    return OK


async def _discard(session: Session, out: Output, *, ids: list[str], every: bool, mapping: str) -> int:
    items = await _chosen(session, ids, mapping, every=every)
    with out.progress("discarding") as tell:
        done = await flow.discard(session.context, mapping, items, lambda count: tell(count, len(items)))
    if items:
        out.line(f"{counted(done.held, 'profile')} kept; on hold with the code {flow.DISCARDED}.")
    else:
        out.line(NONE_WAITS.format(mapping))
    if done.moved_on:
        out.line(f"{counted(done.moved_on, 'record')} had moved on meanwhile and waited no longer.")
    if done.busy:
        out.line(f"{counted(done.busy, 'record')} in work just now: run the command again.", style="yellow")
    if out.as_json:
        out.json({"mapping": mapping, "held": done.held, "moved_on": done.moved_on, "busy": done.busy})
    return FAILED if done.busy else OK
