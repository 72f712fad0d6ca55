"""Whether a walk along next links comes round: one remembered link is enough, whatever the length of the circle.

The link after 1, 2, 4, 8, … pages is remembered; in a circle the walk meets it again before twice as many pages (Brent).
"""

from __future__ import annotations

import hashlib


def mark_of(link: str) -> str:
    """What is remembered of a link: links are long, and hold tokens."""
    return hashlib.blake2b(link.encode(), digest_size=8).hexdigest()


def next_mark(mark: str, pages: int, link: str) -> str | None:
    """The mark after `pages` pages, the last of which named `link` as the next; None if the walk comes round."""
    found = mark_of(link)
    if found == mark:
        return None
    return found if pages & (pages - 1) == 0 else mark
