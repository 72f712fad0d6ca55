"""What happens to a value before its type is looked at: replacements, labels, the parts of a multi-select choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sync.planning.convert import Converter, Flagged, null_of, typed
from sync.planning.fields import FieldMap, LinkField, StringField
from sync.planning.functions import Unusable, text

Labels = Mapping[str, Mapping[int, Mapping[int, str]]]
"""Labels of choices by column, language (LCID; 0: the application user's) and value."""
NO_LABELS: Labels = {}
_UNKNOWN = object()


def converter(field: FieldMap, labels: Labels = NO_LABELS) -> Converter:
    """The whole converter of one field."""
    convert = typed(field)
    one = _one(field, labels)
    if one is None:
        return convert
    missing = Flagged(null_of(field), "label_missing", True)
    if field.invalid == "blank":
        missing = Flagged(null_of(field), "blanked_invalid")
    separator = field.separator if isinstance(field, StringField) else None
    if separator is None and _names(field, labels) is None:
        # Nothing is missing where no label is asked for.
        return lambda value: convert(one(value))

    def single(value: Any) -> Any:
        found = one(value)
        return missing if found is _UNKNOWN else convert(found)

    def several(value: Any) -> Any:
        if value is None or value == "":
            return convert(None)
        try:
            found = [one(part) for part in sorted(int(part) for part in value.split(","))]
            return missing if _UNKNOWN in found else convert(str(separator).join(map(text, found)))
        except (ValueError, AttributeError, Unusable):
            return convert(_UNKNOWN)

    return single if separator is None else several


def _one(field: FieldMap, labels: Labels) -> Callable[[Any], Any] | None:
    """What one value becomes: its replacement, else its label, else itself; None where nothing is to be done."""
    replace = None if isinstance(field, LinkField) else getattr(field, "replace", None)
    by_type: dict[type, dict[Any, Any]] = {}
    for option, new in (replace or {}).items():
        by_type.setdefault(type(option), {})[option] = new
    otherwise = getattr(field, "otherwise", None)
    names = _names(field, labels)
    if not by_type and names is None:
        return (lambda value: value) if isinstance(field, StringField) and field.separator else None

    def one(value: Any) -> Any:
        if value is None or value == "":
            return None
        known = by_type.get(value.__class__)
        if known is not None:
            found = known.get(value.strip() if value.__class__ is str else value, _UNKNOWN)
            if found is not _UNKNOWN:
                return found
        if otherwise is not None:
            return otherwise
        if names is None:
            return value
        return names.get(value, _UNKNOWN) if value.__class__ in (int, bool) else _UNKNOWN

    return one


def _names(field: FieldMap, labels: Labels) -> Mapping[int, str] | None:
    """The labels that the field asks for; None if it asks for none. True and false are 1 and 0."""
    if not isinstance(field, StringField) or field.label is False:
        return None
    language = 0 if field.label is True else int(field.label)
    return labels.get(field.source or "", {}).get(language, {})
