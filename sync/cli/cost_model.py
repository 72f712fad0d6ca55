"""What a month of the sync costs, and how many engine calls it makes: pure arithmetic over stated quantities.

Quantities are counted from the code (docs/cost.md says where each comes from); prices are inputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

DAYS = 30.4
DAY_S = 86400.0
PULLS = FEEDS = 4 * 60 * 24.0
"""Ticks a day of `pull_changes` and of `feed_backfill`: every 15 s."""
LOOKS = 60 * 24.0
"""Looks a day for changed opt-outs in Campaign."""
WAKES = 60 * 24.0
EVENT_PULLS = 2 * 60 * 24.0
"""Ticks a day of `pull_email_events`: every 30 s."""
POLLED_QUEUES = 10
"""Queues with a trigger; each is asked every 2 s while nothing comes."""
POLL_S = 2.0
CALLS_PER_RECORD = {"insert": {"key": 1, "filter": 2}, "update": {"key": 1, "filter": 2}}
"""Campaign calls a record, measured by `scripts/bench`."""
TABLES_PER_RECORD = 8
"""Ledger read, claim and outcome; history; shares of budget, progress and counters."""
TABLES_PER_PULL = 8
QUEUES_PER_CHUNK = 4
RECORDS_PER_CHUNK = 2.0
"""Live changes come one by one; a backfill chunk holds up to 20."""
LEDGER_KB, HISTORY_KB, HISTORY_DAYS = 0.8, 0.5, 90.0
RUN_LOG_KB, RECORD_LOG_KB, REPORT_LOG_KB = 2.5, 0.6, 6.0
"""A function run (one request, two traces), a record's line, a minute's report."""
EVENT_TABLES, EVENT_KB = 3, 0.5
ALERTS = 11


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars. List prices of one region at one time: replace them by yours (`--price NAME=VALUE`)."""

    run_gb_s: float = 0.000026
    ready_gb_s: float = 0.000004
    ready_run_gb_s: float = 0.000016
    million_runs: float = 0.40
    free_gb_s: float = 100_000
    free_runs: float = 250_000
    queue_10k: float = 0.0004
    table_10k: float = 0.00036
    storage_gb: float = 0.056
    log_gb: float = 2.76
    free_log_gb: float = 5.0
    alert: float = 1.50
    nat_hour: float = 0.045
    nat_gb: float = 0.045
    endpoint_hour: float = 0.01
    dns_zone: float = 0.50

    @classmethod
    def names(cls) -> list[str]:
        return [field.name for field in fields(cls)]


@dataclass(frozen=True, slots=True)
class Load:
    """What is synced and on what. `addressing` is `key` or `filter`; `gb` the memory of an instance."""

    contacts: int
    changes_per_day: float
    events_per_day: float = 0.0
    addressing: str = "key"
    gb: float = 2.0
    always_ready: int = 2
    private: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the bill: how much of what, and dollars a month."""

    item: str
    amount: str
    usd: float


@dataclass(frozen=True, slots=True)
class Calls:
    """The forecast of engine calls."""

    first_load: int
    first_load_s: float
    per_day: float
    licensed_share: float
    """Of the calls that the licensed rate allows in a day."""


def bill(load: Load, prices: Prices) -> Iterator[Line]:
    """The lines of a month without the first load."""
    chunks = load.changes_per_day / RECORDS_PER_CHUNK
    runs = (PULLS + FEEDS + LOOKS + WAKES + EVENT_PULLS + chunks) * DAYS
    yield from _functions(load, prices, chunks, runs)
    polls = POLLED_QUEUES * DAY_S / POLL_S
    queues = (polls + chunks * QUEUES_PER_CHUNK + FEEDS * 3 + WAKES * 2 * 7) * DAYS
    yield Line("queue operations", _million(queues), queues / 10_000 * prices.queue_10k)
    records = load.changes_per_day * TABLES_PER_RECORD + load.events_per_day * EVENT_TABLES
    tables = (PULLS * TABLES_PER_PULL + FEEDS + LOOKS * 8 + WAKES * 24 + records) * DAYS
    yield Line("table operations", _million(tables), tables / 10_000 * prices.table_10k)
    history = load.changes_per_day * HISTORY_DAYS * HISTORY_KB
    events = load.events_per_day * HISTORY_DAYS * EVENT_KB
    stored = (load.contacts * LEDGER_KB + history + events) / 1e6
    yield Line("stored", f"{stored:,.2f} GB", stored * prices.storage_gb)
    lines = load.changes_per_day * RECORD_LOG_KB + WAKES * REPORT_LOG_KB + PULLS * 0.5
    logs = (runs * RUN_LOG_KB + lines * DAYS) / 1e6
    yield Line("logs", f"{logs:,.1f} GB", max(logs - prices.free_log_gb, 0.0) * prices.log_gb)
    yield Line("alert rules", str(ALERTS), ALERTS * prices.alert)
    if load.private:
        hours = DAYS * 24
        traffic = load.changes_per_day * DAYS * 8 / 1e6
        network = hours * (prices.nat_hour + 4 * prices.endpoint_hour) + 4 * prices.dns_zone
        yield Line(
            "private network",
            f"NAT gateway, 4 endpoints, 4 zones, {traffic:,.1f} GB",
            network + traffic * prices.nat_gb,
        )


def _functions(load: Load, prices: Prices, chunks: float, runs: float) -> Iterator[Line]:
    """Pull and live lane run on always-ready instances if there are any; the other timers on demand, 1 s at least."""
    steady = (PULLS + chunks) * DAYS
    rest = (FEEDS + LOOKS + WAKES) * DAYS
    if load.always_ready:
        kept = load.always_ready * load.gb * DAYS * DAY_S
        yield Line("instances kept ready", f"{load.always_ready} × {load.gb:g} GB", kept * prices.ready_gb_s)
        used = steady * load.gb
        yield Line("runs on them", f"{used:,.0f} GB-s", used * prices.ready_run_gb_s)
    else:
        rest += steady
    used = rest * load.gb
    yield Line("runs on demand", f"{used:,.0f} GB-s", max(used - prices.free_gb_s, 0.0) * prices.run_gb_s)
    paid = max(runs - prices.free_runs, 0.0)
    yield Line("function runs", f"{runs:,.0f}", paid / 1e6 * prices.million_runs)


def calls(load: Load, *, calls_per_s: float, share: float, licensed_per_s: float) -> Calls:
    """`calls_per_s` is what the budget permits, `share` the backfill's part of it."""
    first = load.contacts * CALLS_PER_RECORD["insert"][load.addressing]
    daily = load.changes_per_day * CALLS_PER_RECORD["update"][load.addressing]
    return Calls(first, first / (calls_per_s * share), daily, daily / (licensed_per_s * DAY_S))


def _million(count: float) -> str:
    return f"{count / 1e6:,.1f} million"
