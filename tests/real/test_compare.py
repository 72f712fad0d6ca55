"""The demo's verdict must be able to say no: every way in which the sides can differ is told."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from sandbox.campaign.options import VALIDATING, CampaignOptions
from sandbox.campaign.service import CampaignService
from sandbox.demo import measure
from sandbox.demo.advice import advice
from sandbox.demo.compare import differences, expected_profile
from sandbox.demo.remote import LedgerRow
from sandbox.demo.story import Act
from sandbox.demo.tenant import make_tenant
from sandbox.dynamics.options import DynamicsOptions
from sandbox.dynamics.service import DynamicsService

Records = list[dict[str, Any]]
Sides = tuple[Records, Records, list[LedgerRow], dict[str, str]]


@pytest.fixture
def sides() -> Sides:
    """Contacts, profiles and ledger that agree, made with the look-alikes alone."""
    rng = random.Random(5)
    dynamics = DynamicsService(clock=lambda: 1.7e9, rng=rng, options=DynamicsOptions())
    campaign = CampaignService(
        clock=lambda: 1.7e9, rng=rng, options=CampaignOptions(policies=dict(VALIDATING))
    )
    tenant = make_tenant(60, rng)
    dynamics.seed([{"contactid": contact.id, **contact.values} for contact in tenant])
    contacts: Records = dynamics.dump()["records"]
    bad = {contact.id: contact.code for contact in tenant if contact.code}
    campaign.seed([expected_profile(contact) for contact in contacts if contact["contactid"] not in bad])
    ledger = [LedgerRow(c.id, "quarantined" if c.code else "synced", c.code) for c in tenant]
    return contacts, campaign.dump(), ledger, bad


def test_sides_that_agree_have_no_difference(sides: Sides) -> None:
    assert differences(*sides) == []


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda c, p, q, b: p.pop(), "has no profile"),
        (lambda c, p, q, b: p.append(p[0]), "has 2 profiles"),
        (
            lambda c, p, q, b: c.remove(next(x for x in c if x["contactid"] not in b)),
            "has a profile but should",
        ),
        (lambda c, p, q, b: p.append(p[0] | {"externalId": next(iter(b))}), "has a profile but should"),
        (lambda c, p, q, b: p.append(p[0] | {"externalId": ""}), "has a profile but should"),
        (lambda c, p, q, b: p[3].update(lastName="Other"), "lastName: 'Other' instead of"),
        (lambda c, p, q, b: p[3]["location"].update(city="Elsewhere"), "location: "),
        (lambda c, p, q, b: b.clear(), "quarantined as email_invalid instead of nothing"),
        (lambda c, p, q, b: q.clear(), "quarantined as nothing instead of email_invalid"),
    ],
)
def test_every_difference_is_told(sides: Sides, spoil: Callable[..., Any], told: str) -> None:
    spoil(*sides)
    assert any(told in difference.what for difference in differences(*sides))


def test_expected_profiles_are_what_the_mapping_table_says() -> None:
    contact = {
        "contactid": "0a",
        "salutation": "  Univ.-Prof. Dr. Dr. h. c.",
        "firstname": "Maximilian-Alexander Ferdinand von und zu",
        "middlename": None,
        "lastname": " Größ ",
        "emailaddress1": " a+b@example.com ",
        "telephone1": "0" * 33,
        "mobilephone": "0" * 32,
        "fax": None,
        "birthdate": "1899-12-31",
        "gendercode": 2,
        "address1_line1": "x" * 81,
        "address1_line2": None,
        "address1_line3": None,
        "address1_city": "Łódź",
        "address1_postalcode": "1" * 16,
        "donotsendmm": False,
        "donotbulkemail": True,
        "donotphone": False,
        "donotfax": False,
        "donotpostalmail": True,
    }
    profile = expected_profile(contact)
    assert profile == {
        "externalId": "0a",
        "salutation": "Univ.-Prof. Dr. Dr.",
        "firstName": "Maximilian-Alexander Ferdinand",
        "middleName": "",
        "lastName": "Größ",
        "email": "a+b@example.com",
        "phone": "",
        "mobilePhone": "0" * 32,
        "fax": "",
        "birthDate": "1899-12-31",
        "gender": "female",
        "location": {
            "address1": "x" * 80,
            "address2": "",
            "address3": "",
            "address4": "",
            "city": "Łódź",
            "countryCode": "",
            "stateCode": "",
            "zipCode": "",
        },
        "blackList": False,
        "blackListEmail": False,
        "blackListPhone": False,
        "blackListFax": False,
        "blackListPostalMail": False,
    }


def entry(at: float, note: str, record: str, status: int = 200) -> dict[str, Any]:
    return {"at": at, "note": note, "record": record, "status": status}


def test_calls_and_latencies_come_from_the_request_log() -> None:
    acts = [
        Act("update", "a", 10.0),
        Act("unchanged", "b", 10.0),
        Act("delete", "a", 20.0),
        Act("create", "c", 30.0),
    ]
    calls = measure.calls_of(
        [
            entry(1, "token", ""),
            entry(2, "profile.create", "a", 201),
            entry(2, "profile.create", "b", 201),
            entry(12, "profile.update", "a", 500),
            entry(15, "profile.update", "a"),
            entry(21, "profile.get", "a"),
            entry(22, "profile.delete", "a"),
        ]
    )
    assert measure.written(calls) == {"create": 2, "update": 1, "delete": 1}
    per_record = measure.calls_per_record(calls, {"a", "b"}, acts)
    assert per_record == {"insert": 2 / 3, "update": 2.0, "unchanged": 0.0, "delete": 2.0}
    assert measure.latencies(calls, acts) == [2.0, 5.0, float("inf")]
    assert measure.untouched(calls, acts) == 1
    meddled = [*calls, *measure.calls_of([entry(11, "profile.get", "b")])]
    assert measure.untouched(meddled, acts) == 0


def test_percentiles_are_nearest_rank() -> None:
    assert measure.percentile([], 0.5) is None
    assert measure.percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.0
    assert measure.percentile([float(n) for n in range(1, 101)], 0.95) == 95.0


def test_advice_comes_from_the_error_pages() -> None:
    told = advice("email_invalid")
    assert "e-mail" in told.meaning and "Correct it" in told.fix
    assert "not in docs" in advice("no_such_code").meaning
