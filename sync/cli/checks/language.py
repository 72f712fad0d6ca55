"""What a mapping asks of Dynamics beside its own columns: related rows, and labels in a language."""

from __future__ import annotations

import difflib

from sync.cli.checks.finding import Finding, bad, of_error, warn
from sync.dynamics.metadata import Metadata
from sync.errors import SyncError
from sync.planning.compile import compile_mapping
from sync.planning.languages import LANGUAGES
from sync.planning.mapping import Mapping
from sync.planning.specs import logical


async def check_language(metadata: Metadata, mapping: Mapping) -> list[Finding]:
    """Related tables and columns that do not exist, choices without labels; nothing where all is well."""
    area = f"Mapping {mapping.mapping}"
    compiled = compile_mapping(mapping, "")
    wanted: dict[str, set[str]] = {}
    for related in compiled.related:
        for table, column in related.tables:
            wanted.setdefault(table, set()).add(column)
    found: list[Finding] = []
    for table, columns in sorted(wanted.items()):
        found += await _related(metadata, area, table, columns)
    if compiled.labels:
        found += await _labels(metadata, area, mapping)
    return found


async def _related(metadata: Metadata, area: str, table: str, columns: set[str]) -> list[Finding]:
    try:
        known = await metadata.attributes(table)
    except SyncError as error:
        if error.code != "dynamics_not_found":
            return [of_error(area, f"related table {table}", error)]
        text = "this table does not exist in Dynamics"
        return [bad(area, table, text, "Correct its name in `related`.", "unknown_table")]
    found = []
    for column in sorted(columns):
        if logical(column) not in known:
            close = difflib.get_close_matches(column, known, n=3)
            fix = f"Did you mean {', '.join(close)}?" if close else "Correct the name in `related`."
            text = "this column of a related row does not exist in Dynamics"
            found.append(bad(area, f"{table}.{column}", text, fix, "unknown_column"))
    return found


async def _labels(metadata: Metadata, area: str, mapping: Mapping) -> list[Finding]:
    try:
        known = await metadata.labels(mapping.source.table)
    except SyncError as error:
        return [of_error(area, "labels", error)]
    found = []
    for label in compile_mapping(mapping, "").labels:
        languages = known.get(label.column, {})
        if not languages:
            text = "this column has no labels in Dynamics"
            fix = "Map a choice or a yes/no column, or remove `label`."
            found.append(bad(area, label.column, text, fix, "label_missing"))
        elif label.language and label.language not in languages:
            name = LANGUAGES.get(label.language, "")
            text = f"no option has a label in {label.language} ({name}): that of the application user is sent"
            fix = f"Add labels in that language in Dynamics; it has {', '.join(map(str, sorted(languages)[1:]))}."
            found.append(warn(area, label.column, text, fix, "label_missing"))
    return found
