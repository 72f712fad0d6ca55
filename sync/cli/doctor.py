"""`doctor`: the pre-flight on both systems; it reads, and changes nothing but change tracking, and that if asked to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from sync.cli.checks.finding import Finding, Level, any_red, bad, good, skipped, warn
from sync.cli.examination import Examination
from sync.cli.frame import FAILED, OK, run_bare
from sync.cli.options import AsJson, SettingsFile, Yes
from sync.cli.output import Output, counted
from sync.cli.session import Desk, Session
from sync.cli.work import confirm
from sync.dynamics.provisioning import Provisioning
from sync.flows.setup import enable_change_tracking
from sync.settings import Settings
from sync.settings_problems import SettingsInvalid, unknown

STYLES = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red", Level.SKIP: "dim"}
Fix = Callable[[Session, Output, list[str]], Awaitable[bool]]
"""What `--fix` does about tables that do not track changes; whether it did."""


def doctor(
    context: typer.Context,
    fix: Annotated[
        bool,
        typer.Option("--fix", help="Switch on change tracking where it is off; shows the tables and asks."),
    ] = False,
    yes: Yes = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Check settings, storage and both systems.

    Before the first start, and whenever something is wrong; changes nothing without --fix. Looks at:
    settings, storage, both systems' credentials and roles, change tracking, every mapped table, column and resource on
    both sides, links, addressing, clocks, and how long a first load takes. Exit code 1 if a line is red.

    Examples:

      python -m sync doctor --settings local.settings.json

      python -m sync doctor --fix --settings setup.settings.json
    """
    mend = partial(track_changes, yes=yes) if fix else None
    run_bare(context, partial(_doctor, file=settings, fix=mend), settings=settings, as_json=as_json)


async def _doctor(desk: Desk, out: Output, *, file: Path | None, fix: Fix | None) -> int:
    findings = await examine(desk, out, file, fix)
    counts = Counter(finding.level for finding in findings)
    red = any_red(findings)
    if out.as_json:
        told = [
            {
                "area": f.area,
                "check": f.name,
                "level": f.level.value,
                "text": f.text,
                **({"fix": f.fix} if f.fix else {}),
                **({"code": f.code} if f.code else {}),
            }
            for f in findings
        ]
        out.json({"ok": not red, "counts": {level.value: counts[level] for level in Level}, "checks": told})
    else:
        _show(findings, out)
        out.line()
        told_counts = ", ".join(f"{counts[level]} {level.value}" for level in Level if counts[level])
        out.line(told_counts, style="bold red" if red else "green")
    return FAILED if red else OK


def _show(findings: list[Finding], out: Output) -> None:
    """A line a check under the name of its area, and what to do below it."""
    width = max(len(finding.name) for finding in findings)
    area = ""
    for finding in findings:
        if finding.area != area:
            area = finding.area
            out.line(area, style="bold")
        mark = "FAIL" if finding.level is Level.FAIL else finding.level.value
        line = Text(f"  {mark:4}  ", style=STYLES[finding.level])
        line.append(f"{finding.name:{width}}  {finding.text}", style="default")
        if finding.code:
            line.append(f" [{finding.code}]", style="dim")
        out.line(line)
        if finding.fix:
            out.line(f"        do: {finding.fix}")


def _misspelt(desk: Desk, file: Path | None) -> list[Finding]:
    """Yellow, since the app starts with them: a newer version may know them."""
    return [warn("Settings", p.name, p.what, p.fix) for p in unknown(desk.told(file), Settings.names())]


async def examine(desk: Desk, out: Output, file: Path | None, fix: Fix | None = None) -> list[Finding]:
    """All findings, in the order they are shown; with `fix`, of the systems as they are after it."""
    try:
        settings = desk.settings(file)
    except SettingsInvalid as error:
        first = "the settings come first"
        if file is None:
            first += "; they were looked for in the environment, --settings FILE takes those of a local.settings.json"
        found = [bad("Settings", p.name, p.what, f"{p.fix}.", error.code) for p in error.problems]
        return [*found, *_misspelt(desk, file), skipped("Settings", "everything else", first)]
    found = [good("Settings", "values", "all there and well-formed"), *_misspelt(desk, file)]
    try:
        async with desk.opener(settings) as session:
            examination, about = await _look(session, out)
            if fix is not None and examination.untracked and await fix(session, out, examination.untracked):
                _, about = await _look(session, out)
            found += about
    except SettingsInvalid as error:
        found = [bad("Settings", p.name, p.what, f"{p.fix}.", error.code) for p in error.problems]
    return found


async def _look(session: Session, out: Output) -> tuple[Examination, list[Finding]]:
    with out.progress("looking at both systems") as tell:
        examination = Examination(session, tell)
        return examination, await examination.run()


async def track_changes(session: Session, out: Output, tables: list[str], *, yes: bool) -> bool:
    """Say what would be done, ask, and do it; whether it was done. Raises SyncError."""
    out.note(
        "To be switched on: change tracking, which Dynamics never switches off again, and published at once."
    )
    for table in tables:
        out.note(f"  {table}")
    if not confirm(out, f"Switch it on for {counted(len(tables), 'table')}?", yes=yes):
        return False
    context = session.context
    for table in tables:
        await enable_change_tracking(Provisioning(context.dynamics), context.clock, table)
    return True
