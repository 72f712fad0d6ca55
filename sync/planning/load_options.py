"""Reads the options that have more than one shape."""

from __future__ import annotations

from typing import Any

from sync.planning.advice import did_you_mean
from sync.planning.draft import Draft
from sync.planning.load_filter import read_filter
from sync.planning.mapping import Mark, Options, OptOut
from sync.planning.yaml_lines import Place

_MARK = "`{target: cusState, value: gone}`"


def read_options(draft: Draft, written: dict[Any, Any]) -> Options | None:
    """The options, or None with the problems noted."""
    told = len(draft.problems)
    parts = dict(written)
    if "deletes" in parts:
        parts["deletes"] = _deletes(draft, parts["deletes"], ("options", "deletes"))
    if "leaving" in parts:
        parts["leaving"] = _leaving(draft, parts["leaving"], ("options", "leaving"))
    if parts.get("first_load") is not None:
        parts["first_load"] = read_filter(draft, parts["first_load"], ("options", "first_load"))
    left = {name: value for name, value in parts.items() if value is not None or written[name] is None}
    made: Options | None = draft.check(Options, left, ("options",))
    return made if len(draft.problems) == told else None


def _deletes(draft: Draft, value: object, place: Place) -> object:
    if isinstance(value, bool):
        return value
    if isinstance(value, dict):
        return draft.check(OptOut if "opt_out" in value else Mark, value, place)
    fix = f"Write true, false, `{{opt_out: [blackListEmail]}}` or {_MARK}."
    draft.add(place, "it cannot be used.", fix)
    return None


def _leaving(draft: Draft, value: object, place: Place) -> object:
    if value in ("keep", "delete"):
        return value
    if isinstance(value, dict):
        return draft.check(Mark, value, place)
    draft.add(
        place, "there is no such choice.", f"{did_you_mean(value, ('keep', 'delete'))} Or write {_MARK}."
    )
    return None
