"""Microsoft's PowerPlatform-Dataverse-Client against a look-alike on https: `python dataverse_client.py URL`.

REQUESTS_CA_BUNDLE must name the look-alike's certificate. Prints `ok <call>` per call of README.md and ends with 1 at the
first failure. Nothing of the client is patched.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from enum import IntEnum
from typing import Any

import requests
from azure.core.credentials import AccessToken
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError, MetadataError

TABLE = "new_Ticket"


class Kind(IntEnum):
    """A local choice."""

    Question = 1
    Fault = 2


class Credential:
    """Client credentials from the look-alike's own token endpoint; any object with `get_token` will do."""

    def __init__(self, url: str) -> None:
        self._url = url

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        form = {
            "grant_type": "client_credentials", "client_id": "local-dynamics",
            "client_secret": "local-dynamics-secret", "scope": " ".join(scopes),
        }  # fmt: skip
        answer = requests.post(f"{self._url}/local/oauth2/v2.0/token", data=form, timeout=10)
        answer.raise_for_status()
        return AccessToken(answer.json()["access_token"], int(time.time()) + 3000)


def ok(call: str, holds: bool = True) -> None:
    """Notes a call, or ends the script."""
    if not holds:
        print(f"failed {call}", flush=True)
        raise SystemExit(1)
    print(f"ok {call}", flush=True)


def refused(call: str, work: Callable[[], object], status: int, code: str = "") -> None:
    """Notes a call that must be refused with this status and code."""
    try:
        work()
    except HttpError as error:
        ok(
            call,
            error.status_code == status and (not code or error.details.get("service_error_code") == code),
        )
        return
    ok(call, False)


def tables(client: DataverseClient) -> None:
    columns = {
        "new_Number": {"type": "string", "max_length": 20}, "new_Priority": "int", "new_Cost": "decimal",
        "new_Weight": "float", "new_Due": "datetime", "new_Done": "bool", "new_Notes": "memo", "new_Kind": Kind,
    }  # fmt: skip
    made = client.tables.create(TABLE, columns, display_name="Ticket")
    ok(
        "tables.create",
        (made["table_logical_name"], made["entity_set_name"]) == ("new_ticket", "new_tickets"),
    )
    try:
        client.tables.create(TABLE, {})
    except MetadataError:
        ok("tables.create: exists")
    found = client.tables.get(TABLE)
    ok("tables.get", found is not None and found["primary_id_attribute"] == "new_ticketid")
    ok("tables.get: absent", client.tables.get("new_Nothing") is None)
    ok(
        "tables.list",
        any(one["LogicalName"] == "new_ticket" for one in client.tables.list(select=["LogicalName"])),
    )
    listed = client.tables.list(filter="SchemaName eq 'new_Ticket'", select=["LogicalName", "SchemaName"])
    ok("tables.list: filter", [one["LogicalName"] for one in listed] == ["new_ticket"])
    ok("tables.add_columns", client.tables.add_columns(TABLE, {"new_Extra": "string"}) == ["new_Extra"])
    ok("tables.remove_columns", client.tables.remove_columns(TABLE, "new_Extra") == ["new_Extra"])
    told = client.tables.list_columns(TABLE, select=["LogicalName", "AttributeType"])
    kinds = {one["LogicalName"]: one["AttributeType"] for one in told}
    ok(
        "tables.list_columns",
        (kinds["new_cost"], kinds["new_kind"], "new_extra" in kinds) == ("Decimal", "Picklist", False),
    )


def keys(client: DataverseClient) -> None:
    made = client.tables.create_alternate_key(TABLE, "new_NumberKey", ["new_number"])
    ok("tables.create_alternate_key", bool(made.metadata_id))
    known = client.tables.get_alternate_keys(TABLE)
    ok(
        "tables.get_alternate_keys",
        [(one.schema_name, one.status) for one in known] == [("new_NumberKey", "Active")],
    )
    spare = client.tables.create_alternate_key(TABLE, "new_PriorityKey", ["new_priority"])
    client.tables.delete_alternate_key(TABLE, spare.metadata_id)
    ok("tables.delete_alternate_key", len(client.tables.get_alternate_keys(TABLE)) == 1)


