"""A mapping as functions: made once per mapping version, then called for every row (design 9)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from hashlib import blake2b
from typing import Any, Literal

from sync.model import RecordRef, Row
from sync.planning.conditions import Condition, conditions_of
from sync.planning.convert import Flagged
from sync.planning.expressions import Labelled, Related
from sync.planning.filters import Predicate, predicate
from sync.planning.mapping import Brake, EnumerationField, FieldMap, Mapping, Mark, OptOut
from sync.planning.program import Program, Projection, body_of, program_of, unflag
from sync.planning.replaced import NO_LABELS, Labels
from sync.planning.specs import FieldSpec, Finding, Link, LinkSpec, spec_of

__all__ = [
    "CompiledMapping",
    "FieldSpec",
    "Finding",
    "Link",
    "LinkSpec",
    "Marking",
    "Projection",
    "compile_mapping",
    "with_columns",
]

CONVERSIONS = 1
"""Raise it when a release sends something else for the same mapping: every mapping is then replayed."""


MERGE_COLUMNS = ("merged", "_masterid_value")
"""The loser of a merge stays as an inactive row with these set (contact, account and lead have them)."""


@dataclass(frozen=True, slots=True)
class Marking:
    """What is written instead of a delete; `hash` stands in the ledger row of a record that was so marked."""

    body: Row
    hash: str


@dataclass(frozen=True, slots=True)
class CompiledMapping:
    """One version of a mapping, ready to work. `version` is the stored version's name."""

    name: str
    version: str
    table: str
    entity_set: str
    """"" where the file leaves it out, and so `key_column`, until `with_source`."""
    key_column: str
    resource: str
    key_target: str
    deletes: bool
    """A record deleted in Dynamics is deleted in Campaign."""
    delete_mark: Marking | None
    """What a record deleted in Dynamics gets instead; with neither, its profile stays as it is."""
    leaving: Literal["keep", "delete", "mark"]
    leaving_mark: Marking | None
    on_missing: Literal["hold", "recreate"]
    brake: Brake | None
    follow_merges: Literal[False, "keep", "delete"]
    columns: tuple[str, ...]
    """To `$select`: the mapped and the filtered columns and the key, sorted."""
    columns_hash: str
    sends_hash: str
    """Differs if and only if something else would be sent; comments, order and most `options` do not count."""
    fields: tuple[FieldSpec, ...]
    conditions: tuple[Condition, ...]
    """Every condition of the filter and of the first load's."""
    related: tuple[Related, ...]
    """Columns of other tables' rows, whose values must stand beside a row's columns by their `key`."""
    labels: tuple[Labelled, ...]
    """Labels that the mapping asks for."""
    _mapping: Mapping = attribute(repr=False, compare=False)
    _program: Program = attribute(repr=False, compare=False)
    _filter: Predicate | None = attribute(repr=False, compare=False)
    _first_load: Predicate | None = attribute(repr=False, compare=False)

    @property
    def links(self) -> tuple[LinkSpec, ...]:
        """Its links, in the order of their targets."""
        return tuple(spec for _, spec in self._program.links)

    @property
    def has_links(self) -> bool:
        return bool(self._program.links)

    @property
    def optional_parents(self) -> frozenset[str]:
        """Mappings that it points to by optional links alone."""
        required = {spec.mapping for spec in self.links if spec.required}
        return frozenset(spec.mapping for spec in self.links) - required

    @property
    def without_optional(self) -> dict[str, Any]:
        """Body of a PATCH that empties the links to those mappings and nothing else."""
        specs = [spec for spec in self.links if spec.mapping in self.optional_parents]
        places = [spec.target.rpartition(".")[::2] for spec in specs]
        return body_of(places, [""] * len(places))

    def points_past(self, shown: Row, parent: RecordRef) -> bool:
        """Whether a Campaign record, as shown, has all links to the mapping of a parent, and none leads to it."""
        targets = [spec.target for spec in self.links if spec.mapping == parent.mapping]
        if not targets or not all(target in shown for target in targets):
            return False
        return all(shown[target] != parent.record_id for target in targets)

    def parents_shown(self, shown: Row) -> tuple[RecordRef, ...]:
        """Where a Campaign record points, as far as it shows its links; what is no id was not written by the sync."""
        steps, links = self._program.steps, self._program.links
        told = [(spec.mapping, steps[at][1](shown.get(spec.target))) for at, spec in links]
        return tuple(RecordRef(mapping, one) for mapping, one in told if isinstance(one, str) and one)

    def pointing(self, row: Row) -> tuple[Link, ...]:
        """Where a row points; a lookup that is absent or no id points nowhere."""
        found = []
        for at, spec in self._program.links:
            value = self._program.steps[at][1](row.get(spec.source))
            found.append(Link(spec, value if isinstance(value, str) and value else None))
        return tuple(found)

    def absent(self, row: Row) -> tuple[str, ...]:
        """Columns that the mapping needs and the row lacks. Absent is not null: read the row again."""
        return tuple(column for column in self.columns if column not in row and column != self.key_column)

    def merged_into(self, row: Row) -> str:
        """The id of the record into which this one was merged, if merges are followed; empty otherwise."""
        lost = self.follow_merges and row.get("merged") is True
        return str(row.get("_masterid_value") or "").lower() if lost else ""

    def project(self, row: Row, record_id: str) -> Projection:
        """Map one row; never raises for a JSON value. A column that is absent is the problem `column_absent`."""
        program = self._program
        values: Sequence[Any]
        problem: Finding | None = None
        try:
            if self._filter is not None and not self._filter(row):
                return Projection("", (), None, record_id.lower(), (), program, wanted=False)
            wide = program.beside(row) if program.computed else row
            values = [convert(wide[source]) for source, convert in program.steps]
        except KeyError:
            values = [convert(row.get(source)) for source, convert in program.steps]
            problem = self._first_absent(row)
        warnings: tuple[Finding, ...] = ()
        if Flagged in map(type, values):
            values, warnings, found = unflag(program, values)
            problem = problem or found
        digest = program.digest(values)
        return Projection(digest, warnings, problem, record_id.lower(), tuple(values), program)

    def in_first_load(self, row: Row) -> bool:
        """Whether the first load sends it; a column that is absent keeps nothing back."""
        if self._first_load is None:
            return True
        try:
            return self._first_load(row)
        except KeyError:
            return True

    def _first_absent(self, row: Row) -> Finding | None:
        program = self._program
        for origin, target in zip(program.origins, program.targets, strict=True):
            needed = (*origin.columns, *(related.key for related in origin.related))
            for column in needed:
                if column not in row:
                    return Finding("column_absent", column, target)
        absent = next((one.column for one in self.conditions if one.column not in row), None)
        return Finding("column_absent", absent, "") if absent else None


