"""Campaign Standard and Campaign v8: found out from answers, the same effect on both, and never mixed up."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from benchmarks.calls import Bench
from sandbox.wire import Fault
from sync.campaign.dialect import Dialect
from sync.errors import SyncError
from sync.model import State
from sync.storage.ledger import bucket_of, partition_of

Generation = Literal["standard", "v8"]
GENERATIONS = pytest.mark.parametrize("generation", ["standard", "v8"])
MODES = pytest.mark.parametrize("addressing", ["key", "filter"])
EXAMPLES = Path(__file__).parents[2] / "mappings" / "examples"


@GENERATIONS
@MODES
@pytest.mark.parametrize("named", ["auto", "same"])
async def test_a_contact_is_created_updated_and_deleted(
    generation: Generation, addressing: str, named: str
) -> None:
    bench = Bench(
        addressing=addressing,
        dialect=generation,
        CAMPAIGN_DIALECT="auto" if named == "auto" else generation,
    )
    (contact,) = bench.dynamics.seed([{"firstname": "Ada", "emailaddress1": "ada@example.com"}])
    await bench.settle()
    assert bench.app.context.dialect == generation
    assert [row["firstName"] for row in bench.campaign.dump()] == ["Ada"]
    bench.dynamics.edit(contact, {"firstname": "Grace"})
    await bench.settle()
    assert [row["firstName"] for row in bench.campaign.dump()] == ["Grace"]
    bench.dynamics.delete(contact)
    await bench.settle()
    assert bench.campaign.dump() == []


@GENERATIONS
async def test_finding_out_costs_no_call(generation: Generation) -> None:
    calls = []
    for named in ("auto", generation):
        bench = Bench(addressing="key", dialect=generation, CAMPAIGN_DIALECT=named)
        await bench.app.context.know_addressing()
        calls.append([entry.note for entry in bench.campaign.log if entry.note != "token"])
    assert calls[0] == calls[1] == ["profile.get"]


@GENERATIONS
async def test_a_custom_resource(generation: Generation) -> None:
    bench = Bench(
        addressing="key",
        dialect=generation,
        shipped={"accounts": (EXAMPLES / "accounts.yaml").read_text()},
    )
    (account,) = bench.dynamics.seed([{"name": "Acme"}], table="account")
    await bench.settle()
    bench.dynamics.edit(account, {"name": "Acme Ltd"}, table="account")
    await bench.settle()
    (row,) = bench.campaign.dump("cusAccount")
    assert (row["externalId"], row["name"]) == (account, "Acme Ltd")
    bench.dynamics.delete(account, table="account")
    await bench.settle()
    assert bench.campaign.dump("cusAccount") == []


@GENERATIONS
async def test_a_profile_that_is_there_already_is_updated_and_not_doubled(generation: Generation) -> None:
    bench = Bench(addressing="key", dialect=generation)
    (contact,) = bench.dynamics.seed([{"firstname": "Ada"}])
    bench.campaign.seed([{"externalId": contact, "firstName": "Old"}])
    await bench.settle()
    assert [row["firstName"] for row in bench.campaign.dump()] == ["Ada"]


async def test_v8_keeps_the_location_of_the_create() -> None:
    bench = Bench(addressing="key", dialect="v8")
    (contact,) = bench.dynamics.seed([{"firstname": "Ada", "address1_city": "Bath"}])
    await bench.settle()
    bench.dynamics.edit(contact, {"firstname": "Grace", "address1_city": "Rome"})
    await bench.settle()
    (row,) = bench.campaign.dump()
    assert (row["firstName"], row["location"]["city"]) == ("Grace", "Bath")


async def test_data_that_v8_refuses_without_a_reason_ends_in_quarantine() -> None:
    bench = Bench(addressing="key", dialect="v8")
    bench.campaign.command("policies", {"firstName": "email"})
    (contact,) = bench.dynamics.seed([{"firstname": "Ada"}])
    for _ in range(12):
        await bench.settle()
        bench.clock.at += 3600
    context = bench.app.context
    await context.active("contacts")
    bucket = bucket_of(contact, context.buckets["contacts"])
    row = await context.ledger.get(partition_of("contacts", 1, bucket), contact)
    assert (row.state, row.code) == (State.QUARANTINED, "campaign_unexplained")


async def test_answers_that_do_not_tell_leave_it_open() -> None:
    bench = Bench(addressing="key", dialect="v8")
    bench.campaign.faults.add(Fault("status", method="GET", status=500, body="<html>oops</html>"))
    with pytest.raises(SyncError):
        await bench.app.context.know_addressing()
    assert bench.app.context.dialect == ""
    await bench.app.context.know_addressing()
    assert bench.app.context.dialect == Dialect.V8
