"""Each mapped column against the metadata of both sides: pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from sync.campaign.metadata import FieldInfo
from sync.cli.checks.finding import FILTER, Finding, any_red, bad, good, warn
from sync.dynamics.metadata import ColumnInfo
from sync.planning.compile import FieldSpec, compile_mapping
from sync.planning.conditions import Condition, misfit
from sync.planning.mapping import EnumerationField, FieldMap, LinkField
from sync.planning.mapping import Mapping as MappingFile
from sync.planning.matrix import CAMPAIGN_TYPES, MATRIX, column_type
from sync.planning.origin import origin_of
from sync.planning.specs import LOOKUPS, logical

ID_LENGTH = 36
_HAS: dict[str, type] = {
    "Boolean": bool,
    **dict.fromkeys(("Picklist", "State", "Status", "MultiSelectPicklist"), int),
    **dict.fromkeys(("Integer", "BigInt", "Decimal", "Double", "Money"), int),
}
"""What the values of a column are that a mapping replaces; texts for all others."""
_WORDS = {
    bool: "`true` or `false`",
    int: "a number, without quotes",
    str: "a text; in quotes, if it looks like a number",
}
ACCEPTS = CAMPAIGN_TYPES
KNOWN = frozenset().union(*ACCEPTS.values())


def compare(
    mapping: MappingFile, columns: Mapping[str, ColumnInfo], fields: Mapping[str, FieldInfo]
) -> list[Finding]:
    """Every red and yellow line, and a green one where nothing is red; a side that could not be read is left out."""
    area = f"Mapping {mapping.mapping}"
    compiled = compile_mapping(mapping, "")
    specs = compiled.fields
    written = {item.target: item for item in mapping.fields}
    found: list[Finding] = []
    if fields:
        found += _key(area, mapping, fields)
    for spec in specs:
        about: list[Finding] = []
        if columns:
            about += _source(area, spec, written[spec.target], columns)
        if fields:
            about += _target(area, spec, fields)
        found += [replace(one, within=spec.target) for one in about]
    if columns:
        for condition in compiled.conditions:
            found += [replace(one, within=FILTER) for one in _condition(area, condition, columns)]
    if fields:
        found += _mandatory(area, {spec.target for spec in specs} | {mapping.target.key}, fields.values())
    if columns and fields and not any_red(found):
        text = f"{len(specs)} columns exist on both sides with fitting types and lengths"
        found.insert(0, good(area, "columns", text))
    return found


def _key(area: str, mapping: MappingFile, fields: Mapping[str, FieldInfo]) -> Iterator[Finding]:
    name = mapping.target.key
    field = fields.get(name)
    if field is None:
        fix = f"Extend the resource {mapping.target.resource} by this field, or name another in `target`."
        yield bad(area, name, "the key field does not exist in Campaign", fix, "unknown_field")
    elif 0 < field.length < ID_LENGTH:
        text = f"the key field holds {field.length} characters, an id has {ID_LENGTH}"
        yield bad(area, name, text, f"Make it {ID_LENGTH} or longer in Campaign.", "value_too_long")


def _source(
    area: str, spec: FieldSpec, item: FieldMap, columns: Mapping[str, ColumnInfo]
) -> Iterator[Finding]:
    if not spec.column:
        for name in origin_of(item).columns:
            if logical(name) not in columns:
                text = f"column `{logical(name)}` of an expression does not exist in Dynamics"
                yield bad(area, spec.target, text, _suggest(logical(name), columns), "unknown_column")
            elif wrong := _misspelt(name, columns[logical(name)]):
                yield bad(area, spec.target, *wrong, "unknown_column")
        return
    column = columns.get(spec.column)
    if column is None:
        text = "this column does not exist in Dynamics"
        yield bad(area, spec.source, text, _suggest(spec.column, columns), "unknown_column")
        return
    if wrong := _misspelt(spec.source, column):
        yield bad(area, spec.source, *wrong, "unknown_column")
        return
    yield from _old_values(area, spec, item, column)
    kind = column_type(column.type, column.behavior)
    if kind not in spec.accepts:
        text = f"a {kind.replace(':', ', ')} column cannot become `{spec.type}`"
        fits = MATRIX.get(kind)
        fix = f"Use type {' or '.join(fits)} in the mapping." if fits else "Choose another column."
        if fits and spec.type in fits:
            text = f"a {kind.replace(':', ', ')} column does not go with the other keys of this field"
            fix = f"They are for: {', '.join(sorted(spec.accepts)).replace(':', ', ')}."
        yield bad(area, spec.source, text, fix, "value_invalid")
    elif spec.length and column.max_length > spec.length and getattr(item, "too_long", "") == "quarantine":
        text = f"up to {column.max_length} characters, {spec.target} takes {spec.length}: longer ones are quarantined"
        fix = "Set `too_long` to truncate or blank in the mapping if that is not wanted."
        yield warn(area, spec.source, text, fix, "value_too_long")
    elif isinstance(item, EnumerationField):
        yield from _choices(area, spec, item, column)


def _condition(area: str, condition: Condition, columns: Mapping[str, ColumnInfo]) -> Iterator[Finding]:
    """A column that a filter uses: it exists, and operator and value go with its type."""
    name = condition.column
    column = columns.get(logical(name))
    if column is None:
        text = "this column of a filter does not exist in Dynamics"
        yield bad(area, name, text, _suggest(logical(name), columns), "unknown_column")
    elif wrong := _misspelt(name, column):
        yield bad(area, name, f"filter: {wrong[0]}", wrong[1], "unknown_column")
    elif wrong := misfit(condition, column_type(column.type, column.behavior)):
        yield bad(area, name, f"filter: {wrong[0]}", wrong[1], "value_invalid")
    elif column.type != "Boolean":
        values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
        yield from _no_options(area, name, "filter: ", values, column)


def _misspelt(name: str, column: ColumnInfo) -> tuple[str, str] | None:
    """What and fix, if a lookup is not read as `_name_value`, or another column is."""
    lookup = column.type in LOOKUPS
    if lookup == (name != column.name):
        return None
    if lookup:
        return f"`{name}` is a lookup, which is read by another name", f"Write `_{column.name}_value`."
    return f"`{name}` names a lookup, and this column is none", f"Write `{column.name}`."


def _old_values(area: str, spec: FieldSpec, item: FieldMap, column: ColumnInfo) -> Iterator[Finding]:
    """Values to be replaced that the column never has."""
    options = getattr(item, "values", None) or getattr(item, "replace", None) or {}
    if isinstance(item, LinkField) or item.related is not None:
        return
    takes = _HAS.get(column.type, str)
    for option in options:
        if type(option) is not takes:
            kind = column_type(column.type, column.behavior).replace(":", ", ")
            text = f"{_shown(option)} is never a value of a {kind} column"
            fix = f"Before the colon goes {_WORDS[takes]}."
            yield bad(area, spec.source, text, fix, "value_invalid")
    yield from _no_options(area, spec.source, "", options, column)


def _no_options(
    area: str, name: str, prefix: str, values: Iterable[object], column: ColumnInfo
) -> Iterator[Finding]:
    """Numbers that no option of a choice has."""
    known = dict(column.options)
    if not known or column.type == "Boolean":
        return
    for value in values:
        if type(value) is int and value not in known:
            text = f"{prefix}{value} is no option of {column.name}"
            has = ", ".join(f"{number} ({label})" for number, label in column.options)
            yield warn(area, name, text, f"It has {has}.", "value_invalid")


def _shown(option: object) -> str:
    """As the file writes it."""
    return str(option).lower() if isinstance(option, bool) else repr(option)


def _choices(area: str, spec: FieldSpec, item: EnumerationField, column: ColumnInfo) -> Iterator[Finding]:
    """Values of a Dynamics choice that the mapping does not translate."""
    if item.invalid != "quarantine":
        return
    left = [f"{value} ({label})" for value, label in column.options if value not in item.values]
    if left:
        text = f"not translated: {', '.join(left)}; such records are quarantined"
        yield warn(area, spec.source, text, "Add them to `values`, or set `invalid: blank`.", "value_invalid")


def _target(area: str, spec: FieldSpec, fields: Mapping[str, FieldInfo]) -> Iterator[Finding]:
    field = fields.get(spec.target)
    if field is None:
        text = "this field does not exist in Campaign"
        yield bad(area, spec.target, text, _suggest(spec.target, fields), "unknown_field")
        return
    if field.read_only:
        yield bad(
            area, spec.target, "read-only in Campaign", "Remove it from the mapping.", "read_only_field"
        )
        return
    yield from _type(area, spec, field)
    if not spec.length or not field.length:
        return
    if spec.length > field.length:
        text = f"the mapping says length {spec.length}, Campaign holds {field.length}"
        yield bad(
            area, spec.target, text, f"Write `length: {field.length}` in the mapping.", "value_too_long"
        )
    elif spec.length < field.length and spec.type != "link":
        what = "cuts at" if spec.truncates else "stops at"
        text = f"the mapping {what} {spec.length}, Campaign would hold {field.length}"
        yield warn(area, spec.target, text, f"Write `length: {field.length}` if that is not wanted.")


def _type(area: str, spec: FieldSpec, field: FieldInfo) -> Iterator[Finding]:
    if field.type not in KNOWN:
        text = f"Campaign says type {field.type!r}, which is not known here"
        yield warn(area, spec.target, text, "Try one record, then look at the field in Campaign.")
    elif field.type not in ACCEPTS[spec.type]:
        text = f"the mapping says `{spec.type}`, Campaign says {field.type}"
        fits = [kind for kind, types in ACCEPTS.items() if field.type in types]
        yield bad(area, spec.target, text, f"Use type {' or '.join(fits)} in the mapping.", "value_refused")
    elif (spec.type, field.res_type) == ("datetime", "date"):
        text = "Campaign keeps the day only"
        yield warn(area, spec.target, text, "Use type date, which never shifts a day.")
    elif (spec.type, field.res_type) == ("date", "datetime"):
        text = "Campaign keeps a time, the mapping sends the day only"
        yield warn(area, spec.target, text, "Use type datetime if the time matters.")
    elif field.values and (unknown := sorted(set(spec.names) - set(field.values))):
        text = f"Campaign does not know {', '.join(unknown)}"
        yield bad(area, spec.target, text, f"It knows: {', '.join(field.values)}.", "enumeration_value")


def _mandatory(area: str, written: set[str], fields: Iterable[FieldInfo]) -> Iterator[Finding]:
    for field in fields:
        if field.mandatory and not field.read_only and field.path not in written:
            text = "mandatory in Campaign, and the mapping does not write it"
            yield warn(area, field.path, text, "Map it, or give it a default in Campaign.")


def _suggest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=3)
    return f"Did you mean {', '.join(close)}?" if close else "Correct the name in the mapping (case matters)."
