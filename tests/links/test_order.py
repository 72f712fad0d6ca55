"""Parents before children, over the look-alikes (design 4.4, I9)."""

from __future__ import annotations

import pytest

from benchmarks.calls import Bench
from benchmarks.engine import contacts as people
from sync.flows.rebaseline import look, rebaseline
from sync.model import RecordRef, State
from sync.planning.rows import quarantine
from sync.storage.ledger import bucket_of, partition_of
from sync.storage.table import Stored
from tests.links.family import Family, ident


async def test_a_child_waits_visibly_and_goes_by_itself_when_its_parent_lands() -> None:
    family = Family()
    contact = ident("contacts", 1)
    family.put("orders", 1, cr_ordernumber="A1", _cr_contactid_value=contact)
    await family.until_quiet()
    row = family.row("orders", 1)
    assert (row.state, row.code) == (State.PARKED, "parent_missing")
    assert family.shown("orders") == {}
    assert family.parked() == [(f"record:contacts:{contact}", f"orders:{row.record_id}")]
    family.put("contacts", 1, lastname="Lovelace")
    await family.until_quiet()
    assert family.shown("orders")[row.record_id]["profileExternalId"] == contact
    assert family.parked() == []
    assert family.links() == [(f"contacts:{contact}", f"orders:{row.record_id}")]
    assert family.row("orders", 1).parents == (RecordRef("contacts", contact),)


async def test_a_whole_family_comes_in_one_load() -> None:
    family = Family()
    for number in range(1, 6):
        family.put("lines", number, cr_product="p", _cr_orderid_value=ident("orders", number))
        family.put("orders", number, cr_ordernumber="o", _cr_contactid_value=ident("contacts", number))
        family.put("contacts", number, lastname="Smith", _parentcustomerid_value=ident("accounts", number))
        family.put("accounts", number, name="a", _primarycontactid_value=ident("contacts", number))
    await family.until_quiet()
    for mapping in ("accounts", "contacts", "orders", "lines"):
        assert len(family.shown(mapping)) == 5, mapping
    assert all(row["primaryContactExternalId"] for row in family.shown("accounts").values())
    assert all(row["cusCrmNumber"] for row in family.shown("contacts").values())
    assert family.parked() == []
    since = len(family.campaign.log)
    await family.until_quiet()
    assert family.writes(since) == []


async def test_deletes_go_children_first() -> None:
    family = Family()
    family.put("contacts", 1, lastname="Smith")
    family.put("orders", 1, cr_ordernumber="o", _cr_contactid_value=ident("contacts", 1))
    family.put("lines", 1, cr_product="p", _cr_orderid_value=ident("orders", 1))
    await family.until_quiet()
    since = len(family.campaign.log)
    family.gone("contacts", 1)
    family.gone("orders", 1)  # takes its line with it
    await family.until_quiet()
    assert family.writes(since)[-3:] == ["cusOrderLine.delete", "cusOrder.delete", "profile.delete"]
    assert family.links() == []
    assert family.parked() == []


async def test_an_optional_lookup_that_dynamics_cleared_lets_the_parent_go() -> None:
    family = Family()
    family.put("contacts", 1, lastname="Smith", _parentcustomerid_value=ident("accounts", 1))
    family.put("accounts", 1, name="a")
    await family.until_quiet()
    family.gone("accounts", 1)
    await family.until_quiet()
    assert family.shown("accounts") == {}
    assert family.shown("contacts")[ident("contacts", 1)]["cusCrmNumber"] == ""
    assert family.links() == []


@pytest.mark.parametrize("rule", ["hold", "delete"])
async def test_a_required_lookup_that_was_cleared_never_reaches_campaign(rule: str) -> None:
    family = Family(rule)
    family.put("contacts", 1, lastname="Smith")
    family.put("orders", 1, cr_ordernumber="o", _cr_contactid_value=ident("contacts", 1))
    await family.until_quiet()
    family.gone("contacts", 1)  # Dynamics clears the order's lookup
    await family.until_quiet()
    row = family.row("orders", 1)
    assert row.state is State.QUARANTINED
    if rule == "hold":
        assert row.code == "parent_empty"
        assert family.shown("orders")[row.record_id]["profileExternalId"] == ident("contacts", 1)
        assert family.row("contacts", 1).code == "children_left"
        family.put("contacts", 2, lastname="Heir")
        family.put("orders", 1, _cr_contactid_value=ident("contacts", 2))
        await family.until_quiet()
        assert list(family.shown("contacts")) == [ident("contacts", 2)]
    else:
        assert family.shown("orders") == family.shown("contacts") == {}


