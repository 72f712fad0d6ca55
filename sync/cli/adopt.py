"""`adopt`: profiles that were in Campaign before the sync get their key."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from sync.cli.frame import FAILED, OK, run
from sync.cli.options import AsJson, MappingName, SettingsFile, Yes
from sync.cli.output import Output, counted
from sync.cli.session import Session, UsageProblem
from sync.cli.work import confirm, cost_of
from sync.flows import adopt as flow

TOLD = (
    ("keyed", "have a key already"),
    ("empty", "have no value to look for"),
    ("matched", "match one record in Dynamics"),
    ("ambiguous", "share their value with others, in Campaign or in Dynamics"),
    ("none", "match nobody in Dynamics"),
    ("owned", "match a record that has a profile of its own: two profiles for one person"),
    ("blocked", "match a blocked person"),
    ("written", "got their key"),
    ("moved", "changed meanwhile and were left"),
)


def adopt(
    context: typer.Context,
    by: Annotated[
        str, typer.Option("--by", metavar="FIELD", help="A Campaign field that is mapped.")
    ] = "email",
    write: Annotated[bool, typer.Option("--write", help="Write the keys; else it only reports.")] = False,
    mapping: MappingName = "contacts",
    yes: Yes = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Match profiles that were there before the sync.

    By another field, e-mail as a rule: reports first, and with --write gives those that match exactly one record the
    record's id as their key. One that has a key is never touched. Reads all of Campaign twice, 200 records a call.

    Examples:

      python -m sync adopt

      python -m sync adopt --by email --write
    """
    run(
        context,
        partial(_adopt, by=by, write=write, mapping=mapping, yes=yes),
        settings=settings,
        as_json=as_json,
    )


async def _adopt(session: Session, out: Output, *, by: str, write: bool, mapping: str, yes: bool) -> int:
    context = session.context
    compiled = await context.active(mapping)
    if by not in flow.fields_to_match(compiled):
        raise UsageProblem(
            f"{mapping} maps no text column as it is to {by!r}",
            f"Name one of: {', '.join(sorted(flow.fields_to_match(compiled)))}.",
        )
    known = max((await context.watermarks.progress(mapping)).total, 1)
    cost = cost_of(context, known, (0, 3 if write else 1), exact=False)
    out.line(f"This reads all of Campaign, and asks for {cost} at most.")
    if write:
        out.line("Matched profiles get their key. That cannot be undone from here.", style="yellow")
    if not confirm(out, "Go on?", yes=yes):
        return FAILED
    with out.progress("adopting") as tell:
        found = await flow.adopt(
            context, mapping, by, write=write, tell=lambda what, records: tell(records, None, what)
        )
    for kind, meaning in TOLD:
        if found.counts[kind]:
            out.line(f"{counted(found.counts[kind], 'record')} {meaning}.")
    if out.as_json:
        out.json({"mapping": mapping, "counts": dict(found.counts), "ids": found.ids})
    return OK
