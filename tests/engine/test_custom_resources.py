"""Any tracked table to any custom resource, linked to profiles or not, by whatever key it has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.calls import Bench
from sandbox.wire import Entry

EXAMPLES = Path(__file__).parents[2] / "mappings" / "examples"


def texts(*names: str) -> dict[str, str]:
    return {name: (EXAMPLES / f"{name}.yaml").read_text() for name in names}


def asked(bench: Bench, since: int = 0) -> list[str]:
    return [f"{entry.method} {entry.note}" for entry in bench.campaign.log[since:] if entry.note != "token"]


def row_of(bench: Bench, resource: str) -> dict[str, Any]:
    (row,) = bench.campaign.dump(resource)
    return row


async def test_an_account_is_created_updated_and_deleted() -> None:
    bench = Bench(addressing="key", shipped=texts("accounts"))
    (account,) = bench.dynamics.seed([{"name": "Acme", "revenue": 12.5, "industrycode": 7}], table="account")
    await bench.settle()
    row = row_of(bench, "cusAccount")
    assert (row["externalId"], row["name"], row["revenue"], row["industry"]) == (
        account,
        "Acme",
        12.5,
        "consulting",
    )
    # Found out once: in which family it is, and that it has a filter and no key in the URI.
    assert asked(bench)[:4] == ["GET metadata", "GET metadata", "GET cusAccount.get", "GET cusAccount.lookup"]
    since = len(bench.campaign.log)
    bench.dynamics.edit(account, {"name": "Acme Ltd"}, table="account")
    await bench.settle()
    assert asked(bench, since) == ["GET cusAccount.lookup", "PATCH cusAccount.update"]
    since = len(bench.campaign.log)
    bench.dynamics.delete(account, table="account")
    await bench.settle()
    assert asked(bench, since) == ["GET cusAccount.lookup", "DELETE cusAccount.delete"]
    assert bench.campaign.dump("cusAccount") == []


async def test_an_order_carries_every_kind_of_column() -> None:
    bench = Bench(addressing="key", shipped=texts("orders"))
    (contact,) = bench.dynamics.seed([{"lastname": "Lovelace"}])
    bench.dynamics.seed(
        [
            {
                "cr_name": "First",
                "_cr_contactid_value": contact,
                "cr_total": 99.95,
                "cr_channels": "1,9",
                "cr_orderdate": "2026-05-28",
                "cr_shippedon": "2026-05-29T22:00:00Z",
                "cr_deliveryslot": "2026-06-01T08:00:00Z",
                "cr_status": 100_000_002,
                "cr_paid": True,
            }
        ],
        table="cr_order",
    )
    await bench.settle()
    row = row_of(bench, "cusOrder")
    assert (row["total"], row["channels"], row["orderDate"]) == (99.95, "1,9", "2026-05-28")
    assert row["channelNames"] == "Web; Partner"
    assert (row["shippedOn"], row["status"], row["paid"]) == ("2026-05-29 22:00:00.000Z", "shipped", True)


@pytest.mark.parametrize("delete_by_key", [False, True])
async def test_a_key_in_the_uri_is_used_where_it_works(delete_by_key: bool) -> None:
    bench = Bench(addressing="key", delete_by_key=delete_by_key, shipped=texts("accounts"))
    bench.campaign.command("custom_addressing", {"mode": "key"})
    (account,) = bench.dynamics.seed([{"name": "Acme"}], table="account")
    await bench.settle()
    since = len(bench.campaign.log)
    bench.dynamics.edit(account, {"name": "Acme Ltd"}, table="account")
    await bench.settle()
    assert asked(bench, since) == ["PATCH cusAccount.update"]
    bench.dynamics.delete(account, table="account")
    await bench.settle()
    assert bench.campaign.dump("cusAccount") == []
    looked = "GET cusAccount.get" in asked(bench, since)
    assert looked is not delete_by_key


async def test_delete_by_key_that_is_refused_is_not_tried_again() -> None:
    bench = Bench(addressing="key", shipped=texts("accounts"), CAMPAIGN_DELETE_BY_KEY="true")
    bench.campaign.command("custom_addressing", {"mode": "key"})
    ids = bench.dynamics.seed([{"name": f"Acme {n}"} for n in range(2)], table="account")
    await bench.settle()
    since = len(bench.campaign.log)
    for account in ids:
        bench.dynamics.delete(account, table="account")
        await bench.settle()
    deletes = [entry for entry in bench.campaign.log[since:] if entry.method == "DELETE"]
    assert [entry.status for entry in deletes] == [500, 200, 200]
    assert bench.campaign.dump("cusAccount") == []


def mapping(name: str, table: str, resource: str, key: str, columns: int) -> str:
    fields = "\n".join(
        f"  - {{source: cr_c{n}, target: c{n}, type: string, length: 40}}" for n in range(columns)
    )
    head = f"mapping: {name}\nsource: {{table: {table}}}\ntarget: {{resource: {resource}, key: {key}}}\n"
    return f"{head}fields:\n{fields}\n"


async def test_many_wide_tables_with_keys_of_other_names() -> None:
    """Adobe's app ends at 20 tables of 50 columns (adobe.md A.5)."""
    tables, columns = 25, 100
    names = [f"t{n:02d}" for n in range(tables)]
    bench = Bench(
        addressing="key",
        shipped={
            name: mapping(name, f"cr_{name}", f"cus{name.upper()}", "crmKey", columns) for name in names
        },
    )
    for place, name in enumerate(names):
        told = [{"name": f"cr_c{n}", "max_length": 40} for n in range(columns)]
        bench.dynamics.command("custom_table", {"name": f"cr_{name}", "columns": told})
        family = "customResources" if place % 2 else "profileAndServicesExt"
        fields = [{"name": f"c{n}", "length": 40} for n in range(columns)]
        bench.campaign.command(
            "custom_resource",
            {"name": f"cus{name.upper()}", "fields": fields, "key": "crmKey", "family": family},
        )
        values = {f"cr_c{n}": f"{name} {n}" for n in range(columns)}
        bench.dynamics.seed([values, values], table=f"cr_{name}")
    await bench.settle()
    for name in names:
        rows = bench.campaign.dump(f"cus{name.upper()}")
        assert len(rows) == 2
        assert all(row[f"c{n}"] == f"{name} {n}" for row in rows for n in range(columns))


