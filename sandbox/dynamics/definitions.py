"""Labels, names and columns of definitions as clients send them; refuses what the documents do not have."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.dynamics.columns import Column, Kind
from sandbox.dynamics.errors import Refused, bad, silent

TYPE = "Microsoft.Dynamics.CRM."
LANGUAGE = 1033
_COMMON = frozenset(
    ("@odata.type", "SchemaName", "DisplayName", "Description", "RequiredLevel", "AttributeType", "AttributeTypeName",
     "IsPrimaryName")
)  # fmt: skip

Definition = Mapping[str, Any]


def wrong(message: str, code: str = "0x80040203") -> Refused:
    """400: a definition that cannot be carried out."""
    return Refused(400, code, message)


def label(definition: Definition, name: str, *, required: bool = True) -> str:
    """The text of a `Label` in the organization's language."""
    told = definition.get(name)
    if told is None and not required:
        return ""
    texts = told.get("LocalizedLabels") if isinstance(told, dict) else None
    if not isinstance(told, dict) or kind_of(told) != "Label" or not isinstance(texts, list):
        raise wrong(f"'{name}' must be a {TYPE}Label with LocalizedLabels.")
    for one in texts:
        if (
            not isinstance(one, dict)
            or kind_of(one) != "LocalizedLabel"
            or not isinstance(one.get("Label"), str)
        ):
            raise wrong(f"'{name}' holds something else than a {TYPE}LocalizedLabel.")
        if one.get("LanguageCode") == LANGUAGE:
            return str(one["Label"])
    raise wrong(f"'{name}' has no text in language {LANGUAGE}, the organization's only one.")


def kind_of(definition: Definition) -> str:
    """`@odata.type` without namespace."""
    return str(definition.get("@odata.type", "")).lstrip("#").removeprefix(TYPE)


def schema_name(definition: Definition, prefixes: set[str]) -> str:
    """A schema name that starts with the prefix of a publisher."""
    name = definition.get("SchemaName")
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9]{1,7}_[A-Za-z0-9_]{1,90}", name):
        raise wrong("A schema name is a publisher's prefix, an underscore, letters and digits.", "0x80044364")
    if name.partition("_")[0].lower() not in prefixes:
        raise wrong(f"The prefix of '{name}' is not that of the solution's publisher.", "0x80044365")
    return name


def column_of(
    definition: Definition, prefixes: set[str], *, complex_types: bool = False, primary: str = ""
) -> Column:
    """One attribute. `primary`: the schema name a primary attribute must have, where the table dictates it."""
    kind = kind_of(definition)
    if complex_types:
        if not kind.startswith("Complex"):
            raise wrong("CreateEntities takes Complex…AttributeMetadata.")
        kind = kind.removeprefix("Complex")
    made = _MAKERS.get(kind)
    if made is None:
        raise silent(f"Creating a column of type '{kind or '(none)'}'")
    maker, keys = made
    if unknown := set(definition) - _COMMON - keys:
        raise bad(f"The property '{min(unknown)}' does not exist on type '{TYPE}{kind}'.", "0x80048d19")
    schema = definition.get("SchemaName")
    if not primary or schema != primary:
        schema = schema_name(definition, prefixes)
    name = str(schema).lower()
    level = definition.get("RequiredLevel")
    required = level.get("Value") if isinstance(level, dict) else "None"
    if required not in ("None", "Recommended", "ApplicationRequired"):
        raise wrong("RequiredLevel is None, Recommended or ApplicationRequired.")
    text = label(definition, "DisplayName")
    return maker(
        definition, {"name": name, "logical": name, "schema": schema, "display": text, "required": required,
                     "custom": True},
    )  # fmt: skip


def _number(
    definition: Definition, name: str, least: float, most: float, default: float | None = None
) -> Any:
    value = definition.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise wrong(f"'{name}' must be a number from {least:g} to {most:g}.")
    return value


def _string(definition: Definition, common: dict[str, Any]) -> Column:
    told = definition.get("FormatName")
    form = told.get("Value") if isinstance(told, dict) else definition.get("Format", "Text")
    if form not in ("Text", "Email", "Url", "Phone", "TextArea"):
        raise wrong("FormatName is Text, TextArea, Email, Phone or Url.")
    return Column(
        kind=Kind.STRING, max_length=int(_number(definition, "MaxLength", 1, 4000)), format=form, **common
    )


