"""Fixtures of the command line's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.office import WorkingClock


@pytest.fixture
def nobody_works(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """While a plan waits, the function app of these tests does nothing."""

    async def sleep(self: WorkingClock, seconds: float) -> None:
        self._office.clock.advance(seconds)

    monkeypatch.setattr(WorkingClock, "sleep", sleep)
    yield