def records(client: DataverseClient) -> None:
    one = client.records.create(TABLE, {
        "new_Name": "First", "new_Number": "T1", "new_Priority": 3, "new_Cost": 1.5, "new_Weight": 2.25,
        "new_Done": True, "new_Kind": "Fault", "new_Due": "2026-05-01T00:00:00Z",
    })  # fmt: skip
    ok("records.create", len(one) == 36)
    row = client.records.retrieve(TABLE, one, select=["new_name", "new_kind", "new_cost", "new_done"])
    ok(
        "records.retrieve",
        row is not None and (row["new_name"], row["new_kind"], row["new_cost"]) == ("First", 2, 1.5),
    )
    many = client.records.create(TABLE, [{"new_Name": f"Row {n}", "new_Number": f"R{n}"} for n in range(7)])
    ok("records.create: list (CreateMultiple)", len(many) == 7)
    client.records.update(TABLE, one, {"new_Name": "Changed"})
    ok("records.update")
    client.records.update(TABLE, many, {"new_Priority": 9})
    ok("records.update: list (UpdateMultiple)")
    client.records.update(TABLE, many[:2], [{"new_Priority": 1}, {"new_Priority": 2}])
    ok("records.update: pairs")
    absent = "00000000-0000-4000-8000-000000000000"
    refused(
        "records.update: absent row", lambda: client.records.update(TABLE, absent, {"new_Name": "x"}), 404
    )
    refused("records.create: duplicate key", lambda: client.records.create(TABLE, {"new_Number": "T1"}), 412)
    refused("records.create: too long", lambda: client.records.create(TABLE, {"new_Number": "x" * 21}), 400)
    upsert = client.records.upsert
    upsert(TABLE, [{"alternate_key": {"new_number": "T1"}, "record": {"new_name": "By key"}}])
    row = client.records.retrieve(TABLE, one, select=["new_name"])
    ok("records.upsert", row is not None and row["new_name"] == "By key")
    upsert(
        TABLE,
        [{"alternate_key": {"new_number": name}, "record": {"new_name": "Many"}} for name in ("T1", "T2")],
    )
    found = client.records.list(
        TABLE, filter="new_name eq 'Many'", select=["new_number"], orderby=["new_number asc"]
    )
    ok("records.upsert: list (UpsertMultiple)", [row["new_number"] for row in found] == ["T1", "T2"])
    client.records.delete(TABLE, one)
    refused("records.delete", lambda: client.records.delete(TABLE, one), 404)


def paging(client: DataverseClient) -> None:
    pages = list(client.records.list_pages(TABLE, select=["new_name"], page_size=3))
    ok("records.list_pages", [len(page) for page in pages] == [3, 3, 2])
    ok("records.list: page_size", len(client.records.list(TABLE, select=["new_name"], page_size=3)) == 8)
    ok("records.list: top", len(client.records.list(TABLE, select=["new_name"], top=2)) == 2)
    shown = client.records.list(
        TABLE, select=["new_priority"], top=1, filter="new_priority eq 9",
        include_annotations="OData.Community.Display.V1.FormattedValue",
    )  # fmt: skip
    ok(
        "records.list: annotations",
        next(iter(shown))["new_priority@OData.Community.Display.V1.FormattedValue"] == "9",
    )
    missing = client.records.retrieve(TABLE, "00000000-0000-4000-8000-000000000000", select=["new_name"])
    ok("records.retrieve: absent", missing is None)


