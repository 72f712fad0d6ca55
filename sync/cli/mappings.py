"""`mappings`: which version is active, its text, and another one."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from sync.cli.frame import OK, run, run_bare
from sync.cli.options import AsJson, SettingsFile
from sync.cli.output import Output
from sync.cli.session import Desk, Session, UsageProblem
from sync.errors import SyncError
from sync.model import from_iso, to_iso
from sync.planning.compile import CompiledMapping, compile_mapping
from sync.planning.load import load_mapping
from sync.storage.mappings import MappingVersion
from sync.storage.table import Query, Stored

app = typer.Typer(help="Mappings and their versions.", no_args_is_help=True, rich_markup_mode=None)
File = Annotated[Path, typer.Argument(metavar="FILE", help="A mapping as YAML.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The mapping.")]


@dataclass(frozen=True, slots=True)
class Effect:
    """What activating a version makes the sync do."""

    word: str
    text: str


def effect_of(before: CompiledMapping | None, after: CompiledMapping) -> Effect:
    """What the pull does once it notices `after` (design 4.1)."""
    if before is None:
        return Effect("first", "The first full read starts with the next pull.")
    if before.columns_hash != after.columns_hash:
        return Effect("full_read", "It reads other columns: a full read starts with the next pull.")
    if before.sends_hash != after.sends_hash:
        return Effect(
            "replay", "It sends other values: every record is compared again, changed ones are sent."
        )
    return Effect("none", "It sends what the version before sent: nothing is sent again.")


@app.command("list")
def list_(context: typer.Context, settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Show the mappings, their versions and which is active.

    Example:

      python -m sync mappings list
    """
    run(context, _list, settings=settings, as_json=as_json)


@app.command()
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


@app.command()
def validate(context: typer.Context, file: File, as_json: AsJson = False) -> None:
    """Check a file without connecting to anything; `doctor` compares the active one with both systems.

    Example:

      python -m sync mappings validate mappings/contacts.yaml
    """
    run_bare(context, partial(_validate, file=file), as_json=as_json)


@app.command()
def apply(
    context: typer.Context,
    file: File,
    comment: Annotated[
        str, typer.Option("--comment", metavar="TEXT", help="Why; kept with the version.")
    ] = "",
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a file the active version; the next chunk uses it, and what it changes is sent again.

    Example:

      python -m sync mappings apply contacts.yaml --comment "jobtitle goes to customer title"
    """
    run(context, partial(_apply, file=file, comment=comment), settings=settings, as_json=as_json)


def read(file: Path) -> tuple[str, CompiledMapping]:
    """The text of a file and what it means; raises UsageProblem, MappingInvalid."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageProblem(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageProblem(f"{file} is not UTF-8 text") from None
    return text, compile_mapping(load_mapping(text, filename=str(file)), "")


async def _versions(session: Session, name: str | None) -> list[MappingVersion]:
    query = Query(partition=name, row_from="v", row_below="w")
    return [_version(stored) async for stored in session.account.table("mappings").scan(query)]


def _version(stored: Stored) -> MappingVersion:
    entity = stored.entity
    return MappingVersion(
        mapping=str(entity["PartitionKey"]),
        version=str(entity["version"]),
        text=str(entity["text"]),
        author=str(entity["author"]),
        at=from_iso(str(entity["at"])),
        comment=str(entity["comment"]),
        buckets=int(entity["buckets"]),
    )


async def _list(session: Session, out: Output) -> int:
    store = session.context.mappings
    active = {name: await store.active(name) for name in await store.names()}
    current = {(found.mapping, found.version) for found in active.values() if found}
    versions = sorted(await _versions(session, None), key=lambda v: (v.mapping, v.version), reverse=True)
    if out.as_json:
        told = [
            {
                "mapping": v.mapping,
                "version": v.version,
                "active": (v.mapping, v.version) in current,
                "at": to_iso(v.at),
                "author": v.author,
                "comment": v.comment,
            }
            for v in versions
        ]
        out.json({"versions": told})
        return OK
    if not versions:
        out.line("No mapping is active yet: the function app installs the shipped ones when it starts.")
        return OK
    rows = [
        [
            v.mapping,
            v.version,
            "active" if (v.mapping, v.version) in current else "",
            f"{to_iso(v.at)[:19]}Z",
            v.author,
            v.comment,
        ]
        for v in versions
    ]
    out.table(("mapping", "version", "", "at", "author", "comment"), rows)
    return OK


async def _show(session: Session, out: Output, *, name: str, version: str) -> int:
    found = await session.context.mappings.active(name)
    if version:
        found = next((v for v in await _versions(session, name) if v.version == version), None)
    if found is None:
        raise SyncError("mapping_missing", f"{name} {version}".strip())
    if out.as_json:
        out.json({"mapping": name, "version": found.version, "text": found.text})
    else:
        print(found.text, end="" if found.text.endswith("\n") else "\n")
    return OK


async def _validate(desk: Desk, out: Output, *, file: Path) -> int:
    _, compiled = read(file)
    out.line(f"{file} is valid: mapping {compiled.name}, {len(compiled.fields)} fields.")
    if out.as_json:
        out.json({"valid": True, "mapping": compiled.name, "fields": len(compiled.fields)})
    return OK


async def _apply(session: Session, out: Output, *, file: Path, comment: str) -> int:
    text, compiled = read(file)
    context = session.context
    stored = await context.mappings.active(compiled.name)
    try:
        before = await context.active(compiled.name) if stored else None
    except SyncError:
        before = None  # The active text is unusable; this one replaces it.
    version = await context.mappings.activate(
        compiled.name, text, author=getpass.getuser(), comment=comment, buckets=context.settings.buckets
    )
    effect = effect_of(before, compiled)
    if stored is not None and stored.version == version.version:
        effect = Effect("none", "It is the active text already.")
    out.line(f"{compiled.name} {version.version} is active. {effect.text}")
    if out.as_json:
        out.json({"mapping": compiled.name, "version": version.version, "effect": effect.word})
    return OK
