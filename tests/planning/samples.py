"""Mappings and values that the planning tests share."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from sync.planning.compile import CompiledMapping, compile_mapping
from sync.planning.load import load_mapping

HEAD = """\
mapping: contacts
source: {table: contact, entity_set: contacts, key: contactid}
target: {resource: profile, key: externalId}
"""
FIELDS = """\
fields:
  - {source: firstname, target: firstName, type: string, length: 10, too_long: truncate}
  - {source: lastname, target: lastName, type: string, length: 10, too_long: quarantine}
  - {source: telephone1, target: phone, type: string, length: 10, too_long: blank, invalid: blank}
  - {source: salutation, target: salutation, type: string, length: 10, apply_updates: false}
  - {source: emailaddress1, target: email, type: email, length: 20}
  - {source: birthdate, target: birthDate, type: date}
  - {source: lastusedincampaign, target: cusLastUsed, type: datetime, invalid: blank}
  - {source: numberofchildren, target: cusChildren, type: integer}
  - {source: creditlimit, target: cusCredit, type: number}
  - {source: donotemail, target: blackListEmail, type: boolean}
  - {source: gendercode, target: gender, type: enumeration, values: {1: male, 2: female}, default: unknown}
  - {source: address1_city, target: location.city, type: string, length: 10, too_long: truncate}
  - {source: address1_line1, target: location.address1, type: string, length: 10, apply_updates: false}
"""
TEXT = HEAD + FIELDS
RECORD_ID = "5f0a9b3c-1c3a-ee11-8179-000d3a5f0c01"
ROW: dict[str, Any] = {
    "firstname": "Ada",
    "lastname": "Lovelace",
    "telephone1": "0123",
    "salutation": "Ms",
    "emailaddress1": "ada@example.com",
    "birthdate": "1985-12-10",
    "lastusedincampaign": "2023-04-07T21:59:01Z",
    "numberofchildren": 3,
    "creditlimit": 20000.0,
    "donotemail": True,
    "gendercode": 2,
    "address1_city": "London",
    "address1_line1": "Square 12",
}


def compiled(text: str = TEXT, version: str = "v1") -> CompiledMapping:
    """A mapping text, compiled."""
    return compile_mapping(load_mapping(text), version)


def one_field(**keys: Any) -> CompiledMapping:
    """A mapping of one field `value` → `cusValue` (and one beside it that is always updated)."""
    written = ", ".join(f"{key}: {_yaml(value)}" for key, value in keys.items())
    return compiled(
        f"{HEAD}fields:\n  - {{source: value, target: cusValue, {written}}}\n"
        "  - {source: other, target: cusOther, type: boolean}\n"
    )


def _yaml(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def converted(value: Any, **keys: Any) -> tuple[Any, str]:
    """What `value` is sent as by such a field, and the code of its warning or problem."""
    made = one_field(**keys).project({"value": value, "other": None}, RECORD_ID)
    found = [made.problem] if made.problem else list(made.warnings)
    return made.force["cusValue"], found[0].code if found else ""


def json_values() -> st.SearchStrategy[Any]:
    """Anything that JSON can hold, lone surrogates and NaN included."""
    text = st.text(st.characters(codec=None, categories=None), max_size=25)
    plain = st.none() | st.booleans() | st.integers() | st.floats() | text | st.dates().map(str)
    return plain | st.lists(plain, max_size=2) | st.dictionaries(st.text(max_size=3), plain, max_size=2)


def rows() -> st.SearchStrategy[dict[str, Any]]:
    """Rows with every mapped column and any JSON value in it."""
    return st.fixed_dictionaries({column: json_values() for column in ROW})


def good_rows() -> st.SearchStrategy[dict[str, Any]]:
    """Rows as the Web API would fill them."""
    text = st.none() | st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8)
    return st.fixed_dictionaries(
        {
            "firstname": text,
            "lastname": text,
            "telephone1": text,
            "salutation": text,
            "emailaddress1": st.sampled_from((None, "ada@example.com", "bob+x@example.org")),
            "birthdate": st.none() | st.dates().map(str),
            "lastusedincampaign": st.none()
            | st.datetimes().map(lambda t: f"{t:%Y-%m-%dT%H:%M:%S}Z".rjust(20, "0")),
            "numberofchildren": st.none() | st.integers(0, 1_000_000_000),
            "creditlimit": st.none() | st.floats(0, 1e11),
            "donotemail": st.none() | st.booleans(),
            "gendercode": st.sampled_from((None, 1, 2)),
            "address1_city": text,
            "address1_line1": text,
        }
    )
