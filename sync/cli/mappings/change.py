"""`mappings apply` and `rollback`: another active version, shown with its cost before it counts."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from sync.cli.frame import FAILED, OK, run
from sync.cli.mappings.check import between, compared, read_files
from sync.cli.mappings.effect import Effect, diff, effect
from sync.cli.mappings.files import MappingFile, Paths, files_of
from sync.cli.mappings.metadata import ask
from sync.cli.mappings.problems import Located, in_order, show, summary
from sync.cli.mappings.problems import as_json as problems_json
from sync.cli.mappings.standing import beside, moved
from sync.cli.mappings.versions import Name, version_of
from sync.cli.options import AsJson, SettingsFile, Yes
from sync.cli.output import CommandFailed, Output, Problem
from sync.cli.session import Session
from sync.cli.work import confirm
from sync.flows.context import Context
from sync.planning.load import load_mapping
from sync.storage.mappings import MappingVersion
from sync.storage.table import RowConflict

Comment = Annotated[str, typer.Option("--comment", metavar="TEXT", help="Why; kept with the version.")]
NoReplay = Annotated[
    bool, typer.Option("--no-replay", help="Send nothing again; records go by it when they change.")
]
Offline = Annotated[bool, typer.Option("--offline", help="Do not compare with both systems first.")]


@dataclass(frozen=True)
class Proposal:
    """A text that may become active, over which version, and what that does."""

    file: MappingFile
    stored: MappingVersion | None
    effect: Effect
    diff: list[str]

    @property
    def name(self) -> str:
        return self.file.mapping.mapping

    @property
    def same(self) -> bool:
        return self.stored is not None and self.stored.text == self.file.text


def apply(
    context: typer.Context,
    paths: Paths,
    comment: Comment = "",
    no_replay: NoReplay = False,
    offline: Offline = False,
    yes: Yes = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Make files the active versions; the next chunk uses them.

    Checks them as `mappings validate` does, shows what differs and what it costs, and asks. What an edit changes is
    sent again by itself; a new mapping starts with its first load.

    Example:

      python -m sync mappings apply contacts.yaml --comment "jobtitle goes to customer title"
    """
    work = partial(_apply, paths=paths, comment=comment, replay=not no_replay, offline=offline, yes=yes)
    run(context, work, settings=settings, as_json=as_json)


