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


SINGLE = frozenset(MATRIX) - {"MultiSelectPicklist"}
"""Columns that hold one value, which can be replaced."""

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


def accepts_in_zone(target_type: str, *, as_written: bool) -> frozenset[str]:
    """The same for a `date` or `datetime` with a `time_zone`."""
    if target_type == "date":
        time = "TimeZoneIndependent" if as_written else "UserLocal"
        return frozenset({"DateTime:DateOnly", f"DateTime:{time}"})
    return frozenset({"DateTime:DateOnly", "DateTime:TimeZoneIndependent"})


LONGEST: dict[str, str] = {
    "String": "its maximum, up to 4,000",
    "Memo": "its maximum, up to 1,048,576",
    "Uniqueidentifier": "36",
    "Lookup": "36",
    "Customer": "36",
    "Owner": "36",
    "EntityName": "64",
    "Picklist": "11",
    "State": "11",
    "Status": "11",
    "MultiSelectPicklist": "1,799 (150 options)",
    "Boolean": "5",
    "Integer": "11",
    "BigInt": "17 (exact up to 2⁵³)",
    "Decimal": "24",
    "Double": "24",
    "Money": "24",
    "DateTime:DateOnly": "10",
    "DateTime:UserLocal": "20",
    "DateTime:TimeZoneIndependent": "20",
}
"""Characters that a column's value has at most as text."""
ZONED = {
    ("DateTime:UserLocal", "date"): "with `time_zone`",
    ("DateTime:TimeZoneIndependent", "date"): "if midnight, or with `time_zone: as_written`",
    ("DateTime:TimeZoneIndependent", "datetime"): "with `time_zone`",
    ("DateTime:DateOnly", "datetime"): "midnight, UTC or in `time_zone`",
}
HOLDS = {
    "string": "what the field's `length` says; a memo what the database holds",
    "email": "128 characters in a profile",
    "date": "a day, 10 characters",
    "datetime": "a time to the millisecond, UTC",
    "boolean": "true or false",
    "integer": "32 bits",
    "number": "a number, exact up to 2⁵³",
    "enumeration": "one of its names",
    "link": "the id that the link joins on, 36 characters",
}
"""What goes into a Campaign field of a mapping's type."""
NOT_OFFERED = ("PartyList", "ManagedProperty", "CalendarRules", "Virtual", "Image", "File")


def targets_as_markdown() -> str:
    """The Campaign field types by a mapping's type, as they stand in docs/mapping.md (a test compares them)."""
    lines = ["| type in the mapping | Campaign field of type | holds |", "|---|---|---|"]
    for kind, fields in CAMPAIGN_TYPES.items():
        lines.append(f"| `{kind}` | {', '.join(f'`{name}`' for name in sorted(fields))} | {HOLDS[kind]} |")
    return "\n".join(lines)


def as_markdown() -> str:
    """The table as it stands in docs/mapping.md (a test compares them)."""
    lines = [
        "| Dynamics column | longest text | " + " | ".join(TARGET_TYPES) + " |",
        "|---" * (len(TARGET_TYPES) + 2) + "|",
    ]
    for column, targets in MATRIX.items():
        cells = [ZONED.get((column, target), targets.get(target, "–")) for target in TARGET_TYPES]
        lines.append(f"| {column.replace(':', ', ')} | {LONGEST[column]} | " + " | ".join(cells) + " |")
    lines += [f"| {column} | –" + " | –" * len(TARGET_TYPES) + " |" for column in NOT_OFFERED]
    return "\n".join(lines)
