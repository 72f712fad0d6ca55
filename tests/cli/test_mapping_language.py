"""Filters, marks, labels and related rows from end to end: what an admin writes is what Campaign shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.cli.office import Office, run

HEAD = """\
mapping: contacts
source: {table: contact}
target: {resource: profile, key: externalId}
"""
ACCOUNT = "aaaaaaaa-0000-4000-8000-000000000001"


def office(rest: str) -> Office:
    return Office(shipped={"contacts": HEAD + rest})


def rename(place: Office, column: str, labels: dict[int, str]) -> None:
    """An admin changes labels: no record changes with them."""
    columns = place.dynamics.organization.tables["contact"].table.columns
    columns[column] = replace(columns[column], labels=labels)


def test_labels_come_from_metadata_and_a_new_one_is_sent_by_itself() -> None:
    place = office("fields: [{source: gendercode, target: salutation, length: 20, label: 1033}]\n")
    ada, bob, eve = place.dynamics.seed([{"gendercode": 2}, {"gendercode": 1}, {"gendercode": None}])
    place.work()
    shown = {record: place.profiles()[record]["salutation"] for record in (ada, bob, eve)}
    assert shown == {ada: "Female", bob: "Male", eve: ""}
    rename(place, "gendercode", {1: "Man", 2: "Woman", 3: "Other"})
    place.dynamics.edit(eve, {"gendercode": 3})
    place.work(2)
    assert (place.row(eve).state.value, place.row(eve).code) == ("quarantined", "label_missing")
    place.clock.advance(600)
    place.work()
    shown = {record: place.profiles()[record]["salutation"] for record in (ada, bob, eve)}
    assert shown == {ada: "Woman", bob: "Man", eve: "Other"}


def test_a_worker_that_knew_the_labels_from_before_sends_the_new_ones() -> None:
    place = office("fields: [{source: gendercode, target: salutation, length: 20, label: true}]\n")
    (ada,) = place.dynamics.seed([{"gendercode": 2}])
    place.work()
    # Every tick is a worker of its own; this one has compiled the mapping and read the labels.
    worker = place.compose_app()
    run(worker.context.reading("contacts"))
    rename(place, "gendercode", {1: "Man", 2: "Woman"})
    place.clock.advance(600)
    run(place.pull())
    compiled = run(worker.context.reading("contacts"))
    assert compiled.project({"gendercode": 2, "contactid": ada}, ada).update == {"salutation": "Woman"}
    assert len(worker.context.labelled) == 1, "a worker that runs for weeks keeps one, not one a look"


def test_related_rows_are_read_once_for_all_records_of_a_chunk() -> None:
    place = office(
        "fields:\n"
        "  - {source: _parentcustomerid_value, related: {account: name, contact: fullname}, "
        "target: location.city, length: 30}\n"
        "  - {source: creditlimit, target: phone, length: 32}\n"
    )
    place.dynamics.seed([{"accountid": ACCOUNT, "name": "Contoso"}], table="account")
    (boss,) = place.dynamics.seed([{"firstname": "Grace", "lastname": "Hopper"}])
    company = {"_parentcustomerid_value": ACCOUNT, "parentcustomeridtype": "account"}
    person = {"_parentcustomerid_value": boss, "parentcustomeridtype": "contact"}
    ada, bob, eve = place.dynamics.seed([company, {**company, "creditlimit": 20000}, person])
    place.work()
    shown: dict[str, Any] = {
        record: place.profiles()[record]["location"]["city"] for record in (ada, bob, eve, boss)
    }
    assert shown == {ada: "Contoso", bob: "Contoso", eve: "Grace Hopper", boss: ""}
    assert place.profiles()[bob]["phone"] == "20000"
    place.dynamics.edit(ACCOUNT, {"name": "Contoso Ltd"}, table="account")
    place.dynamics.edit(ada, {"creditlimit": 5})
    place.work()
    assert place.profiles()[ada]["location"]["city"] == "Contoso Ltd"
    place.ask("replay", "--all", "--yes")
    place.work()
    assert place.profiles()[bob]["location"]["city"] == "Contoso Ltd"


def test_what_leaves_the_filter_and_what_is_deleted_is_marked_and_status_shows_it() -> None:
    place = office(
        "options: {deletes: {opt_out: [blackList]}, leaving: {target: fax, value: left}}\n"
        "filter: {column: preferredcontactmethodcode, operator: in, value: [1, 2]}\n"
        "fields:\n  - {source: lastname, target: lastName, length: 50}\n"
        "  - {source: fax, target: fax, length: 30}\n"
    )
    ada, bob = place.dynamics.seed([{"lastname": "A"}, {"lastname": "B", "preferredcontactmethodcode": 3}])
    place.work()
    assert list(place.profiles()) == [ada]
    assert place.ask("status")["mappings"][0]["states"]["filtered"] == 1
    place.dynamics.edit(ada, {"preferredcontactmethodcode": 3})
    place.dynamics.edit(bob, {"preferredcontactmethodcode": 1})
    place.work()
    assert {record: profile["fax"] for record, profile in place.profiles().items()} == {ada: "left", bob: ""}
    place.dynamics.delete(bob)
    place.work()
    assert (place.profiles()[bob]["blackList"], place.row(bob).code) == (True, "marked")


def test_doctor_looks_at_related_tables_and_languages() -> None:
    place = office(
        "fields:\n"
        "  - {source: gendercode, target: salutation, length: 20, label: 1031}\n"
        "  - {source: firstname, target: firstName, length: 30, label: true, too_long: truncate}\n"
        "  - {source: _parentcustomerid_value, related: {account: nam, acount: name}, target: fax, length: 32}\n"
    )
    told = [one for one in place.ask("doctor", code=1)["checks"] if one["area"] == "Mapping contacts"]
    codes = {one["check"]: (one["level"], one["code"]) for one in told}
    assert codes["gendercode"] == ("warn", "label_missing")
    assert codes["account.nam"] == ("fail", "unknown_column")
    assert codes["acount"] == ("fail", "unknown_table")
    assert codes["firstname"] == ("fail", "label_missing")
