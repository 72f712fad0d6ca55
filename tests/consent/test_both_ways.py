"""Opt-outs and opt-ins through the whole app, in process, against both look-alikes."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.calls import Bench
from benchmarks.engine import contacts
from sync.planning.consent_map import ConsentMap
from sync.planning.load_consent import load_consent

TEXT = """\
consent: contacts
direction: {direction}
policy: {policy}
fields:
  - {{source: donotbulkemail, target: blackListEmail}}
  - {{source: donotphone, target: denyListPhone}}
"""


def consent_map(direction: str = "both", policy: str = "agreed") -> ConsentMap:
    return load_consent(TEXT.format(direction=direction, policy=policy))


class Pair:
    """One contact and its profile."""

    def __init__(self, bench: Bench, record_id: str) -> None:
        self.bench = bench
        self.id = record_id

    @property
    def contact(self) -> dict[str, Any]:
        found: dict[str, Any]
        (found,) = [row for row in self.bench.dynamics.dump()["records"] if row["contactid"] == self.id]
        return found

    @property
    def profile(self) -> dict[str, Any]:
        found: dict[str, Any]
        (found,) = [row for row in self.bench.campaign.dump() if row["externalId"] == self.id]
        return found

    @property
    def email(self) -> tuple[bool, bool]:
        """Opted out of e-mail: in Dynamics, in Campaign."""
        return bool(self.contact["donotbulkemail"]), bool(self.profile["blackListEmail"])

    async def dynamics(self, *, out: bool) -> None:
        self.bench.dynamics.edit(self.id, {"donotbulkemail": out})
        await self.bench.settle()

    async def campaign(self, *, out: bool) -> None:
        self.bench.campaign.edit(self.id, {"blackListEmail": out})
        await self.bench.settle()


async def pair(addressing: str = "key", *, out: bool = False, **options: Any) -> Pair:
    bench = Bench(addressing=addressing, consent=consent_map(**options))
    (record_id,) = bench.dynamics.seed([contacts(1)[0] | {"donotbulkemail": out}])
    await bench.settle()
    return Pair(bench, record_id)


@pytest.mark.parametrize("addressing", ["key", "filter"])
@pytest.mark.parametrize("out", [True, False])
async def test_a_create_carries_what_dynamics_says_and_needs_no_further_call(
    addressing: str, out: bool
) -> None:
    one = await pair(addressing, out=out)
    assert one.email == (out, out)
    writes = [entry for entry in one.bench.campaign.log if entry.method in ("POST", "PATCH") and entry.record]
    assert len(writes) == 1
    assert not [entry for entry in one.bench.campaign.log if entry.note == "profile.get"][1:]


@pytest.mark.parametrize("addressing", ["key", "filter"])
async def test_opt_outs_and_opt_ins_arrive_from_both_sides(addressing: str) -> None:
    one = await pair(addressing)
    await one.dynamics(out=True)
    assert one.email == (True, True)
    await one.dynamics(out=False)
    assert one.email == (False, False)
    await one.campaign(out=True)
    assert one.email == (True, True)
    await one.campaign(out=False)
    assert one.email == (False, False)
    await one.campaign(out=True)
    await one.dynamics(out=False)
    assert one.email == (False, False)


async def test_both_acted_and_opted_out_wins() -> None:
    one = await pair(out=True)
    one.bench.campaign.edit(one.id, {"blackListEmail": False})
    one.bench.clock.at += 1
    one.bench.campaign.edit(one.id, {"blackListEmail": True})
    await one.dynamics(out=False)
    assert one.email == (True, True)


async def test_a_change_costs_a_read_and_a_write_and_a_read_when_it_comes_back() -> None:
    one = await pair()
    since = len(one.bench.campaign.log)
    await one.dynamics(out=True)
    calls = [entry.note for entry in one.bench.campaign.log[since:] if entry.record]
    assert calls.count("profile.update") == 1
    assert calls.count("profile.get") <= 2
    since = len(one.bench.campaign.log)
    await one.bench.settle()
    assert not [entry for entry in one.bench.campaign.log[since:] if entry.record]


async def test_to_campaign_leaves_dynamics_alone_and_never_overwrites_an_opt_out() -> None:
    one = await pair(direction="to_campaign")
    await one.campaign(out=True)
    assert one.email == (False, True)
    await one.dynamics(out=True)
    await one.bench.settle()
    assert one.email == (True, True)
    counted = await one.bench.app.context.counters.totals("contacts")
    assert counted["consent:kept"] == 0


async def test_to_dynamics_leaves_campaign_alone() -> None:
    one = await pair(direction="to_dynamics")
    await one.dynamics(out=True)
    assert one.email == (True, False)
    counted = await one.bench.app.context.counters.totals("contacts")
    assert counted["consent:kept"] == 1
    await one.campaign(out=True)
    assert one.email == (True, True)


async def test_only_the_side_that_opted_out_opts_in_again_under_the_strict_policy() -> None:
    one = await pair(policy="opt_out_always_wins")
    await one.campaign(out=True)
    await one.dynamics(out=False)
    assert one.email == (True, True)
    await one.campaign(out=False)
    assert one.email == (False, False)


async def test_a_profile_that_was_there_before_is_decided_by_time_only_if_campaign_is_newer() -> None:
    for lead, expected in ((600, False), (100, True), (-600, True)):
        bench = Bench(addressing="filter", consent=consent_map())
        (record_id,) = bench.dynamics.seed([contacts(1)[0] | {"donotbulkemail": True}])
        bench.clock.at += lead
        bench.campaign.seed([{"externalId": record_id, "blackListEmail": True}])
        bench.campaign.edit(record_id, {"blackListEmail": False})
        bench.clock.at += 700 - lead
        await bench.settle()
        assert Pair(bench, record_id).email == (expected, expected), lead


async def test_a_contact_made_anew_has_agreed_on_nothing() -> None:
    one = await pair()
    await one.campaign(out=True)
    one.bench.clock.at += 10
    one.bench.dynamics.delete(one.id)
    one.bench.dynamics.seed([contacts(1)[0] | {"contactid": one.id, "donotbulkemail": False}])
    await one.bench.settle()
    assert one.email == (True, True)


async def test_opt_ins_above_the_brake_wait_and_opt_outs_go_on() -> None:
    bench = Bench(addressing="key", consent=consent_map(), OPT_IN_BRAKE="2")
    ids = bench.dynamics.seed([contact | {"donotbulkemail": True} for contact in contacts(5)])
    await bench.settle()
    for record_id in ids[:4]:
        bench.dynamics.edit(record_id, {"donotbulkemail": False})
    await bench.settle()
    out = [Pair(bench, record_id).profile["blackListEmail"] for record_id in ids[:4]]
    assert out.count(True) == 2
    bench.dynamics.edit(ids[4], {"donotphone": True})
    await bench.settle()
    assert Pair(bench, ids[4]).profile["blackListPhone"] is True


async def test_a_record_whose_profile_is_quarantined_still_has_its_consent_carried() -> None:
    one = await pair()
    one.bench.dynamics.edit(one.id, {"emailaddress1": "no address", "donotbulkemail": True})
    await one.bench.settle()
    assert one.email == (True, True)


async def test_a_profile_the_sync_does_not_know_is_left_alone() -> None:
    one = await pair()
    other = "7c1b1f0e-0000-4000-8000-00000000000f"
    one.bench.campaign.seed([{"externalId": other, "blackListEmail": True}])
    await one.bench.settle()
    assert not [key for key in one.bench.account.tables["consents"].rows if key[1] == other]


@pytest.mark.parametrize("time_filter", [True, False])
async def test_changes_in_campaign_are_found_by_filter_or_by_walking(time_filter: bool) -> None:
    bench = Bench(addressing="key", consent=consent_map(), time_filter=time_filter)
    ids = bench.dynamics.seed(contacts(30))
    await bench.settle()
    since = len(bench.campaign.log)
    for record_id in ids[::3]:
        bench.campaign.edit(record_id, {"blackListEmail": True})
    await bench.settle()
    assert all(Pair(bench, record_id).email == (True, True) for record_id in ids[::3])
    assert any("byLastModified" in entry.target for entry in bench.campaign.log[since:]) is time_filter
