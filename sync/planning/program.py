"""The fields of a mapping as one program: values in a fixed order, their canonical JSON, and the bodies made of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from hashlib import blake2b
from json.encoder import encode_basestring_ascii
from typing import Any

from sync.model import Row
from sync.planning.convert import Converter, Flagged, Value
from sync.planning.evaluate import NO_VALUE, Evaluate, evaluator
from sync.planning.expressions import Labelled
from sync.planning.fields import FieldMap, LinkField
from sync.planning.mapping import Mapping
from sync.planning.origin import Origin, origin_of
from sync.planning.replaced import Labels, converter
from sync.planning.specs import Finding, Link, LinkSpec


@dataclass(frozen=True, slots=True)
class Program:
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
    origins: tuple[Origin, ...]
    computed: tuple[tuple[str, Evaluate], ...] = ()
    """What stands beside a row's columns: labels, then expressions and constants, by name."""
    links: tuple[tuple[int, LinkSpec], ...] = ()
    """Where in the values each link is."""

    def beside(self, row: Row) -> Row:
        """The row with what is computed of it; raises KeyError for a column it lacks."""
        wide = dict(row)
        for name, compute in self.computed:
            wide[name] = compute(wide)
        return wide

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
    _program: Program = attribute(repr=False)
    wanted: bool = True
    """False: the filter leaves it out; there is nothing to send."""

    @property
    def create(self) -> dict[str, Any]:
        """Body of a POST: every field and the key."""
        return {self._program.key_target: self._record_id, **self.force}

    @property
    def update(self) -> dict[str, Any]:
        """Body of a PATCH: no key, no field with `apply_updates: false`."""
        return body_of(self._program.places[: self._program.updated], self._values)

    @property
    def links(self) -> tuple[Link, ...]:
        """Where the record points, by every link of the mapping."""
        if not self.wanted:
            return ()
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
        return body_of(self._program.places, self._values)


def program_of(mapping: Mapping, labels: Labels) -> Program:
    """The program of a mapping; `labels` must hold those it asks for."""

    def place(field: FieldMap) -> tuple[str, str]:
        item, _, name = field.target.rpartition(".")
        return item, name

    def order(field: FieldMap) -> tuple[bool, str]:
        # A dot sorts before every character of a name, so this is also the order inside the items.
        return not field.apply_updates, field.target

    fields = sorted(mapping.fields, key=order)
    origins = tuple(origin_of(field) for field in fields)
    updated = [field for field in fields if field.apply_updates]
    return Program(
        steps=tuple(
            (origin.key, converter(field, labels)) for origin, field in zip(origins, fields, strict=True)
        ),
        encoders=tuple(_encoder(field) for field in updated),
        template=_template([place(field) for field in updated]),
        places=tuple(place(field) for field in fields),
        targets=tuple(field.target for field in fields),
        updated=len(updated),
        key_target=mapping.target.key,
        origins=origins,
        computed=_computed(origins, labels),
        links=tuple((at, _link(field)) for at, field in enumerate(fields) if isinstance(field, LinkField)),
    )


def _computed(origins: Iterable[Origin], labels: Labels) -> tuple[tuple[str, Evaluate], ...]:
    found: dict[str, Evaluate] = {}
    for origin in origins:
        for label in origin.labels if origin.expression else ():
            found[label.key] = _label(label, labels)
    for origin in origins:
        if origin.expression is not None:
            found[origin.key] = evaluator(origin.expression)
        elif origin.constant is not None:
            found[origin.key] = _always(origin.constant)
    return tuple(found.items())


def _label(label: Labelled, labels: Labels) -> Evaluate:
    names = labels.get(label.column, {}).get(label.language, {})

    def run(row: Row) -> Any:
        value = row[label.column]
        if value is None or value == "":
            return None
        return names.get(value, NO_VALUE) if value.__class__ in (int, bool) else NO_VALUE

    return run


def _always(value: Any) -> Evaluate:
    return lambda row: value


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


def unflag(
    program: Program, values: Sequence[Value | Flagged]
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


def body_of(places: Sequence[tuple[str, str]], values: Sequence[Value]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for (item, name), value in zip(places, values, strict=False):
        if item:
            body.setdefault(item, {})[name] = value
        else:
            body[name] = value
    return body