@pytest.mark.parametrize("rule", ["hold", "delete"])
async def test_a_parent_whose_child_still_points_to_it_follows_the_rule(rule: str) -> None:
    family = Family(rule)
    family.put("contacts", 1, lastname="Smith")
    family.put("orders", 1, cr_ordernumber="o", _cr_contactid_value=ident("contacts", 1))
    family.put("lines", 1, cr_product="p", _cr_orderid_value=ident("orders", 1))
    await family.until_quiet()
    family.dynamics.organization.tables["cr_order"].pointing.clear()  # a relationship that cascades nothing
    family.gone("contacts", 1)
    await family.until_quiet()
    parent, child = family.row("contacts", 1), family.row("orders", 1)
    if rule == "hold":
        assert (parent.state, parent.code) == (State.PARKED, "children_left")
        assert child.state is State.SYNCED
        assert len(family.shown("contacts")) == 1
        family.gone("orders", 1)
        await family.until_quiet()
        assert family.shown("contacts") == family.shown("orders") == family.shown("lines") == {}
    else:
        assert parent.state is State.DELETED
        assert (child.state, child.code) == (State.QUARANTINED, "parent_deleted")
        assert family.shown("contacts") == family.shown("orders") == family.shown("lines") == {}
        family.put("contacts", 1, lastname="Back")
        await family.until_quiet()
        assert len(family.shown("orders")) == len(family.shown("lines")) == 1
        assert family.parked() == []


async def test_two_that_point_to_each_other_are_both_deleted() -> None:
    family = Family()
    family.put("contacts", 1, lastname="Smith", _parentcustomerid_value=ident("accounts", 1))
    family.put("accounts", 1, name="a", _primarycontactid_value=ident("contacts", 1))
    await family.until_quiet()
    for table in family.dynamics.organization.tables.values():
        table.pointing.clear()
    family.gone("accounts", 1)
    family.gone("contacts", 1)
    await family.until_quiet()
    assert family.shown("accounts") == family.shown("contacts") == {}
    assert family.links() == []
    assert family.parked() == []


async def test_a_record_that_points_to_itself_comes_and_goes() -> None:
    family = Family()
    family.put("accounts", 1, name="a", _parentaccountid_value=ident("accounts", 1))
    await family.until_quiet()
    assert family.shown("accounts")[ident("accounts", 1)]["parentExternalId"] == ident("accounts", 1)
    family.gone("accounts", 1)
    await family.until_quiet()
    assert family.shown("accounts") == {}
    assert family.links() == []


async def test_links_cost_no_calls_of_their_own() -> None:
    family = Family()
    family.put("contacts", 1, lastname="Smith")
    family.put("accounts", 1, name="a")
    await family.until_quiet()
    calls = []
    for number, lookups in ((2, {}), (3, {"_primarycontactid_value": ident("contacts", 1)})):
        lookups = {**lookups, "_parentaccountid_value": ident("accounts", 1)} if lookups else {}
        for name in ("inserted", "updated"):
            since = len(family.campaign.log)
            family.put("accounts", number, name=name, **lookups)
            await family.until_quiet()
            calls.append(family.calls(since))
        since = len(family.campaign.log)
        family.gone("accounts", number)
        await family.until_quiet()
        calls.append(family.calls(since))
    assert calls[:3] == calls[3:]


async def test_moving_a_child_lets_the_old_parent_go() -> None:
    family = Family()
    for number in (1, 2):
        family.put("contacts", number, lastname="Smith")
    family.put("orders", 1, cr_ordernumber="o", _cr_contactid_value=ident("contacts", 1))
    await family.until_quiet()
    family.put("orders", 1, _cr_contactid_value=ident("contacts", 2))
    await family.until_quiet()
    assert family.links() == [(f"contacts:{ident('contacts', 2)}", f"orders:{ident('orders', 1)}")]
    family.gone("contacts", 1)
    await family.until_quiet()
    assert list(family.shown("contacts")) == [ident("contacts", 2)]


async def test_a_child_of_a_deleted_parent_is_set_aside_with_its_reason() -> None:
    family = Family()
    family.put("contacts", 1, lastname="Smith")
    await family.until_quiet()
    family.dynamics.organization.tables["cr_order"].pointing.clear()
    family.gone("contacts", 1)
    await family.until_quiet()
    family.put("orders", 1, cr_ordernumber="o", _cr_contactid_value=ident("contacts", 1))
    await family.until_quiet()
    row = family.row("orders", 1)
    assert (row.state, row.code) == (State.QUARANTINED, "parent_deleted")
    family.put("contacts", 1, lastname="Back")
    await family.until_quiet()
    assert family.row("orders", 1).state is State.SYNCED


async def test_after_a_week_of_waiting_a_person_is_asked() -> None:
    family = Family()
    family.put("orders", 1, cr_ordernumber="o", _cr_contactid_value=ident("contacts", 1))
    await family.until_quiet()
    family.clock.at += 8 * 24 * 3600
    await family.app.wake_parked()
    row = family.row("orders", 1)
    assert (row.state, row.code) == (State.QUARANTINED, "waited_too_long")
    assert family.parked() == []


