"""A made-up Dynamics tenant: ordinary contacts and the awkward ones every real tenant has.

The same seed gives the same contacts, ids included.
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from typing import Any

from sandbox.demo.names import (
    CITIES,
    DOMAINS,
    FIRST_NAMES,
    JOBS,
    LAST_NAMES,
    SALUTATIONS,
    STREETS,
    UNICODE_NAMES,
)

Values = dict[str, Any]
FEWEST = 40
"""Fewer contacts would leave one of the awkward kinds, or a part of the story, without a contact."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact as Dynamics shows it; `kind` says what is awkward about it, `code` with what it is quarantined."""

    id: str
    values: Values
    kind: str = ""
    code: str = ""


def make_tenant(count: int, rng: random.Random) -> list[Contact]:
    """`count` contacts, at least FEWEST; about one in eight is awkward."""
    awkward = _awkward(max(1, count // 200), rng)
    plain = [Contact(new_id(rng), person(rng)) for _ in range(count - len(awkward))]
    contacts = plain + awkward
    rng.shuffle(contacts)
    return contacts


def new_id(rng: random.Random) -> str:
    """A contact id."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def person(rng: random.Random) -> Values:
    """An ordinary contact."""
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    city, code, country = rng.choice(CITIES)
    return {
        "salutation": rng.choice(SALUTATIONS),
        "firstname": first,
        "middlename": rng.choice((None, None, "J.", "Maria")),
        "lastname": last,
        "jobtitle": rng.choice(JOBS),
        "emailaddress1": f"{first}.{last}{rng.randrange(10000)}@{rng.choice(DOMAINS)}".lower(),
        "telephone1": rng.choice((None, f"+49 30 {rng.randrange(10**6, 10**7)}")),
        "mobilephone": rng.choice((None, f"+44 7700 {rng.randrange(10**5, 10**6)}")),
        "birthdate": f"{rng.randrange(1940, 2006)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}",
        "gendercode": rng.choice((1, 2, None)),
        "address1_line1": f"{rng.choice(STREETS)} {rng.randrange(1, 200)}",
        "address1_city": city,
        "address1_postalcode": code,
        "address1_country": country,
        "donotbulkemail": rng.random() < 0.1,
        "description": rng.choice((None, "Met at the spring fair.")),
    }


def _awkward(of_each: int, rng: random.Random) -> list[Contact]:
    """`of_each` of every awkward kind (more of those that come in several forms)."""
    made: list[Contact] = []

    def add(kind: str, code: str = "", **changes: Any) -> None:
        made.append(Contact(new_id(rng), person(rng) | changes, kind, code))

    for number in range(of_each):
        for first, last in rng.sample(UNICODE_NAMES, 4):
            add("unicode", firstname=first, lastname=last)
        add("plus-addressed e-mail", emailaddress1=f"dana.{number}+newsletter@example.com")
        add("no e-mail", emailaddress1=None)
        add("long first name", firstname="Maximilian-Alexander Ferdinand von und zu")
        add("long last name", lastname="Wolfeschlegelsteinhausenbergerdorff-Brandenburger")
        add("long salutation", salutation="Univ.-Prof. Dr. Dr. h. c. mult.")
        add("long street", address1_line1="Second courtyard, third staircase, ring twice. " * 5)
        add("long phone number", telephone1="+49 30 1234567 ext. 890, ask for Ms. Weber")
        add("inactive", statecode=1, statuscode=2)
        add("no birth date", birthdate=None)
        add("born in 1899", birthdate="1899-12-31")
        nothing: Values = dict.fromkeys(person(rng)) | {"donotbulkemail": False}
        made.append(Contact(new_id(rng), nothing | {"lastname": "Onlyname"}, "a last name only"))
        shared = f"office{number}@example.org"
        add("shares an e-mail", emailaddress1=shared)
        add("shares an e-mail", emailaddress1=shared)
        add("e-mail without @", "email_invalid", emailaddress1="not-an-address.example.com")
        add("e-mail with a space", "email_invalid", emailaddress1="two words@example.com")
    return made
