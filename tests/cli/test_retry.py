"""retry: records that wait are read and planned again; a wrong id or code is an error that says so."""

from __future__ import annotations

from tests.cli.office import Office

BAD = "nobody at nowhere"


def quarantined(office: Office) -> str:
    office.work(1)
    (record,) = office.contacts("Bob", emailaddress1=BAD)
    office.work()
    assert office.row(record).code == "email_invalid"
    return record


def mend(office: Office) -> None:
    """The mapping lets a bad address pass as blank."""
    text = office.ask("mappings", "show")["text"]
    stored = office.account.tables["mappings"].rows["contacts", "active"]
    changed = text.replace("type: email, length: 128", "type: email, length: 128, invalid: blank")
    entity = {**stored.entity, "text": changed, "version": "000002-x"}
    office.account.tables["mappings"].rows["contacts", "active"] = type(stored)(entity, stored.etag)


def test_a_record_goes_through_once_its_cause_is_mended() -> None:
    office = Office()
    record = quarantined(office)
    mend(office)
    told = office.ask("retry", "{" + record.upper() + "}")
    assert told["queued"] == [record]
    office.work(2)
    assert office.row(record).state.value == "synced"
    assert office.profiles()[record]["firstName"] == "Bob"


def test_all_with_a_code() -> None:
    office = Office()
    record = quarantined(office)
    mend(office)
    result = office.sync("retry", "--code", "email_invalid", "--wait")
    assert result.exit_code == 0
    assert "Queued. The function app does the work" in result.stdout
    assert "Done. 0 of them still wait." in result.stdout
    assert office.row(record).state.value == "synced"


def test_wait_tells_what_is_not_mended() -> None:
    office = Office()
    quarantined(office)
    assert "Done. 1 of them still waits." in office.sync("retry", "--all", "--wait").stdout


def test_the_command_itself_only_queues() -> None:
    office = Office()
    record = quarantined(office)
    before = office.row(record)
    office.ask("retry", record)
    assert office.row(record) == before
    assert office.stored()["live"] == 1


def test_wait_tells_what_became_of_it() -> None:
    office = Office()
    record = quarantined(office)
    told = office.ask("retry", record, "--wait")
    assert told["now"] == {record: "quarantined email_invalid"}


def test_all_leaves_alone_what_a_person_put_on_hold() -> None:
    office = Office()
    ids = office.synced("Ada", "Grace")
    for record in ids:
        office.dynamics.command("delete", {"id": record})
    office.work(2)
    office.ask("deletes", "discard", "--all")
    (held,) = (record for record in ids if office.row(record).state.value == "hold")
    office.ask("retry", "--all")
    office.work(3)
    assert office.row(held).state.value == "hold"
    assert held in office.profiles()


def test_a_discarded_delete_is_reconsidered_by_its_code() -> None:
    office = Office()
    ids = office.synced("Ada", "Grace")
    for record in ids:
        office.dynamics.command("delete", {"id": record})
    office.work(2)
    office.ask("deletes", "discard", "--all")
    office.clock.advance(2 * 86400)
    office.ask("retry", "--code", "delete_discarded", "--wait")
    assert {office.row(record).state.value for record in ids} == {"deleted"}


def test_a_synced_record_waits_for_nothing() -> None:
    office = Office()
    (record,) = office.synced("Ada")
    told = office.ask("retry", record)
    assert told == {"queued": [], "not_waiting": {record: "synced"}}


def test_an_unknown_record_is_an_error() -> None:
    office = Office()
    office.synced("Ada")
    unknown = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
    told = office.ask("retry", unknown, code=1)["error"]
    assert (told["code"], told["record"]) == ("unknown_record", unknown)
    result = office.sync("retry", unknown)
    assert result.stdout == ""
    assert f"record: {unknown}" in result.stderr


def test_what_is_typed_wrong_is_a_usage_error() -> None:
    office = Office()
    office.synced("Ada")
    for arguments in (
        ("retry",),
        ("retry", "Ada"),
        ("retry", "--code", "email_invalidd"),
        ("retry", "--all", "--code", "email_invalid"),
    ):
        assert office.ask(*arguments, code=2)["error"]["code"] == "usage", arguments
    assert "email_invalid" in office.ask("retry", "--code", "email_invalidd", code=2)["error"]["fix"]
    assert office.stored()["live"] == office.stored()["control"] == 0


def test_a_mapping_that_is_not_there() -> None:
    office = Office()
    assert office.ask("retry", "--all", "--mapping", "acounts", code=1)["error"]["code"] == "mapping_missing"
