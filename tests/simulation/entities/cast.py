"""The tables of a run, their links and the rules, drawn from the seed; what is expected is written here by hand."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tie:
    """A link: lookup `source`, field `target`, the parent's mapping, and the rules."""

    source: str
    target: str
    parent: str
    required: bool = False
    rule: str = "hold"


@dataclass(frozen=True, slots=True)
class Role:
    """A mapping: its table, one column and the field that it goes to, and its links. `variant` changes what is sent."""

    name: str
    table: str
    entity_set: str
    resource: str
    column: str
    field: str
    ties: tuple[Tie, ...]
    variant: int = 0

    @property
    def key(self) -> str:
        return f"{self.table}id"

    @property
    def text(self) -> str:
        """The mapping's YAML."""
        lines = [
            f"mapping: {self.name}",
            f"source: {{table: {self.table}, entity_set: {self.entity_set}, key: {self.key}}}",
            f"target: {{resource: {self.resource}, key: externalId}}",
            "fields:",
            f"  - {{source: {self.column}, target: {self.field}, length: {30 + self.variant}}}",
        ]
        lines += [
            f"  - {{source: {tie.source}, target: {tie.target}, type: link, mapping: {tie.parent}, "
            f"required: {str(tie.required).lower()}, on_parent_delete: {tie.rule}}}"
            for tie in self.ties
        ]
        return "\n".join(lines) + "\n"

    def selected(self, row: Values) -> dict[str, Any]:
        """What the mapping reads of a row."""
        return {name: row.get(name) for name in (self.column, *(tie.source for tie in self.ties))}


ACCOUNTS = Role("accounts", "account", "accounts", "cusAccount", "name", "name", ())
CONTACTS = Role("contacts", "contact", "contacts", "profile", "salutation", "salutation", ())
ORDERS = Role("orders", "cr_order", "cr_orders", "cusOrder", "cr_ordernumber", "number", ())
LINES = Role("lines", "cr_orderline", "cr_orderlines", "cusOrderLine", "cr_product", "product", ())

PARENT = Tie("_parentaccountid_value", "parentExternalId", "accounts")
PRIMARY = Tie("_primarycontactid_value", "primaryContactExternalId", "contacts")
EMPLOYER = Tie("_parentcustomerid_value", "cusCrmNumber", "accounts")
CUSTOMER = Tie("_cr_contactid_value", "profileExternalId", "contacts", required=True)
PAYER = Tie("_cr_accountid_value", "accountExternalId", "accounts")
ORDER = Tie("_cr_orderid_value", "orderExternalId", "orders", required=True)
PART_OF = Tie("_cr_partoflineid_value", "partOfExternalId", "lines")


def draw_cast(rng: random.Random) -> tuple[Role, ...]:
    """A chain of three generations with a self link, or a circle of optional links with a child beside it."""
    chain = (
        (CONTACTS, ()),
        (ORDERS, (CUSTOMER,)),
        (LINES, (ORDER, PART_OF)),
    )
    circle = (
        (ACCOUNTS, (PRIMARY, PARENT)),
        (CONTACTS, (EMPLOYER,)),
        (ORDERS, (CUSTOMER, PAYER)),
    )
    shape = rng.choice((chain, circle))
    return tuple(
        replace(role, ties=tuple(replace(tie, rule=_rule(rng, tie)) for tie in ties)) for role, ties in shape
    )


def _rule(rng: random.Random, tie: Tie) -> str:
    return rng.choice(("hold", "delete") if tie.required else ("hold", "clear", "clear", "delete"))
