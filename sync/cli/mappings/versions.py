"""`mappings list`, `show`, `history`, `export`: which versions there are, and their texts."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from sync.cli.frame import FAILED, OK, run
from sync.cli.options import AsJson, SettingsFile
from sync.cli.output import CommandFailed, Output, Problem, counted
from sync.cli.session import Session, UsageProblem
from sync.errors import SyncError
from sync.flows.context import Context
from sync.model import to_iso
from sync.storage.mappings import MappingVersion

Name = Annotated[str, typer.Argument(metavar="NAME", help="The mapping.")]


def list_(context: typer.Context, settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Show the mappings. The active version of each, and how many records are still on an older one.

    Example:

      python -m sync mappings list
    """
    run(context, _list, settings=settings, as_json=as_json)


def show(
    context: typer.Context,
    name: Name = "contacts",
    version: Annotated[
        str, typer.Option("--version", metavar="VERSION", help="Another version than the active one.")
    ] = "",
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Print the text of a version, as `mappings apply` takes it.

    Example:

      python -m sync mappings show contacts > contacts.yaml
    """
    run(context, partial(_show, name=name, version=version), settings=settings, as_json=as_json)


def history(
    context: typer.Context, name: Name = "contacts", settings: SettingsFile = None, as_json: AsJson = False
) -> None:
    """Show every version of a mapping, newest first: when, who, why.

    Example:

      python -m sync mappings history contacts
    """
    run(context, partial(_history, name=name), settings=settings, as_json=as_json)


def export(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the files go.")],
    name: Annotated[
        list[str] | None, typer.Option("--mapping", metavar="NAME", help="Only this mapping; repeatable.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that say something else.")
    ] = False,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Write the active texts as files. One a mapping, as `mappings apply` takes them.

    Example:

      python -m sync mappings export mappings
    """
    work = partial(_export, folder=folder, names=name or [], overwrite=overwrite)
    run(context, work, settings=settings, as_json=as_json)


async def version_of(context: Context, name: str, version: str = "") -> MappingVersion:
    """The active or a named version (its number is enough); raises CommandFailed."""
    found = await context.mappings.active(name)
    if version:
        same = (v for v in await context.mappings.versions(name) if _means(v.version, version))
        found = next(same, None)
    if found is None:
        raise CommandFailed(await _no_such(context, name, version))
    return found


async def _no_such(context: Context, name: str, version: str) -> Problem:
    names = sorted({one.mapping for one in await context.mappings.all()})
    if version and name in names:
        what, fix = (
            f"{name} has no version {version}.",
            f"`python -m sync mappings history {name}` lists them.",
        )
    else:
        there = f" There {'is' if len(names) == 1 else 'are'}: {', '.join(names)}." if names else ""
        what, fix = (
            f"there is no mapping {name}.{there}",
            "Activate a file with `python -m sync mappings apply FILE`.",
        )
    return Problem("mapping_missing", what, fix)


def _means(version: str, wanted: str) -> bool:
    number = version.partition("-")[0]
    return version == wanted or (wanted.isdigit() and int(number) == int(wanted))


async def older_records(context: Context, version: MappingVersion) -> int:
    """Records whose last outcome was under another version, by the counters."""
    counts = await context.counters.totals(version.mapping)
    on = {name[3:]: count for name, count in counts.items() if name.startswith("on:")}
    return sum(count for other, count in on.items() if other != version.version and count > 0)


async def _list(session: Session, out: Output) -> int:
    context = session.context
    versions = await context.mappings.all()
    older = {version.mapping: await older_records(context, version) for version in versions}
    if out.as_json:
        told = [version_json(v) | {"older_records": older[v.mapping]} for v in versions]
        out.json({"mappings": told})
        return OK
    if not versions:
        out.line("No mapping is active yet: the function app installs the shipped ones when it starts.")
        return OK
    rows = [
        [
            v.mapping,
            v.version,
            "active" if v.enabled else "disabled",
            counted(older[v.mapping], "record"),
            *_by_whom(v),
        ]
        for v in versions
    ]
    out.table(("mapping", "version", "", "on an older one", "at", "author", "comment"), rows)
    if not rows:
        out.line("No mapping is active yet: the function app activates what it ships when it starts.")
    return OK


def version_json(version: MappingVersion) -> dict[str, object]:
    """A version without its text."""
    return {
        "mapping": version.mapping,
        "version": version.version,
        "enabled": version.enabled,
        "replay": version.replay,
        "at": to_iso(version.at),
        "author": version.author,
        "comment": version.comment,
    }


def _by_whom(version: MappingVersion) -> list[str]:
    return [f"{to_iso(version.at)[:19]}Z", version.author, version.comment]


async def _history(session: Session, out: Output, *, name: str) -> int:
    active = await version_of(session.context, name)
    versions = (await session.context.mappings.versions(name))[::-1]
    if out.as_json:
        told = [version_json(v) | {"active": v.version == active.version} for v in versions]
        out.json({"mapping": name, "versions": told})
        return OK
    out.table(
        ("version", "", "what", "at", "author", "comment"),
        [
            [v.version, "active" if v.version == active.version else "", _what(v), *_by_whom(v)]
            for v in versions
        ],
    )
    return OK


def _what(version: MappingVersion) -> str:
    if not version.enabled:
        return "disabled"
    return "" if version.replay else "no replay"


async def _show(session: Session, out: Output, *, name: str, version: str) -> int:
    found = await version_of(session.context, name, version)
    if out.as_json:
        out.json({"mapping": name, "version": found.version, "text": found.text})
    else:
        print(found.text, end="" if found.text.endswith("\n") else "\n")
    return OK


async def _export(session: Session, out: Output, *, folder: Path, names: list[str], overwrite: bool) -> int:
    found = await session.context.mappings.all()
    if unknown := sorted(set(names) - {version.mapping for version in found}):
        raise SyncError("mapping_missing", ", ".join(unknown))
    files: dict[str, str] = {}
    kept = False
    for version in found:
        if names and version.mapping not in names:
            continue
        file = folder / f"{version.mapping}.yaml"
        files[str(file)] = _write(file, version.text, overwrite=overwrite)
        kept = kept or files[str(file)] == "kept"
        told = {"kept": "says something else and was kept (--overwrite replaces it)"}
        out.line(f"{file} {told.get(files[str(file)], files[str(file)])}")
    if out.as_json:
        out.json({"files": files})
    return FAILED if kept else OK


def _write(file: Path, text: str, *, overwrite: bool) -> str:
    """What became of a file; raises UsageProblem."""
    try:
        there = file.read_text(encoding="utf-8") if file.exists() else None
        if there == text:
            return "unchanged"
        if there is not None and not overwrite:
            return "kept"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageProblem(f"{file} cannot be written: {error}") from None
    return "written"
