"""A walk that comes round is noticed soon, and no other one is called so."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync.planning.cycle import next_mark


def noticed(links: list[str]) -> int | None:
    """After how many pages a walk along these links is called a circle."""
    mark = ""
    for pages, link in enumerate(links, 1):
        after = next_mark(mark, pages, link)
        if after is None:
            return pages
        mark = after
    return None


@given(st.integers(0, 200))
def test_a_walk_without_repetition_is_none(length: int) -> None:
    assert noticed([f"link {number}" for number in range(length)]) is None


@given(st.integers(0, 50), st.integers(1, 50))
def test_every_circle_is_noticed(tail: int, length: int) -> None:
    links = [f"tail {number}" for number in range(tail)] + [
        f"circle {number % length}" for number in range(500)
    ]
    found = noticed(links)
    assert found is not None
    assert found <= 4 * (tail + length) + 2
