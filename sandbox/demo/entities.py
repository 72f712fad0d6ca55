"""Accounts, orders and order lines beside the contacts: any table, and parents before their children.

The mappings are the examples that ship (`mappings/examples`). One order cannot be sent at first, so that its line waits
for it; one order is deleted with its lines. What must be in Campaign is written down here again.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich import box
from rich.table import Table

from sandbox.demo.stack import ROOT, Stack
from sandbox.demo.tenant import Contact, Values, new_id
from sandbox.process import ProcessEnded

TABLES = {"accounts": "account", "orders": "cr_order", "orderlines": "cr_orderline"}
RESOURCES = {"accounts": "cusAccount", "orders": "cusOrder", "orderlines": "cusOrderLine"}
KEYS = {"accounts": "accountid", "orders": "cr_orderid", "orderlines": "cr_orderlineid"}
FIELDS: Mapping[str, Mapping[str, str]] = {
    "accounts": {"name": "name", "accountNumber": "accountnumber", "city": "address1_city"},
    "orders": {"number": "cr_ordernumber", "notes": "cr_notes", "channels": "cr_channels"},
    "orderlines": {"product": "cr_product", "number": "cr_linenumber"},
}
"""Some Campaign fields and the columns they come from."""
LINKS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "accounts": {
        "parentExternalId": ("_parentaccountid_value", "accounts"),
        "primaryContactExternalId": ("_primarycontactid_value", "contacts"),
    },
    "orders": {
        "profileExternalId": ("_cr_contactid_value", "contacts"),
        "accountExternalId": ("_cr_accountid_value", "accounts"),
    },
    "orderlines": {
        "orderExternalId": ("_cr_orderid_value", "orders"),
        "partOfExternalId": ("_cr_partoflineid_value", "orderlines"),
    },
}
PASTED = "Ring twice.\x0bDeliver to the back door."
"""A line break pasted from a word processor, which Campaign's engine does not take."""
PATIENCE_S = 40.0
CHANNELS = {1: "Web", 3: "Phone", 9: "Partner"}
PRODUCTS = ("Blanket", "Teapot", "Lamp", "Chair", "Rug")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it; `waited` are lines that were seen waiting for their order."""

    counts: dict[str, int]
    waited: int
    children_first: bool
    differences: list[str]

    @property
    def equal(self) -> bool:
        return not self.differences and self.children_first and self.waited > 0

    def as_json(self) -> dict[str, Any]:
        """The key `entities` of `--json`."""
        return {**self.counts, "waited": self.waited, "equal": self.equal}


@dataclass
class Entities:
    """The other tables of the tenant."""

    stack: Stack
    rng: random.Random
    records: dict[str, list[Values]] = field(default_factory=dict)
    late: str = ""
    """The order that cannot be sent at first."""
    going: str = ""
    """The order that is deleted with its lines."""
    waited: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)

    def make(self, contacts: Sequence[Contact]) -> None:
        """Makes and seeds the records; `contacts` are customers whom nobody deletes."""
        accounts = [self._account(number) for number in range(8)]
        for child, parent in zip(accounts[1:], accounts, strict=False):
            child["_parentaccountid_value"] = parent["accountid"]
        orders = [self._order(number, accounts, contacts) for number in range(12)]
        lines = [self._line(number, order) for order in orders for number in (1, 2)]
        lines[1]["_cr_partoflineid_value"] = lines[0]["cr_orderlineid"]
        for account, contact in zip(accounts, contacts, strict=False):
            account["_primarycontactid_value"] = contact.id
        orders[3]["cr_notes"] = PASTED
        self.late, self.going = str(orders[3]["cr_orderid"]), str(orders[7]["cr_orderid"])
        self.records = {"accounts": accounts, "orders": orders, "orderlines": lines}

    def seed(self) -> None:
        """Puts them into Dynamics."""
        for name, records in self.records.items():
            self.stack.dynamics.command("seed", records=records, table=TABLES[name])

    def activate(self) -> str:
        """Activates their mappings as an admin does, once the app has made its tables; returns what happened."""
        files = [f"mappings/examples/{name}.yaml" for name in self.records]
        settings = ["--settings", str(self.stack.settings_file)]
        command = [sys.executable, "-m", "sync", "mappings", "apply", *files, "--yes", *settings]
        until = time.monotonic() + PATIENCE_S
        while True:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
            if not done.returncode:
                counts = ", ".join(f"{len(records)} {name}" for name, records in self.records.items())
                return f"mappings/examples activated: {counts} in Dynamics"
            if ended := self.stack.ended():
                raise ProcessEnded(ended)
            if time.monotonic() > until:
                raise ProcessEnded(f"mappings apply failed: {done.stdout[-800:]}{done.stderr[-800:]}")
            time.sleep(0.5)

    def loaded(self) -> str:
        """After the first load: who waits for its parent, in the sync's own words."""
        lines = {
            line["cr_orderlineid"]
            for line in self.records["orderlines"]
            if line["_cr_orderid_value"] == self.late
        }
        rows = [row for row in self.stack.storage.ledger() if row.record_id in lines]
        self.waited = {row.record_id for row in rows if (row.state, row.code) == ("parked", "parent_missing")}
        return (
            f"{len(self.waited)} order lines wait for their order (parked: parent_missing), "
            "which is quarantined over a pasted character"
        )

    def second_round(self) -> list[Callable[[], str]]:
        """Somebody mends the order; somebody deletes another one, and its lines go with it."""
        return [self._mend, self._delete]

    def _mend(self) -> str:
        self.stack.dynamics.command(
            "edit", id=self.late, changes={"cr_notes": "Ring twice."}, table=TABLES["orders"]
        )
        return "mended an order: it leaves quarantine, and its lines follow"

    def _delete(self) -> str:
        self.removed = {
            line["cr_orderlineid"]
            for line in self.records["orderlines"]
            if line["_cr_orderid_value"] == self.going
        }
        self.stack.dynamics.command("delete", id=self.going, table=TABLES["orders"])
        return "deleted an order with its lines"

    def outcome(self) -> Outcome:
        """Both sides, record by record, and the order in which Campaign was told to delete."""
        held = {name: self._held(name) for name in RESOURCES}
        held["contacts"] = {row["externalId"]: row for row in self.stack.campaign.records()}
        wrong: list[str] = []
        for name in TABLES:
            wrong += self._differences(name, held)
        return Outcome(
            {name: len(held[name]) for name in TABLES},
            len(self.waited & held["orderlines"].keys()),
            self._children_first(),
            wrong,
        )

    def _held(self, name: str) -> dict[str, Values]:
        found = self.stack.campaign.command("dump", resource=RESOURCES[name])["records"]
        return {row["externalId"]: row for row in found}

    def _differences(self, name: str, held: Mapping[str, Mapping[str, Values]]) -> list[str]:
        found = self.stack.dynamics.command("dump", table=TABLES[name])["records"]
        rows = {row[KEYS[name]]: row for row in found}
        wrong = [f"{name} {key} is on one side only" for key in rows.keys() ^ held[name].keys()]
        for key in rows.keys() & held[name].keys():
            row, shown = rows[key], held[name][key]
            wanted = {target: row[column] or "" for target, column in FIELDS[name].items()}
            if name == "orders":
                chosen = [int(value) for value in (row["cr_channels"] or "").split(",") if value]
                wanted["channelNames"] = "; ".join(CHANNELS[value] for value in chosen)
            for target, (column, parent) in LINKS[name].items():
                wanted[target] = row[column] if row[column] in held[parent] else ""
            wrong += [
                f"{name} {key} {target}: {shown[target]!r} instead of {value!r}"
                for target, value in wanted.items()
                if shown[target] != value
            ]
        return wrong

    def _children_first(self) -> bool:
        """Whether the deleted order's lines were deleted before it."""
        entries, _ = self.stack.campaign.log()
        deleted = [entry["record"] for entry in entries if entry["note"].endswith(".delete")]
        if self.going not in deleted:
            return False
        return self.removed <= set(deleted[: deleted.index(self.going)])

    # -- records ---------------------------------------------------------------------------------------------------

    def _account(self, number: int) -> Values:
        return {
            "accountid": new_id(self.rng),
            "name": f"{self.rng.choice(('North', 'Blue', 'Old', 'Grand'))} Trading {number + 1}",
            "accountnumber": f"A-{1000 + number}",
            "address1_city": self.rng.choice(("Wien", "Oslo", "Lyon")),
            "numberofemployees": self.rng.randrange(5, 500),
            "industrycode": self.rng.choice((1, 6, 7)),
        }

    def _order(self, number: int, accounts: Sequence[Values], contacts: Sequence[Contact]) -> Values:
        return {
            "cr_orderid": new_id(self.rng),
            "cr_name": f"Order {number + 1}",
            "cr_ordernumber": f"O-{2000 + number}",
            "cr_notes": None,
            "cr_channels": self.rng.choice((None, "3", "1,9")),
            "_cr_contactid_value": self.rng.choice(contacts).id,
            "_cr_accountid_value": self.rng.choice(accounts)["accountid"],
        }

    def _line(self, number: int, order: Values) -> Values:
        return {
            "cr_orderlineid": new_id(self.rng),
            "cr_name": f"Line {number}",
            "cr_linenumber": number,
            "cr_product": self.rng.choice(PRODUCTS),
            "cr_quantity": self.rng.randrange(1, 9),
            "_cr_orderid_value": order["cr_orderid"],
        }


def customers(contacts: Sequence[Contact]) -> list[Contact]:
    """Contacts whom the story neither deletes nor leaves out of Campaign."""
    return [contact for contact in contacts if contact.kind and not contact.code]


def shown(outcome: Outcome) -> Table:
    """The closing table."""
    title = "Accounts, orders and their lines"
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    table.add_column("")
    table.add_column("records", justify="right")
    for name, count in outcome.counts.items():
        table.add_row(f"{name} in Campaign, as in Dynamics", str(count))
    table.add_row("order lines that waited for their order and went by themselves", str(outcome.waited))
    order = "its lines first" if outcome.children_first else "NOT its lines first"
    table.add_row(f"an order deleted: {order}", "1")
    for what, count in sorted(Counter(outcome.differences[:20]).items()):
        table.add_row(f"[red]{what}[/red]", str(count))
    return table
