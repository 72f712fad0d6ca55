"""A mapping compiled once per version: which columns to read, and a row to what is sent and its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sync.model import Row
from sync.planning.convert import BAD, converter, cut, empty
from sync.planning.mapping import FieldMap, FieldType, Mapping, Policy

Sink = Callable[["Finding"], None]
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about one field of a record: names, never values."""

    code: str
    source: str
    target: str


@dataclass
class Projection:
    """What a row becomes in Campaign. Bodies are built when they are sent; the hash covers what `update` sends."""

    hash: str
    warnings: tuple[Finding, ...]
    problem: Finding | None
    _compiled: CompiledMapping
    _values: list[Any]
    _record_id: str

    @cached_property
    def create(self) -> dict[str, Any]:
        """The body of a POST, key included."""
        compiled = self._compiled
        return {compiled.key_target: self._record_id, **_nested(compiled.fields, self._values)}

    @cached_property
    def update(self) -> dict[str, Any]:
        """The body of a PATCH: no key, no `apply_updates: false` fields."""
        sent = self._compiled.sent
        return _nested(self._compiled.fields[:sent], self._values[:sent])

    @cached_property
    def force(self) -> dict[str, Any]:
        """As `update`, with the fields that updates leave out."""
        return _nested(self._compiled.fields, self._values)


def _nested(fields: tuple[FieldMap, ...], values: list[Any]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for item, value in zip(fields, values, strict=True):
        top, _, rest = item.target.partition(".")
        if rest:
            body.setdefault(top, {})[rest] = value
        else:
            body[top] = value
    return body


@dataclass(frozen=True)
class CompiledMapping:
    """One mapping version, ready to run. `fields` has those that updates send first (`sent` of them), by target."""

    mapping: Mapping
    version: str
    fields: tuple[FieldMap, ...]
    sent: int
    columns: tuple[str, ...]
    columns_hash: str
    sends_hash: str
    _steps: tuple[tuple[str, Callable[[Any, Sink], Any]], ...] = field(repr=False)

    @property
    def name(self) -> str:
        return self.mapping.mapping

    @property
    def table(self) -> str:
        return self.mapping.source.table

    @property
    def entity_set(self) -> str:
        return self.mapping.source.entity_set

    @property
    def key_column(self) -> str:
        return self.mapping.source.key

    @property
    def resource(self) -> str:
        return self.mapping.target.resource

    @property
    def key_target(self) -> str:
        return self.mapping.target.key

    @property
    def deletes(self) -> bool:
        return self.mapping.options.deletes

    @property
    def on_missing(self) -> str:
        return self.mapping.options.on_missing.value

    def absent(self, row: Row) -> tuple[str, ...]:
        """Mapped columns that a row does not have: absent is never null."""
        return tuple(column for column in self.columns if column not in row and column != self.key_column)

    def project(self, row: Row, record_id: str) -> Projection:
        """What a row with all mapped columns becomes; raises KeyError for an absent one."""
        findings: list[Finding] = []
        values = [step(row[column], findings.append) for column, step in self._steps]
        digest = hashlib.blake2b(_encode(values[: self.sent]).encode(), digest_size=16).hexdigest()
        if not findings:
            return Projection(digest, (), None, self, values, record_id)
        problems = [finding for finding in findings if finding.code in _PROBLEMS]
        warnings = tuple(finding for finding in findings if finding.code not in _PROBLEMS)
        return Projection(digest, warnings, problems[0] if problems else None, self, values, record_id)


_PROBLEMS = frozenset({"value_too_long", "value_invalid", "email_invalid"})


def compile_mapping(mapping: Mapping, version: str) -> CompiledMapping:
    """Compile a valid mapping; the order of its lines does not matter."""
    by_target = sorted(mapping.fields, key=lambda item: item.target)
    updates = [item for item in by_target if item.apply_updates]
    fields = tuple(updates + [item for item in by_target if not item.apply_updates])
    columns = tuple(sorted({item.source for item in fields}))
    content = mapping.model_dump(mode="json", exclude={"mapping", "fields"})
    return CompiledMapping(
        mapping=mapping,
        version=version,
        fields=fields,
        sent=len(updates),
        columns=columns,
        columns_hash=_digest(list(columns)),
        sends_hash=_digest([content, [item.model_dump(mode="json") for item in fields]]),
        _steps=tuple((item.source, _step(item)) for item in fields),
    )


def _digest(content: Any) -> str:
    return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=8).hexdigest()


def _step(item: FieldMap) -> Callable[[Any, Sink], Any]:
    """The closure of one field: convert, then apply its policies."""
    convert = converter(item)
    nothing = item.default if item.type is FieldType.ENUMERATION else empty(item.type)
    invalid_code = "email_invalid" if item.type is FieldType.EMAIL else "value_invalid"
    invalid = _finding(item, item.invalid, invalid_code)
    too_long = _finding(item, item.too_long, "value_too_long")
    length = item.length if item.length is not None else 0
    truncate = item.too_long is Policy.TRUNCATE

    def step(value: Any, report: Sink) -> Any:
        if value is None:
            return nothing
        result = convert(value)
        if result is BAD:
            report(invalid)
            return nothing
        if length and len(result) > length:
            report(too_long)
            return cut(result, length) if truncate else nothing
        return result

    return step


def _finding(item: FieldMap, policy: Policy, code: str) -> Finding:
    if policy is Policy.QUARANTINE:
        return Finding(code, item.source, item.target)
    return Finding("truncated" if policy is Policy.TRUNCATE else "blanked", item.source, item.target)
