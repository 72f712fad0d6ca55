"""What a mark or an opt-out that stands for a delete needs from the fields. Works on the plain values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sync.planning.yaml_lines import Place

_TAKES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "email": (str,),
    "enumeration": (str,),
    "date": (str,),
    "datetime": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}


def broken_marks(
    content: dict[Any, Any], fields: Sequence[dict[Any, Any]]
) -> Iterator[tuple[Place, str, str]]:
    """(place, what, fix) of `deletes`, `leaving` and `follow_merges` that do not fit the rest of the mapping."""
    options = content.get("options")
    if not isinstance(options, dict):
        return
    for name in ("deletes", "leaving"):
        told = options.get(name)
        if isinstance(told, dict) and "opt_out" in told:
            yield from _opt_out(content, fields, told["opt_out"], ("options", name, "opt_out"))
        elif isinstance(told, dict):
            yield from _mark(fields, told, ("options", name))
    if "leaving" in options and content.get("filter") is None:
        what = "there is no filter that a record could leave."
        yield ("options", "leaving"), what, "Add `filter:`, or remove it."
    table = content["source"].get("table") if isinstance(content.get("source"), dict) else None
    if options.get("follow_merges") and table != "contact":
        yield ("options", "follow_merges"), "only contacts are followed.", "Remove it."


def _mark(
    fields: Sequence[dict[Any, Any]], told: dict[Any, Any], place: Place
) -> Iterator[tuple[Place, str, str]]:
    target, value = told.get("target"), told.get("value")
    field = next((item for item in fields if item.get("target") == target), None)
    if not isinstance(target, str) or "value" not in told:
        return
    if field is None:
        what = f"no field writes `{target}`, so a record that returns would stay marked."
        yield (*place, "target"), what, "Map it too; its value from the record takes the mark back."
        return
    if field.get("apply_updates") is False:
        what = f"`{target}` is not written by updates, so a record that returns would stay marked."
        yield (*place, "target"), what, "Remove `apply_updates: false` there."
    kind = str(field.get("type", "string"))
    if type(value) not in _TAKES.get(kind, ()):
        yield (*place, "value"), f"a field of type `{kind}` does not take it.", f"Write what fits `{kind}`."
    elif kind == "enumeration" and value not in _names(field):
        fix = f"Use one of: {', '.join(_names(field))}."
        yield (*place, "value"), "the field's enumeration has no such name.", fix
    elif isinstance(value, str) and isinstance(field.get("length"), int) and len(value) > field["length"]:
        yield (*place, "value"), f"it is longer than {field['length']} characters.", "Write a shorter one."


def _names(field: dict[Any, Any]) -> list[str]:
    values = field.get("values")
    names = [str(name) for name in values.values()] if isinstance(values, dict) else []
    return list(dict.fromkeys([*names, str(field.get("default"))]))


def _opt_out(
    content: dict[Any, Any], fields: Sequence[dict[Any, Any]], told: object, place: Place
) -> Iterator[tuple[Place, str, str]]:
    resource = content["target"].get("resource") if isinstance(content.get("target"), dict) else None
    if resource != "profile":
        yield place, "only profiles can be opted out.", "Write `{target: …, value: …}`, true or false."
    mapped = {item.get("target") for item in fields}
    for name in told if isinstance(told, list) else ():
        if name in mapped:
            what = f"`{name}` is mapped: a record that returns would take the opt-out back."
            yield place, what, "Remove one of the two."
