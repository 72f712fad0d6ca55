"""`mappings plan`: what would happen to records under the active version or a file, without doing it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from sync.cli.frame import FAILED, OK, run
from sync.cli.mappings.check import read_files
from sync.cli.mappings.problems import as_json as problems_json
from sync.cli.mappings.problems import show as show_problems
from sync.cli.mappings.versions import Name
from sync.cli.options import AsJson, SettingsFile
from sync.cli.output import Output, counted, duration, number
from sync.cli.records import record_ids
from sync.cli.session import Session, UsageProblem
from sync.errors import CATALOGUE
from sync.flows.preview import Preview
from sync.planning.compile import CompiledMapping, compile_mapping
from sync.planning.expected import Expected, FieldChange, Summary, Would

STYLES = {Would.CREATE: "green", Would.UPDATE: "yellow", Would.DELETE: "red", Would.QUARANTINE: "red"}
SAMPLE = 10
NOT_ACTIVE = "plan"
"""The version of a file that is not stored."""


@dataclass(frozen=True)
class Wanted:
    """Which records, and how much is said of them."""

    ids: list[str]
    sample: int
    every: bool
    shown: int
    values: bool
    ask_campaign: bool


def plan(
    context: typer.Context,
    name: Name = "contacts",
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="A mapping that is not active (yet).")
    ] = None,
    ids: Annotated[
        list[str] | None, typer.Option("--id", metavar="ID", help="This record; repeatable.")
    ] = None,
    sample: Annotated[
        int,
        typer.Option("--sample", min=0, max=5000, help=f"So many records drawn from the table; {SAMPLE}."),
    ] = 0,
    every: Annotated[
        bool, typer.Option("--all", help="The whole table, and what is no longer in it.")
    ] = False,
    shown: Annotated[
        int, typer.Option("--show", min=0, help="How many records that change are shown one by one.")
    ] = 20,
    no_values: Annotated[
        bool, typer.Option("--no-values", help="Name the fields, not what is in them.")
    ] = False,
    no_campaign: Annotated[
        bool, typer.Option("--no-campaign", help="Ask Dynamics and the ledger alone.")
    ] = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Show what would become of records, and what it costs.

    Created, updated, left alone, deleted or quarantined; changes nothing.
    Each record is read from Dynamics, planned by the code that applies it, and compared with what Campaign holds.

    Examples:

      python -m sync mappings plan contacts --id 3F2504E0-4F89-41D3-9A0C-0305E82C3301

      python -m sync mappings plan --file contacts.yaml --all --no-values
    """
    wanted = Wanted(ids or [], sample, every, shown, not no_values, not no_campaign)
    run(context, partial(_plan, name=name, file=file, wanted=wanted), settings=settings, as_json=as_json)


async def _plan(session: Session, out: Output, *, name: str, file: Path | None, wanted: Wanted) -> int:
    if sum((bool(wanted.ids), bool(wanted.sample), wanted.every)) > 1:
        raise UsageProblem("--id, --sample and --all exclude each other")
    compiled = await _compiled(session, out, name, file)
    if compiled is None:
        return FAILED
    preview = Preview(session.context, compiled, ask_campaign=wanted.ask_campaign)
    await preview.open()
    summary = Summary()
    kept: list[Expected] = []
    with out.progress("planning") as tell:
        async for expected in _records(preview, wanted):
            summary.add(expected)
            if len(kept) < wanted.shown and (wanted.ids or expected.would is not Would.LEAVE):
                kept.append(expected)
            if summary.records % 50 == 0:
                tell(summary.records, None, counted(summary.records, "record"))
    seconds = session.context.budget.backfill_seconds(summary.calls)
    if out.as_json:
        out.json(_as_json(compiled, summary, kept, seconds, values=wanted.values))
        return OK
    for expected in kept:
        show_expected(expected, out, values=wanted.values)
    _sum_up(summary, kept, seconds, out)
    return OK


async def _compiled(session: Session, out: Output, name: str, file: Path | None) -> CompiledMapping | None:
    if file is None:
        return await session.context.active(name)
    good, problems = read_files([file])
    if problems:
        show_problems(problems, out)
        if out.as_json:
            out.json({"valid": False, "problems": problems_json(problems)})
        return None
    stored = await session.context.mappings.active(good[0].mapping.mapping)
    # The same text means the same version: what is settled stays so.
    same = stored is not None and stored.text == good[0].text
    return compile_mapping(good[0].mapping, stored.version if stored and same else NOT_ACTIVE)


async def _records(preview: Preview, wanted: Wanted) -> AsyncIterator[Expected]:
    if wanted.every:
        async for expected in preview.all():
            yield expected
        return
    found: Iterable[Expected] = (
        await preview.of_ids(record_ids(wanted.ids))
        if wanted.ids
        else await preview.sample(wanted.sample or SAMPLE)
    )
    for expected in found:
        yield expected


def show_expected(expected: Expected, out: Output, *, values: bool) -> None:
    """A line for the record and one for each field that would change."""
    line = Text(f"{expected.record_id}  ")
    line.append(expected.would.value, style=STYLES.get(expected.would, "dim"))
    line.append(f"  {expected.why}" + (f" [{expected.code}]" if expected.code else ""))
    out.line(line)
    for change in expected.changes:
        out.line(f"    {_told(change, values=values)}")


def _told(change: FieldChange, *, values: bool) -> str:
    if not values:
        return change.path
    before = "(nothing)" if change.before is None else repr(change.before)
    return f"{change.path}: {before} → {change.after!r}"


def _sum_up(summary: Summary, kept: list[Expected], seconds: float, out: Output) -> None:
    left = sum(count for would, count in summary.would.items() if would is not Would.LEAVE)
    if left > len(kept):
        out.line(f"… and {number(left - len(kept))} more that are not shown (--show)", style="dim")
    told = ", ".join(
        f"{number(summary.would[would])} {would.value}" for would in Would if summary.would[would]
    )
    out.line(f"{counted(summary.records, 'record')}: {told or 'none'}", style="bold")
    for code, count in sorted(summary.codes.items()):
        entry = CATALOGUE.get(code)
        out.line(f"  {number(count)} {code}" + (f": {entry.meaning}" if entry else ""))
    if summary.fields:
        most = ", ".join(f"{path} {number(count)}" for path, count in summary.fields.most_common(12))
        out.line(f"  fields that change: {most}")
    out.line(
        f"{counted(summary.calls, 'Campaign call')}, {duration(seconds)} under the budget. Nothing was done."
    )


def _as_json(
    compiled: CompiledMapping, summary: Summary, kept: list[Expected], seconds: float, *, values: bool
) -> dict[str, Any]:
    return {
        "mapping": compiled.name,
        "version": "" if compiled.version == NOT_ACTIVE else compiled.version,
        "records": summary.records,
        "would": {would.name.lower(): summary.would[would] for would in Would},
        "codes": dict(sorted(summary.codes.items())),
        "fields": dict(summary.fields.most_common()),
        "cost": {"calls": summary.calls, "seconds": round(seconds, 3)},
        "shown": [expected_json(expected, values=values) for expected in kept],
    }


def expected_json(expected: Expected, *, values: bool) -> dict[str, Any]:
    """One record; its values only if the person asked for them."""
    return {
        "id": expected.record_id,
        "would": expected.would.name.lower(),
        "why": expected.why,
        "code": expected.code,
        "calls": expected.calls,
        "fields": [
            {"field": change.path, **({"before": change.before, "after": change.after} if values else {})}
            for change in expected.changes
        ],
    }