def with_source(compiled: CompiledMapping, entity_set: str, key_column: str) -> CompiledMapping:
    """The same mapping, with what its file leaves out of the source."""
    named = replace(
        compiled,
        entity_set=compiled.entity_set or entity_set,
        key_column=compiled.key_column or key_column,
    )
    return with_columns(named, [named.key_column])


def relabelled(compiled: CompiledMapping, labels: Labels) -> CompiledMapping:
    """The same mapping with other labels of choices."""
    made = compile_mapping(compiled._mapping, compiled.version, labels)
    return with_source(made, compiled.entity_set, compiled.key_column)


def with_columns(compiled: CompiledMapping, more: Iterable[str], why: object = None) -> CompiledMapping:
    """The same mapping, reading further columns that it does not send; another `why` asks for a full read too."""
    columns = tuple(sorted({*compiled.columns, *more}))
    digest = _digest([compiled.entity_set, compiled.key_column, columns, *([why] if why else [])])
    return replace(compiled, columns=columns, columns_hash=digest)


def compile_mapping(mapping: Mapping, version: str, labels: Labels = NO_LABELS) -> CompiledMapping:
    """Compile a mapping that `load_mapping` has accepted; without the labels it asks for, their values are missing."""
    entity_set, key = mapping.source.entity_set or "", mapping.source.key or ""
    options = mapping.options
    conditions = (*conditions_of(mapping.filter), *conditions_of(options.first_load))
    program = program_of(mapping, labels)
    used = [column for origin in program.origins for column in origin.columns]
    used += [condition.column for condition in conditions]
    merges = MERGE_COLUMNS if options.follow_merges else ()
    columns = tuple(sorted({*filter(None, [key]), *merges, *used}))
    return CompiledMapping(
        name=mapping.mapping,
        version=version,
        table=mapping.source.table,
        entity_set=entity_set,
        key_column=key,
        resource=mapping.target.resource,
        key_target=mapping.target.key,
        deletes=options.deletes is True,
        delete_mark=_marking(options.deletes),
        leaving="mark" if isinstance(options.leaving, Mark) else options.leaving,
        leaving_mark=_marking(options.leaving),
        on_missing=options.on_missing,
        brake=options.delete_brake,
        follow_merges=options.follow_merges,
        columns=columns,
        columns_hash=_digest([entity_set, key, columns]),
        sends_hash=_digest(
            [
                CONVERSIONS,
                mapping.target.model_dump(),
                _sends(mapping.fields),
                *_scope(mapping),
                *([_told(labels)] if labels else []),
            ]
        ),
        fields=tuple(spec_of(field) for field in mapping.fields),
        conditions=conditions,
        related=tuple(dict.fromkeys(one for origin in program.origins for one in origin.related)),
        labels=tuple(dict.fromkeys(one for origin in program.origins for one in origin.labels)),
        _mapping=mapping,
        _program=program,
        _filter=None if mapping.filter is None else predicate(mapping.filter),
        _first_load=None if options.first_load is None else predicate(options.first_load),
    )


