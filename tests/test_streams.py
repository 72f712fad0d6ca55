"""Every golden stream of `tests/streams` ends as its last lines say."""

from __future__ import annotations

import pytest

from tests.simulation.streams import names, play


@pytest.mark.parametrize("name", names())
def test_golden_stream(name: str) -> None:
    assert play(name) == ""
