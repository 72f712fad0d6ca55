"""Cutting leaves no half character behind."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.planning.truncate import truncate


@given(st.text(), st.integers(1, 20))
def test_a_cut_text_is_a_start_within_the_length(text: str, length: int) -> None:
    short = truncate(text, length)
    assert len(short) <= length
    assert text.startswith(short)
    assert short == text or short == short.rstrip()
    assert truncate(short, length) == short


@given(
    st.text(st.characters(categories=("L", "N", "P"), max_codepoint=0x10FF), min_size=1), st.integers(1, 20)
)
def test_plain_letters_fill_the_length(text: str, length: int) -> None:
    assert truncate(text, length) == text[:length]


@given(
    st.lists(
        st.sampled_from(["a", "e\u0301", "👩\u200d🚀", "🇩🇪", "👋🏽", "한", "ᄒ\u1161\u11ab", "❤\ufe0f"]),
        max_size=12,
    ),
    st.integers(7, 20),
)
def test_visible_characters_stay_whole(parts: list[str], length: int) -> None:
    starts = {"".join(parts[:count]) for count in range(len(parts) + 1)}
    short = truncate("".join(parts), length)
    assert short in starts
    assert not any(short < start and len(start) <= length and start.startswith(short) for start in starts)


@pytest.mark.parametrize(
    ("text", "length", "short"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "abc"),
        ("ab cd", 3, "ab"),
        ("ab\u0301", 2, "a"),
        ("a🇩🇪🇫🇷", 4, "a🇩🇪"),
        ("🏴\U000e0067\U000e0062\U000e007f!", 2, "🏴\U000e0067"),
    ],
)
def test_cuts(text: str, length: int, short: str) -> None:
    assert truncate(text, length) == short


def test_one_endless_character_is_cut_hard() -> None:
    endless = "a" + "\u0301" * 50
    assert truncate(endless, 10) == endless[:10]
    assert all(unicodedata.combining(mark) for mark in endless[1:])
