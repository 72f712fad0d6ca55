"""Following a table: full read, deltas, deletes, and what can be wrong with a link or a page."""

from __future__ import annotations

import httpx
import pytest

from sandbox.wire import Fault
from sync.dynamics.client import Dynamics
from sync.errors import Reaction, SyncError
from sync.http import Http
from sync.model import SourceRow
from tests.adapters import FakeClock
from tests.dynamics.organization import COLUMNS, Organization
from tests.http.answers import ORIGIN, fixed_tokens

NEW = {
    "@odata.context": f"{ORIGIN}/api/data/v9.2/$metadata#contacts(firstname)/$delta",
    "@odata.deltaLink": f"{ORIGIN}/api/data/v9.2/contacts?$select=firstname&$deltatoken=919058%2108%2f22%2f2017",
    "value": [
        {
            "@odata.etag": 'W/"915244"',
            "firstname": "Ada",
            "contactid": "60C4E274-0000-4000-8000-000000000001",
        },
        {
            "@odata.context": f"{ORIGIN}/api/data/v9.2/$metadata#contacts/$deletedEntity",
            "id": "2E451703-c686-e711-80e5-00155db19e6d",
            "reason": "deleted",
        },
    ],
}


def answering(content: object, seen: list[httpx.Request] | None = None) -> Dynamics:
    """A client whose service answers every request alike; the shape of the answer is dataverse.md 1.1's."""
    clock = FakeClock()

    def handle(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        return httpx.Response(200, json=content)

    http = Http(httpx.MockTransport(handle), clock)
    http.connect("dynamics", ORIGIN, fixed_tokens(clock, "t"))
    return Dynamics(http, url=ORIGIN)


async def test_a_documented_delta_page_is_rows_and_deletes() -> None:
    link = str(NEW["@odata.deltaLink"])
    page = await answering(NEW).follow(link + "old", "contacts", "contactid")
    assert page.rows == (
        SourceRow(
            "60c4e274-0000-4000-8000-000000000001",
            915244,
            {"firstname": "Ada", "contactid": "60C4E274-0000-4000-8000-000000000001"},
        ),
    )
    assert page.deletes == ("2e451703-c686-e711-80e5-00155db19e6d",)
    assert (page.next_link, page.delta_link) == (None, link)


async def test_a_full_read_asks_for_tracking_and_exactly_the_columns() -> None:
    seen: list[httpx.Request] = []
    await answering(NEW, seen).start_tracking(
        "contacts", "contactid", ("firstname", "contactid", "_ownerid_value")
    )
    assert seen[0].url.raw_path.decode() == (
        "/api/data/v9.2/contacts?$select=contactid,firstname,_ownerid_value"
    )
    assert seen[0].headers["prefer"] == "odata.track-changes,odata.maxpagesize=1000"
    assert seen[0].headers["odata-version"] == "4.0"


async def test_a_link_goes_back_byte_for_byte_with_the_page_size() -> None:
    seen: list[httpx.Request] = []
    target = "/api/data/v9.0/contacts?$select=a&$deltatoken=919042%2108%2f22%2f2017%2008%3a10%3a44"
    await answering(NEW, seen).follow(ORIGIN + target, "contacts", "contactid")
    assert seen[0].url.raw_path.decode() == target
    assert seen[0].headers["prefer"] == "odata.maxpagesize=1000"


async def test_a_page_without_links_keeps_the_caller_s_link() -> None:
    page = await answering({"value": []}).follow(f"{ORIGIN}/x?$deltatoken=1", "contacts", "contactid")
    assert (page.rows, page.next_link, page.delta_link) == ((), None, None)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"value": None},
        {"value": ["x"]},
        {"value": [{"contactid": "a"}]},
        {"value": [{"@odata.etag": 'W/"1"'}]},
        {"value": [{"@odata.context": "x/$deletedEntity", "reason": "deleted"}]},
        [],
    ],
)
async def test_a_page_of_another_shape_is_not_used(content: object) -> None:
    with pytest.raises(SyncError) as caught:
        await answering(content).follow(f"{ORIGIN}/x", "contacts", "contactid")
    assert (caught.value.code, caught.value.reaction) == ("dynamics_garbled", Reaction.RETRY)