async def test_a_rebaseline_of_the_parents_forgets_no_child() -> None:
    family = Family()
    family.put("contacts", 1, lastname="Smith")
    family.put("orders", 1, cr_ordernumber="o", _cr_contactid_value=ident("contacts", 1))
    await family.until_quiet()
    context = family.app.context
    await rebaseline(context, await look(context, "contacts"))
    family.clock.at += 600  # nothing of the epoch before can land any more
    family.dynamics.organization.tables["cr_order"].pointing.clear()
    await family.until_quiet()
    family.gone("contacts", 1)
    await family.until_quiet()
    assert len(family.shown("contacts")) == len(family.shown("orders")) == 1
    family.gone("orders", 1)
    await family.until_quiet()
    assert family.shown("contacts") == family.shown("orders") == {}


async def test_a_child_that_was_not_sent_since_a_rebaseline_still_holds_its_parent() -> None:
    family = Family()
    contact, order = ident("contacts", 1), ident("orders", 1)
    family.put("contacts", 1, lastname="Smith")
    family.put("orders", 1, cr_ordernumber="o", _cr_contactid_value=contact)
    await family.until_quiet()
    context = family.app.context
    epoch = await rebaseline(context, await look(context, "orders"))
    family.clock.at += 600
    # Set aside by its own data before anything of it is sent: Campaign holds what the epoch before sent.
    partition = partition_of("orders", epoch, bucket_of(order, context.buckets["orders"]))
    row = await context.ledger.get(partition, order)
    await context.ledger.write([quarantine(row, "value_invalid", 10**12, "000001-x")])
    family.dynamics.organization.tables["cr_order"].pointing.clear()
    family.gone("contacts", 1)
    await family.until_quiet()
    assert len(family.shown("contacts")) == len(family.shown("orders")) == 1
    family.gone("orders", 1)
    await family.until_quiet()
    assert family.shown("contacts") == family.shown("orders") == {}


@pytest.mark.parametrize("waited", [False, True])
async def test_a_child_deleted_before_it_was_sent_since_a_rebaseline_goes_before_its_parent(
    waited: bool,
) -> None:
    family = Family()
    family.put("contacts", 1, lastname="Smith")
    family.put("orders", 1, cr_ordernumber="o", _cr_contactid_value=ident("contacts", 1))
    await family.until_quiet()
    context = family.app.context
    await rebaseline(context, await look(context, "orders"))
    family.clock.at += 600
    family.dynamics.organization.tables["cr_order"].pointing.clear()
    if waited:
        # It waits for another parent, and Campaign holds the link that the epoch before sent.
        family.put("orders", 1, _cr_contactid_value=ident("contacts", 2))
        await family.until_quiet()
        assert [awaited for awaited, _ in family.parked()] == [f"record:contacts:{ident('contacts', 2)}"]
    family.gone("orders", 1)
    family.gone("contacts", 1)
    await family.until_quiet()
    assert family.shown("contacts") == family.shown("orders") == {}
    deletes = [entry.note for entry in family.campaign.log if entry.note.endswith(".delete")]
    assert deletes == ["cusOrder.delete", "profile.delete"]


async def test_a_link_row_of_a_refused_create_holds_no_parent_for_ever_after_a_rebaseline() -> None:
    family = Family()
    contact, order = ident("contacts", 1), ident("orders", 1)
    family.put("contacts", 1, lastname="Smith")
    family.put("orders", 2, cr_ordernumber="o", _cr_contactid_value=ident("contacts", 2))
    await family.until_quiet()
    context = family.app.context
    epoch = await rebaseline(context, await look(context, "orders"))
    family.clock.at += 600
    # Refused, and its worker died before it let go of the parent.
    family.put("orders", 1, cr_ordernumber="o", _cr_contactid_value=None)
    partition = partition_of("orders", epoch, bucket_of(order, context.buckets["orders"]))
    version = family.dynamics.organization.tables["cr_order"].rows[order]["versionnumber"]
    row = await context.ledger.get(partition, order)
    stuck = quarantine(row, "value_refused", version, (await context.active("orders")).version)
    await context.ledger.write([stuck])
    await context.links.put(RecordRef("contacts", contact), RecordRef("orders", order))
    family.gone("contacts", 1)
    await family.until_quiet()
    family.clock.at += 3700
    await family.until_quiet()
    assert family.shown("contacts") == {}
    assert family.links() == []


async def test_records_without_links_cost_no_reads_of_the_table_links_of_their_own() -> None:
    bench, reads = Bench(addressing="key"), 0
    bench.dynamics.seed(people(400))
    table = bench.app.context.links._table
    get = table.get

    async def counted(partition: str, row: str) -> Stored | None:
        nonlocal reads
        reads += 1
        return await get(partition, row)

    table.get = counted  # type: ignore[method-assign]
    await bench.settle()
    assert len(bench.campaign.dump()) == 400
    assert 0 < reads <= 2 * bench.app.context.buckets["contacts"]


async def test_a_crowd_of_children_is_woken_without_keeping_the_live_lane(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sync.flows.family.BATCH", 2)
    family = Family()
    for number in range(1, 8):
        family.put("orders", number, cr_ordernumber="o", _cr_contactid_value=ident("contacts", 1))
    await family.until_quiet()
    family.put("contacts", 1, lastname="Smith")
    await family.until_quiet()
    assert len(family.shown("orders")) == 7
    assert family.parked() == []
