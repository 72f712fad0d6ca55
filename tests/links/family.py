"""A family of mappings over the look-alikes' tables: accounts, contacts, orders and their lines."""

from __future__ import annotations

from typing import Any

from benchmarks.calls import Bench
from sync.model import LedgerRow
from sync.storage.ledger import from_stored

ACCOUNTS = """\
mapping: accounts
source: {table: account, entity_set: accounts, key: accountid}
target: {resource: cusAccount, key: externalId}
fields:
  - {source: name, target: name, length: 160}
"""
ACCOUNT_LINKS = """\
  - {source: _primarycontactid_value, target: primaryContactExternalId, type: link, mapping: contacts,
     on_parent_delete: clear}
  - {source: _parentaccountid_value, target: parentExternalId, type: link, mapping: accounts}
"""
CONTACTS = """\
mapping: contacts
source: {table: contact, entity_set: contacts, key: contactid}
target: {resource: profile, key: externalId}
fields:
  - {source: lastname, target: lastName, length: 50}
  - {source: _parentcustomerid_value, target: cusCrmNumber, type: link, mapping: accounts}
"""
ORDERS = """\
mapping: orders
source: {{table: cr_order, entity_set: cr_orders, key: cr_orderid}}
target: {{resource: cusOrder, key: externalId}}
fields:
  - {{source: cr_ordernumber, target: number, length: 40}}
  - {{source: _cr_contactid_value, target: profileExternalId, type: link, mapping: contacts, required: true,
     on_parent_delete: {rule}}}
"""
LINES = """\
mapping: lines
source: {{table: cr_orderline, entity_set: cr_orderlines, key: cr_orderlineid}}
target: {{resource: cusOrderLine, key: externalId}}
fields:
  - {{source: cr_product, target: product, length: 100}}
  - {{source: _cr_orderid_value, target: orderExternalId, type: link, mapping: orders, required: true,
     on_parent_delete: {rule}}}
  - {{source: _cr_partoflineid_value, target: partOfExternalId, type: link, mapping: lines, on_parent_delete: clear}}
"""
RESOURCES = {"accounts": "cusAccount", "contacts": "profile", "orders": "cusOrder", "lines": "cusOrderLine"}
TABLES = {"accounts": "account", "contacts": "contact", "orders": "cr_order", "lines": "cr_orderline"}


def texts(rule: str = "hold") -> dict[str, str]:
    """The mapping texts; `rule` is what becomes of orders and lines when their parent goes."""
    return {
        "accounts": ACCOUNTS + ACCOUNT_LINKS,
        "contacts": CONTACTS,
        "orders": ORDERS.format(rule=rule),
        "lines": LINES.format(rule=rule),
    }


class Family(Bench):
    """A bench with those mappings; records are named by mapping and a small number."""

    def __init__(self, rule: str = "hold") -> None:
        super().__init__(addressing="key", shipped=texts(rule))

    async def until_quiet(self) -> None:
        await self.settle()
        await self.app.wake_parked()
        while await self.work():
            self.clock.at += 1

    def put(self, mapping: str, number: int, **values: Any) -> str:
        """Create or change a record; answers its id."""
        table = TABLES[mapping]
        key = f"{table}id"
        self.dynamics.seed([{key: ident(mapping, number), **values}], table=table)
        return ident(mapping, number)

    def gone(self, mapping: str, number: int) -> None:
        """A person deletes a record in Dynamics."""
        self.dynamics.delete(ident(mapping, number), table=TABLES[mapping])

    def shown(self, mapping: str) -> dict[str, dict[str, Any]]:
        """Campaign's records by external id."""
        return {row["externalId"]: row for row in self.campaign.dump(resource=RESOURCES[mapping])}

    def row(self, mapping: str, number: int) -> LedgerRow:
        """A ledger row."""
        for (partition, record_id), stored in self.account.tables["ledger"].rows.items():
            if record_id == ident(mapping, number) and partition.startswith(f"{mapping}:"):
                return from_stored(stored)
        return LedgerRow("", ident(mapping, number))

    def links(self) -> list[tuple[str, str]]:
        """Link rows as (parent, child)."""
        return [key for key in self.account.tables["links"].rows if key[1] != "pointed"]

    def parked(self) -> list[tuple[str, str]]:
        """Parked rows as (what is awaited, who)."""
        return sorted(self.account.tables["parked"].rows)

    def writes(self, since: int = 0) -> list[str]:
        """Every successful write to Campaign, in order, as `resource.verb`."""
        return [
            entry.note
            for entry in self.campaign.log[since:]
            if entry.method != "GET" and entry.note != "token" and 200 <= entry.status < 300
        ]


def ident(mapping: str, number: int) -> str:
    return f"{ord(mapping[0]):08x}-0000-4000-8000-{number:012x}"
