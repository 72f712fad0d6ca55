"""What a quarantine code means and how it is mended, as `docs/errors.md` tells a person."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ERRORS = Path(__file__).resolve().parent.parent.parent / "docs" / "errors.md"


@dataclass(frozen=True, slots=True)
class Advice:
    """Meaning and fix of a code."""

    meaning: str
    fix: str


def advice(code: str, text: str | None = None) -> Advice:
    """The entry of a code; an unknown one is told as such."""
    text = ERRORS.read_text(encoding="utf-8") if text is None else text
    found = re.search(rf"^### {re.escape(code)}\n\n(.*?) Reaction: .*?^- Fix: (.*?)$", text, re.M | re.S)
    return (
        Advice(found[1], found[2]) if found else Advice(f"{code}: not in docs/errors.md", "Report this code.")
    )
