"""`reconcile`: what Campaign holds against what it should hold, and sending again what differs."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from sync.cli.frame import FAILED, OK, run
from sync.cli.options import AsJson, MappingName, SettingsFile, Wait, Yes
from sync.cli.output import CommandFailed, Output, Problem, counted, number
from sync.cli.records import person
from sync.cli.session import Session, UsageProblem
from sync.cli.work import POLL_S, QUEUED, confirm, cost_of
from sync.flows import reconcile as flow
from sync.flows.extras import LIST_PAGE
from sync.flows.look import Reconcile
from sync.model import to_iso
from sync.planning.compare import Found
from sync.storage.findings import Finding
from sync.storage.jobs import RUNNING

SHOWN = 50
MEANING = {
    Found.MISSING.value: "sent, and not in Campaign",
    Found.STALE.value: "Dynamics has changed since it was sent (perhaps under way)",
    Found.EDITED.value: "changed in Campaign",
    Found.EXTRA.value: "in Campaign without a record in Dynamics",
    Found.REWRITTEN.value: "differs again after it was healed: Campaign rewrites it",
}


def reconcile(
    context: typer.Context,
    sample: Annotated[
        int, typer.Option("--sample", metavar="N", min=0, help="Compare N records, from a random place on.")
    ] = 0,
    every: Annotated[
        bool, typer.Option("--all", help="Compare every record, and look for extra ones.")
    ] = False,
    shown: Annotated[
        bool, typer.Option("--list", help="Show what was found, by record; compares nothing.")
    ] = False,
    heal: Annotated[bool, typer.Option("--heal", help="Send again what differs.")] = False,
    delete_extras: Annotated[
        bool,
        typer.Option(
            "--delete-extras", help="With --all: delete extra records; the delete brake counts them."
        ),
    ] = False,
    mapping: MappingName = "contacts",
    yes: Yes = False,
    wait: Wait = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Compare Campaign with Dynamics, and mend what differs.

    Finds missing, stale, edited and extra records: one Campaign call a record, from the backfill's share of the budget.
    Prints the cost and asks. Fields that updates leave out are not compared, and what Campaign's data policies rewrite
    counts as equal.

    Examples:

      python -m sync reconcile --sample 1000

      python -m sync reconcile --all --heal --wait

      python -m sync reconcile --list
    """
    if shown:
        run(context, partial(_list, mapping=mapping), settings=settings, as_json=as_json)
        return
    work = partial(
        _reconcile,
        sample=sample,
        every=every,
        heal=heal,
        delete_extras=delete_extras,
        mapping=mapping,
        yes=yes,
        wait=wait,
    )
    run(context, work, settings=settings, as_json=as_json)


async def _reconcile(
    session: Session,
    out: Output,
    *,
    sample: int,
    every: bool,
    heal: bool,
    delete_extras: bool,
    mapping: str,
    yes: bool,
    wait: bool,
) -> int:
    if bool(sample) == every or (delete_extras and not every):
        raise UsageProblem("say how much", "Give --sample N or --all; --delete-extras goes with --all.")
    context = session.context
    await context.active(mapping)
    progress = await context.watermarks.progress(mapping)
    counts = await context.counters.totals(mapping)
    known = max(progress.total, counts["state:synced"], 1)
    records = min(sample, known) if sample else known
    pages = 0 if sample else -(-known // LIST_PAGE)
    cost = cost_of(context, records, (1, 1), exact=False)
    calls = f" and {counted(pages, 'call')} for the list" if pages else ""
    out.line(f"This compares {cost}{calls}.")
    if heal:
        out.line("What differs is sent again, one or two calls each.")
    if delete_extras:
        out.line("Extra records are deleted in Campaign, as far as the delete brake allows.", style="yellow")
    if not confirm(out, "Compare?", yes=yes):
        return FAILED
    buckets = context.buckets[mapping]
    spot = context.rng.getrandbits(32)
    wanted = Reconcile(
        epoch=progress.epoch,
        sample=records if sample else 0,
        bucket=spot % buckets if sample else 0,
        after=f"{spot:08x}" if sample else "",
        heal=heal,
        delete_extras=delete_extras,
    )
    job = await flow.start(context, mapping, wanted, who=person(), total=records)
    out.line(QUEUED)
    found: dict[str, int] = {}
    if wait:
        found = await _wait(session, out, mapping, job.name)
        _tell(out, found)
    if out.as_json:
        out.json(
            {"queued": True, "mapping": mapping, "job": job.name, "cost": cost.as_json(), "found": found}
        )
    return OK


async def _wait(session: Session, out: Output, mapping: str, name: str) -> dict[str, int]:
    with out.progress("comparing") as tell:
        while True:
            job = await session.context.jobs.get(mapping, name)
            if job is None or job.state != RUNNING:
                break
            tell(job.done, max(job.total, job.done), counted(job.done, "record"))
            await session.context.clock.sleep(POLL_S)
    if job is None or job.code:
        code = job.code if job else "unknown"
        raise CommandFailed(
            Problem(code, "the look ended before its end.", "`python -m sync status` says why.")
        )
    return dict(job.found)


def _tell(out: Output, found: dict[str, int]) -> None:
    out.line(f"{counted(found.get(Found.AGREES.value, 0), 'record')} agree.")
    for name, meaning in MEANING.items():
        if found.get(name):
            out.line(f"{counted(found[name], 'record')} {name}: {meaning}", style="yellow")
    left = found.get(Found.LEFT.value, 0)
    if left:
        out.line(f"{counted(left, 'record')} not compared: they wait, are set aside, deleted, or in work.")
    if found.get("healed"):
        out.line(f"{counted(found['healed'], 'record')} sent again.")


async def _list(session: Session, out: Output, *, mapping: str) -> int:
    await session.context.active(mapping)
    found = sorted(
        [one async for one in session.context.findings.of(mapping)],
        key=lambda one: (one.found, one.record_id),
    )
    if out.as_json:
        out.json({"mapping": mapping, "findings": [_json(one) for one in found]})
        return OK
    if not found:
        out.line(f"Nothing of {mapping} is known to differ.")
        return OK
    out.table(
        ("id", "found", "sent again", "at", "fields"),
        [
            [
                one.record_id,
                one.found,
                "yes" if one.healed else "no",
                to_iso(one.at)[:19] + "Z",
                ", ".join(one.fields),
            ]
            for one in found[:SHOWN]
        ],
    )
    if len(found) > SHOWN:
        out.line(f"… and {number(len(found) - SHOWN)} more (--json lists all)")
    return OK


def _json(one: Finding) -> dict[str, object]:
    return {
        "id": one.record_id,
        "found": one.found,
        "fields": list(one.fields),
        "healed": one.healed,
        "at": to_iso(one.at),
    }
