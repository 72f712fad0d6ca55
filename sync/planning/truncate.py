"""Cuts a text to a number of characters without leaving half a character behind."""

from __future__ import annotations

import unicodedata

_JOINER = "\u200d"


def truncate(text: str, length: int) -> str:
    """The longest start of `text` of at most `length` code points that ends between two visible characters.

    Accents, emoji sequences, flags and Hangul jamo stay whole; white space at the new end goes. A single visible
    character longer than `length` is cut hard, since nothing would be left.
    """
    if len(text) <= length:
        return text
    cut = length
    while cut and not _between(text, cut):
        cut -= 1
    return text[: cut or length].rstrip()


def _between(text: str, at: int) -> bool:
    """Whether a visible character ends before `at` (a practical subset of Unicode's UAX #29)."""
    after = text[at]
    if text[at - 1] == _JOINER or _extends(after):
        return False
    if _flag_letter(after):
        start = at
        while start and _flag_letter(text[start - 1]):
            start -= 1
        return (at - start) % 2 == 0
    return True


def _extends(char: str) -> bool:
    """Belongs to the character before it: marks, joiner, skin tones, tags, Hangul vowels and finals."""
    if char < "\u0300":
        return False
    return (
        char == _JOINER
        or unicodedata.category(char).startswith("M")
        or "\u1160" <= char <= "\u11ff"
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\U000e0020" <= char <= "\U000e007f"
    )


def _flag_letter(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
