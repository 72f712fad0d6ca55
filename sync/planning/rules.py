"""What the fields of a mapping may not do together. Works on the plain values, so that it also sees half-right files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sync.planning.rules_marks import broken_marks
from sync.planning.yaml_lines import Place

READ_ONLY_EVERYWHERE = frozenset({"PKey", "href", "created", "lastModified"})
READ_ONLY = {
    "profile": frozenset(
        {
            "acsId",
            "age",
            "blackListAllLastModified",
            "blackListEmailLastModified",
            "blackListFaxLastModified",
            "blackListLastModified",
            "blackListMobileLastModified",
            "blackListPhoneLastModified",
            "blackListPostalMailLastModified",
            "blackListPushnotificationLastModified",
            "ccpaOptOutLastModified",
            "cryptedId",
            "domain",
            "isExternal",
            "postalAddress",
            "subscriptions",
            "title",
        }
    )
}
"""What Campaign computes itself, by resource (adobe.md B.5); `doctor` compares the rest with the instance."""

Rule = Iterator[tuple[Place, str, str]]


def broken_rules(content: dict[Any, Any]) -> Rule:
    """(place, what, fix) of everything that is wrong between fields that may each be right."""
    fields = content.get("fields")
    if not isinstance(fields, list):
        return
    written = [(index, item) for index, item in enumerate(fields) if isinstance(item, dict)]
    yield from _targets(content, written)
    key = _inner(content, "source", "key")
    for index, item in written:
        if key is not None and item.get("source") == key:
            what = f"`{key}` is the key, which is always sent."
            yield ("fields", index, "source"), what, "Remove the field."
        if (
            item.get("type") == "link"
            and item.get("required") is True
            and item.get("on_parent_delete") == "clear"
        ):
            what = "a required link cannot be cleared."
            yield (
                ("fields", index, "on_parent_delete"),
                what,
                "Write `hold` or `delete`, or make it optional.",
            )
    yield from broken_marks(content, [item for _, item in written])
    if len(written) == len(fields) > 0 and all(item.get("apply_updates") is False for _, item in written):
        fix = "Leave `apply_updates: false` out where changes should reach Campaign."
        yield ("fields",), "no field is written by an update.", fix


def _targets(content: dict[Any, Any], written: list[tuple[int, dict[Any, Any]]]) -> Rule:
    key = _inner(content, "target", "key")
    resource = _inner(content, "target", "resource")
    read_only = READ_ONLY_EVERYWHERE | READ_ONLY.get(str(resource), frozenset())
    items = {str(field["target"]).split(".")[0] for _, field in written if "." in str(field.get("target"))}
    first: dict[str, int] = {}
    for index, field in written:
        target = field.get("target")
        if not isinstance(target, str):
            continue
        place = ("fields", index, "target")
        if target in first:
            other = written_at(first[target])
            yield place, f"`{target}` is already the target of {other}.", "Remove one of the two fields."
        first.setdefault(target, index)
        if target in items:
            yield place, f"`{target}` is an item of which another field writes a part.", "Map its parts only."
        if target == key:
            yield place, f"`{target}` is the key, which is always sent.", "Remove the field."
        if target.split(".")[0] in read_only:
            yield place, f"Campaign computes `{target}` itself.", "Remove the field."


def written_at(index: int) -> str:
    """How a problem names another field."""
    return f"fields {index + 1}"


def _inner(content: dict[Any, Any], part: str, key: str) -> object:
    inner = content.get(part)
    return inner.get(key) if isinstance(inner, dict) else None
