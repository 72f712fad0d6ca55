"""A mapping as functions: made once per mapping version, then called for every row (design 9)."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from hashlib import blake2b
from json.encoder import encode_basestring_ascii
from typing import Any, Literal

from sync.model import Row
from sync.planning import matrix
from sync.planning.convert import Converter, Flagged, Value, converter
from sync.planning.mapping import EmailField, EnumerationField, FieldMap, LinkField, Mapping, StringField

CONVERSIONS = 1
"""Raise it when a release sends something else for the same mapping: every mapping is then replayed."""

LINK_LENGTH = 36
"""Characters of an id."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a policy did or why a record cannot be sent: code, column, field, and never the value."""

    code: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """What `doctor` compares with both systems' metadata. `length` 0 = the type has none."""

    source: str
    column: str
    """Logical name of the column (a lookup is read as `_name_value`)."""
    accepts: frozenset[str]
    """Column types of `matrix.MATRIX` that convert to `type`."""
    target: str
    type: str
    length: int = 0
    names: tuple[str, ...] = ()
    """Enumeration names that may be sent."""
    truncates: bool = False


@dataclass(frozen=True, slots=True)
class LinkSpec:
    """A link of a mapping: the lookup it is read from, the field it is written to, and its rules."""

    source: str
    target: str
    mapping: str
    """The parent's mapping."""
    required: bool
    on_parent_delete: Literal["hold", "clear", "delete"]


@dataclass(frozen=True, slots=True)
class Link:
    """Where one record points by one of its links; `parent_id` None: the lookup is null."""

    spec: LinkSpec
    parent_id: str | None


