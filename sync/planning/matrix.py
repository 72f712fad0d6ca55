"""Which Dataverse column type goes to which Campaign field type, and how: the table published in docs/mapping.md.

Column types are Dataverse's AttributeType; a DateTime is told apart by its behaviour and a multi-select choice by its
type name (dataverse.md 5). What is not listed is not offered: `doctor` says so before anything is sent.
"""

from __future__ import annotations

TARGET_TYPES = ("string", "email", "integer", "number", "boolean", "date", "datetime", "enumeration", "link")

_TEXT = {"string": "trimmed"}
_ID = {"string": "the id, as is"}
_LOOKUP = {**_ID, "link": "the id of a mapped row"}
_OPTION = {"string": "its value in digits", "integer": "its value", "enumeration": "by `values`"}
_WHOLE = {"string": "digits", "integer": "as is", "number": "as is"}
_FRACTION = {"string": "plain decimal", "integer": "if whole", "number": "as is"}
_TIME = {"string": "as the Web API writes it"}

MATRIX: dict[str, dict[str, str]] = {
    "String": {**_TEXT, "email": "trimmed, checked", "enumeration": "by `values`"},
    "Memo": _TEXT,
    "Uniqueidentifier": _ID,
    "Lookup": _LOOKUP,
    "Customer": _LOOKUP,
    "Owner": _LOOKUP,
    "EntityName": {"string": "as is"},
    "Picklist": _OPTION,
    "State": _OPTION,
    "Status": _OPTION,
    "MultiSelectPicklist": {"string": "its values, as `1,9`"},
    "Boolean": {
        "string": "`true` or `false`",
        "integer": "1 or 0",
        "boolean": "as is",
        "enumeration": "by `values`",
    },
    "Integer": {**_WHOLE, "enumeration": "by `values`"},
    "BigInt": _WHOLE,
    "Decimal": _FRACTION,
    "Double": _FRACTION,
    "Money": _FRACTION,
    "DateTime:DateOnly": {**_TIME, "date": "as is", "datetime": "midnight UTC"},
    "DateTime:UserLocal": {**_TIME, "datetime": "UTC"},
    "DateTime:TimeZoneIndependent": {**_TIME, "date": "if midnight"},
}


CAMPAIGN_TYPES: dict[str, frozenset[str]] = {
    "string": frozenset({"string", "memo"}),
    "email": frozenset({"string"}),
    "date": frozenset({"date"}),
    "datetime": frozenset({"date", "datetime"}),
    "boolean": frozenset({"boolean"}),
    "integer": frozenset({"integer", "long", "short", "byte", "number", "double", "float"}),
    "number": frozenset({"number", "double", "float"}),
    "enumeration": frozenset({"enumeration"}),
    "link": frozenset({"string"}),
}
"""Campaign types (adobe.md B.3) that a mapping's type may be sent to."""


def column_type(attribute_type: str, behavior: str = "") -> str:
    """The matrix's word for a column: DateTime with its behaviour (UserLocal if not said), others as they are."""
    return f"DateTime:{behavior or 'UserLocal'}" if attribute_type == "DateTime" else attribute_type


def accepts(target_type: str) -> frozenset[str]:
    """Column types that a field of this type may be mapped from."""
    return frozenset(column for column, targets in MATRIX.items() if target_type in targets)


def as_markdown() -> str:
    """The table as it stands in docs/mapping.md (a test compares them)."""
    lines = [
        "| Dynamics column | " + " | ".join(TARGET_TYPES) + " |",
        "|---" * (len(TARGET_TYPES) + 1) + "|",
    ]
    for column, targets in MATRIX.items():
        cells = [targets.get(target, "–") for target in TARGET_TYPES]
        lines.append(f"| {column.replace(':', ', ')} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
