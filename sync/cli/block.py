"""`block` and `unblock`: an erased person is never sent again."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from sync.cli.frame import FAILED, OK, run
from sync.cli.options import AsJson, SettingsFile, Yes
from sync.cli.output import Output, counted
from sync.cli.records import person, record_ids
from sync.cli.session import Session, UsageProblem
from sync.cli.work import confirm
from sync.flows import block as flow
from sync.flows.block import Erased
from sync.storage.events import Events
from sync.storage.parked_events import ParkedEvents

Ids = Annotated[list[str], typer.Argument(metavar="ID", help="Record ids.")]
TWICE = 2


def block(
    context: typer.Context,
    ids: Ids,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="Kept with the digest; no names.")] = "",
    yes: Yes = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Never send these people again.

    Removes what the sync keeps or has queued of them. The first step of an erasure (docs/privacy.md): it deletes
    nothing in Dynamics or Campaign. Only a digest of the id is kept, for ever. Waits for calls that are under way, some
    minutes at most; can be run again at any time.

    Example:

      python -m sync block 3f2504e0-4f89-41d3-9a0c-0305e82c3301 --why "request 2026-117"
    """
    run(context, partial(_block, ids=ids, why=why, yes=yes), settings=settings, as_json=as_json)


def unblock(
    context: typer.Context,
    ids: Ids,
    yes: Annotated[
        int, typer.Option("--yes", count=True, help="Do not ask; give it twice, since it asks twice.")
    ] = 0,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Let blocked people through again; asks twice.

    Their next change in Dynamics creates a profile.

    Example:

      python -m sync unblock 3f2504e0-4f89-41d3-9a0c-0305e82c3301
    """
    run(context, partial(_unblock, ids=ids, yes=yes), settings=settings, as_json=as_json)


async def _block(session: Session, out: Output, *, ids: list[str], why: str, yes: bool) -> int:
    wanted = record_ids(ids)
    out.line(
        f"{counted(len(wanted), 'id')} will never be sent to Campaign or the timeline again, and what the sync keeps "
        "of them goes."
    )
    if not confirm(out, "Block?", yes=yes):
        return FAILED
    context, account = session.context, session.account
    events, parked = Events(account.table("events")), ParkedEvents(account.table("parkedevents"))
    done: dict[str, Erased] = {}
    for record in wanted:
        with out.progress(f"blocking {record}") as tell:
            done[record] = await flow.block(
                context, events, parked, record, who=person(), why=why, tell=lambda what: tell(0, None, what)
            )
        out.line(f"{record}: {_told(done[record])}")
    out.line("Next: docs/privacy.md, step 2: erase the profile in Campaign.")
    if out.as_json:
        out.json({"blocked": {record: _json(one) for record, one in done.items()}})
    return OK


def _told(one: Erased) -> str:
    sent = f"was sent by {', '.join(one.sent_by)}" if one.sent_by else "was never sent"
    return (
        f"{'blocked' if one.fresh else 'was blocked already'}; {sent}; removed {counted(one.events, 'event row')}, "
        f"{counted(one.consents, 'consent row')}, {counted(one.parked, 'parked row')}, "
        f"{counted(one.messages, 'queued message')}"
    )


def _json(one: Erased) -> dict[str, object]:
    return {
        "new": one.fresh,
        "sent_by": list(one.sent_by),
        "events": one.events,
        "consents": one.consents,
        "parked": one.parked,
        "messages": one.messages,
    }


async def _unblock(session: Session, out: Output, *, ids: list[str], yes: int) -> int:
    wanted = record_ids(ids)
    if yes == 1:
        raise UsageProblem("it asks twice", "Give --yes twice, or leave it out.")
    questions = (
        f"Let {', '.join(wanted)} be sent to Campaign again?",
        "Is there a written wish of each of these people, or were they blocked by mistake?",
    )
    for question in questions:
        if not confirm(out, question, yes=yes >= TWICE):
            return FAILED
    found = {record: await flow.unblock(session.context, record) for record in wanted}
    for record, was in found.items():
        told = f"goes with its next change, or `python -m sync replay {record}`" if was else "was not blocked"
        out.line(f"{record}: {told}")
    if out.as_json:
        out.json({"unblocked": found})
    return OK