@dataclass(frozen=True, slots=True)
class _Program:
    """The fields in the order of the canonical JSON of an update, then those that updates leave out.

    `template` is that JSON with `%s` for each value; `places` are (item or "", name) of every field.
    """

    steps: tuple[tuple[str, Converter], ...]
    encoders: tuple[Callable[[Any], str], ...]
    template: str
    places: tuple[tuple[str, str], ...]
    targets: tuple[str, ...]
    updated: int
    key_target: str
    links: tuple[tuple[int, LinkSpec], ...] = ()
    """Where in the values each link is."""

    def digest(self, values: Sequence[Any]) -> str:
        """The hash of what an update with these values sends."""
        encoded = tuple([encode(value) for encode, value in zip(self.encoders, values, strict=False)])
        return blake2b((self.template % encoded).encode("ascii"), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Projection:
    """What one source row becomes. The three bodies are built when asked for, anew each time."""

    hash: str
    """BLAKE2b-128, in hex, of the canonical JSON (sorted, no spaces, ASCII) of `update`."""
    warnings: tuple[Finding, ...]
    problem: Finding | None
    """The first reason not to send the record."""
    _record_id: str = attribute(repr=False)
    _values: tuple[Value, ...] = attribute(repr=False)
    _program: _Program = attribute(repr=False)

    @property
    def create(self) -> dict[str, Any]:
        """Body of a POST: every field and the key."""
        return {self._program.key_target: self._record_id, **self.force}

    @property
    def update(self) -> dict[str, Any]:
        """Body of a PATCH: no key, no field with `apply_updates: false`."""
        return _body(self._program.places[: self._program.updated], self._values)

    @property
    def links(self) -> tuple[Link, ...]:
        """Where the record points, by every link of the mapping."""
        return tuple(Link(spec, str(self._values[at]) or None) for at, spec in self._program.links)

    def without(self, targets: Collection[str]) -> Projection:
        """The same record with some of its links left empty; bodies and hash follow."""
        values = list(self._values)
        for at, spec in self._program.links:
            if spec.target in targets:
                values[at] = ""
        return replace(self, hash=self._program.digest(values), _values=tuple(values))

    @property
    def force(self) -> dict[str, Any]:
        """Body of a forced PATCH: every field, no key."""
        return _body(self._program.places, self._values)


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
    on_missing: Literal["hold", "recreate"]
    columns: tuple[str, ...]
    """To `$select`: the mapped columns and the key, sorted."""
    columns_hash: str
    sends_hash: str
    """Differs if and only if something else would be sent; comments, order and `options` do not count."""
    fields: tuple[FieldSpec, ...]
    _program: _Program = attribute(repr=False, compare=False)

    @property
    def links(self) -> tuple[LinkSpec, ...]:
        """Its links, in the order of their targets."""
        return tuple(spec for _, spec in self._program.links)

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
        return _body(places, [""] * len(places))

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

    def project(self, row: Row, record_id: str) -> Projection:
        """Map one row; never raises for a JSON value. A column that is absent is the problem `column_absent`."""
        program = self._program
        values: Sequence[Any]
        problem: Finding | None = None
        try:
            values = [convert(row[source]) for source, convert in program.steps]
        except KeyError:
            values = [convert(row.get(source)) for source, convert in program.steps]
            problem = self._first_absent(row)
        warnings: tuple[Finding, ...] = ()
        if Flagged in map(type, values):
            values, warnings, found = _unflag(program, values)
            problem = problem or found
        digest = program.digest(values)
        return Projection(digest, warnings, problem, record_id.lower(), tuple(values), program)

    def _first_absent(self, row: Row) -> Finding | None:
        program = self._program
        for (source, _), target in zip(program.steps, program.targets, strict=True):
            if source not in row:
                return Finding("column_absent", source, target)
        return None


def with_source(compiled: CompiledMapping, entity_set: str, key_column: str) -> CompiledMapping:
    """The same mapping, with what its file leaves out of the source."""
    named = replace(
        compiled,
        entity_set=compiled.entity_set or entity_set,
        key_column=compiled.key_column or key_column,
    )
    return with_columns(named, [named.key_column])


def with_columns(compiled: CompiledMapping, more: Iterable[str], why: object = None) -> CompiledMapping:
    """The same mapping, reading further columns that it does not send; another `why` asks for a full read too."""
    columns = tuple(sorted({*compiled.columns, *more}))
    digest = _digest([compiled.entity_set, compiled.key_column, columns, *([why] if why else [])])
    return replace(compiled, columns=columns, columns_hash=digest)


def compile_mapping(mapping: Mapping, version: str) -> CompiledMapping:
    """Compile a mapping that `load_mapping` has accepted."""
    entity_set, key = mapping.source.entity_set or "", mapping.source.key or ""
    columns = tuple(sorted({*filter(None, [key]), *(field.source for field in mapping.fields)}))
    return CompiledMapping(
        name=mapping.mapping,
        version=version,
        table=mapping.source.table,
        entity_set=entity_set,
        key_column=key,
        resource=mapping.target.resource,
        key_target=mapping.target.key,
        deletes=mapping.options.deletes,
        on_missing=mapping.options.on_missing,
        columns=columns,
        columns_hash=_digest([entity_set, key, columns]),
        sends_hash=_digest([CONVERSIONS, mapping.target.model_dump(), _sends(mapping.fields)]),
        fields=tuple(_spec(field) for field in mapping.fields),
        _program=_program(mapping),
    )


def _program(mapping: Mapping) -> _Program:
    def place(field: FieldMap) -> tuple[str, str]:
        item, _, name = field.target.rpartition(".")
        return item, name

    def order(field: FieldMap) -> tuple[bool, str]:
        # A dot sorts before every character of a name, so this is also the order inside the items.
        return not field.apply_updates, field.target

    fields = sorted(mapping.fields, key=order)
    updated = [field for field in fields if field.apply_updates]
    return _Program(
        steps=tuple((field.source, converter(field)) for field in fields),
        encoders=tuple(_encoder(field) for field in updated),
        template=_template([place(field) for field in updated]),
        places=tuple(place(field) for field in fields),
        targets=tuple(field.target for field in fields),
        updated=len(updated),
        key_target=mapping.target.key,
        links=tuple((at, _link(field)) for at, field in enumerate(fields) if isinstance(field, LinkField)),
    )


def _link(field: LinkField) -> LinkSpec:
    return LinkSpec(field.source, field.target, field.mapping, field.required, field.on_parent_delete)


def _template(places: Iterable[tuple[str, str]]) -> str:
    """The canonical JSON of places in order, with `%s` for the values; names are letters and digits."""
    members: dict[str, list[str]] = {}
    for item, name in places:
        members.setdefault(item or name, []).append(f'"{name}":%s')
    items = {item for item, _ in places}
    return (
        "{"
        + ",".join(
            f'"{top}":{{{",".join(inner)}}}' if top in items else inner[0] for top, inner in members.items()
        )
        + "}"
    )


def _encoder(field: FieldMap) -> Callable[[Any], str]:
    """Value → JSON, the same text that `json.dumps` gives."""
    if field.type in ("integer", "number"):
        return repr
    if field.type == "boolean":
        return _JSON_BOOLEAN.__getitem__
    return encode_basestring_ascii


_JSON_BOOLEAN = {False: "false", True: "true"}


def _unflag(
    program: _Program, values: Sequence[Value | Flagged]
) -> tuple[list[Value], tuple[Finding, ...], Finding | None]:
    plain: list[Value] = []
    warnings: list[Finding] = []
    problem: Finding | None = None
    for value, (source, _), target in zip(values, program.steps, program.targets, strict=True):
        if not isinstance(value, Flagged):
            plain.append(value)
            continue
        plain.append(value.value)
        finding = Finding(value.code, source, target)
        if not value.fatal:
            warnings.append(finding)
        elif problem is None:
            problem = finding
    return plain, tuple(warnings), problem


def _body(places: Sequence[tuple[str, str]], values: Sequence[Value]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for (item, name), value in zip(places, values, strict=False):
        if item:
            body.setdefault(item, {})[name] = value
        else:
            body[name] = value
    return body


def _spec(field: FieldMap) -> FieldSpec:
    lookup = field.source.startswith("_") and field.source.endswith("_value")
    names: tuple[str, ...] = ()
    if isinstance(field, EnumerationField):
        names = tuple(dict.fromkeys([*field.values.values(), field.default]))
    return FieldSpec(
        source=field.source,
        column=field.source[1 : -len("_value")] if lookup else field.source,
        accepts=matrix.accepts(field.type),
        target=field.target,
        type=field.type,
        length=_length(field),
        names=names,
        truncates=isinstance(field, StringField) and field.too_long == "truncate",
    )


def _length(field: FieldMap) -> int:
    if isinstance(field, LinkField):
        return LINK_LENGTH
    return field.length if isinstance(field, StringField | EmailField) else 0


def _sends(fields: Iterable[FieldMap]) -> list[Any]:
    """Every field's settings in one fixed order; defaults are left out, so that spelling one out changes nothing."""
    told = []
    for field in sorted(fields, key=lambda field: field.target):
        settings = field.model_dump(exclude_defaults=True)
        if isinstance(field, EnumerationField):
            settings["values"] = sorted([repr(option), name] for option, name in field.values.items())
        told.append(settings)
    return told


def _digest(content: object) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return blake2b(text.encode("ascii"), digest_size=16).hexdigest()
