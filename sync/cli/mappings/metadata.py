"""What both systems say about the tables and resources of mappings: asked live, or kept in a file for CI."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sync.campaign.metadata import FieldInfo
from sync.cli.checks.language import Around, look_around
from sync.cli.session import Session, UsageProblem
from sync.dynamics.metadata import ColumnInfo, Metadata, TableInfo
from sync.errors import SyncError
from sync.planning.mapping import Mapping


@dataclass(frozen=True)
class Known:
    """By table and resource. What does not exist is absent from `tables` and `resources`, and `missing` has its code.

    `around` by mapping: what it asks for besides.
    """

    tables: dict[str, TableInfo] = field(default_factory=dict)
    columns: dict[str, dict[str, ColumnInfo]] = field(default_factory=dict)
    resources: dict[str, dict[str, FieldInfo]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    around: dict[str, Around] = field(default_factory=dict)


ABSENT = frozenset({"unknown_table", "resource_missing"})
"""Answers that say that a table or resource does not exist."""


async def ask(session: Session, mappings: Iterable[Mapping]) -> Known:
    """The definitions of all tables and resources that mappings name; raises SyncError if a system cannot be asked."""
    known = Known()
    metadata = Metadata(session.context.dynamics)
    await session.context.dynamics.organization_id()
    for mapping in mappings:
        table, resource = mapping.source.table, mapping.target.resource
        if table not in known.tables and table not in known.missing:
            await _table(metadata, known, table)
        if resource not in known.resources and resource not in known.missing:
            await _resource(session, known, mapping)
        if table in known.tables:
            known.around[mapping.mapping] = await look_around(metadata, mapping)
    return known


async def _table(metadata: Metadata, known: Known, table: str) -> None:
    try:
        known.tables[table] = await metadata.table(table)
        known.columns[table] = await metadata.attributes(table)
    except SyncError as error:
        if error.code not in ABSENT:
            raise
        known.missing[table] = error.code


async def _resource(session: Session, known: Known, mapping: Mapping) -> None:
    resource = mapping.target.resource
    try:
        records = session.context.profiles.of(resource, mapping.target.key)
        known.resources[resource] = await records.metadata()
    except SyncError as error:
        if error.code not in ABSENT:
            raise
        known.missing[resource] = error.code


def save(known: Known, file: Path) -> None:
    """Write it as JSON, the same text for the same definitions; raises UsageProblem."""
    content = {
        "tables": {name: asdict(info) for name, info in known.tables.items()},
        "columns": _plain(known.columns),
        "resources": _plain(known.resources),
        "missing": known.missing,
        "around": {
            name: {
                "related": {
                    table: None if columns is None else _plain({table: columns})[table]
                    for table, columns in around.related.items()
                },
                "lookups": around.lookups,
                "languages": around.languages,
            }
            for name, around in known.around.items()
        },
    }
    try:
        file.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageProblem(f"{file} cannot be written: {error.strerror}") from None


def _plain(infos: dict[str, Any]) -> dict[str, Any]:
    """Without what is empty: a table has hundreds of columns."""
    return {
        name: {inner: {k: v for k, v in asdict(info).items() if v} for inner, info in members.items()}
        for name, members in infos.items()
    }


def load(file: Path) -> Known:
    """What `save` wrote; raises UsageProblem."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return Known(
            {name: TableInfo(**told) for name, told in content["tables"].items()},
            {
                table: {name: _column(told) for name, told in columns.items()}
                for table, columns in content["columns"].items()
            },
            {
                resource: {path: _field(path, told) for path, told in fields.items()}
                for resource, fields in content["resources"].items()
            },
            dict(content["missing"]),
            {name: _around(told) for name, told in content["around"].items()},
        )
    except OSError as error:
        raise UsageProblem(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        fix = "Write it with `python -m sync mappings validate PATH --save-metadata FILE`."
        raise UsageProblem(f"{file} holds no saved metadata of this release", fix) from None


def _column(told: dict[str, Any]) -> ColumnInfo:
    options = tuple((int(value), str(label)) for value, label in told.pop("options", ()))
    return ColumnInfo(**{"type": "", **told}, options=options)


def _around(told: dict[str, Any]) -> Around:
    related = {
        table: None if columns is None else {name: _column(one) for name, one in columns.items()}
        for table, columns in told["related"].items()
    }
    lookups = {name: tuple(tables) for name, tables in told["lookups"].items()}
    languages = told["languages"]
    return Around(
        related,
        lookups,
        None if languages is None else {name: tuple(codes) for name, codes in languages.items()},
    )


def _field(path: str, told: dict[str, Any]) -> FieldInfo:
    tuples = {name: tuple(value) for name, value in told.items() if isinstance(value, list)}
    return FieldInfo(**{"path": path, "type": "", **told, **tuples})