async def test_a_link_of_another_origin_is_not_followed() -> None:
    seen: list[httpx.Request] = []
    with pytest.raises(SyncError) as caught:
        await answering(NEW, seen).follow("https://evil.example.com/x", "contacts", "contactid")
    assert (caught.value.code, seen) == ("foreign_link", [])


async def test_a_full_read_pages_to_a_delta_link() -> None:
    organization = Organization()
    ids = organization.seed("a", "b", "c", "d", "e")
    found: list[str] = []
    page = await organization.start()
    found += [row.record_id for row in page.rows]
    while page.next_link is not None:
        assert page.delta_link is None
        page = await organization.follow(page.next_link)
        found += [row.record_id for row in page.rows]
    assert sorted(found) == sorted(ids)
    assert page.delta_link is not None
    assert set(page.rows[0].values) == {"contactid", *COLUMNS}


async def test_a_delta_has_what_changed_since() -> None:
    organization = Organization()
    kept, edited, deleted = organization.seed("kept", "edited", "deleted")
    link = await organization.delta_link()
    organization.service.edit(edited, {"firstname": "again"})
    organization.service.delete(deleted)
    page = await organization.follow(link)
    rows, deletes = list(page.rows), list(page.deletes)
    while page.next_link is not None:
        page = await organization.follow(page.next_link)
        rows, deletes = [*rows, *page.rows], [*deletes, *page.deletes]
    assert [(row.record_id, row.values["firstname"]) for row in rows] == [(edited, "again")]
    assert deletes == [deleted]
    assert kept not in deletes
    quiet = await organization.follow(page.delta_link)
    assert (quiet.rows, quiet.deletes) == ((), ())


async def test_an_expired_link_asks_for_a_full_read() -> None:
    organization = Organization()
    organization.seed("a")
    link = await organization.delta_link()
    organization.clock.advance(8 * 86_400)
    with pytest.raises(SyncError) as caught:
        await organization.follow(link)
    assert (caught.value.code, caught.value.reaction) == ("delta_expired", Reaction.RESYNC)
    assert caught.value.detail == "0x80044352"


async def test_a_changed_table_asks_for_a_full_read() -> None:
    organization = Organization()
    organization.seed("a")
    link = await organization.delta_link()
    organization.service.change_metadata(add_column={"name": "new_extra"})
    with pytest.raises(SyncError) as caught:
        await organization.follow(link)
    assert caught.value.code == "delta_expired"


async def test_a_damaged_link_asks_for_a_full_read() -> None:
    organization = Organization()
    organization.seed("a")
    link = await organization.delta_link()
    with pytest.raises(SyncError) as caught:
        await organization.follow(link.partition("deltatoken=")[0] + "deltatoken=nonsense")
    assert caught.value.code == "delta_expired"


async def test_a_page_that_names_itself_as_the_next_is_a_loop() -> None:
    organization = Organization()
    organization.seed("a", "b", "c")
    first = await organization.start()
    organization.service.faults.add(Fault("repeat_page", path="skiptoken"))
    with pytest.raises(SyncError) as caught:
        await organization.follow(first.next_link)
    assert (caught.value.code, caught.value.reaction) == ("paging_loop", Reaction.RETRY)
    assert (await organization.follow(first.next_link)).rows


async def test_a_page_cut_short_is_read_again() -> None:
    organization = Organization()
    organization.seed("a", "b", "c")
    organization.service.faults.add(Fault("truncate_page", path="contacts"))
    with pytest.raises(SyncError) as caught:
        await organization.start()
    assert (caught.value.code, caught.value.reaction) == ("dynamics_garbled", Reaction.RETRY)
    assert (await organization.start()).rows
