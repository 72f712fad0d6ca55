"""What an environment says about itself."""

from __future__ import annotations

import pytest

from sync.dynamics.metadata import ColumnInfo, Metadata
from sync.errors import SyncError
from tests.dynamics.organization import Organization


async def test_columns_have_types_and_lengths() -> None:
    columns = await Metadata(Organization().client).attributes("contact")
    assert columns["firstname"] == ColumnInfo("firstname", "String", 50, "Text")
    assert (columns["emailaddress1"].max_length, columns["emailaddress1"].format) == (100, "Email")
    assert columns["description"].max_length == 2000
    assert (columns["birthdate"].type, columns["birthdate"].behavior) == ("DateTime", "DateOnly")
    assert dict(columns["gendercode"].options) == {1: "Male", 2: "Female"}
    assert columns["parentcustomerid"].type == "Customer"


async def test_a_table_says_how_it_is_addressed_and_whether_it_tracks_changes() -> None:
    organization = Organization()
    metadata = Metadata(organization.client)
    table = await metadata.table("contact")
    assert (table.entity_set, table.key_column, table.change_tracking) == ("contacts", "contactid", True)
    organization.service.tracking(False)
    assert not await metadata.change_tracking("contact")
    with pytest.raises(SyncError) as caught:
        await metadata.table("contcat")
    assert caught.value.code == "unknown_table"


async def test_the_life_of_a_delta_link_is_told() -> None:
    organization = Organization()
    metadata = Metadata(organization.client)
    assert await metadata.token_days() == 7
    organization.service.environment(expire_change_tracking_in_days=30)
    assert await metadata.token_days() == 30


async def test_privileges_have_depths() -> None:
    organization = Organization()
    organization.service.privileges(prvReadContact="Local")
    assert (await Metadata(organization.client).privileges())["prvReadContact"] == "Local"


@pytest.mark.parametrize("name", ["contact')/Keys", "", "co ntact"])
async def test_a_name_that_is_none_is_not_asked_for(name: str) -> None:
    organization = Organization()
    with pytest.raises(SyncError) as caught:
        await Metadata(organization.client).table(name)
    assert (caught.value.code, organization.targets) == ("unknown_table", [])
