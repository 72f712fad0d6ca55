"""The JSON Schema of a mapping file, for editors: mappings/mapping.schema.json, made from the models.

It knows the shape; what the fields may not do together, expressions and literals are checked by `mappings validate`.
"""

from __future__ import annotations

import json
from typing import Any

from sync.planning.fields import FIELD_CLASSES, LinkField
from sync.planning.languages import LANGUAGES
from sync.planning.mapping import Mapping

NAME = "mapping.schema.json"
LINE = "# yaml-language-server: $schema={}"
"""The first line of a YAML file that names its schema, by a path from the file."""


def mapping_schema() -> dict[str, Any]:
    """The schema as JSON Schema 2020-12."""
    made = Mapping.model_json_schema(by_alias=True)
    parts: dict[str, Any] = made["$defs"]
    for model in set(FIELD_CLASSES.values()) - {LinkField}:
        # A value comes from exactly one of the three.
        origins = ("source", "expression", "constant")
        parts[model.__name__]["oneOf"] = [{"required": [name]} for name in origins]
    label = parts["StringField"]["properties"]["label"]
    label["anyOf"] = [{"type": "boolean"}, {"type": "integer", "enum": sorted(LANGUAGES)}]
    for part in (made, *parts.values()):
        _tidy(part)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **made,
        "title": "Mapping",
        "description": "A Dynamics 365 table and the Campaign resource it goes to (docs/mapping.md).",
    }


def _tidy(part: dict[str, Any]) -> None:
    """Generated titles repeat the names; descriptions are one paragraph."""
    if "description" in part:
        part["description"] = " ".join(part["description"].split()).replace("`", "")
    part.pop("title", None)
    for item in part.get("properties", {}).values():
        item.pop("title", None)


def schema_text() -> str:
    """The file's text."""
    return json.dumps(mapping_schema(), indent=2, ensure_ascii=False) + "\n"
