"""The two generations of Campaign behind the same API, and where they differ (adobe.md D).

Campaign v8 answers as Adobe's "Recommendations & limitations" of its REST APIs says. What Adobe does not offer there at
all (marketing history, organizational units, privacy requests) the sync does not use on Campaign Standard either.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class Dialect(enum.StrEnum):
    """Which generation answers."""

    STANDARD = "standard"
    V8 = "v8"

    def filters(self, field: str) -> tuple[str, ...]:
        """Names that a published filter on a field may have, the likeliest first.

        Standard puts `by` before a filter's id. v8 takes the "Filter name in REST API" as it is; one that a migration
        brought along may still be called by its old name.
        """
        name = field[:1].upper() + field[1:]
        return (f"by{name}",) if self is Dialect.STANDARD else (name, f"by{name}")

    @property
    def written_once(self) -> frozenset[str]:
        """Items that a POST takes and a PATCH refuses: they keep the values of the create."""
        return frozenset() if self is Dialect.STANDARD else frozenset({"location"})

    def patch(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The part of an update that this generation takes."""
        left_out = self.written_once & body.keys()
        return {name: value for name, value in body.items() if name not in left_out} if left_out else body

    @staticmethod
    def of_answer(code: str, detail: str) -> Dialect | None:
        """The generation that told an unknown key apart, None if the answer does not say.

        Standard puts its engine's codes (RST-…, XTK-…) before "Unable to find document", and answers a wrong PKey with
        a 500; v8 has no codes, and "Unable to decrypt PKey" (Adobe, "Error codes and messages").
        """
        if code not in ("not_found", "no_addressing"):
            return None
        return Dialect.STANDARD if "RST-" in detail or "XTK-" in detail else Dialect.V8


@dataclass
class Instance:
    """What is known of the instance, shared by everything that talks to it; `dialect` None until an answer told."""

    dialect: Dialect | None = None
