"""One line of `doctor`."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from sync.errors import SyncError


class Level(enum.StrEnum):
    """Green, yellow, red, and not looked at: something before it failed, or it is off."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Finding:
    """`fix` says what to do about a yellow or red one; `code` is the catalogue's, where there is one.

    `within`: the target of the mapping's field that it is about, or FILTER.
    """

    area: str
    name: str
    level: Level
    text: str
    fix: str = ""
    code: str = ""
    within: str = ""


FILTER = "filter:"
"""No target has such a name."""


def good(area: str, name: str, text: str) -> Finding:
    return Finding(area, name, Level.OK, text)


def warn(area: str, name: str, text: str, fix: str, code: str = "", within: str = "") -> Finding:
    return Finding(area, name, Level.WARN, text, fix, code, within)


def bad(area: str, name: str, text: str, fix: str, code: str = "", within: str = "") -> Finding:
    return Finding(area, name, Level.FAIL, text, fix, code, within)


def skipped(area: str, name: str, why: str) -> Finding:
    return Finding(area, name, Level.SKIP, f"not checked: {why}")


def of_error(area: str, name: str, error: SyncError) -> Finding:
    """A red line in the catalogue's words."""
    detail = f" ({error.detail})" if error.detail else ""
    return bad(area, name, error.entry.meaning + detail, error.entry.fix, error.code)


def any_red(findings: Iterable[Finding]) -> bool:
    return any(finding.level is Level.FAIL for finding in findings)
