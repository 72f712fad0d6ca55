"""`mappings validate`: files against themselves, each other, and both systems' metadata; all problems at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from sync.cli.checks.columns import compare
from sync.cli.checks.finding import Level
from sync.cli.checks.language import Around, check_language
from sync.cli.checks.links import astray
from sync.cli.frame import FAILED, OK, run_bare
from sync.cli.mappings.files import CONSENT, MappingFile, Paths, consent_files, files_of, read_text
from sync.cli.mappings.metadata import Known, ask, load, save
from sync.cli.mappings.problems import Finder, Located, as_json, in_order, show, summary
from sync.cli.mappings.standing import beside, moved
from sync.cli.options import AsJson, SettingsFile
from sync.cli.output import Output, counted
from sync.cli.session import Desk, UsageProblem
from sync.errors import CATALOGUE
from sync.planning.load import MappingInvalid, load_mapping
from sync.planning.load_consent import load_consent
from sync.planning.mapping import Mapping
from sync.planning.together import clashes


def validate(
    context: typer.Context,
    paths: Paths,
    metadata: Annotated[
        Path | None,
        typer.Option("--metadata", metavar="FILE", help="Compare with saved metadata; nobody is asked."),
    ] = None,
    save_metadata: Annotated[
        Path | None,
        typer.Option("--save-metadata", metavar="FILE", help="Keep what both systems said, for --metadata."),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Look at the files alone; needs no settings.")
    ] = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Check mapping files, and compare them with both systems.

    Every problem is told at once, each with file, line and what to do. Exit code 1 if there is an error; warnings
    are none. A consent.yaml is checked by itself; `doctor` compares it with both systems.

    Examples:

      python -m sync mappings validate mappings --settings local.settings.json

      python -m sync mappings validate mappings --metadata metadata.json --json
    """
    work = partial(_validate, paths=paths, saved=metadata, keep=save_metadata, offline=offline, file=settings)
    run_bare(context, work, as_json=as_json, settings=settings)


async def _validate(
    desk: Desk,
    out: Output,
    *,
    paths: Sequence[Path],
    saved: Path | None,
    keep: Path | None,
    offline: bool,
    file: Path | None,
) -> int:
    if ((saved is not None or offline) and keep is not None) or (saved is not None and offline):
        raise UsageProblem("--metadata, --save-metadata and --offline exclude each other")
    good, problems = read_files(files_of(path for path in paths if path.name != CONSENT))
    for map_file in consent_files(paths):
        problems += _consent(map_file, out)
    if offline or saved is not None:
        problems += between(good, complete=False)
        if saved is not None:
            problems += compared(good, load(saved))
    elif good:
        async with desk.opener(desk.settings(file)) as session:
            with out.progress("asking both systems"):
                others = await beside(session.context, {one.mapping.mapping for one in good})
                problems += await moved(session.context, good)
                known = await ask(session, [one.mapping for one in good])
        problems += [*between(good, others.on, others.off), *compared(good, known, others.on)]
        if keep is not None:
            save(known, keep)
    return tell(good, in_order(problems), out)


def _consent(file: Path, out: Output) -> list[Located]:
    """What is wrong with a consent map by itself; `doctor` holds it against both systems."""
    try:
        told = load_consent(read_text(file), filename=str(file))
    except MappingInvalid as error:
        return [
            Located(str(file), p.line, p.where, p.what, p.fix, code="consent_unusable")
            for p in error.problems
        ]
    fields = counted(len(told.fields), "field")
    out.line(f"{file} is valid: consent of {told.consent}, direction {told.direction}, {fields}.")
    return []


def tell(good: Sequence[MappingFile], problems: Sequence[Located], out: Output) -> int:
    """Show what was found; the exit code."""
    bad = any(problem.bad for problem in problems)
    show(problems, out)
    for one in good:
        if not any(problem.file == one.name and problem.bad for problem in problems):
            fields = counted(len(one.mapping.fields), "field")
            out.line(f"{one.name} is valid: mapping {one.mapping.mapping}, {fields}.")
    if problems:
        out.line(summary(problems), style="bold red" if bad else "yellow")
    if out.as_json:
        names = [one.mapping.mapping for one in good]
        out.json({"valid": not bad, "mappings": names, "problems": as_json(problems)})
    return FAILED if bad else OK


