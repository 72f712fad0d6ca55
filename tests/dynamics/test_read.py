"""Reads beside the delta: by ids, since a time, ids alone, who we are."""

from __future__ import annotations

import pytest

from sandbox.dynamics.options import DynamicsOptions
from sandbox.wire import Fault
from sync.errors import SyncError
from tests.dynamics.organization import COLUMNS, Organization

NOBODY = "00000000-0000-4000-8000-00000000000f"


async def test_ids_are_read_in_one_request_and_absent_ones_are_absent() -> None:
    organization = Organization()
    ids = organization.seed("a", "b", "c")
    rows = await organization.client.read("contacts", "contactid", COLUMNS, [ids[2], NOBODY, ids[0].upper()])
    assert {row_id: row.values["firstname"] for row_id, row in rows.items()} == {ids[0]: "a", ids[2]: "c"}
    assert len(organization.targets) == 1


async def test_fifty_ids_fit_and_more_are_refused() -> None:
    organization = Organization()
    ids = organization.seed(*(f"n{number}" for number in range(50)))
    assert len(await organization.client.read("contacts", "contactid", COLUMNS, ids)) == 50
    with pytest.raises(ValueError, match="51 ids"):
        await organization.client.read("contacts", "contactid", COLUMNS, [*ids, NOBODY])


async def test_a_read_that_the_service_pages_is_read_to_its_end() -> None:
    organization = Organization(options=DynamicsOptions(max_page=2))
    ids = organization.seed("a", "b", "c", "d", "e")
    rows = await organization.client.read("contacts", "contactid", COLUMNS, ids)
    assert sorted(rows) == sorted(ids)
    assert len(organization.targets) == 3


async def test_no_ids_cost_no_request() -> None:
    organization = Organization()
    assert await organization.client.read("contacts", "contactid", COLUMNS, []) == {}
    assert organization.targets == []


async def test_what_is_no_guid_never_reaches_a_filter() -> None:
    organization = Organization()
    with pytest.raises(ValueError, match="GUID"):
        await organization.client.read("contacts", "contactid", COLUMNS, ["x' or 1 eq 1"])
    assert organization.targets == []


async def test_a_row_read_has_the_version_of_the_read() -> None:
    organization = Organization()
    (row_id,) = organization.seed("a")
    version = organization.service.edit(row_id, {"firstname": "b"})
    row = (await organization.client.read("contacts", "contactid", COLUMNS, [row_id]))[row_id]
    assert (row.version, row.values["firstname"]) == (version, "b")


async def test_modified_since_sees_later_changes_and_pages_on() -> None:
    organization = Organization()
    organization.seed("before")
    organization.clock.advance(100)
    since = organization.clock.now()
    ids = organization.seed("x", "y", "z")
    page = await organization.client.modified_since("contacts", "contactid", COLUMNS, since + 0.7)
    found = list(page.rows)
    assert page.delta_link is None
    while page.next_link is not None:
        page = await organization.follow(page.next_link)
        found += page.rows
    assert sorted(row.record_id for row in found) == sorted(ids)


async def test_listing_ids_reads_nothing_else() -> None:
    organization = Organization(page_size=10)
    ids = organization.seed("a", "b", "c")
    page = await organization.client.list_ids("contacts", "contactid")
    assert sorted(row.record_id for row in page.rows) == sorted(ids)
    assert all(set(row.values) == {"contactid"} for row in page.rows)
    assert page.delta_link is None


async def test_the_organization_is_asked_once_in_ten_minutes() -> None:
    organization = Organization()
    first = await organization.client.organization_id()
    assert first == organization.service.options.organization_id
    organization.service.environment(id="99999999-0000-4000-8000-000000000009")
    assert await organization.client.organization_id() == first
    organization.clock.advance(601)
    assert await organization.client.organization_id() == "99999999-0000-4000-8000-000000000009"
    assert len(organization.targets) == 2


async def test_the_recommended_parallelism_is_kept() -> None:
    organization = Organization()
    assert organization.client.dop_hint is None
    await organization.client.organization_id()
    assert organization.client.dop_hint == organization.service.options.dop_hint


async def test_a_revoked_token_is_replaced_unnoticed() -> None:
    organization = Organization()
    organization.seed("a")
    await organization.start()
    organization.service.revoke_access()
    assert (await organization.start()).rows


async def test_a_wrong_secret_stops_the_flow() -> None:
    organization = Organization(secret="wrong-canary")
    with pytest.raises(SyncError) as caught:
        await organization.start()
    assert caught.value.code == "dynamics_unauthorized"
    assert "canary" not in str(caught.value)


async def test_an_answer_that_never_comes_is_a_read_to_repeat() -> None:
    organization = Organization()
    organization.service.faults.add(Fault("delay", path="contacts", delay_s=31))
    organization.service.faults.add(Fault("drop_after", path="contacts"))
    for _ in range(2):
        with pytest.raises(SyncError) as caught:
            await organization.start()
        assert caught.value.code == "dynamics_unreachable"
