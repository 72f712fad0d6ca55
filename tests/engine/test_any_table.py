"""Replays and comparisons of a mapping of any table, whose file leaves entity set and key out."""

from __future__ import annotations

from benchmarks.calls import Bench
from benchmarks.engine import ROOT
from sync.flows import reconcile, replay
from sync.flows.look import Reconcile

MAPPINGS = {
    "accounts": (ROOT / "mappings" / "examples" / "accounts.yaml").read_text(encoding="utf-8"),
    "contacts": (ROOT / "mappings" / "contacts.yaml").read_text(encoding="utf-8"),
}


async def test_an_account_is_compared_healed_and_replayed_by_condition() -> None:
    bench = Bench(addressing="filter", shipped=MAPPINGS)
    parent, child = bench.dynamics.seed([{"name": "Analytical"}, {"name": "Engines"}], table="account")
    bench.dynamics.edit(child, {"_parentaccountid_value": parent}, table="account")
    await bench.settle()
    assert {one["name"] for one in bench.campaign.dump("cusAccount")} == {"Analytical", "Engines"}
    context = bench.app.context
    wanted = Reconcile(epoch=1, heal=True)
    first = await reconcile.start(context, "accounts", wanted, who="test", total=2)
    await bench.settle()
    job = await context.jobs.get("accounts", first.name)
    assert job is not None
    assert (job.state, job.found.get("agrees"), job.found.get("edited")) == ("done", 2, None)
    bench.campaign.edit(child, {"name": "Differences"}, resource="cusAccount")
    second = await reconcile.start(context, "accounts", wanted, who="test", total=2)
    await bench.settle()
    job = await context.jobs.get("accounts", second.name)
    assert job is not None
    assert (job.found["edited"], job.found["healed"]) == (1, 1)
    assert {one["name"] for one in bench.campaign.dump("cusAccount")} == {"Analytical", "Engines"}
    again = replay.Replay(epoch=1, intent="force", matching="name eq 'Engines'")
    third = await replay.start(context, "accounts", again, who="test")
    await bench.settle()
    job = await context.jobs.get("accounts", third.name)
    assert job is not None
    assert (job.state, job.done) == ("done", 1)
