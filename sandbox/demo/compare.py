"""Do both sides agree? Expected profiles are written down here again from the mapping table (docs/mapping.md).

An independent oracle: nothing of `sync/` is used, so a mistake there cannot hide itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.demo.remote import LedgerRow

Values = dict[str, Any]
GENDER = {1: "male", 2: "female"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not agree; `record_id` is the contact's id (a profile's externalId)."""

    record_id: str
    what: str


def expected_profile(contact: Mapping[str, Any]) -> Values:
    """The profile of a contact, field by field as the mapping table says."""
    return {
        "externalId": contact["contactid"],
        "salutation": _cut(contact["salutation"], 20),
        "firstName": _cut(contact["firstname"], 30),
        "middleName": _cut(contact["middlename"], 30),
        "lastName": _cut(contact["lastname"], 50),
        "email": _text(contact["emailaddress1"]),
        "phone": _whole(contact["telephone1"], 32),
        "mobilePhone": _whole(contact["mobilephone"], 32),
        "fax": _whole(contact["fax"], 32),
        "birthDate": contact["birthdate"] or "",
        "gender": GENDER.get(contact["gendercode"], "unknown"),
        "location": {
            "address1": _cut(contact["address1_line1"], 80),
            "address2": _cut(contact["address1_line2"], 80),
            "address3": _cut(contact["address1_line3"], 80),
            "address4": "",
            "city": _cut(contact["address1_city"], 100),
            "countryCode": "",
            "stateCode": "",
            "zipCode": _whole(contact["address1_postalcode"], 15),
        },
        "blackList": False,
        "blackListEmail": False,
        "blackListPhone": False,
        "blackListFax": False,
        "blackListPostalMail": False,
    }


def _text(value: str | None) -> str:
    return (value or "").strip()


def _cut(value: str | None, length: int) -> str:
    """Too long: cut."""
    return _text(value)[:length].rstrip()


def _whole(value: str | None, length: int) -> str:
    """Too long: left empty."""
    text = _text(value)
    return text if len(text) <= length else ""


def differences(
    contacts: Iterable[Mapping[str, Any]],
    profiles: Iterable[Mapping[str, Any]],
    ledger: Iterable[LedgerRow],
    bad: Mapping[str, str],
) -> list[Difference]:
    """Everything that does not agree; `bad` are the contacts that must be quarantined, by code."""
    return [
        *_profile_differences({contact["contactid"]: contact for contact in contacts}, list(profiles), bad),
        *_quarantine_differences(ledger, bad),
    ]


def _profile_differences(
    contacts: Mapping[str, Mapping[str, Any]], profiles: list[Mapping[str, Any]], bad: Mapping[str, str]
) -> Iterable[Difference]:
    """Exactly one profile per good contact, none extra, every field as expected."""
    wanted = contacts.keys() - bad.keys()
    found = Counter(profile["externalId"] for profile in profiles)
    for record_id, count in sorted(found.items()):
        if record_id not in wanted:
            yield Difference(record_id, "has a profile but should have none")
        elif count > 1:
            yield Difference(record_id, f"has {count} profiles")
    for record_id in sorted(wanted - found.keys()):
        yield Difference(record_id, "has no profile")
    for profile in profiles:
        record_id = profile["externalId"]
        if record_id in wanted:
            expected = expected_profile(contacts[record_id])
            for field, value in expected.items():
                if profile[field] != value:
                    yield Difference(record_id, f"{field}: {profile[field]!r} instead of {value!r}")


def _quarantine_differences(ledger: Iterable[LedgerRow], bad: Mapping[str, str]) -> Iterable[Difference]:
    """Quarantined are exactly the bad contacts, each with its code; nothing else is left open."""
    quarantined = {row.record_id: row.code for row in ledger if row.state == "quarantined"}
    for record_id in sorted(bad.keys() | quarantined.keys()):
        code, wanted = quarantined.get(record_id), bad.get(record_id)
        if code != wanted:
            yield Difference(
                record_id, f"quarantined as {code or 'nothing'} instead of {wanted or 'nothing'}"
            )
