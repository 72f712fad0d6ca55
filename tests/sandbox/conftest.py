"""A fresh probe app for each test of the host."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sandbox.probe import Probe


@pytest.fixture
def probe(azurite_connection: str, unique_name: Callable[[str], str], tmp_path: Path) -> Probe:
    return Probe(azurite_connection, unique_name("work"), tmp_path / "record.jsonl")
