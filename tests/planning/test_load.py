"""A mapping file that is wrong says everything that is wrong: line, place, what, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.errors import CATALOGUE, SyncError
from sync.planning.load import MappingInvalid, load_mapping
from sync.planning.mapping import FIELD_CLASSES, StringField
from tests.planning.samples import FIELDS, HEAD, TEXT

ROOT = Path(__file__).parents[2]


def problems(text: str) -> list[tuple[int, str, str]]:
    with pytest.raises(MappingInvalid) as caught:
        load_mapping(text, filename="contacts.yaml")
    for problem in caught.value.problems:
        assert problem.what.endswith((".", "?"))
        assert problem.fix
        shown = f"contacts.yaml:{problem.line}: {problem.where}: {problem.what} {problem.fix}"
        assert shown in str(caught.value)
    return [
        (problem.line, problem.where, f"{problem.what} {problem.fix}") for problem in caught.value.problems
    ]


def field_problem(written: str) -> tuple[str, str]:
    """The one problem of a file with this field: (place after `fields 1 (…)`, text)."""
    found = problems(
        f"{HEAD}fields:\n  - {{source: other, target: cusOther, type: boolean}}\n  - {written}\n"
    )
    assert len(found) == 1, found
    line, where, text = found[0]
    assert line == 6
    assert where.startswith("fields 2")
    return where.rpartition(", ")[2], text


@pytest.mark.parametrize("path", [ROOT / "mappings" / "contacts.yaml"], ids=lambda path: path.name)
def test_shipped_mappings_load_and_are_named_like_their_file(path: Path) -> None:
    assert load_mapping(path.read_text(encoding="utf-8"), filename=path.name).mapping == path.stem


def test_what_is_left_out_has_the_careful_value() -> None:
    mapping = load_mapping(f"{HEAD}fields:\n  - {{source: firstname, target: firstName, length: 30}}\n")
    assert (mapping.options.deletes, mapping.options.on_missing) == (True, "hold")
    field = mapping.fields[0]
    assert isinstance(field, StringField)
    assert (field.too_long, field.invalid, field.apply_updates) == ("quarantine", "quarantine", True)


def test_all_problems_are_told_at_once_in_the_order_of_the_lines() -> None:
    text = """\
mapping: Contacts
source: {table: contact, entity_set: contacts, key: contactid}
target: {resource: profile, key: externalId}
options: {deletes: 1, on_missing: recrate}
fields:
  - {source: firstname, target: firstName, type: string, length: 30, too_long: trunkate}
  - {source: lastname, target: firstName, type: string, length: 30}
  - {source: contactid, target: age, type: integer}
