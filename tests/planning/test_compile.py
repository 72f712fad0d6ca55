"""What two versions of a mapping have to do with each other, and what doctor is told."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tests.planning.samples import FIELDS, HEAD, RECORD_ID, ROW, TEXT, compiled, one_field

SENT: tuple[tuple[str, str], ...] = (
    ("{1: male, 2: female}", "{1: female, 2: male}"),
    ("{1: male, 2: female}", "{'1': male, 2: female}"),
    ("default: unknown", "default: male"),
    ("target: phone", "target: mobilePhone"),
    ("source: telephone1", "source: telephone2"),
    ("length: 20", "length: 30"),
    ("too_long: truncate", "too_long: blank"),
    ("invalid: blank", "invalid: quarantine"),
    (", apply_updates: false", ""),
    ("type: date}", "type: date, apply_updates: false}"),
    ("resource: profile", "resource: cusContact"),
    ("key: externalId", "key: cusContactId"),
    ("  - {source: birthdate, target: birthDate, type: date}\n", ""),
)
NOT_SENT: tuple[tuple[str, str], ...] = (
    ("fields:", "# a comment\noptions: {deletes: false, on_missing: recreate}\nfields:"),
    ("{1: male, 2: female}", "{2: female, 1: male}"),
    ("type: date}", "type: date, invalid: quarantine}"),
    ("type: string, length: 10", "length: 10"),
    ("mapping: contacts", "mapping: people"),
)


@pytest.mark.parametrize(("old", "new"), SENT)
def test_an_edit_of_what_is_sent_is_noticed(old: str, new: str) -> None:
    assert old in TEXT
    assert compiled(TEXT.replace(old, new, 1)).sends_hash != compiled().sends_hash


def test_a_release_does_not_change_the_hashes_by_accident() -> None:
    """Other hashes replay every record of every customer, or send it again: change them on purpose (CONVERSIONS)."""
    made = compiled()
    assert made.sends_hash == "80b2880f0853c20efdcfe28266270392"
    assert made.columns_hash == "148db2df8114d2dc72f8a700b92eed98"
    assert made.project(ROW, RECORD_ID).hash == "10b004305068b0717bd289f597cfd092"


@pytest.mark.parametrize(("old", "new"), NOT_SENT)
def test_an_edit_of_anything_else_is_not(old: str, new: str) -> None:
    assert old in TEXT
    edited = compiled(TEXT.replace(old, new, 1))
    assert edited.sends_hash == compiled().sends_hash
    assert edited.columns_hash == compiled().columns_hash


def test_the_order_of_the_fields_does_not_matter() -> None:
    head, *lines = FIELDS.splitlines()
    random.Random(1).shuffle(lines)
    shuffled = compiled("\n".join([HEAD + head, *lines]))
    assert (shuffled.sends_hash, shuffled.columns_hash) == (compiled().sends_hash, compiled().columns_hash)
    assert shuffled.columns == compiled().columns


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace("source: telephone1", "source: telephone2"),
        lambda text: text.replace("entity_set: contacts", "entity_set: leads"),
        lambda text: text + "  - {source: fax, target: fax, length: 10}\n",
    ],
)
def test_other_columns_are_noticed(edit: Callable[[str], str]) -> None:
    assert compiled(edit(TEXT)).columns_hash != compiled().columns_hash


def test_one_column_may_go_to_two_fields() -> None:
    twice = compiled(TEXT + "  - {source: firstname, target: cusNickname, length: 5, too_long: truncate}\n")
    assert twice.columns == compiled().columns
    assert twice.sends_hash != compiled().sends_hash


def test_names_and_options() -> None:
    made = compiled(TEXT + "options: {deletes: false, on_missing: recreate}\n", "000007-ab")
    assert (made.name, made.version, made.table, made.entity_set) == (
        "contacts",
        "000007-ab",
        "contact",
        "contacts",
    )
    assert (made.key_column, made.resource, made.key_target) == ("contactid", "profile", "externalId")
    assert (made.deletes, made.on_missing) == (False, "recreate")
    assert (compiled().deletes, compiled().on_missing) == (True, "hold")


def test_doctor_is_told_every_field() -> None:
    specs = {spec.target: spec for spec in compiled().fields}
    assert len(specs) == 13
    first = specs["firstName"]
    assert (first.source, first.type, first.length, first.truncates) == ("firstname", "string", 10, True)
    assert specs["email"].accepts == {"String"}
    assert not specs["email"].truncates
    assert specs["birthDate"].accepts == {"DateTime:DateOnly", "DateTime:TimeZoneIndependent"}
    assert specs["gender"].names == ("male", "female", "unknown")
    assert specs["blackListEmail"].length == 0


def test_a_lookup_is_read_as_its_value_and_named_as_its_column() -> None:
    lookup = compiled(f"{HEAD}fields:\n  - {{source: _ownerid_value, target: cusOwner, length: 36}}\n")
    assert lookup.columns == ("_ownerid_value", "contactid")
    assert lookup.fields[0].column == "ownerid"
    assert one_field(type="boolean").fields[0].column == "value"
