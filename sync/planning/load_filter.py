"""Reads a filter group by group, so that every problem is told where it stands."""

from __future__ import annotations

from typing import get_args

from sync.planning.advice import did_you_mean
from sync.planning.conditions import (
    MOST_DEPTH,
    AllOf,
    AnyOf,
    Condition,
    Filter,
    NotThis,
    Operator,
    wrong_value,
)
from sync.planning.draft import Draft
from sync.planning.yaml_lines import Place

GROUPS = ("all", "any", "not")
OPERATORS: tuple[str, ...] = get_args(Operator)
_SHAPE = "Write `{column: statecode, operator: equals, value: 0}`, or a group: `all:`, `any:` or `not:`."


def read_filter(draft: Draft, written: object, place: Place, depth: int = 0) -> Filter | None:
    """The filter, or None with the problems noted."""
    if not isinstance(written, dict):
        draft.add(place, "it is no condition.", _SHAPE)
        return None
    if depth > MOST_DEPTH:
        draft.add(place, f"groups are nested more than {MOST_DEPTH} deep.", "Write it flatter.")
        return None
    words = [word for word in GROUPS if word in written]
    if not words:
        return _condition(draft, written, place)
    if len(written) > 1:
        fix = "Put a list under one `all:` or `any:`; each of its items may be a group again."
        draft.add(place, f"`{words[0]}` stands alone in its group.", fix)
        return None
    return _group(draft, words[0], written[words[0]], (*place, words[0]), depth)


def _group(draft: Draft, word: str, inner: object, place: Place, depth: int) -> Filter | None:
    if word == "not":
        part = read_filter(draft, inner, place, depth + 1)
        return None if part is None else NotThis.model_validate({"not": part})
    if not isinstance(inner, list) or not inner:
        draft.add(place, "it must be a list of conditions.", f"Write one `- {{column: …}}` a line. {_SHAPE}")
        return None
    read = [read_filter(draft, item, (*place, index), depth + 1) for index, item in enumerate(inner)]
    parts = tuple(part for part in read if part is not None)
    if len(parts) < len(inner):
        return None
    return AllOf(all=parts) if word == "all" else AnyOf(any=parts)


def _condition(draft: Draft, written: dict[object, object], place: Place) -> Condition | None:
    operator = written.get("operator")
    if isinstance(operator, str) and operator not in OPERATORS:
        fix = did_you_mean(operator, OPERATORS)
        draft.add((*place, "operator"), "there is no such operator.", fix)
        return None
    value = written.get("value")
    if isinstance(operator, str) and (wrong := wrong_value(operator, value, "value" in written)):
        draft.add((*place, "value") if "value" in written else place, *wrong)
        draft.check(Condition, {key: part for key, part in written.items() if key != "value"}, place)
        return None
    parts = {key: tuple(part) if isinstance(part, list) else part for key, part in written.items()}
    made: Condition | None = draft.check(Condition, parts, place)
    return made
