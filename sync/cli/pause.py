"""`pause` and `resume`: a person holds parts of a mapping; what is paused stays queued and costs nothing."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from sync.cli.frame import FAILED, OK, run
from sync.cli.options import AsJson, SettingsFile, Yes
from sync.cli.output import Output
from sync.cli.records import person
from sync.cli.session import Session, UsageProblem
from sync.cli.work import confirm
from sync.flows.events.context import FLOW as EVENTS
from sync.storage.pauses import FLOWS, LANES, PARTS

Mapping = Annotated[
    str, typer.Option("--mapping", metavar="NAME", help="The mapping; `email` is the flow of email events.")
]
Flows = Annotated[list[str] | None, typer.Option("--flow", metavar="FLOW", help=f"{', '.join(FLOWS)}.")]
Lanes = Annotated[list[str] | None, typer.Option("--lane", metavar="LANE", help=f"{', '.join(LANES)}.")]


def pause(
    context: typer.Context,
    mapping: Mapping = "contacts",
    flow: Flows = None,
    lane: Lanes = None,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="Shown in `status`.")] = "",
    yes: Yes = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Hold flows or lanes of a mapping until `resume`.

    Without --flow and --lane all of them but consent: opt-outs go on unless you name `--lane consent`.

    Examples:

      python -m sync pause --lane backfill --why "quarter end"

      python -m sync pause --flow pull --lane live
    """
    run(
        context,
        partial(_pause, mapping=mapping, parts=_parts(flow, lane), why=why, yes=yes),
        settings=settings,
        as_json=as_json,
    )


def resume(
    context: typer.Context,
    mapping: Mapping = "contacts",
    flow: Flows = None,
    lane: Lanes = None,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Let what was paused go on. Without --flow and --lane: all flows and lanes of the mapping.

    Example:

      python -m sync resume --lane backfill
    """
    run(
        context,
        partial(_resume, mapping=mapping, parts=_parts(flow, lane)),
        settings=settings,
        as_json=as_json,
    )


def _parts(flows: list[str] | None, lanes: list[str] | None) -> list[str]:
    return [f"flow:{name}" for name in flows or ()] + [f"lane:{name}" for name in lanes or ()]


def _check(parts: list[str]) -> None:
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        kind, _, name = unknown[0].partition(":")
        raise UsageProblem(
            f"there is no {kind} {name!r} to pause",
            f"Use one of: {', '.join(FLOWS if kind == 'flow' else LANES)}.",
        )


async def _known(session: Session, mapping: str) -> None:
    if mapping != EVENTS:
        await session.context.active(mapping)


async def _pause(
    session: Session, out: Output, *, mapping: str, parts: list[str], why: str, yes: bool
) -> int:
    _check(parts)
    await _known(session, mapping)
    chosen = parts or [part for part in PARTS if not part.startswith(("lane:consent", "flow:consents"))]
    if any(part in ("lane:consent", "flow:consents") for part in chosen):
        out.line(
            "Opt-outs wait too while consent is paused: who opts out goes on getting mail.", style="yellow"
        )
        if not confirm(out, "Pause it?", yes=yes):
            return FAILED
    fresh = await session.context.pauses.pause(mapping, chosen, person(), why)
    for part in chosen:
        out.line(f"{_named(part)} of {mapping}: {'paused' if part in fresh else 'was paused already'}.")
    if "flow:pull" in chosen:
        out.line(
            "Dynamics keeps what changes for 7 days (doctor shows the setting); a longer pause ends with a full read."
        )
    out.line("It stays so until `python -m sync resume`.")
    if out.as_json:
        out.json({"mapping": mapping, "paused": chosen, "new": fresh})
    return OK


async def _resume(session: Session, out: Output, *, mapping: str, parts: list[str]) -> int:
    _check(parts)
    await _known(session, mapping)
    ended = await session.context.pauses.resume(mapping, parts or list(PARTS))
    for part in parts or ended:
        out.line(f"{_named(part)} of {mapping}: {'goes on' if part in ended else 'was not paused'}.")
    if not ended and not parts:
        out.line(f"Nothing of {mapping} was paused.")
    if out.as_json:
        out.json({"mapping": mapping, "resumed": ended})
    return OK


def _named(part: str) -> str:
    kind, _, name = part.partition(":")
    return f"{kind} {name}"
