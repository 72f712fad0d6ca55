"""Dataverse errors by what must happen next: the code decides before the status (dataverse.md 1.4, 6)."""

from __future__ import annotations

import json
import re

from sync.errors import SyncError
from sync.http import Answer

_BY_CODE = {
    "0x80044352": "delta_expired",
    "0x80044183": "delta_expired",
    "0x80072491": "change_tracking_off",
    "0x80072492": "change_tracking_off",
    "0x80072494": "dynamics_busy",
    "0x80090412": "dynamics_busy",
    "0x80071154": "dynamics_busy",
    "0x80044150": "dynamics_busy",
    "0x80044151": "dynamics_busy",
    "0x80040216": "dynamics_busy",
    "0x80040217": "dynamics_not_found",
    "0x80060891": "dynamics_not_found",
    "0x80060882": "dynamics_conflict",
    "0x80060883": "dynamics_conflict",
    "0x8006088d": "dynamics_refused",
    "0x80060892": "dynamics_duplicate",
    "0x80040237": "dynamics_duplicate",
    "0x80040333": "dynamics_duplicate",
    "0x80044331": "dynamics_value_refused",
    "0x80040265": "dynamics_value_refused",
    "0x8006088a": "unknown_table",
    "0x80040220": "dynamics_forbidden",
    "0x80042f09": "dynamics_forbidden",
    "0x80048306": "dynamics_forbidden",
    "0x80050401": "dynamics_full",
    "0x80050402": "dynamics_full",
}
_BY_STATUS = {403: "dynamics_forbidden", 404: "dynamics_not_found", 412: "dynamics_conflict"}
_UNKNOWN_COLUMN = re.compile(
    r"Could not find a property named '(\w+)' on type|Invalid property '(\w+)' was found in entity"
)
_LINK = re.compile(r"version stamp|deltatoken", re.IGNORECASE)
_HEX = re.compile(r"0x[0-9a-f]{8}")


def error_from(answer: Answer, *, link: bool = False) -> SyncError:
    """The error for an answer that is no success; `link`: a delta or next link was being followed.

    Of the service's text only the error code and a column name are kept: messages repeat values.
    """
    hex_code, message = _parts(answer.body)
    detail = hex_code or f"HTTP {answer.status}"
    code = _BY_CODE.get(hex_code)
    if code is not None and (code != "delta_expired" or link):
        return SyncError(code, detail, status=answer.status)
    if column := _UNKNOWN_COLUMN.search(message):
        return SyncError("unknown_column", column[1] or column[2], status=answer.status)
    if link and 400 <= answer.status < 500 and _LINK.search(message):
        return SyncError("delta_expired", detail, status=answer.status)
    if answer.write and hex_code == "0x80048d19":
        return SyncError("dynamics_value_refused", detail, status=answer.status)
    if answer.status in _BY_STATUS:
        return SyncError(_BY_STATUS[answer.status], detail, status=answer.status)
    code = "dynamics_refused" if 400 <= answer.status < 500 else "dynamics_error"
    return SyncError(code, detail, status=answer.status)


def _parts(body: bytes) -> tuple[str, str]:
    """Error code as lower-case hex, and the message; both empty if the body is not Dataverse's."""
    try:
        error = json.loads(body)["error"]
        code, message = str(error.get("code", "")), str(error.get("message", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", ""
    if re.fullmatch(r"-\d{1,10}", code):
        code = f"0x{int(code) & 0xFFFFFFFF:08x}"
    found = _HEX.fullmatch(code.lower())
    return (found[0] if found else ""), message