def batch(client: DataverseClient) -> None:
    work = client.batch.new()
    work.records.create(TABLE, {"new_Name": "Batched", "new_Number": "B1"})
    work.records.upsert(TABLE, [{"alternate_key": {"new_number": "B2"}, "record": {"new_name": "Batched"}}])
    work.records.create(TABLE, [{"new_Name": "Batched", "new_Number": f"B{n}"} for n in (3, 4)])
    result = work.execute()
    ok("batch", not result.has_errors and len(result.responses) == 3)
    work = client.batch.new()
    work.records.create(TABLE, {"new_Number": "B1"})
    work.records.create(TABLE, {"new_Name": "Batched", "new_Number": "B5"})
    result = work.execute(continue_on_error=True)
    ok("batch: continue on error", [one.status_code for one in result.responses] == [412, 204])
    work = client.batch.new()
    with work.changeset() as changes:
        reference = changes.records.create(TABLE, {"new_Name": "Set", "new_Number": "S1"})
        changes.records.update(TABLE, reference, {"new_Priority": 4})
    ok("batch: change set", not work.execute().has_errors)
    work = client.batch.new()
    with work.changeset() as changes:
        changes.records.create(TABLE, {"new_Name": "Lost", "new_Number": "L1"})
        changes.records.create(TABLE, {"new_Number": "S1"})
    lost = work.execute(continue_on_error=True)
    none = client.records.list(TABLE, filter="new_name eq 'Lost'", select=["new_name"])
    ok("batch: change set rolls back", lost.has_errors and len(none) == 0)


def events(client: DataverseClient, url: str) -> None:
    """The same calls against a table of email events, which this client cannot make (`IsActivity` is fixed in it)."""
    table = "acs_emailopen"
    columns: Any = [
        {"name": "acs_deliveryname", "max_length": 200},
        {"name": "acs_eventid", "max_length": 40},
    ]
    definition = {"name": table, "columns": columns}
    made = requests.post(f"{url}/_sandbox/activity_table", json=definition, timeout=10)
    made.raise_for_status()
    client.records.create(
        "publisher",
        {
            "uniquename": "acs", "friendlyname": "ACS", "customizationprefix": "acs",
            "customizationoptionvalueprefix": 72700,
        },
    )  # fmt: skip
    contact = client.records.create("contact", {"lastname": "Reader"})
    about = {"regardingobjectid_contact_acs_emailopen@odata.bind": f"/contacts({contact})"}

    def row(number: int) -> dict[str, object]:
        return {"subject": "Campaign Name: A; Delivery Name: B", "acs_eventid": f"E{number}", **about}

    found = client.tables.get(table)
    ok("events: tables.get", found is not None and found["primary_id_attribute"] == "activityid")
    client.tables.add_columns(table, {"acs_note": "string"})
    ok("events: tables.add_columns", True)
    refused(
        "events: tables.create_alternate_key: not documented for activities",
        lambda: client.tables.create_alternate_key(table, "acs_EventKey", ["acs_eventid"]),
        501,
    )
    one = client.records.create(table, row(1))
    shown = client.records.retrieve(table, one, select=["subject", "_regardingobjectid_value"])
    ok("events: records.create", shown is not None and shown["_regardingobjectid_value"] == contact)
    refused(
        "events: records.create: id is there",
        lambda: client.records.create(table, {"activityid": one, **row(1)}),
        412,
    )
    many = client.records.create(table, [row(number) for number in range(2, 9)])
    ok("events: records.create: list (CreateMultiple)", len(many) == 7)
    client.records.update(table, many, {"acs_deliveryname": "DM190"})
    ok(
        "events: records.update: list (UpdateMultiple)",
        len(client.records.list(table, filter="acs_deliveryname eq 'DM190'", select=["subject"])) == 7,
    )
    pages = list(client.records.list_pages(table, select=["subject"], page_size=4))
    ok("events: records.list_pages", [len(page) for page in pages] == [4, 4])
    work = client.batch.new()
    work.records.create(table, {"activityid": one, **row(1)})
    work.records.create(table, row(10))
    result = work.execute(continue_on_error=True)
    ok("events: batch: continue on error", [one.status_code for one in result.responses] == [412, 204])
    client.records.delete(table, one)
    refused("events: records.delete", lambda: client.records.delete(table, one), 404)


def main(url: str) -> int:
    with DataverseClient(url, Credential(url)) as client:
        tables(client)
        keys(client)
        records(client)
        paging(client)
        batch(client)
        client.tables.delete(TABLE)
        ok("tables.delete", client.tables.get(TABLE) is None)
        events(client, url)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
