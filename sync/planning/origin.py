"""Where a field's value comes from: a column, a related row's column, an expression, or the mapping itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sync.planning.expressions import Expression, Labelled, Related, parse
from sync.planning.fields import FieldMap, LinkField, StringField


@dataclass(frozen=True, slots=True)
class Origin:
    """`key` names the value beside a row's columns; `columns` must be read for it."""

    key: str
    columns: tuple[str, ...]
    shown: str
    """How a finding names it."""
    related: tuple[Related, ...] = ()
    labels: tuple[Labelled, ...] = ()
    expression: Expression | None = None
    constant: Any = None


def origin_of(field: FieldMap) -> Origin:
    """The origin of a field that `load_mapping` has accepted."""
    if isinstance(field, LinkField):
        return Origin(field.source, (field.source,), field.source)
    if field.expression is not None:
        made = parse(field.expression)
        return Origin(
            f"={field.target}",
            tuple(made.columns),
            f"= {field.expression}",
            tuple(made.related),
            tuple(made.labels),
            expression=made,
        )
    if field.source is None:
        return Origin(f"={field.target}", (), "(constant)", constant=field.constant)
    labels: tuple[Labelled, ...] = ()
    if isinstance(field, StringField) and field.label is not False:
        labels = (Labelled(field.source, 0 if field.label is True else int(field.label)),)
    if field.related is not None:
        related = Related(field.source, tuple(field.related.items()))
        return Origin(related.key, (field.source,), field.source, (related,))
    return Origin(field.source, (field.source,), field.source, labels=labels)
