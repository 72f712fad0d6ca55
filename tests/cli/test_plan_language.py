"""Random mappings in the whole language over random records: what `mappings plan` says is what then happens."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.cli.office import Office

pytestmark = pytest.mark.usefixtures("nobody_works")
ACCOUNTS = ("aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002")
COMPUTED = {"age", "title", "domain", "postalAddress", "lastModified"}
FIELDS = (
    ("{source: firstname, target: firstName, length: 30, too_long: truncate}",
     "{expression: \"join(' ', firstname, middlename)\", target: firstName, length: 12, too_long: truncate}",
     "{source: firstname, target: firstName, length: 4, too_long: blank, default: ANON, case: upper}"),
    ("{source: lastname, target: lastName, length: 50}",
     "{source: lastname, target: lastName, length: 50, replace: {Bad: Good}, otherwise: Rest, default: None of them}"),
    ("{source: gendercode, target: salutation, length: 20, label: true}",
     "{source: gendercode, target: salutation, length: 20, label: 1033, replace: {1: Mister}, invalid: blank}",
     "{expression: 'when(gendercode == 1, label(gendercode), null)', target: salutation, length: 20, default: Dear}",
     "{source: salutation, target: salutation, length: 20, apply_updates: false, too_long: truncate}"),
    ("{source: emailaddress1, target: email, type: email, length: 128, case: lower}",
     "{source: emailaddress1, target: email, type: email, length: 12, too_long: blank, invalid: blank}"),
    ("{source: _parentcustomerid_value, related: {account: name}, target: middleName, length: 30}",
     "{source: _parentcustomerid_value, target: middleName, length: 30, too_long: truncate, default: '-'}",
     "{constant: same, target: middleName, length: 30}"),
    ("{source: lastusedincampaign, target: birthDate, type: date, time_zone: Asia/Tokyo}",
     "{expression: 'add_days(birthdate, 1)', target: birthDate, type: date}"),
    ("{source: gendercode, target: gender, type: enumeration, values: {1: male}, default: unknown, invalid: blank}",),
    ("{source: fax, target: fax, length: 32}",),
)  # fmt: skip
CONDITIONS = (
    "{column: gendercode, operator: not_equals, value: 2}",
    "{column: lastname, operator: starts_with, value: b}",
    "{column: numberofchildren, operator: at_least, value: 1}",
    "{column: birthdate, operator: before, value: '1990-01-01'}",
    "{column: emailaddress1, operator: is_not_empty}",
)


def mapping(rng: random.Random) -> str:
    """A mapping; `fax` is always there, so that a mark can be taken back."""
    chosen = [rng.choice(ways) for ways in FIELDS[:-1] if rng.random() < 0.8]
    options = [f"on_missing: {rng.choice(('hold', 'recreate'))}"]
    options.append(
        f"deletes: {rng.choice(('true', 'false', '{target: fax, value: gone}', '{opt_out: [blackList]}'))}"
    )
    lines = ["mapping: contacts", "source: {table: contact}", "target: {resource: profile, key: externalId}"]
    if rng.random() < 0.7:
        options.append(f"leaving: {rng.choice(('keep', 'delete', '{target: fax, value: left}'))}")
        parts = ", ".join(rng.sample(CONDITIONS, 2))
        shapes = (
            rng.choice(CONDITIONS),
            f"{{all: [{parts}]}}",
            f"{{any: [{parts}]}}",
            f"{{not: {{any: [{parts}]}}}}",
        )
        lines.append(f"filter: {rng.choice(shapes)}")
    lines.append(f"options: {{{', '.join(options)}}}")
    return "\n".join([*lines, "fields:", *(f"  - {field}" for field in (*chosen, *FIELDS[-1]))]) + "\n"


def person(rng: random.Random) -> dict[str, Any]:
    return {
        "firstname": rng.choice(("Ada", "Wilhelmina Augusta", None)),
        "middlename": rng.choice(("King", None)),
        "lastname": rng.choice(("Byron", "Bad", "Lovelace", None)),
        "emailaddress1": rng.choice(("Ada@Example.com", "a@b.de", "no address", None)),
        "gendercode": rng.choice((1, 2, None)),
        "numberofchildren": rng.choice((0, 1, None)),
        "birthdate": rng.choice(("1985-12-10", "1991-01-01", None)),
        "lastusedincampaign": rng.choice(("2023-04-07T21:59:01Z", "2023-04-07T03:00:00Z", None)),
        "salutation": rng.choice(("Ms", "A very very very long salutation", None)),
        "_parentcustomerid_value": rng.choice((*ACCOUNTS, None)),
    }


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


@pytest.mark.parametrize("seed", range(12))
def test_what_plan_says_is_what_happens(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    first = mapping(rng)
    second = mapping(rng) if rng.random() < 0.7 else first
    office = Office(shipped={"contacts": first})
    office.environ["DELETE_BRAKE_MIN"] = "50"
    office.dynamics.seed([{"accountid": one, "name": f"Firm {one[-1]}"} for one in ACCOUNTS], table="account")
    ids = office.dynamics.seed([person(rng) for _ in range(8)])
    office.work()
    office.dynamics.seed([person(rng) for _ in range(2)])
    for record in rng.sample(ids, 5):
        if rng.random() < 0.3:
            office.dynamics.delete(record)
        else:
            office.dynamics.edit(record, dict(rng.sample(sorted(person(rng).items()), 3)))
    office.dynamics.edit(ACCOUNTS[0], {"name": "Renamed"}, table="account")
    file = tmp_path / "contacts.yaml"
    file.write_text(second)
    told = office.ask("mappings", "plan", "--file", str(file), "--all", "--show", "100")
    expected = {one["id"]: one for one in told["shown"]}
    before = office.profiles()
    office.ask("mappings", "apply", str(file), "--yes", "--offline")
    office.work()
    office.ask("replay", "--all", "--yes")
    office.work()
    after = office.profiles()
    happened: dict[str, str] = dict.fromkeys(before.keys() - after.keys(), "delete")
    happened |= dict.fromkeys(after.keys() - before.keys(), "create")
    for id in before.keys() & after.keys():
        changed = {name for name in after[id] if before[id][name] != after[id][name]} - COMPUTED
        changed = {name for name in changed if not name.endswith("LastModified")}
        if changed:
            happened[id] = "update"
            told_fields = {
                one["field"]: one["after"] for one in expected[id]["fields"] if one["field"] in changed
            }
            assert set(told_fields) == changed
            # Campaign's smartCase rewrites names.
            assert {name: _folded(after[id][name]) for name in changed} == {
                name: _folded(value) for name, value in told_fields.items()
            }
    waits = {
        id: one["would"] for id, one in expected.items() if one["would"] in ("quarantine", "leave", "wait")
    }
    assert {
        id: office.row(id).state.value for id, would in waits.items() if would == "quarantine"
    } == dict.fromkeys([id for id, would in waits.items() if would == "quarantine"], "quarantined")
    calls = {id: one["would"] for id, one in expected.items() if id not in waits}
    # An update that would write what is there already changes nothing to be seen.
    silent = {id for id, would in calls.items() if would == "update" and id not in happened}
    assert all(not expected[id]["fields"] for id in silent)
    assert happened == {id: would for id, would in calls.items() if id not in silent}
