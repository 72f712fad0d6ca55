"""What is wrong with one value of a mapping file and what to write instead, in an admin's words."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from sync.planning.mapping import FIELD_CLASSES

_SEE = "See docs/mapping.md."
_PATTERNS = {
    "mapping": "Use small letters, digits and `_`, at most 41 of them.",
    "source": "Use the logical name, in small letters (a lookup: `_name_value`).",
    "column": "Use the logical name, in small letters (a lookup: `_name_value`).",
    "table": "Use the table's logical name, in small letters, e.g. `contact`.",
    "entity_set": "Use the set's name as in the Web API's address, e.g. `contacts`.",
    "key": "Use the name of one column or field.",
    "target": "Use the Campaign field's name; a field of an item has one dot: `location.city`.",
    "resource": "Use the Campaign resource's name, e.g. `profile`.",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: line (from 1), the place in words, what it is, what to do. Sentences."""

    line: int
    where: str
    what: str
    fix: str


def did_you_mean(word: object, allowed: Sequence[str]) -> str:
    """The allowed words, and the one that was probably meant."""
    told = f"Use one of: {', '.join(allowed)}."
    close = difflib.get_close_matches(word.lower(), allowed, n=1) if isinstance(word, str) else []
    return f"{told} Did you mean `{close[0]}`?" if close else told


def advise(
    kind: str, context: Mapping[str, Any], value: object, place: tuple[object, ...], model: type[BaseModel]
) -> tuple[str, str]:
    """What and fix, for one error of pydantic (its kind, context, input) at a place inside `model`."""
    key = place[-1] if place else ""
    if kind == "missing":
        return "it is missing.", "Add it." if key in ("source", "target") else _missing(key)
    if kind == "extra_forbidden":
        return _unknown(key, place, model)
    if kind == "literal_error":
        allowed = [
            word.strip().strip("'") for word in str(context["expected"]).replace(" or ", ", ").split(",")
        ]
        return "there is no such choice.", did_you_mean(value, allowed)
    if kind == "string_pattern_mismatch":
        return "it is not spelled like one.", _PATTERNS.get(str(key), _SEE)
    if kind == "string_type":
        return "it must be text.", _text(value)
    if kind == "bool_type":
        return "it must be true or false.", "Write `true` or `false`, without quotes."
    if kind in ("int_type", "float_type", "greater_than_equal", "less_than_equal"):
        quoted = isinstance(value, str)
        fix = "Write it without quotes." if quoted else "Write such a number."
        if key == "length":
            fix = "Write the length of the Campaign field."
        return f"it must be {_number(str(key), model)}.", fix
    if kind == "option":
        return "no column has such a value.", "Write a whole number, true, false or a word before the colon."
    if kind == "alternative":
        fix = "Write `true`, or a language's number such as 1031 (German)." if key == "label" else _SEE
        return "such a value does not go here.", fix
    if kind in ("model_type", "dict_type"):
        return "it has no keys of its own.", f"Write `{key}: {{…}}`. {_SEE}"
    if kind in ("too_short", "string_too_short"):
        return "it is empty.", _SEE
    return "it cannot be used.", _SEE


def _number(key: str, model: type[BaseModel]) -> str:
    """Which numbers a key takes, by the JSON Schema of the model around it."""
    schema = model.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    told: dict[str, Any] = next(
        (part["properties"][key] for part in parts if key in part.get("properties", {})), {}
    )
    shapes = [told, *told.get("anyOf", ())]
    kinds = {shape.get("type") for shape in shapes}
    bounds: dict[str, Any] = next((shape for shape in shapes if "minimum" in shape), {})
    what = "a number" if "number" in kinds else "a whole number"
    return what + (f" from {bounds['minimum']} to {bounds['maximum']}" if bounds else "")


def _missing(key: object) -> str:
    if key == "length":
        return "Add `length:` with the length of the Campaign field."
    if key == "values":
        return "Add `values:` with a Campaign name for each source value, e.g. `{1: male, 2: female}`."
    if key == "default":
        return "Add `default:` with the Campaign name that stands for no value, e.g. `unknown`."
    return f"Add it. {_SEE}"


def _unknown(key: object, place: tuple[object, ...], model: type[BaseModel]) -> tuple[str, str]:
    known = _known(place[:-1], model)
    elsewhere = {name for cls in FIELD_CLASSES.values() for name in cls.model_fields}
    if "target" in known and key in elsewhere:
        return (
            "this type of field has no such key.",
            f"Remove it, or choose another type. Keys here: {', '.join(known)}.",
        )
    return "there is no such key.", did_you_mean(key, known)


def _known(place: tuple[object, ...], model: type[BaseModel]) -> tuple[str, ...]:
    for part in place:
        found = model.model_fields.get(str(part))
        inner = found.annotation if found else None
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
    return tuple(model.model_fields)


def _text(value: object) -> str:
    """`12` is a number and `true` no text."""
    if isinstance(value, dict | list):
        return "Write one word."
    return (
        "Write a word." if value is None else "Put it in quotes: YAML reads it as something else than text."
    )
