"""What a mapping asks of Dynamics beside its own columns: related rows, where lookups point, labels in a language."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sync.cli.checks.finding import Finding, bad, warn
from sync.dynamics.metadata import ColumnInfo, Metadata
from sync.errors import SyncError
from sync.planning.compile import CompiledMapping, compile_mapping
from sync.planning.languages import LANGUAGES
from sync.planning.mapping import Mapping as MappingFile
from sync.planning.origin import origin_of
from sync.planning.specs import logical


@dataclass(frozen=True)
class Around:
    """What Dynamics says around a mapping's own columns, as far as the mapping asks for it.

    `related`: columns by related table, None where there is no such table. `lookups`: tables by lookup. `languages`:
    LCIDs in which a column has labels, by column; None: the mapping asks for no labels.
    """

    related: Mapping[str, Mapping[str, ColumnInfo] | None] = field(default_factory=dict)
    lookups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    languages: Mapping[str, tuple[int, ...]] | None = None


async def look_around(metadata: Metadata, mapping: MappingFile) -> Around:
    """Ask Dynamics; raises SyncError."""
    compiled = compile_mapping(mapping, "")
    related: dict[str, dict[str, ColumnInfo] | None] = {}
    for table in related_tables(compiled):
        try:
            related[table] = await metadata.attributes(table)
        except SyncError as error:
            if error.code != "dynamics_not_found":
                raise
            related[table] = None
    lookups: dict[str, tuple[str, ...]] = {}
    if compiled.has_links or compiled.related:
        lookups = await metadata.lookups(mapping.source.table)
    languages: dict[str, tuple[int, ...]] | None = None
    if compiled.labels:
        told = await metadata.labels(mapping.source.table)
        languages = {column: tuple(sorted(names)) for column, names in told.items()}
    return Around(related, lookups, languages)


def related_tables(compiled: CompiledMapping) -> list[str]:
    """The tables of related rows."""
    return sorted({table for related in compiled.related for table, _ in related.tables})


def check_language(mapping: MappingFile, around: Around) -> Iterator[Finding]:
    """Related tables and columns that do not exist or are out of a lookup's reach, choices without labels."""
    area = f"Mapping {mapping.mapping}"
    for item in mapping.fields:
        origin = origin_of(item)
        for related in origin.related:
            targets = around.lookups.get(logical(related.lookup))
            for table, column in related.tables:
                yield from _related(area, item.target, table, column, around)
                if targets and table not in targets and around.related.get(table) is not None:
                    text = f"{related.lookup} points to {' or '.join(targets)}, never to {table}"
                    fix = "Correct the table or the lookup."
                    yield bad(area, table, text, fix, "mapping_invalid", item.target)
        for label in origin.labels if around.languages is not None else ():
            yield from _label(area, item.target, label.column, label.language, around.languages or {})


def _related(area: str, target: str, table: str, column: str, around: Around) -> Iterator[Finding]:
    known = around.related.get(table, {})
    if known is None:
        text = "this table does not exist in Dynamics"
        yield bad(area, table, text, "Correct its name in `related`.", "unknown_table", target)
    elif known and logical(column) not in known:
        close = difflib.get_close_matches(column, known, n=3)
        fix = f"Did you mean {', '.join(close)}?" if close else "Correct the name in `related`."
        text = "this column of a related row does not exist in Dynamics"
        yield bad(area, f"{table}.{column}", text, fix, "unknown_column", target)


def _label(
    area: str, target: str, column: str, language: int, known: Mapping[str, tuple[int, ...]]
) -> Iterator[Finding]:
    languages = known.get(column, ())
    if not languages:
        text = "this column has no labels in Dynamics"
        fix = "Map a choice or a yes/no column, or remove `label`."
        yield bad(area, column, text, fix, "label_missing", target)
    elif language and language not in languages:
        name = LANGUAGES.get(language, "")
        text = f"no option has a label in {language} ({name}): that of the application user is sent"
        has = ", ".join(str(one) for one in languages if one)
        fix = f"Add labels in that language in Dynamics; it has {has}."
        yield warn(area, column, text, fix, "label_missing", target)