def definitions(entries: list[Entry]) -> list[Entry]:
    return [entry for entry in entries if "EntityDefinitions" in entry.target]


async def test_names_left_out_of_the_source_are_asked_for_once() -> None:
    bench = Bench(addressing="key", shipped=texts("accounts"))
    bench.dynamics.seed([{"name": "Acme"}], table="account")
    await bench.settle()
    asked_before = len(definitions(bench.dynamics.log))
    bench.dynamics.seed([{"name": "Other"}], table="account")
    await bench.settle()
    assert len(definitions(bench.dynamics.log)) == asked_before > 0
    assert len(bench.campaign.dump("cusAccount")) == 2


async def test_twenty_links_and_five_generations() -> None:
    """Adobe's app ends at 5 linked columns and 3 tables in a row (adobe.md A.5)."""
    links, depth = 20, 5
    names = [f"g{n}" for n in range(depth + 1)]
    shipped = {}
    for place, name in enumerate(names):
        text = mapping(name, f"cr_{name}", f"cus{name.upper()}", "externalId", 1)
        if place:
            up = names[place - 1]
            text += f"  - {{source: _cr_up_value, target: upId, type: link, mapping: {up}, required: true}}\n"
        if place == depth:
            text += "".join(
                f"  - {{source: _cr_l{n}_value, target: l{n}Id, type: link, mapping: {names[n % depth]}}}\n"
                for n in range(links - 1)
            )
        shipped[name] = text
    bench = Bench(addressing="key", shipped=shipped)
    ids: list[str] = []
    for place, name in enumerate(names):
        columns: list[dict[str, Any]] = [{"name": "cr_c0", "max_length": 40}]
        joins: list[dict[str, Any]] = []
        values: dict[str, Any] = {"cr_c0": name}
        if place:
            columns.append({"name": "cr_up", "type": "Lookup", "targets": [f"cr_{names[place - 1]}"]})
            joins.append({"name": "up", "column": "upId", "target": f"cus{names[place - 1].upper()}"})
            values["_cr_up_value"] = ids[-1]
        if place == depth:
            for n in range(links - 1):
                target = names[n % depth]
                columns.append({"name": f"cr_l{n}", "type": "Lookup", "targets": [f"cr_{target}"]})
                joins.append({"name": f"l{n}", "column": f"l{n}Id", "target": f"cus{target.upper()}"})
                values[f"_cr_l{n}_value"] = ids[n % depth]
        bench.dynamics.command("custom_table", {"name": f"cr_{name}", "columns": columns})
        told = {"name": f"cus{name.upper()}", "fields": [{"name": "c0", "length": 40}], "links": joins}
        bench.campaign.command("custom_resource", told)
        required = (*bench.campaign.options.required_links, *([f"cus{name.upper()}.up"] if place else []))
        bench.campaign.command("required_links", {"names": list(required)})
        ids += bench.dynamics.seed([values], table=f"cr_{name}")
    for _ in range(depth):
        await bench.settle()
    rows = [row_of(bench, f"cus{name.upper()}") for name in names]
    assert [row["externalId"] for row in rows] == ids
    assert [row["upId"] for row in rows[1:]] == ids[:-1]
    assert [rows[-1][f"l{n}Id"] for n in range(links - 1)] == [ids[n % depth] for n in range(links - 1)]
    assert [bench.campaign.hidden(f"cus{name.upper()}") for name in names] == [[]] * (depth + 1)
