"""Finding, creating, updating and deleting profiles, in both ways of addressing."""

from __future__ import annotations

import pytest

from sandbox.wire import Fault
from sync.campaign.records import Action, Addressing, Ref
from sync.errors import SyncError, Throttled, UnknownOutcome
from tests.campaign.instance import ID, NOBODY, ORIGIN, Instance

pytestmark = pytest.mark.usefixtures("dialect")

BODY = {
    "externalId": ID,
    "firstName": "Ada",
    "lastName": "Byron",
    "gender": "female",
    "location": {"city": "Bath"},
}
BOTH = pytest.mark.parametrize("addressing", list(Addressing))


async def code_of(call: object) -> str:
    with pytest.raises(SyncError) as caught:
        await call  # type: ignore[misc]
    return caught.value.code


@BOTH
async def test_create_find_update_delete(addressing: Addressing) -> None:
    instance = Instance(addressing)
    assert await instance.client.find(ID) == ()
    made = await instance.client.create(BODY)
    (ref,) = await instance.client.find(ID)
    assert ref.pkey == made.pkey
    await instance.client.update(ref, {"lastName": "Lovelace"})
    assert instance.profile()["lastName"] == "Lovelace"
    await instance.client.delete(ref)
    assert instance.service.dump() == []


async def test_update_by_key_is_one_call() -> None:
    instance = Instance()
    await instance.client.create(BODY)
    before = len(instance.calls())
    await instance.client.update_by_key(ID, {"salutation": "Lady"})
    assert len(instance.calls()) == before + 1
    assert instance.profile()["salutation"] == "Lady"


@BOTH
async def test_every_method_is_one_call(addressing: Addressing) -> None:
    instance = Instance(addressing)
    ref = await instance.client.create(BODY)
    await instance.client.find(ID)
    await instance.client.update(ref, {"lastName": "x"})
    await instance.client.delete(ref)
    assert len(instance.calls()) == 4


async def test_what_is_not_there_is_not_found() -> None:
    instance = Instance()
    ref = await instance.client.create(BODY)
    await instance.client.delete(ref)
    assert await code_of(instance.client.update_by_key(NOBODY, {"lastName": "x"})) == "not_found"
    assert await code_of(instance.client.update(ref, {"lastName": "x"})) == "not_found"
    assert await code_of(instance.client.delete(ref)) == "not_found"


async def test_all_profiles_that_carry_the_id_are_found_by_filter() -> None:
    instance = Instance(Addressing.FILTER)
    first, second = await instance.client.create(BODY), await instance.client.create(BODY)
    assert {ref.pkey for ref in await instance.client.find(ID)} == {first.pkey, second.pkey}


async def test_a_filter_that_finds_others_is_not_believed() -> None:
    instance = Instance(Addressing.FILTER)
    answer = f'{{"content":[{{"PKey":"@a","externalId":"{ID}"}},{{"PKey":"@b","externalId":"{NOBODY}"}}]}}'
    instance.service.faults.add(Fault("status", method="GET", status=200, body=answer))
    assert await code_of(instance.client.find(ID)) == "no_addressing"


async def test_a_record_with_another_id_is_not_believed() -> None:
    instance = Instance()
    answer = f'{{"PKey":"@a","externalId":"{NOBODY}"}}'
    instance.service.faults.add(Fault("status", method="GET", status=200, body=answer))
    assert await code_of(instance.client.find(ID)) == "campaign_garbled"


async def test_delete_by_key_is_off_unless_proved() -> None:
    instance = Instance(delete_by_key=True, options={"delete_by_key": True})
    await instance.client.create(BODY)
    await instance.client.delete_by_key_of(ID)
    assert instance.service.dump() == []
    assert await code_of(instance.client.delete_by_key_of(ID)) == "not_found"
    off = Instance()
    assert await code_of(off.client.delete_by_key_of(ID)) == "no_addressing"
    assert off.calls() == []
    assert not Instance(Addressing.FILTER, delete_by_key=True).client.delete_by_key


async def test_an_instance_without_delete_by_key_says_so() -> None:
    instance = Instance(delete_by_key=True)
    await instance.client.create(BODY)
    assert await code_of(instance.client.delete_by_key_of(ID)) == "no_addressing"
    assert instance.profile()


async def test_the_key_never_travels_in_an_update() -> None:
    instance = Instance()
    ref = await instance.client.create(BODY)
    for call in (instance.client.update(ref, BODY), instance.client.update_by_key(ID, BODY)):
        with pytest.raises(ValueError, match="externalId is the key"):
            await call


