"""The host is killed and redeployed while events are written, over Azurite's blobs, tables and queues: every event shows
once, and the same files again write nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.blob import ContainerClient

from sandbox.demo.stack import Stack, stack
from sync.planning.load_events import load_events
from tests.events.stage import (
    DELIVERY_HEADER,
    START,
    TEXT,
    TRACKING_HEADER,
    columns_of,
    contact_id,
    csv_of,
    delivery_line,
    tracking_line,
)
from tests.real.parts import fast, until

pytestmark = pytest.mark.slow
CONTACTS = 150
STEP = 45
EVENTS = {"send": CONTACTS, "open": 2 * CONTACTS, "click": CONTACTS, "bounce": CONTACTS // 3}
SETTINGS = {
    "PULL_SCHEDULE": "0 0 0 1 1 *",  # contacts have a test of their own
    "EVENTS_CONTAINER": "exports",
    "EVENTS_SCHEDULE": "*/2 * * * * *",
    "EVENTS_SETTLE_S": "0",
    "EVENTS_PULL_SECONDS": "2",
    "EVENTS_READ_ROWS": "100",
    "EVENTS_MESSAGE_ROWS": "6",
    "AzureFunctionsJobHost__extensions__queues__batchSize": "4",
    "AzureFunctionsJobHost__extensions__queues__newBatchThreshold": "1",
}
NOW = float(int(time.time() - START))
TABLES = {kind.value: table for kind, table in load_events(TEXT).tables.all()}
DATES = {
    "send": "acs_datesent",
    "open": "acs_dateopened",
    "click": "acs_dateclicked",
    "bounce": "acs_datebounced",
}


def exports() -> dict[str, bytes]:
    """Sends, opens, clicks, and the same sends once more, a third of them bounced."""
    who = range(CONTACTS)
    sends = [delivery_line(n, contact_id(n), at=NOW - 3600.0) for n in who]
    late = [
        delivery_line(
            n, contact_id(n), status="Failed", bounce="Hard", reason="1", at=NOW - 3600.0, modified=NOW - 60.0
        )
        for n in range(EVENTS["bounce"])
    ]
    opens = [tracking_line(n, contact_id(n % CONTACTS), at=NOW - 1800.0 + n) for n in range(EVENTS["open"])]
    clicks = [
        tracking_line(10_000 + n, contact_id(n), type="Email click", url="https://x.test", at=NOW - 900.0 + n)
        for n in who
    ]
    return {
        "1-sends.csv": csv_of(DELIVERY_HEADER, sends),
        "2-tracking.csv": csv_of(TRACKING_HEADER, opens + clicks),
        "3-late.csv": csv_of(DELIVERY_HEADER, sends + late),
    }


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Stack]:
    with stack(fast(tmp_path, **SETTINGS)) as parts:
        for table in TABLES.values():
            parts.dynamics.command("activity_table", name=table.table, columns=columns_of(table))
        parts.dynamics.command(
            "seed", records=[{"contactid": contact_id(n), "lastname": f"N{n}"} for n in range(CONTACTS)]
        )
        yield parts


def upload(running: Stack, prefix: str = "") -> None:
    connection = running.azurite.connection_string
    with ContainerClient.from_connection_string(connection, "exports") as container:
        if not container.exists():
            container.create_container()
        for name, data in exports().items():
            container.upload_blob(prefix + name, data, overwrite=True)


def shown(running: Stack) -> dict[str, list[dict[str, Any]]]:
    dump = running.dynamics.command
    return {kind: dump("dump", table=table.table)["records"] for kind, table in TABLES.items()}


def rows(running: Stack, table: str) -> list[dict[str, Any]]:
    with TableServiceClient.from_connection_string(running.azurite.connection_string) as service:
        if table not in {one.name for one in service.list_tables()}:
            return []
        return [
            dict(one) | {"etag": one.metadata["etag"]}
            for one in service.get_table_client(table).list_entities()
        ]


def counts(running: Stack) -> dict[str, int]:
    return {kind: len(found) for kind, found in shown(running).items()}


def all_read(running: Stack, files: int) -> bool:
    states = [row["state"] for row in rows(running, "exports") if "state" in row]
    return states.count("done") == files and not running.storage.waiting()


def answers_after(running: Stack, seconds: float) -> None:
    """Writes are applied at once and answered later."""
    running.dynamics.command("clear_faults")
    for path in ("Multiple", "$batch"):
        running.dynamics.command("fault", kind="delay", path=path, delay_s=seconds, times=-1)


def unrecorded(running: Stack) -> int:
    """Activities of which no event row knows yet."""
    made = sum(counts(running).values())
    return made - len([row for row in rows(running, "events") if row.get("told") == "written"])


def test_events_survive_kills_and_redeployments_and_the_same_files_again_write_nothing(
    running: Stack,
) -> None:
    answers_after(running, 0.3)
    upload(running)
    in_flight = 0
    for restart in range(3):
        before = sum(counts(running).values())
        running.start_host()
        until(
            lambda before=before: sum(counts(running).values()) >= before + STEP,  # type: ignore[misc]
            40,
            lambda: running.told()[-3000:],
        )
        if restart == 1:
            assert running.stop_host() == 0, "the host left work unfinished"
            continue
        # What is applied from now on is not answered before the kill.
        answers_after(running, 5.0)
        until(lambda: unrecorded(running) > 0, 20, lambda: f"nothing in flight: {counts(running)}")
        running.kill_host()
        answers_after(running, 0.3)
        in_flight += unrecorded(running)
    assert in_flight > 0, "no kill hit a write that was not recorded yet: this test proved nothing"
    assert sum(counts(running).values()) < sum(EVENTS.values()), "all was over before the last restart"
    running.dynamics.command("clear_faults")
    running.start_host()
    until(lambda: all_read(running, 3) and counts(running) == EVENTS, 90, lambda: f"{counts(running)}")
    for kind, found in shown(running).items():
        once = Counter((one["_regardingobjectid_value"], one[DATES[kind]]) for one in found)
        assert {who for who, count in once.items() if count > 1} == set(), kind
    assert sum(one["acs_bouncetype"] == "hard" for one in shown(running)["send"]) == EVENTS["bounce"]
    stored = {(row["PartitionKey"], row["RowKey"]): row["etag"] for row in rows(running, "events")}
    assert not any(row.get("open") for row in rows(running, "events"))
    _, since = running.dynamics.log()
    upload(running, "again-")
    until(lambda: all_read(running, 6), 60, lambda: running.told()[-2000:])
    writes = [
        entry["note"]
        for entry in running.dynamics.log(since)[0]
        if entry["method"] != "GET" and entry["note"] != "token"
    ]
    assert writes == []
    assert stored == {(row["PartitionKey"], row["RowKey"]): row["etag"] for row in rows(running, "events")}
