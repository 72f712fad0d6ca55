from __future__ import annotations

from typing import Any

import pytest

from sync.planning.compile import CompiledMapping, Link
from sync.planning.links import link_problems, required_cycles
from sync.planning.load import MappingInvalid, load_mapping
from sync.planning.mapping import Mapping
from tests.planning.samples import compiled

PARENT = "0f0a9b3c-1c3a-ee11-8179-000d3a5f0c02"
CHILD = "5f0a9b3c-1c3a-ee11-8179-000d3a5f0c01"


def table(name: str, *links: str, **rules: str) -> Mapping:
    """A mapping with links to others; `!accounts` is a required one."""
    fields = [
        f"  - {{source: _{link.strip('!')}_value, target: {link.strip('!')}Id, type: link, "
        f"mapping: {link.strip('!')}, required: {str(link.startswith('!')).lower()}}}"
        for link in links
    ]
    head = (
        f"mapping: {name}\nsource: {{table: t, entity_set: ts, key: tid}}\n"
        "target: {resource: cusT, key: externalId}\n"
    )
    named = "  - {source: name, target: label, length: 10}"
    return load_mapping("\n".join([f"{head}fields:", named, *fields]))


def linked(more: str = "") -> CompiledMapping:
    return compiled(
        "mapping: orders\nsource: {table: cr_order, entity_set: cr_orders, key: cr_orderid}\n"
        "target: {resource: cusOrder, key: externalId}\nfields:\n"
        "  - {source: cr_name, target: label, length: 10}\n"
        "  - {source: _cr_contact_value, target: contactId, type: link, mapping: contacts, required: true"
        f"{more}}}\n"
    )


def row(parent: Any) -> dict[str, Any]:
    return {"cr_name": "first", "_cr_contact_value": parent}


def test_a_link_is_sent_as_the_parents_id_and_told_apart() -> None:
    projection = linked().project(row(PARENT.upper()), CHILD)
    assert projection.update == {"label": "first", "contactId": PARENT}
    (link,) = projection.links
    assert (link.parent_id, link.spec.mapping, link.spec.required) == (PARENT, "contacts", True)


def test_a_null_lookup_is_no_link() -> None:
    projection = linked().project(row(None), CHILD)
    assert projection.update["contactId"] == ""
    assert projection.links == (Link(linked().links[0], None),)


def test_without_a_link_the_record_is_the_one_with_a_null_lookup() -> None:
    left_out = linked().project(row(PARENT), CHILD).without({"contactId"})
    plain = linked().project(row(None), CHILD)
    assert (left_out.hash, left_out.create, left_out.links) == (plain.hash, plain.create, plain.links)


@pytest.mark.parametrize("value", ["no id", 7, True, PARENT + "0", {"id": PARENT}])
def test_what_is_no_id_is_not_sent(value: Any) -> None:
    problem = linked().project(row(value), CHILD).problem
    assert problem is not None and problem.code == "value_invalid"


@pytest.mark.parametrize(
    ("shown", "parents"), [(PARENT, [PARENT]), ("", []), ("ACME 12", []), (None, []), (PARENT + "0", [])]
)
def test_what_campaign_shows_of_a_link_is_a_parent_if_it_is_an_id(shown: Any, parents: list[str]) -> None:
    found = linked().parents_shown({"contactId": shown, "label": "first"})
    assert [(ref.mapping, ref.record_id) for ref in found] == [("contacts", one) for one in parents]


def test_cycles_of_required_links_are_refused_and_printed() -> None:
    mappings = [
        table("accounts", "contacts", "!orders"),
        table("orders", "!lines"),
        table("lines", "!accounts", "lines"),
        table("contacts", "accounts"),
    ]
    assert required_cycles(mappings) == [("accounts", "orders", "lines")]
    ((name, what, fix),) = link_problems(mappings)
    assert name == "accounts"
    assert "accounts → orders → lines → accounts" in what
    assert "required: true" in fix


def test_a_required_link_to_its_own_table_is_a_cycle() -> None:
    assert required_cycles([table("accounts", "!accounts")]) == [("accounts",)]
    assert required_cycles([table("accounts", "accounts")]) == []


def test_two_separate_cycles_are_both_told() -> None:
    mappings = [table("a", "!b"), table("b", "!a"), table("c", "!d", "!a"), table("d", "!c")]
    assert required_cycles(mappings) == [("a", "b"), ("c", "d")]


def test_a_link_to_no_mapping_is_told() -> None:
    ((name, what, fix),) = link_problems([table("orders", "contacts"), table("accounts")])
    assert (name, fix) == ("orders", "Use one of: accounts, orders.")
    assert "contacts" in what


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (", on_parent_delete: clear", "required link cannot be cleared"),
        (", on_parent_delete: cut", "Use one of: hold, clear, delete"),
        (", apply_updates: false", "apply_updates"),
    ],
)
def test_what_a_link_cannot_be(more: str, told: str) -> None:
    with pytest.raises(MappingInvalid) as caught:
        linked(more)
    assert told in str(caught.value)
