"""Campaign errors by what must happen next.

The gateway answers JSON, the engine lines of text; an engine 500 is often a permanent data error, so the text
decides before the status (adobe.md B.8). The texts repeat values: only codes are kept, and names of fields
that were sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection

from sync.errors import SyncError
from sync.http import Answer

_CODES = re.compile(r"\b(?:RST|PGS|XTK|NMS|SCM|WDB|ORA)-\d{6}\b")
_FIELDS = re.compile(r"'@?(\w+)' (?:field|property)|column \"?(\w+)\"?")

_DATA: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"Cannot update key '"), "key_change"),
    (re.compile(r"with the same key '|duplicate key value violates unique constraint"), "duplicate_key"),
    (re.compile(r"' enumeration of the '"), "enumeration_value"),
    (re.compile(r"property that is read-only"), "read_only_field"),
    (re.compile(r"' property is not valid for the '"), "unknown_field"),
    (
        re.compile(
            r"value too long for type|exceeds? the maximum (?:length|size)|is (?:too long|longer than)"
        ),
        "value_too_long",
    ),
    (re.compile(r"is not valid for the '@"), "value_refused"),
    (re.compile(r"XTK-170006|XTK-170037|invalid input syntax for|out of range"), "value_refused"),
)
_BAD_KEY = re.compile(r"XTK-170036[^\n]*'@id = |^[^\n]*Unable to decrypt PKey")
"""The last part of the URL is neither a PKey nor an identification key (Standard, v8)."""
_GENERAL = "An error has occurred - please contact your administrator."
"""All that v8 says of most data it refuses; Standard puts a code before it and the reason behind it."""
_NO_DOCUMENT = "Unable to find document"
_LOST_ROUTE = "Check your URI"


def error_from(answer: Answer, *, fields: Collection[str] = (), by_key: bool = False) -> SyncError:
    """The error for an answer that is no success.

    `fields`: the names sent; `by_key`: the URL addressed the record by its external id, not by PKey.
    """
    text, status = answer.text, answer.status
    if (gateway := _gateway(text)) is not None:
        return _of_gateway(answer, gateway, lost_route=_LOST_ROUTE in text)
    codes = tuple(dict.fromkeys(_CODES.findall(text)))
    detail = " ".join((*codes, *_named(text, fields))) or f"HTTP {status}"
    if codes or _GENERAL in text:
        # Before anything that stops the flow or means "absent": these texts repeat a value, which could say that.
        for pattern, code in _DATA:
            if pattern.search(text):
                return SyncError(code, detail, status=status)
    if _BAD_KEY.search(text):
        return SyncError("no_addressing" if by_key else "not_found", detail, status=status)
    if status == 404 and _NO_DOCUMENT in text:
        return SyncError("not_found", detail, status=status)
    if status == 404:
        # Not the engine's "no such document": a delete must not take a wrong address for success.
        return SyncError("campaign_wrong_address", detail, status=status)
    if status == 403:
        return SyncError("campaign_forbidden", detail, status=status)
    if status >= 500 and not codes and _GENERAL in text:
        return SyncError("campaign_unexplained", detail, status=status)
    code = "campaign_refused" if 400 <= status < 500 else "campaign_error"
    return SyncError(code, detail, status=status)


def _named(text: str, fields: Collection[str]) -> list[str]:
    """The fields the text speaks of, as far as we sent them: anything else could be a value."""
    found = (name for pair in _FIELDS.findall(text) for name in pair)
    return [name for name in dict.fromkeys(found) if name in fields]


def _gateway(text: str) -> str | None:
    """The gateway's error code, or None if the text is not the gateway's."""
    try:
        content = json.loads(text)
    except ValueError:
        return None
    if not isinstance(content, dict):
        return None
    code = str(content.get("error_code", content.get("code", "")))
    return code if code.isdigit() else ""


def _of_gateway(answer: Answer, code: str, *, lost_route: bool) -> SyncError:
    detail = f"gateway {code or answer.status}"
    if answer.status >= 500 and answer.write:
        return answer.lost(detail)
    if answer.status >= 500:
        # What the gateway says of a tenant it does not know (adobe.md B.8); a write might still have been routed.
        unrouted = "campaign_wrong_address" if lost_route else "campaign_error"
        return SyncError(unrouted, detail, status=answer.status)
    if answer.status == 403:
        return SyncError("campaign_forbidden", detail, status=403)
    if answer.status in (400, 404, 405):
        return SyncError("campaign_wrong_address", detail, status=answer.status)
    return SyncError("campaign_refused", detail, status=answer.status)
