"""Every golden stream of `tests/streams` ends as its last lines say."""

from __future__ import annotations

import pytest

from tests.simulation import streams
from tests.simulation.consent import streams as consent_streams
from tests.simulation.entities import streams as entity_streams


@pytest.mark.parametrize("name", streams.names())
def test_golden_stream(name: str) -> None:
    assert streams.play(name) == ""


@pytest.mark.parametrize("name", consent_streams.names())
def test_golden_stream_of_consent(name: str) -> None:
    assert consent_streams.play(name) == ""


@pytest.mark.parametrize("name", entity_streams.names())
def test_golden_stream_of_parents_and_children(name: str) -> None:
    assert entity_streams.play(name) == ""