def read_files(files: Sequence[Path]) -> tuple[list[MappingFile], list[Located]]:
    """The files that hold a mapping, and what is wrong with the others; raises UsageProblem."""
    good: list[MappingFile] = []
    problems: list[Located] = []
    for file in files:
        text = read_text(file)
        try:
            good.append(MappingFile(str(file), text, load_mapping(text, filename=str(file))))
        except MappingInvalid as error:
            problems += [Located(str(file), p.line, p.where, p.what, p.fix) for p in error.problems]
    return good, problems


def between(
    files: Sequence[MappingFile],
    on: Sequence[Mapping] = (),
    off: Collection[str] = (),
    *,
    complete: bool = True,
) -> list[Located]:
    """What the files' mappings do to each other and to those that are active beside them; `off` are switched off.

    Not `complete`: further mappings may be active that nobody was asked for, so a link to none here may be right.
    """
    problems: list[Located] = []
    by_name: dict[str, MappingFile] = {}
    for one in files:
        name = one.mapping.mapping
        if name in by_name:
            what = f"mapping {name} is in {by_name[name].name} already."
            line = Finder(one.text).place(("mapping",))
            problems.append(Located(one.name, line, "mapping", what, "Give each mapping a name of its own."))
        by_name.setdefault(name, one)
    mine = [one.mapping for one in by_name.values()]
    for clash in clashes([*mine, *on], off):
        name, place, what = clash.mapping, clash.place, clash.what
        at = by_name.get(name)
        if at is None:
            if clash.hint:
                continue
            # It is about one that is active already: tell it where the other side of it is written.
            at, place = next(iter(by_name.values())), ("target", "resource")
            what = f"mapping {name}, which is active: {what}"
        where = ".".join(str(part) for part in place if not isinstance(part, int))
        hint = clash.hint or (clash.unknown and not complete)
        level = "warning" if hint else "error"
        problems.append(Located(at.name, Finder(at.text).place(place), where, what, clash.fix, level))
    return problems


def compared(files: Sequence[MappingFile], known: Known, on: Sequence[Mapping] = ()) -> list[Located]:
    """Every file against the metadata; `on` are the mappings that are active beside them."""
    sending = [*(one.mapping for one in files), *on]
    return [problem for one in files for problem in _compared(one, known, sending)]


def _compared(one: MappingFile, known: Known, sending: Sequence[Mapping]) -> Iterator[Located]:
    finder, mapping = Finder(one.text), one.mapping
    table, resource = mapping.source.table, mapping.target.resource
    for name, place, kinds in (
        (table, ("source", "table"), known.tables),
        (resource, ("target", "resource"), known.resources),
    ):
        if name not in kinds:
            code = known.missing.get(name, "")
            entry = CATALOGUE.get(code)
            what = entry.meaning if entry else "the saved metadata does not have it."
            fix = entry.fix if entry else "Save the metadata again with this file."
            yield Located(one.name, finder.place(place), name, what, fix, code=code or "mapping_invalid")
    yield from _addressed(one, finder, known)
    around = known.around.get(mapping.mapping, Around())
    for finding in (
        *compare(mapping, known.columns.get(table, {}), known.resources.get(resource, {})),
        *check_language(mapping, around),
        *astray(mapping, sending, around.lookups),
    ):
        if finding.level not in (Level.WARN, Level.FAIL):
            continue
        yield Located(
            one.name,
            finder.named(finding.name, finding.within),
            finding.name,
            f"{finding.text.rstrip('.')}.",
            finding.fix,
            "error" if finding.level is Level.FAIL else "warning",
            finding.code or "mapping_invalid",
        )


def _addressed(one: MappingFile, finder: Finder, known: Known) -> Iterator[Located]:
    """Entity set, key and change tracking."""
    told, source = known.tables.get(one.mapping.source.table), one.mapping.source
    if told is None:
        return
    for key, mapped, real in (
        ("entity_set", source.entity_set, told.entity_set),
        ("key", source.key, told.key_column),
    ):
        if mapped and mapped != real:
            what = f"the table's is `{real}`, not `{mapped}`."
            yield Located(
                one.name, finder.place(("source", key)), f"source.{key}", what, f"Write `{key}: {real}`."
            )
    if not told.change_tracking:
        entry = CATALOGUE["change_tracking_off"]
        line = finder.place(("source", "table"))
        yield Located(one.name, line, source.table, entry.meaning, entry.fix, code="change_tracking_off")
