"""Event rows, parked and refused events, and export files, in memory and on Azurite."""

from __future__ import annotations

from dataclasses import replace

from sync.model import EmailEvent
from sync.storage.events import Events, PartitionClaim
from sync.storage.files import BadLine, FileRow, Files
from sync.storage.parked_events import ParkedEvent, ParkedEvents, RefusedEvents
from sync.storage.table import Query
from tests.storage.both import Store, store

__all__ = ["store"]
NOW = 1_790_000_000.0


def contact(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-00000000c0de"


def event(number: int, *, modified: float = NOW, url: str = "") -> EmailEvent:
    return EmailEvent(
        "click",
        "tracking",
        str(number),
        modified,
        "DM190",
        "Spring",
        contact(number),
        NOW,
        url=url,
        agent="Mail/1",
    )


async def test_event_rows_are_merged_by_version_and_read_by_contact(store: Store) -> None:
    events = Events(store.account.table("events"))
    partition = store.name("0001:DM190:003")
    first = await events.merge(partition, [event(number) for number in range(150)], NOW)
    assert (first.new, first.open) == (150, 150)
    again = await events.merge(
        partition,
        [event(0), event(1, modified=NOW - 5), event(2, modified=NOW + 5, url="https://x.test/ä")],
        NOW,
    )
    assert (again.new, again.revised, again.waiting) == (0, 1, 2)
    contacts, more = await events.open_contacts(partition, 1000)
    assert contacts == {contact(number) for number in range(150)} and not more
    some, more = await events.open_contacts(partition, 40)
    assert len(some) == 40 and more and some < contacts
    rows = await events.of_contacts(partition, sorted([contact(2), contact(149), contact(999)]))
    assert {one: len(found) for one, found in rows.items()} == {
        contact(2): 1,
        contact(149): 1,
        contact(999): 0,
    }
    (row,) = rows[contact(2)]
    assert row.event == event(2, modified=NOW + 5, url="https://x.test/ä") and row.open and row.revised
    done = replace(row, open=False, told="written", told_hash="h")
    assert await events.write([done]) == set()
    assert await events.write([done]) == {row.key}
    assert (await events.open_contacts(partition, 1000))[0] == contacts - {contact(2)}


async def test_a_claim_is_conditional_and_rows_go_many_at_once_but_those_that_moved(store: Store) -> None:
    table = store.account.table("events")
    events, partition = Events(table), store.name("0001:DM191:003")
    assert await events.claim(partition) == PartitionClaim()
    claim = await events.write_claim(partition, PartitionClaim(owner="me", take_over=NOW + 60), NOW)
    assert await events.claim(partition) == claim
    await events.merge(partition, [event(number) for number in range(120)], NOW)
    page = await table.page(Query(partition=partition))
    (moved,) = (await events.of_contacts(partition, [contact(7)]))[contact(7)]
    await events.write([replace(moved, open=False)])
    assert await events.remove(page.rows) == 120  # the claim and all rows but one
    left = await table.page(Query(partition=partition))
    assert [stored.entity["RowKey"] for stored in left.rows] == [moved.key]


async def test_what_waits_by_itself_and_what_waits_for_a_person_are_apart(store: Store) -> None:
    parked = ParkedEvents(store.account.table("parkedevents"))
    one, two = store.name("one"), store.name("two")
    partition = store.name("0001:DM190:003")
    await parked.add(ParkedEvent(one, partition, NOW))
    await parked.add(ParkedEvent(one, partition, NOW + 9))
    await parked.add(ParkedEvent("", partition, NOW))
    await parked.note_refused(RefusedEvents(two, partition, NOW, "dynamics_full"))
    await parked.note_refused(RefusedEvents(two, partition, NOW + 9, "dynamics_value_refused"))
    waiting, token = await parked.page(None)
    while token is not None:
        more, token = await parked.page(token)
        waiting += more
    mine = [item for item in waiting if item.partition == partition]
    assert mine == [ParkedEvent(one, partition, NOW), ParkedEvent("", partition, NOW)]
    noted = [RefusedEvents(two, partition, NOW, "dynamics_value_refused")]
    assert [item async for item in parked.refused(two)] == noted
    assert [item async for item in parked.refused() if item.partition == partition] == noted
    await parked.forget_refused(two, partition)
    await parked.forget_refused(two, partition)
    assert [item async for item in parked.refused(two)] == []
    assert await parked.forget(one) == 1


async def test_files_keep_where_reading_goes_on_and_can_begin_again(store: Store) -> None:
    files = Files(store.account.table("exports"))
    name = store.name("a.csv")
    row = await files.write(
        FileRow(
            name, '"0x1"', state="refused", code="header_missing", position=4711, line=9, header=("a", "ä")
        )
    )
    assert (await files.all())[name] == replace(row, updated=0.0)
    await files.note_bad([BadLine(name, number, "date_wrong", "at", '"0x1"') for number in range(150)])
    assert [line.line async for line in files.bad_lines(name)] == list(range(150))
    again = await files.write(row.begun_again(NOW))
    found = (await files.all())[name]
    assert (found.state, found.position, found.header, found.updated) == ("reading", 0, (), NOW)
    assert found == again
    await files.forget_bad(name, '"0x2"')
    assert [line async for line in files.bad_lines(name)] == []
    await files.forget(found)
    assert name not in await files.all()
