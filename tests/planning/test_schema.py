"""The published JSON Schema says what the models say: shipped and published files pass, damaged ones do not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sync.planning.conditions import TAKES, conditions_of
from sync.planning.fields import FIELD_CLASSES, StringField
from sync.planning.load import load_mapping
from sync.planning.schema import LINE, NAME
from sync.planning.yaml_lines import read
from tests.planning.samples import FIELDS, HEAD

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "mappings" / NAME).read_text(encoding="utf-8"))
FILES = sorted((ROOT / "mappings").rglob("*.yaml"))
MAPPINGS = [file for file in FILES if re.search(r"^mapping: ", file.read_text(encoding="utf-8"), re.M)]
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """The part of JSON Schema that the file uses."""
    if "$ref" in schema:
        return fits(value, SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]])
    wanted = schema.get("type")
    if wanted and (type(value) not in TYPES[wanted]):
        return False
    if "const" in schema and (value != schema["const"] or type(value) is not type(schema["const"])):
        return False
    if "enum" in schema and not any(value == one and type(value) is type(one) for one in schema["enum"]):
        return False
    if "anyOf" in schema and not any(fits(value, one) for one in schema["anyOf"]):
        return False
    if "oneOf" in schema and sum(fits(value, one) for one in schema["oneOf"]) != 1:
        return False
    return _inside(value, schema)


def _inside(value: Any, schema: dict[str, Any]) -> bool:
    if isinstance(value, str):
        return len(value) >= schema.get("minLength", 0) and bool(re.search(schema.get("pattern", ""), value))
    if isinstance(value, list):
        items = schema.get("items", {})
        return len(value) >= schema.get("minItems", 0) and all(fits(one, items) for one in value)
    if isinstance(value, dict):
        known, more = schema.get("properties", {}), schema.get("additionalProperties", True)
        if any(name not in value for name in schema.get("required", ())):
            return False
        rest = more if isinstance(more, dict) else {}
        return all(
            fits(one, known.get(name, rest)) and (name in known or more is not False)
            for name, one in value.items()
        )
    if isinstance(value, int | float) and not isinstance(value, bool):
        return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
    return True


def passes(text: str) -> bool:
    return fits(read(text)[0], SCHEMA)


@pytest.mark.parametrize("file", MAPPINGS, ids=lambda file: file.name)
def test_mapping_files_name_their_schema_and_pass_it(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    first = text.splitlines()[0]
    path = first.removeprefix(LINE.format(""))
    assert path != first
    assert (file.parent / path).resolve() == ROOT / "mappings" / NAME
    assert passes(text)


def test_published_examples_pass() -> None:
    doc = (ROOT / "docs" / "mapping.md").read_text(encoding="utf-8")
    blocks = [block.partition("```")[0] for block in doc.split("```yaml\n")[1:]]
    for block in blocks:
        head = "" if block.startswith("mapping:") else HEAD
        assert passes(head + block + ("" if "fields:" in block else FIELDS)), block


def test_bare_words_are_what_an_editor_takes_them_for() -> None:
    """By YAML 1.1 `on`, `NO`, days and `0049` are something else; a file that the schema passes must load."""
    for operator, takes in TAKES.items():
        value = takes.example.replace("'@example.com'", "x").replace("'", "") or "note: 1"
        told = f"{{column: a, operator: {operator}, {value}}}".replace(", note: 1", "")
        text = f"{HEAD}filter: {told}\n{FIELDS}"
        assert passes(text), operator
        (condition,) = conditions_of(load_mapping(text).filter)
        assert condition.operator == operator
    replace = "{NO: Norge, 0049: DE, on: off, 12:30: noon}"
    text = f"{HEAD}fields:\n  - {{source: a, target: b, length: 9, replace: {replace}}}\n"
    (field,) = load_mapping(text).fields
    assert isinstance(field, StringField)
    assert field.replace == {"NO": "Norge", "0049": "DE", "on": "off", "12:30": "noon"}


def test_every_type_of_field_is_in_it() -> None:
    names = {one["$ref"].rpartition("/")[2] for one in SCHEMA["properties"]["fields"]["items"]["anyOf"]}
    assert names == {model.__name__ for model in FIELD_CLASSES.values()}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("type: date", "type: day"),
        ("length: 20", "length: long"),
        ("length: 20", "length: 0"),
        ("source: firstname, ", ""),
        ("source: firstname, ", "source: firstname, constant: x, "),
        ("too_long: truncate", "too_long: cut"),
        ("mapping: contacts", "mapping: Contacts"),
        ("fields:", "filter: {column: a, operator: equal, value: 1}\nfields:"),
        ("fields:", "options: {leaving: away}\nfields:"),
        ("fields:", "more: 1\nfields:"),
        ("type: integer", "type: integer, values: {1: a}"),
    ],
)
def test_damaged_files_do_not_pass(old: str, new: str) -> None:
    assert old in HEAD + FIELDS
    assert not passes((HEAD + FIELDS).replace(old, new, 1))
