"""25 tables of 100 columns, 20 links on one, five generations: more than any list of limits of today's connectors."""

from __future__ import annotations

from typing import Any

from benchmarks.calls import Bench
from sandbox.campaign.orders import LINKED
from sync.storage.ledger import from_stored

TABLES, COLUMNS, LINKS, DEPTH, RECORDS = 25, 100, 20, 5, 3


def parents(number: int) -> list[int]:
    """The tables that table `number` has required links to: a chain of five, and one table with twenty."""
    if number == TABLES:
        return list(range(TABLES - LINKS, TABLES))
    return [number - 1] if 1 < number <= DEPTH else []


def name(number: int) -> str:
    return f"t{number:02d}"


def ident(table: int, number: int) -> str:
    return f"{table:08x}-0000-4000-8000-{number:012x}"


def text(number: int) -> str:
    table = f"cr_{name(number)}"
    fields = [f"  - {{source: cr_c{at:03d}, target: c{at:03d}, length: 50}}" for at in range(COLUMNS)]
    fields += [
        f"  - {{source: _cr_{name(parent)}_value, target: {name(parent)}Id, type: link, mapping: {name(parent)}, "
        "required: true}"
        for parent in parents(number)
    ]
    head = (
        f"mapping: {name(number)}\nsource: {{table: {table}, entity_set: {table}s, key: {table}id}}\n"
        f"target: {{resource: cusT{number:02d}, key: externalId}}\nfields:\n"
    )
    return head + "\n".join(fields) + "\n"


def world() -> Bench:
    numbers = range(1, TABLES + 1)
    bench = Bench(addressing="key", shipped={name(number): text(number) for number in numbers})
    for number in numbers:
        columns: list[dict[str, Any]] = [{"name": f"cr_c{at:03d}"} for at in range(COLUMNS)]
        columns += [
            {"name": f"cr_{name(parent)}", "type": "Lookup", "targets": [f"cr_{name(parent)}"]}
            for parent in parents(number)
        ]
        bench.dynamics.custom_table(f"cr_{name(number)}", columns)
        bench.campaign.custom_resource(
            f"cusT{number:02d}",
            fields=[{"name": f"c{at:03d}"} for at in range(COLUMNS)],
            family=LINKED,
            links=[
                {"name": f"{name(parent)}Link", "column": f"{name(parent)}Id", "target": f"cusT{parent:02d}"}
                for parent in parents(number)
            ],
        )
    return bench


def seed(bench: Bench) -> None:
    # Grandchildren first: the worst order there is.
    for number in range(TABLES, 0, -1):
        table = f"cr_{name(number)}"
        rows = [
            {
                f"{table}id": ident(number, at),
                **{f"cr_c{column:03d}": f"v{number}-{at}-{column}" for column in range(COLUMNS)},
                **{f"_cr_{name(parent)}_value": ident(parent, at) for parent in parents(number)},
            }
            for at in range(RECORDS)
        ]
        bench.dynamics.seed(rows, table=table)


async def test_many_wide_tables_with_many_links_go_through_in_order() -> None:
    bench = world()
    seed(bench)
    await bench.settle()
    rows = [from_stored(stored) for stored in bench.account.tables["ledger"].rows.values()]
    assert {row.state.value for row in rows} == {"synced"}
    assert len(rows) == TABLES * RECORDS
    for number in range(1, TABLES + 1):
        shown = bench.campaign.dump(f"cusT{number:02d}")
        assert len(shown) == RECORDS
        for record in shown:
            at = int(record["externalId"][-12:], 16)
            assert record["c099"] == f"v{number}-{at}-99"
            assert all(record[f"{name(p)}Id"] == ident(p, at) for p in parents(number))
    log = [entry for entry in bench.campaign.log if entry.note.endswith(".create")]
    assert len(log) == TABLES * RECORDS, "each record cost one POST, its links none"
    place = {(entry.note, entry.record): at for at, entry in enumerate(log)}
    for number in range(1, TABLES + 1):
        for parent in parents(number):
            for at in range(RECORDS):
                child = place[f"cusT{number:02d}.create", ident(number, at)]
                assert place[f"cusT{parent:02d}.create", ident(parent, at)] < child