def _marking(told: object) -> Marking | None:
    """The body of a mark or an opt-out; None for what writes nothing."""
    if isinstance(told, OptOut):
        body: dict[str, Any] = dict.fromkeys(told.opt_out, True)
    elif isinstance(told, Mark):
        item, _, name = told.target.rpartition(".")
        body = body_of([(item, name)], [told.value])
    else:
        return None
    return Marking(body, _digest(["mark", body]))


def _scope(mapping: Mapping) -> list[Any]:
    """Which records are sent and what those outside get; nothing where no filter says so."""
    told = {
        "filter": mapping.filter and mapping.filter.model_dump(exclude_defaults=True),
        "first_load": mapping.options.first_load
        and mapping.options.first_load.model_dump(exclude_defaults=True),
        "leaving": mapping.options.model_dump(include={"leaving"})["leaving"] if mapping.filter else None,
    }
    given = {name: value for name, value in told.items() if value is not None}
    return [given] if given else []


def _told(labels: Labels) -> list[Any]:
    """Labels in one fixed order: another label is something else to send."""
    return [
        [column, language, sorted([repr(value), name] for value, name in names.items())]
        for column, languages in sorted(labels.items())
        for language, names in sorted(languages.items())
    ]


def _sends(fields: Iterable[FieldMap]) -> list[Any]:
    """Every field's settings in one fixed order; defaults are left out, so that spelling one out changes nothing."""
    told = []
    for field in sorted(fields, key=lambda field: field.target):
        settings = field.model_dump(exclude_defaults=True)
        if isinstance(field, EnumerationField):
            settings["values"] = sorted([repr(option), name] for option, name in field.values.items())
        if "replace" in settings:
            settings["replace"] = sorted([repr(old), repr(new)] for old, new in settings["replace"].items())
        told.append(settings)
    return told


def _digest(content: object) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return blake2b(text.encode("ascii"), digest_size=16).hexdigest()
