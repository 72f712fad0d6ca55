"""What a Campaign record holds against what map(source) says: pure, and aware of how Campaign rewrites values.

Data policies change a value when it is written (adobe.md B.3), a null reads as "", 0 or false, and a date-time comes back
with a blank for its T (B.5). Only what no such rule explains is a difference.
"""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sync.model import LedgerRow, SourceRow, State
from sync.planning.compile import CompiledMapping
from sync.planning.rows import resolved
from sync.planning.ties import as_sent

_SPACE = re.compile(r"\s+")
_NO_SIGN = re.compile(r"[\s./()\[\]\-]")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_CASES = ("smartcase", "lowercase", "uppercase")
_NONE = ("", "none", "0")


class Found(enum.StrEnum):
    """How one record stands on both sides."""

    AGREES = "agrees"
    MISSING = "missing"
    """Sent, and not in Campaign."""
    STALE = "stale"
    """Campaign holds something else, and Dynamics has changed since it was sent: perhaps still under way."""
    EDITED = "edited"
    """Campaign holds something else than what was sent last: somebody edited it there."""
    EXTRA = "extra"
    """In Campaign with the key of a record that is not in Dynamics, or of an erased person."""
    REWRITTEN = "rewritten"
    """Differs again in the same fields right after it was healed: Campaign rewrites what it is sent."""
    LEFT = "left"
    """Not compared: it waits, is set aside, deleted, or in work just now."""


DIFFERS = (Found.MISSING, Found.STALE, Found.EDITED)
"""What healing sends again."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of a record, and the names of the fields that differ (never a value)."""

    found: Found
    fields: tuple[str, ...] = ()


def judge(
    source: SourceRow | None,
    row: LedgerRow,
    shown: Mapping[str, Any] | None,
    compiled: CompiledMapping,
    policies: Mapping[str, str],
    written_once: Collection[str] = (),
) -> Verdict:
    """Compare a record that the ledger says is in Campaign; `shown` None: it is not there.

    `written_once`: items that this generation of Campaign never updates; they are not compared.
    """
    if row.state is not State.SYNCED or not resolved(row) or source is None:
        return Verdict(Found.LEFT)
    projection = compiled.project(source.values, row.record_id)
    if projection.problem is not None or not projection.wanted:
        return Verdict(Found.LEFT)
    projection = as_sent(projection, row)
    if shown is None:
        return Verdict(Found.MISSING)
    expected = {name: value for name, value in projection.update.items() if name not in written_once}
    fields = differing(expected, shown, policies)
    if not fields:
        return Verdict(Found.AGREES)
    return Verdict(Found.EDITED if projection.hash == row.hash else Found.STALE, fields)


def differing(
    expected: Mapping[str, Any], shown: Mapping[str, Any], policies: Mapping[str, str]
) -> tuple[str, ...]:
    """Paths of the fields in `expected` (the body of an update) of which `shown` says something else."""
    found: list[str] = []
    for name, value in expected.items():
        if isinstance(value, Mapping):
            inner = shown.get(name)
            known = inner if isinstance(inner, Mapping) else {}
            found += [
                f"{name}.{part}"
                for part, one in value.items()
                if not equal(one, known.get(part), policies.get(f"{name}.{part}", ""))
            ]
        elif not equal(value, shown.get(name), policies.get(name, "")):
            found.append(name)
    return tuple(sorted(found))


def equal(sent: Any, shown: Any, policy: str = "") -> bool:
    """Whether Campaign shows what it was sent, as far as its rules let one see."""
    if _null(sent) and _null(shown):
        return True
    if isinstance(sent, bool) or isinstance(shown, bool):
        return _truth(sent) is not None and _truth(sent) == _truth(shown)
    if isinstance(sent, int | float) or isinstance(shown, int | float):
        return _same_number(sent, shown)
    one, other = str(sent), str(shown)
    return one == other or _under(one, policy) == _under(other, policy) or _same_time(one, other)


def _null(value: Any) -> bool:
    return value is None or value == "" or value is False or (isinstance(value, int | float) and value == 0)


def _truth(value: Any) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())


def _same_number(one: Any, other: Any) -> bool:
    try:
        return math.isclose(float(one), float(other), rel_tol=1e-9)
    except (TypeError, ValueError):
        return False


def _under(text: str, policy: str) -> str:
    """The text as far as a data policy leaves it recognizable; white space at the ends or doubled never counts."""
    plain = _SPACE.sub(" ", text).strip()
    name = policy.lower()
    if name in _NONE:
        return plain
    if name in _CASES or name == "email":
        return plain.casefold()
    if name == "phone":
        return _NO_SIGN.sub("", plain)
    # A policy nobody has told us of: what is left of any rewriting are its letters and digits.
    return "".join(character for character in plain.casefold() if character.isalnum())


def _same_time(one: str, other: str) -> bool:
    if not (_TIME.fullmatch(one) and _TIME.fullmatch(other)):
        return False
    try:
        return _instant(one) == _instant(other)
    except ValueError:
        return False


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
