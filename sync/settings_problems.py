"""What can be wrong with settings, in words for the person who sets them; never a value."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sync.errors import SyncError

PREFIXES = ("DYNAMICS_", "CAMPAIGN_", "EVENTS_", "CONSENT_", "DELETE_BRAKE_")
"""A name that begins so is meant for the sync; others belong to Azure, the machine or somebody else."""
KINDS = {
    "int_parsing": "Give a whole number",
    "int_from_float": "Give a whole number",
    "float_parsing": "Give a number",
    "bool_parsing": "Give true or false",
}
"""By pydantic's error type."""
LIMITS = {
    "greater_than": "Give a number above {gt:g}",
    "greater_than_equal": "Give a number of {ge:g} or more",
    "less_than_equal": "Give a number of {le:g} or less",
    "literal_error": "Give one of {expected}",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One setting that is missing or wrong; never its value."""

    name: str
    what: str
    fix: str


class SettingsInvalid(SyncError):
    """Everything that is missing or wrong, in one error."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("settings_invalid", ", ".join(problem.name for problem in problems))

    def __str__(self) -> str:
        lines = (f"  {problem.name}: {problem.what}. {problem.fix}" for problem in self.problems)
        return f"settings_invalid: {len(self.problems)} setting(s) missing or wrong:\n" + "\n".join(lines)


def unresolved(name: str) -> Problem:
    """A value that still reads as a Key Vault reference."""
    return Problem(
        name,
        "still reads as a Key Vault reference",
        "Check the secret's name, that the app's identity may read it, and keyVaultReferenceIdentity",
    )


def wrong(name: str, kind: str, limits: dict[str, Any], message: str, default: object) -> Problem:
    """A value of the wrong kind or size: pydantic's type, context and message of the error, and the default."""
    if kind == "string_pattern_mismatch":
        return Problem(name, "is no schedule", "Give six fields, seconds first, such as */15 * * * * *")
    if kind in LIMITS:
        return Problem(name, "has a wrong value", LIMITS[kind].format(**limits))
    if kind in KINDS:
        example = "" if isinstance(default, bool) else f", such as {default:g}"
        return Problem(name, "has a wrong value", KINDS[kind] + example)
    return Problem(name, "has a wrong value", message.removeprefix("Value error, "))


def unknown(names: Iterable[str], known: Collection[str]) -> list[Problem]:
    """Names that are meant for the sync and that it does not have: misspelt, or of another version."""
    found = []
    for name in sorted(names):
        if name in known or not name.startswith(PREFIXES):
            continue
        close = difflib.get_close_matches(name, known, 1, 0.8)
        fix = f"Did you mean {close[0]}?" if close else "docs/settings.md lists all."
        found.append(Problem(name, "is no setting of the sync and has no effect", fix))
    return found
