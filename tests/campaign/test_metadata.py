"""What Campaign tells about a resource's fields."""

from __future__ import annotations

import pytest

from sandbox.wire import Fault
from sync.campaign.metadata import FieldInfo
from sync.errors import SyncError
from tests.campaign.instance import Instance

pytestmark = pytest.mark.usefixtures("dialect")


async def test_fields_have_types_lengths_and_enumerations() -> None:
    fields = await Instance().client.metadata()
    assert fields["email"] == FieldInfo("email", "string", "string", 128, policy="email")
    assert fields["location.city"].length == 100
    assert fields["gender"].values == ("unknown", "male", "female")
    assert fields["age"].read_only
    assert (fields["birthDate"].res_type, fields["created"].res_type) == ("date", "datetime")
    assert "location" not in fields
    assert "cusCrmNumber" in fields


@pytest.mark.parametrize(
    "values",
    [
        '[{"name":"a"},{"name":"b"}]',
        '["a","b"]',
        '{"a":{"label":"A"},"b":{}}',
        '{"content":[{"name":"a"},{"name":"b"}]}',
    ],
)
async def test_enumerations_are_read_in_every_shape(values: str) -> None:
    instance = Instance()
    body = f'{{"content":{{"gender":{{"type":"enumeration","values":{values}}}}}}}'
    instance.service.faults.add(Fault("status", path="resourceType", status=200, body=body))
    assert (await instance.client.metadata())["gender"].values == ("a", "b")


async def test_metadata_of_another_shape_is_not_used() -> None:
    instance = Instance()
    instance.service.faults.add(Fault("status", path="resourceType", status=200, body='{"content":[]}'))
    with pytest.raises(SyncError) as caught:
        await instance.client.metadata()
    assert caught.value.code == "campaign_garbled"