def _memo(definition: Definition, common: dict[str, Any]) -> Column:
    length = int(_number(definition, "MaxLength", 1, 1_048_576))
    return Column(kind=Kind.MEMO, max_length=length, format="TextArea", **common)


def _datetime(definition: Definition, common: dict[str, Any]) -> Column:
    form = definition.get("Format", "DateAndTime")
    told = definition.get("DateTimeBehavior")
    behavior = told.get("Value") if isinstance(told, dict) else "UserLocal"
    if form not in ("DateAndTime", "DateOnly") or behavior not in ("UserLocal", "DateOnly"):
        raise silent("This Format or DateTimeBehavior")
    if behavior == "DateOnly" and form != "DateOnly":
        raise wrong("DateOnly behavior needs the format DateOnly.")
    return Column(kind=Kind.DATE if behavior == "DateOnly" else Kind.DATETIME, format=form, **common)


def _integer(definition: Definition, common: dict[str, Any]) -> Column:
    least, most = -2147483648, 2147483647
    return Column(
        kind=Kind.INTEGER,
        minimum=int(_number(definition, "MinValue", least, most, least)),
        maximum=int(_number(definition, "MaxValue", least, most, most)),
        **common,
    )


def _fraction(kind: Kind, precision: int) -> Callable[[Definition, dict[str, Any]], Column]:
    def make(definition: Definition, common: dict[str, Any]) -> Column:
        most = 100_000_000_000
        return Column(
            kind=kind,
            minimum=int(_number(definition, "MinValue", -most, most, -most)),
            maximum=int(_number(definition, "MaxValue", -most, most, most)),
            precision=int(_number(definition, "Precision", 0, precision, 2)),
            **common,
        )

    return make


def _boolean(definition: Definition, common: dict[str, Any]) -> Column:
    told = definition.get("OptionSet")
    if not isinstance(told, dict) or not kind_of(told).endswith("BooleanOptionSetMetadata"):
        raise wrong("A Boolean attribute needs an OptionSet with TrueOption and FalseOption.")
    labels = {}
    for value, name in ((0, "FalseOption"), (1, "TrueOption")):
        option = told.get(name)
        if not isinstance(option, dict) or option.get("Value") != value:
            raise wrong(f"{name} must have the value {value}.")
        labels[value] = label(option, "Label")
    return Column(
        kind=Kind.BOOLEAN, labels=labels, default=definition.get("DefaultValue", False) is True, **common
    )


def _picklist(definition: Definition, common: dict[str, Any]) -> Column:
    told = definition.get("OptionSet")
    options = told.get("Options") if isinstance(told, dict) else None
    if not isinstance(told, dict) or told.get("IsGlobal") is not False or not isinstance(options, list):
        raise silent("A choice without a local OptionSet")
    labels: dict[int, str] = {}
    for option in options:
        value = option.get("Value") if isinstance(option, dict) else None
        if not isinstance(value, int) or isinstance(value, bool) or value in labels:
            raise wrong("An option needs a whole number of its own as Value.")
        labels[value] = label(option, "Label")
    return Column(kind=Kind.PICKLIST, labels=labels, **common)


_RANGE = frozenset(("MinValue", "MaxValue", "Precision", "ImeMode"))
_TEXT = frozenset(("MaxLength", "FormatName", "Format", "ImeMode"))
_MAKERS: dict[str, tuple[Callable[[Definition, dict[str, Any]], Column], frozenset[str]]] = {
    "StringAttributeMetadata": (_string, _TEXT),
    "MemoAttributeMetadata": (_memo, _TEXT),
    "DateTimeAttributeMetadata": (_datetime, frozenset(("Format", "DateTimeBehavior", "ImeMode"))),
    "IntegerAttributeMetadata": (_integer, _RANGE | {"Format"}),
    "DecimalAttributeMetadata": (_fraction(Kind.DECIMAL, 10), _RANGE),
    "DoubleAttributeMetadata": (_fraction(Kind.DOUBLE, 5), _RANGE),
    "BooleanAttributeMetadata": (_boolean, frozenset(("OptionSet", "DefaultValue"))),
    "PicklistAttributeMetadata": (_picklist, frozenset(("OptionSet", "DefaultFormValue"))),
}
