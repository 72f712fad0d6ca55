"""`mappings disable` and `enable`: a mapping switched off and on."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from functools import partial

import typer

from sync.cli.frame import FAILED, OK, run
from sync.cli.mappings.change import Comment, overtaken
from sync.cli.mappings.check import between
from sync.cli.mappings.files import MappingFile
from sync.cli.mappings.problems import as_json as problems_json
from sync.cli.mappings.problems import show
from sync.cli.mappings.standing import beside
from sync.cli.mappings.versions import Name, version_of
from sync.cli.options import AsJson, SettingsFile, Yes
from sync.cli.output import Output
from sync.cli.session import Session
from sync.cli.work import confirm
from sync.planning.links import links_of
from sync.planning.load import MappingInvalid, load_mapping
from sync.planning.mapping import Mapping
from sync.storage.mappings import MappingVersion
from sync.storage.table import RowConflict

_OFF = (
    "Nothing is read or sent for it from now on. Its records in Campaign, its versions and what is known of each "
    "record stay; what waits in the lanes is put away. Records that wait for one of its records go on waiting."
)
_ON = "It begins with a full read: unchanged records cost no Campaign call, and deletes are found by the sweep after it."


def disable(
    context: typer.Context,
    name: Name,
    comment: Comment = "",
    yes: Yes = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Switch a mapping off. Nothing is read or sent for it, and nothing is deleted.

    Example:

      python -m sync mappings disable orders --comment "the shop moves"
    """
    work = partial(_switch, name=name, enabled=False, comment=comment or "disabled", yes=yes)
    run(context, work, settings=settings, as_json=as_json)


def enable(
    context: typer.Context,
    name: Name,
    comment: Comment = "",
    yes: Yes = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Switch a mapping on again; it begins with a full read.

    Refused if it does not go with the mappings that are active by now.

    Example:

      python -m sync mappings enable orders
    """
    work = partial(_switch, name=name, enabled=True, comment=comment or "enabled", yes=yes)
    run(context, work, settings=settings, as_json=as_json)


async def _switch(session: Session, out: Output, *, name: str, enabled: bool, comment: str, yes: bool) -> int:
    context = session.context
    version = await version_of(context, name)
    word = "on" if enabled else "off"
    if version.enabled is not enabled:
        others = await beside(context, {name})
        if enabled and not _fits(version, others.on, others.off, out):
            return FAILED
        out.line(_ON if enabled else _OFF)
        children = [one.mapping for one in others.on if any(link.mapping == name for link in links_of(one))]
        if children and not enabled:
            out.line(f"Records that point to it: {', '.join(children)}.", style="yellow")
        if not confirm(out, f"Switch {name} {word}?", yes=yes):
            return FAILED
        try:
            switched = await context.mappings.switch(
                name, enabled=enabled, author=getpass.getuser(), comment=comment
            )
        except RowConflict:
            raise overtaken(name) from None
        version = switched or version
    out.line(f"{name} {version.version} is switched {word}.")
    if out.as_json:
        out.json({"mapping": name, "version": version.version, "enabled": enabled})
    return OK


def _fits(version: MappingVersion, on: Sequence[Mapping], off: frozenset[str], out: Output) -> bool:
    """Whether it goes with the others; tells what does not."""
    name = f"{version.mapping} {version.version}"
    try:
        file = MappingFile(name, version.text, load_mapping(version.text, filename=name))
    except MappingInvalid:
        # `status` and `doctor` say what is wrong with it; it stops by itself.
        return True
    problems = between([file], on, off)
    show(problems, out)
    if not any(problem.bad for problem in problems):
        return True
    if out.as_json:
        out.json({"valid": False, "problems": problems_json(problems)})
    return False
