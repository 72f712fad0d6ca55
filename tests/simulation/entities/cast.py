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
class Beside:
    """A column of the row that lookup `source` points to, and the field that it goes to."""

    source: str
    table: str
    column: str
    target: str
    invalid: str = "blank"


@dataclass(frozen=True, slots=True)
class Story:
    """A text that may be too long for a queue message; Campaign takes the first `length` characters of it."""

    column: str
    target: str
    length: int

    def sent(self, row: Values) -> str:
        return str(row[self.column] or "")[: self.length]


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
    beside: tuple[Beside, ...] = ()
    story: Story | None = None
    merges: str = "false"
    """What becomes of the loser of a merge: `keep`, `delete`, or nobody looks."""
    marks: str = ""
    """What is written instead of a delete; empty: it is deleted."""

    @property
    def key(self) -> str:
        return f"{self.table}id"

    @property
    def text(self) -> str:
        """The mapping's YAML."""
        options = [f"follow_merges: {self.merges}"] if self.merges != "false" else []
        options += [f"deletes: {{target: {self.field}, value: {self.marks}}}"] if self.marks else []
        lines = [
            f"mapping: {self.name}",
            f"source: {{table: {self.table}, entity_set: {self.entity_set}, key: {self.key}}}",
            f"target: {{resource: {self.resource}, key: externalId}}",
            *([f"options: {{{', '.join(options)}}}"] if options else []),
            "fields:",
            f"  - {{source: {self.column}, target: {self.field}, length: {30 + self.variant}}}",
        ]
        lines += [
            f"  - {{source: {tie.source}, target: {tie.target}, type: link, mapping: {tie.parent}, "
            f"required: {str(tie.required).lower()}, on_parent_delete: {tie.rule}}}"
            for tie in self.ties
        ]
        lines += [
            f"  - {{source: {one.source}, related: {{{one.table}: {one.column}}}, target: {one.target}, "
            f"length: 100, invalid: {one.invalid}}}"
            for one in self.beside
        ]
        if self.story:
            told = self.story
            lines.append(
                f"  - {{source: {told.column}, target: {told.target}, length: {told.length}, too_long: truncate}}"
            )
        return "\n".join(lines) + "\n"

    def selected(self, row: Values) -> dict[str, Any]:
        """What the mapping reads of a row."""
        names = [self.column, *(tie.source for tie in self.ties)]
        names += [self.story.column] if self.story else []
        return {name: row.get(name) for name in names}

    def loses(self, row: Values) -> bool:
        """Whether its record in Campaign goes since the row was merged into another."""
        return self.merges == "delete" and bool(row.get("merged"))


ACCOUNTS = Role("accounts", "account", "accounts", "cusAccount", "name", "name", ())
CONTACTS = Role("contacts", "contact", "contacts", "profile", "salutation", "salutation", ())
ORDERS = Role("orders", "cr_order", "cr_orders", "cusOrder", "cr_ordernumber", "number", ())
MEMBERS = Role("members", "contact", "contacts", "cusMember", "lastname", "name", ())
LINES = Role("lines", "cr_orderline", "cr_orderlines", "cusOrderLine", "cr_product", "product", ())

PARENT = Tie("_parentaccountid_value", "parentExternalId", "accounts")
PRIMARY = Tie("_primarycontactid_value", "primaryContactExternalId", "contacts")
EMPLOYER = Tie("_parentcustomerid_value", "cusCrmNumber", "accounts")
CUSTOMER = Tie("_cr_contactid_value", "profileExternalId", "contacts", required=True)
PAYER = Tie("_cr_accountid_value", "accountExternalId", "accounts")
ORDER = Tie("_cr_orderid_value", "orderExternalId", "orders", required=True)
PART_OF = Tie("_cr_partoflineid_value", "partOfExternalId", "lines")
MEMBER_OF = Tie("_parentcustomerid_value", "employerExternalId", "accounts")

CUSTOMERS_NAME = Beside("_cr_contactid_value", "contact", "salutation", "notes")
PAYERS_NAME = Beside("_cr_accountid_value", "account", "name", "name")
STORY = Story("cr_story", "deliverySlot", 40)


@dataclass(frozen=True, slots=True)
class More:
    """What a seed has besides links: drawn by itself, so that the other draws stay what they were."""

    beside: bool = False
    """Orders carry columns of related rows."""
    invalid: str = "blank"
    merges: str = ""
    rebaselines: bool = False
    members: bool = False
    """A second mapping of contacts."""
    story: bool = False
    probing: bool = False

    @property
    def compares(self) -> bool:
        """Whether a comparison with Campaign is needed until both sides agree."""
        return self.beside or self.rebaselines


def draw_more(seed: int) -> More:
    """Every fourth seed has links alone."""
    rng = random.Random(f"more {seed}")
    if seed % 4 == 3:
        return More()
    return More(
        beside=rng.random() < 0.4,
        invalid=rng.choice(("blank", "blank", "quarantine")),
        merges=rng.choice(("delete", "delete", "delete", "keep", "")),
        rebaselines=rng.random() < 0.3,
        members=rng.random() < 0.2,
        story=rng.random() < 0.3,
        probing=rng.random() < 0.15,
    )


def widened(cast: tuple[Role, ...], more: More) -> tuple[Role, ...]:
    """The same roles with what the seed has besides."""
    names = {role.name for role in cast}
    found = []
    for role in cast:
        if role.name == "contacts" and more.merges:
            role = replace(role, merges=more.merges)
        if role.name == "orders" and more.beside:
            told = (CUSTOMERS_NAME, PAYERS_NAME) if "accounts" in names else (CUSTOMERS_NAME,)
            role = replace(role, beside=tuple(replace(one, invalid=more.invalid) for one in told))
        if role.name == "orders" and more.story:
            role = replace(role, story=STORY)
        found.append(role)
    if more.members:
        ties = (MEMBER_OF,) if "accounts" in names else ()
        found.append(replace(MEMBERS, ties=ties, merges=more.merges or "false"))
    return tuple(found)


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