more: 1
"""
    assert [(line, where) for line, where, _ in problems(text)] == [
        (1, "mapping"),
        (4, "options.deletes"),
        (4, "options.on_missing"),
        (6, "fields 1 (firstname → firstName), too_long"),
        (7, "fields 2 (lastname → firstName), target"),
        (8, "fields 3 (contactid → age), source"),
        (8, "fields 3 (contactid → age), target"),
        (9, "more"),
    ]


def test_the_error_is_one_of_the_catalogue() -> None:
    with pytest.raises(SyncError) as caught:
        load_mapping("fields: 3", filename="contacts.yaml")
    assert caught.value.code == "mapping_invalid"
    assert "contacts.yaml has 4 problems:" in str(caught.value)
    assert "mapping_invalid" in CATALOGUE
    assert "contacts.yaml: line 1" in caught.value.detail


@pytest.mark.parametrize(
    ("written", "key", "told"),
    [
        ("{source: a, target: b, type: string}", "length", "Add `length:`"),
        ("{target: b, type: boolean}", "fields 2 (? → b)", "there is no value for it"),
        ("{source: a, target: b, type: bool}", "type", "Did you mean `boolean`?"),
        ("{source: a, target: b, type: [x]}", "type", "Use one of: string, email, integer, number, boolean"),
        ("{source: a, target: b, type: string, length: 0}", "length", "whole number from 1"),
        ("{source: a, target: b, type: string, length: '30'}", "length", "whole number from 1"),
        ("{source: a, target: b, type: string, length: true}", "length", "whole number from 1"),
        ("{source: a, target: b, type: integer, default: x}", "default", "a whole number. Write it without"),
        (
            "{source: a, target: b, type: number, decimals: 11}",
            "decimals",
            "from 0 to 10. Write such a number.",
        ),
        (
            "{source: a, target: b, type: number, decimals: '1'}",
            "decimals",
            "from 0 to 10. Write it without quotes.",
        ),
        (
            "{source: a, target: b, type: string, length: 3, too_long: trunkate}",
            "too_long",
            "Use one of: truncate, blank, quarantine. Did you mean `truncate`?",
        ),
        (
            "{source: a, target: b, type: email, length: 3, too_long: truncate}",
            "too_long",
            "Use one of: blank, quarantine.",
        ),
        (
            "{source: a, target: b, type: date, invalid: truncate}",
            "invalid",
            "Use one of: blank, quarantine.",
        ),
        ("{source: a, target: b, type: date, length: 3}", "length", "this type of field has no such key"),
        (
            "{source: a, target: b, type: date, values: {1: a}}",
            "values",
            "this type of field has no such key",
        ),
        ("{source: a, target: b, type: date, sorce: c}", "sorce", "Did you mean `source`?"),
        ("{source: a, target: b, type: date, apply_updates: 'no'}", "apply_updates", "true or false"),
        ("{source: First, target: b, type: date}", "source", "in small letters"),
        ("{source: 12, target: b, type: date}", "source", "Put it in quotes"),
        ("{source: a, target: b.c.d, type: date}", "target", "location.city"),
        ("{source: a, target: , type: date}", "target", "must be text"),
        ("{source: a, target: b, type: enumeration, values: {1: x}}", "default", "Add `default:`"),
        ("{source: a, target: b, type: enumeration, default: x}", "values", "Add `values:`"),
        ("{source: a, target: b, type: enumeration, default: x, values: {}}", "values", "it is empty"),
        (
            "{source: a, target: b, type: enumeration, default: x, values: [1]}",
            "values",
            "Write `values: {…}`",
        ),
        (
            "{source: a, target: b, type: enumeration, default: x, values: {1.5: y}}",
            "values.1.5",
            "whole number, true",
        ),
        (
            "{source: a, target: b, type: enumeration, default: x, values: {1: y, 1: z}}",
            "values.1",
            "written twice",
        ),
        ("{source: a, target: b, type: enumeration, default: x, values: {1: 2}}", "values.1", "must be text"),
        (
            "{source: contactid, target: b, type: string, length: 36}",
            "source",
            "is the key, which is always sent",
        ),
        (
            "{source: a, target: externalId, type: string, length: 36}",
            "target",
            "is the key, which is always sent",
        ),
        ("{source: other, target: cusOther, type: boolean}", "target", "is already the target of fields 1"),
        ("{source: other, target: cusOther.part, type: boolean}", "", ""),
        ("nothing", "fields 2", "it is no field"),
    ],
)
def test_one_wrong_field(written: str, key: str, told: str) -> None:
    if not key:
        found = problems(
            f"{HEAD}fields:\n  - {{source: a, target: cusOther, type: boolean}}\n  - {written}\n"
        )
        assert [(line, where) for line, where, _ in found] == [(5, "fields 1 (a → cusOther), target")]
        return
    where, text = field_problem(written)
    assert where == key
    assert told in text


@pytest.mark.parametrize(
    "target",
    [
        "age",
        "domain",
        "title",
        "cryptedId",
        "postalAddress",
        "postalAddress.line1",
        "created",
        "lastModified",
        "PKey",
        "blackListEmailLastModified",
    ],
)
def test_what_campaign_computes_cannot_be_a_target(target: str) -> None:
    where, text = field_problem(f"{{source: a, target: {target}, type: string, length: 3}}")
    assert (where, "computes" in text) == ("target", True)


def test_another_resource_may_have_a_title() -> None:
    text = (
        HEAD.replace("profile", "cusProduct")
        + "fields:\n  - {source: a, target: title, type: string, length: 3}\n"
    )
    assert load_mapping(text).fields[0].target == "title"


def test_a_mapping_that_never_updates_is_refused() -> None:
    text = f"{HEAD}fields:\n  - {{source: a, target: b, type: boolean, apply_updates: false}}\n"
    assert [(line, where) for line, where, _ in problems(text)] == [(4, "fields")]


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("", 1, "it is no mapping"),
        ("- 1", 1, "it is no mapping"),
        ("mapping: contacts\n\tfields: 1", 2, "it is not YAML"),
        ("mapping: contacts\nsource: {table: [", 2, "it is not YAML"),
        ("mapping: contacts\nsource: \x01", 2, "it holds a character"),
        ("mapping: &a contacts\nsource: *a", 2, "aliases"),
        ("mapping: contacts\n---\nmapping: contacts", 2, "another document"),
        ("mapping: contacts\nsource: !!python/name:os.system x", 2, "it is not YAML"),
        ("mapping: contacts\nsource: !!int x", 2, "a value cannot be read"),
        ("mapping: contacts\n? [a]\n: b", 2, "a key must be one word"),
        ("[" * 5000, 1, "nested too deeply"),
    ],
)
def test_what_is_no_yaml_says_where(text: str, line: int, told: str) -> None:
    found = problems(text)
    assert len(found) == 1
    assert (found[0][0], told in found[0][2]) == (line, True)


def test_a_key_written_twice_is_told() -> None:
    assert (2, "mapping") in [(line, where) for line, where, _ in problems(f"mapping: contacts\n{TEXT}")]


def test_parts_that_are_no_parts() -> None:
    text = "mapping: contacts\nsource: contact\ntarget: [1]\nfields: {a: b}\n"
    assert [(line, where) for line, where, _ in problems(text)] == [
        (2, "source"),
        (3, "target"),
        (4, "fields"),
    ]


@given(st.text(max_size=60) | st.text("{}[]:,-&*!|>'\"%@`#? \nab1", max_size=60))
def test_any_text_loads_or_says_why(text: str) -> None:
    with pytest.raises(MappingInvalid) as caught:
        load_mapping(text)
    assert caught.value.problems


@given(st.data())
def test_a_damaged_file_loads_or_says_where(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(TEXT) - 1))
    count = data.draw(st.integers(0, 5))
    damaged = TEXT[:at] + data.draw(st.text("{}[]:,- \nax1", max_size=3)) + TEXT[at + count :]
    try:
        load_mapping(damaged)
    except MappingInvalid as error:
        last = damaged.count("\n") + 1
        assert all(1 <= problem.line <= last for problem in error.problems)


def test_the_shipped_contacts_mapping_is_published() -> None:
    doc = (ROOT / "docs" / "mapping.md").read_text(encoding="utf-8")
    mapping = load_mapping((ROOT / "mappings" / "contacts.yaml").read_text(encoding="utf-8"))
    for field in mapping.fields:
        told = [
            field.type,
            str(getattr(field, "length", "–")),
            getattr(field, "too_long", "–"),
            field.invalid,
        ]
        assert f"| `{field.source}` | `{field.target}` | {' | '.join(told)} |" in doc


def test_every_key_of_a_field_is_published() -> None:
    doc = (ROOT / "docs" / "mapping.md").read_text(encoding="utf-8")
    for name in {name for model in FIELD_CLASSES.values() for name in model.model_fields}:
        assert f"| `{name}` |" in doc


def test_the_published_fields_load() -> None:
    """Every YAML example of the page that has fields, filters or options is one that loads."""
    doc = (ROOT / "docs" / "mapping.md").read_text(encoding="utf-8")
    blocks = [block.partition("```")[0] for block in doc.split("```yaml\n")[1:]]
    assert len(blocks) >= 3
    for block in blocks:
        head = "" if block.startswith("mapping:") else HEAD
        load_mapping(head + block + ("" if "fields:" in block else FIELDS))
