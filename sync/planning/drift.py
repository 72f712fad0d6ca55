"""What a mapping needs of both systems against what is there now: pure. What is missing is told in words, without values.

Only what would hit every record counts: a table, column, resource or field that is gone, of another type, or
read-only. Lengths and enumeration values concern single records, which are set aside with their reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sync.planning.compile import CompiledMapping
from sync.planning.matrix import CAMPAIGN_TYPES

DRIFT = "schema_drift"
CERTAIN: Mapping[str, str] = {
    "unknown_column": "Dynamics: column `{}` does not exist",
    "unknown_table": "Dynamics: the table does not exist",
    "change_tracking_off": "Dynamics: change tracking of the table is off",
    "resource_missing": "Campaign: resource `{}` does not exist",
}
"""Codes that say by themselves that the schema is another one."""
CONFIRMED = frozenset({"unknown_field", "read_only_field", "campaign_wrong_address", "campaign_unexplained"})
"""Codes of a write that speak of the resource, or (v8) of nothing at all; its description has the last word."""
SURE = CONFIRMED - {"campaign_unexplained"}
"""Those that speak of the resource in words: they are held against its description every time."""
DOUBTFUL = frozenset({"value_refused", "campaign_refused", "campaign_error"})
"""Codes of a write that may be about the record or, where a field's type has changed, about all of them."""


def told(code: str, detail: str) -> str:
    """A certain code in words."""
    return CERTAIN[code].format(detail)


def source_gaps(compiled: CompiledMapping, columns: Mapping[str, str]) -> Iterator[str]:
    """What the table lacks; `columns` are its columns' types in the matrix's words, by logical name."""
    accepted = {spec.column: spec.accepts for spec in compiled.fields if spec.column}
    for column in sorted({_logical(column) for column in compiled.columns}):
        where = f"Dynamics {compiled.table}: column `{column}`"
        if column not in columns:
            yield f"{where} does not exist"
        elif column in accepted and columns[column] not in accepted[column]:
            yield f"{where} is now of type {columns[column].replace(':', ', ')}"


def target_gaps(compiled: CompiledMapping, fields: Mapping[str, tuple[str, bool]]) -> Iterator[str]:
    """What the resource lacks; `fields` are (type, read-only) by path."""
    if compiled.key_target not in fields:
        yield f"Campaign {compiled.resource}: field `{compiled.key_target}` does not exist"
    for spec in compiled.fields:
        where = f"Campaign {compiled.resource}: field `{spec.target}`"
        kind, read_only = fields.get(spec.target, ("", False))
        if spec.target not in fields:
            yield f"{where} does not exist"
        elif read_only:
            yield f"{where} is read-only"
        elif kind in _KNOWN and kind not in CAMPAIGN_TYPES.get(spec.type, _KNOWN):
            yield f"{where} is now of type {kind}"


def _logical(column: str) -> str:
    """The name that metadata has for a column: a lookup is read as `_name_value`."""
    lookup = column.startswith("_") and column.endswith("_value")
    return column[1 : -len("_value")] if lookup else column


_KNOWN = frozenset().union(*CAMPAIGN_TYPES.values())