@pytest.mark.parametrize(
    ("addressing", "delete_by_key", "insert", "update", "delete"),
    [(Addressing.KEY, False, 1, 1, 2), (Addressing.KEY, True, 1, 1, 1), (Addressing.FILTER, True, 2, 2, 2)],
)
def test_planned_calls(
    addressing: Addressing, delete_by_key: bool, insert: int, update: int, delete: int
) -> None:
    client = Instance(addressing, delete_by_key=delete_by_key).client
    assert [client.calls_for(action) for action in (Action.INSERT, Action.UPDATE, Action.DELETE)] == [
        insert,
        update,
        delete,
    ]


@BOTH
async def test_a_probe_finds_the_addressing_and_changes_nothing(addressing: Addressing) -> None:
    instance = Instance(addressing)
    assert await instance.client.probe() is addressing
    assert {call.split(" ")[0] for call in instance.calls()} == {"GET"}


async def test_an_instance_without_key_and_filter_is_told() -> None:
    instance = Instance(options={"addressing": "none"})
    with pytest.raises(SyncError) as caught:
        await instance.client.probe()
    assert (caught.value.code, caught.value.detail) == (
        "no_addressing",
        "profile by externalId: neither key nor filter",
    )


async def test_a_probe_does_not_take_an_outage_for_an_answer() -> None:
    for status, body, code in (
        (500, '{"code":500,"message":"Oops. Something went wrong."}', "campaign_error"),
        (500, "RST-360011 An error has occurred", "campaign_error"),
        (502, "oops", "campaign_unreachable"),
    ):
        instance = Instance()
        instance.service.faults.add(Fault("status", method="GET", status=status, body=body))
        assert await code_of(instance.client.probe()) == code


async def test_a_write_whose_answer_is_lost_is_unknown_and_may_be_applied() -> None:
    instance = Instance()
    instance.service.faults.add(Fault("drop_after", method="POST", path="profile"))
    with pytest.raises(UnknownOutcome):
        await instance.client.create(BODY)
    assert instance.profile()
    for fault in (
        Fault("drop_after", method="PATCH"),
        Fault("garbage", method="PATCH"),
        Fault("delay", method="PATCH", delay_s=31),
        Fault("status_after", method="PATCH", status=504),
        Fault("status_after", method="PATCH", status=500, body='{"code":500,"message":"Oops."}'),
    ):
        instance.service.faults.add(fault)
        with pytest.raises(UnknownOutcome):
            await instance.client.update_by_key(ID, {"salutation": fault.kind})
        assert instance.profile()["salutation"] == fault.kind


async def test_a_created_record_without_a_name_is_unknown() -> None:
    instance = Instance()
    instance.service.faults.add(Fault("status", method="POST", path="profile", status=201, body="{}"))
    with pytest.raises(UnknownOutcome):
        await instance.client.create(BODY)


async def test_a_lost_delete_is_unknown() -> None:
    instance = Instance()
    ref = await instance.client.create(BODY)
    instance.service.faults.add(Fault("garbage", method="DELETE"))
    with pytest.raises(UnknownOutcome):
        await instance.client.delete(ref)


async def test_a_429_without_a_time_waits_half_a_minute() -> None:
    instance = Instance()
    body = '{"error_code":"429050","message":"Too many requests"}'
    instance.service.faults.add(Fault("status", method="POST", path="profile", status=429, body=body))
    with pytest.raises(Throttled) as caught:
        await instance.client.create(BODY)
    assert caught.value.retry_after == 30
    assert instance.service.dump() == []


async def test_an_expired_token_is_replaced_unnoticed() -> None:
    instance = Instance()
    await instance.client.create(BODY)
    instance.service.gateway.revoke()
    await instance.client.update_by_key(ID, {"lastName": "X"})
    assert instance.profile()["lastName"] == "X"


async def test_a_wrong_key_or_address_stops_the_flow() -> None:
    assert await code_of(Instance(api_key="wrong").client.find(ID)) == "campaign_forbidden"
    lost = Instance(url=f"{ORIGIN}/local/campain").client
    assert await code_of(lost.find(ID)) in ("campaign_wrong_address", "campaign_error")


async def test_a_404_that_is_not_the_engine_s_is_no_proof_of_absence() -> None:
    instance = Instance()
    ref = await instance.client.create(BODY)
    instance.service.faults.add(Fault("status", method="DELETE", status=404, body="<html>404</html>"))
    assert await code_of(instance.client.delete(ref)) == "campaign_wrong_address"


async def test_odd_pkeys_are_one_part_of_the_path() -> None:
    instance = Instance()
    await code_of(instance.client.update(Ref("@x/1 ?#", ""), {"lastName": "x"}))
    assert instance.service.log[-1].target.endswith("/profile/%40x%2F1%20%3F%23")