def rollback(
    context: typer.Context,
    name: Name = "contacts",
    to: Annotated[
        str,
        typer.Option("--to", metavar="VERSION", help="The version; the one before the active, if not given."),
    ] = "",
    comment: Comment = "",
    no_replay: NoReplay = False,
    offline: Offline = False,
    yes: Yes = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Make an older text the active version again, as a new version. Checked, shown and asked as `apply` does.

    Example:

      python -m sync mappings rollback contacts --to 3
    """
    work = partial(
        _rollback, name=name, to=to, comment=comment, replay=not no_replay, offline=offline, yes=yes
    )
    run(context, work, settings=settings, as_json=as_json)


async def _apply(
    session: Session,
    out: Output,
    *,
    paths: Sequence[Path],
    comment: str,
    replay: bool,
    offline: bool,
    yes: bool,
) -> int:
    good, problems = read_files(files_of(paths))
    if not await _may_be_active(session, out, good, problems, offline=offline):
        return FAILED
    proposals = [await _proposal(session.context, one, replay=replay) for one in good]
    return await _activate(session, out, proposals, comment=comment, replay=replay, yes=yes)


async def _may_be_active(
    session: Session, out: Output, good: Sequence[MappingFile], problems: list[Located], *, offline: bool
) -> bool:
    """Whether texts may become active, by themselves, beside what is and in both systems; tells all problems."""
    context = session.context
    others = await beside(context, {one.mapping.mapping for one in good})
    found = [*problems, *between(good, others.on, others.off), *await moved(context, good)]
    if not offline and good:
        with out.progress("asking both systems"):
            known = await ask(session, [one.mapping for one in good])
        found += compared(good, known, others.on)
    found = in_order(found)
    show(found, out)
    if not any(problem.bad for problem in found):
        return True
    out.line(f"{summary(found)}: nothing was activated.", style="bold red")
    if out.as_json:
        out.json({"valid": False, "problems": problems_json(found)})
    return False


async def _rollback(
    session: Session,
    out: Output,
    *,
    name: str,
    to: str,
    comment: str,
    replay: bool,
    offline: bool,
    yes: bool,
) -> int:
    context = session.context
    active = await version_of(context, name)
    if to:
        wanted = await version_of(context, name, to)
    else:
        older = [v for v in await context.mappings.versions(name) if v.text != active.text]
        before = [v for v in older if v.version < active.version]
        if not before:
            raise CommandFailed(
                Problem(
                    "mapping_missing", f"{name} has no older text to go back to.", "See `mappings history`."
                )
            )
        wanted = before[-1]
    file = MappingFile(f"{name} {wanted.version}", wanted.text, load_mapping(wanted.text, filename=name))
    if not await _may_be_active(session, out, [file], [], offline=offline):
        return FAILED
    comment = comment or f"back to {wanted.version}"
    proposal = await _proposal(context, file, replay=replay)
    return await _activate(session, out, [proposal], comment=comment, replay=replay, yes=yes)


async def _proposal(context: Context, file: MappingFile, *, replay: bool) -> Proposal:
    stored = await context.mappings.active(file.mapping.mapping)
    if stored is not None and stored.text == file.text:
        return Proposal(file, stored, Effect("none", "It is the active text already."), [])
    before, version = (stored.text, stored.version) if stored else ("", "")
    return Proposal(
        file,
        stored,
        await effect(context, stored, file.mapping, replay=replay),
        diff(before, file.text, file.mapping.mapping, version),
    )


async def _activate(
    session: Session, out: Output, proposals: Sequence[Proposal], *, comment: str, replay: bool, yes: bool
) -> int:
    for proposal in proposals:
        _show(proposal, out)
    if any(not proposal.same for proposal in proposals) and not confirm(out, "Activate?", yes=yes):
        return FAILED
    told: list[dict[str, object]] = []
    for proposal in proposals:
        version = await _one(session, proposal, comment=comment, replay=replay)
        if not proposal.same:
            out.line(f"{proposal.name} {version.version} is active.", style="green")
        told.append(
            {
                "mapping": proposal.name,
                "version": version.version,
                "effect": proposal.effect.word,
                "cost": proposal.effect.cost.as_json() if proposal.effect.cost else None,
                "diff": proposal.diff,
            }
        )
    if out.as_json:
        out.json({"valid": True, "mappings": told})
    return OK


async def _one(session: Session, proposal: Proposal, *, comment: str, replay: bool) -> MappingVersion:
    """Activate over the version that was shown; raises CommandFailed if another one is active by now."""
    context, stored = session.context, proposal.stored
    try:
        return await context.mappings.activate(
            proposal.name,
            proposal.file.text,
            author=getpass.getuser(),
            comment=comment,
            buckets=context.settings.buckets,
            replay=replay or stored is None,
            over=stored.version if stored else "",
        )
    except RowConflict:
        raise overtaken(proposal.name) from None


def overtaken(name: str) -> CommandFailed:
    """Somebody else was faster."""
    what = f"somebody else activated another version of {name} meanwhile; yours was not activated."
    fix = f"Look at it with `python -m sync mappings history {name}`, then run the command again."
    return CommandFailed(Problem("row_conflict", what, fix))


def _show(proposal: Proposal, out: Output) -> None:
    over = proposal.stored.version if proposal.stored else "new"
    out.line(f"{proposal.name} ({over})", style="bold")
    for line in proposal.diff[2:]:
        style = "green" if line.startswith("+") else "red" if line.startswith("-") else "dim"
        out.line(Text(f"  {line}", style=style))
    out.line(f"  {proposal.effect.text}")
    if proposal.effect.cost:
        out.line(f"  That takes {proposal.effect.cost}.")
