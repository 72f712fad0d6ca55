"""A mapping's resource is found out from Campaign once per worker, within the budget."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.calls import Bench
from sync.campaign.records import Addressing
from sync.errors import SyncError


async def refusal(bench: Bench, resource: str) -> str:
    with pytest.raises(SyncError) as caught:
        await bench.app.context.targets.of(resource, "externalId", bench.app.context.spend)
    return caught.value.code


async def test_profiles_are_asked_for_once_by_all_chunks_together() -> None:
    bench = Bench(addressing="filter")
    context = bench.app.context
    await asyncio.gather(*(context.know_addressing() for _ in range(5)))
    assert context.profiles.addressing is Addressing.FILTER
    assert [entry.note for entry in bench.campaign.log if entry.note != "token"] == [
        "profile.get",
        "profile.lookup",
    ]


async def test_each_call_that_asks_takes_a_permit() -> None:
    bench = Bench(addressing="filter", CAMPAIGN_BURST="10")
    await bench.app.context.know_addressing()
    assert await bench.app.context.budget.used() == pytest.approx(2 / 10, abs=0.001)


async def test_a_resource_that_cannot_be_used_is_believed_for_a_minute() -> None:
    bench = Bench(addressing="key")
    assert await refusal(bench, "cusNothing") == "resource_missing"
    assert await refusal(bench, "cusVehicle") == "no_addressing"
    asked = len(bench.campaign.log)
    assert await refusal(bench, "cusVehicle") == "no_addressing"
    assert len(bench.campaign.log) == asked
    bench.clock.at += 61
    assert await refusal(bench, "cusVehicle") == "no_addressing"
    assert len(bench.campaign.log) > asked
