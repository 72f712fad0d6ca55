"""Whoever asks for `dialect` runs on both generations of Campaign."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.campaign.instance import spoken


@pytest.fixture(params=["standard", "v8"])
def dialect(request: pytest.FixtureRequest) -> Iterator[str]:
    spoken.append(request.param)
    yield request.param
    spoken.pop()
