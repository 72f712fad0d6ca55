"""mappings: versions are listed, shown, made active, taken back, switched off; a bad file never becomes active."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.office import SHIPPED, Office, run

SHORTER = ("target: firstName, type: string, length: 30", "target: firstName, type: string, length: 3")


def edited(tmp_path: Path, *changes: tuple[str, str]) -> str:
    """The shipped mapping with changes."""
    text = SHIPPED.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file = tmp_path / "contacts.yaml"
    file.write_text(text)
    return str(file)


def apply(office: Office, *arguments: str, code: int = 0) -> dict[str, object]:
    """What `mappings apply` did to the one file given."""
    (told,) = office.ask("mappings", "apply", *arguments, "--yes", code=code)["mappings"]
    assert isinstance(told, dict)
    return told


def versions(office: Office) -> list[dict[str, object]]:
    return list(office.ask("mappings", "history", "contacts")["versions"])


def older(office: Office) -> int:
    (mapping,) = office.ask("status")["mappings"]
    return int(mapping["older_mapping_version"])


def test_the_shipped_one_is_active_after_the_first_start() -> None:
    office = Office()
    assert office.ask("mappings", "list")["mappings"] == []
    office.work(1)
    (mapping,) = office.ask("mappings", "list")["mappings"]
    assert (mapping["mapping"], mapping["enabled"], mapping["author"]) == ("contacts", True, "shipped")
    assert office.ask("mappings", "show")["text"] == SHIPPED.read_text()
    assert office.sync("mappings", "show", "contacts").stdout == SHIPPED.read_text()


@pytest.mark.parametrize(
    ("change", "effect"),
    [
        (("too_long: truncate}", "too_long: blank}"), "replay"),
        (("source: fax", "source: jobtitle"), "full_read"),
        (("# A cut name", "# A shortened name"), "none"),
    ],
)
def test_apply_says_what_it_makes_the_sync_do(tmp_path: Path, change: tuple[str, str], effect: str) -> None:
    office = Office()
    office.synced("Ada")
    told = apply(office, edited(tmp_path, change), "--comment", "why")
    assert told["effect"] == effect
    newest = versions(office)[0]
    assert (newest["version"], newest["active"], newest["comment"]) == (told["version"], True, "why")
    office.work()
    (mapping,) = office.ask("status")["mappings"]
    assert mapping["generation"] == (2 if effect == "full_read" else 1)
    assert older(office) == office.ask("status", "--exact")["mappings"][0]["exact"]["older_mapping_version"]


def test_the_diff_and_the_cost_come_before_the_question(tmp_path: Path) -> None:
    office = Office()
    office.synced("Ada", "Grace")
    file = edited(tmp_path, SHORTER)
    told = office.sync("mappings", "apply", file, typed="n\n")
    assert told.exit_code == 1
    assert "+  - {source: firstname, target: firstName, type: string, length: 3" in told.stdout
    assert "about 2 records, 0 to 2 Campaign calls" in told.stdout
    assert len(versions(office)) == 1
    assert office.sync("mappings", "apply", file, typed="y\n").exit_code == 0
    assert len(versions(office)) == 2


def test_the_next_chunk_uses_it(tmp_path: Path) -> None:
    office = Office()
    (ada,) = office.synced("Ada Augusta")
    apply(office, edited(tmp_path, SHORTER))
    office.work()
    assert office.profiles()[ada]["firstName"] == "Ada"
    assert older(office) == 0


def test_without_replay_a_record_goes_when_it_changes_and_status_counts_the_others(tmp_path: Path) -> None:
    office = Office()
    ada, grace = office.synced("Ada Augusta", "Grace Brewster")
    assert apply(office, edited(tmp_path, SHORTER), "--no-replay")["effect"] == "later"
    office.work()
    assert (office.profiles()[ada]["firstName"], older(office)) == ("Ada Augusta", 2)
    office.dynamics.edit(grace, {"lastname": "Hopper"})
    office.work()
    profiles = office.profiles()
    assert (profiles[ada]["firstName"], profiles[grace]["firstName"]) == ("Ada Augusta", "Gra")
    assert older(office) == 1
    # The text from before is no change to Ada, but Grace must go back.
    office.ask("mappings", "rollback", "--yes")
    office.work()
    profiles = office.profiles()
    assert (profiles[ada]["firstName"], profiles[grace]["firstName"]) == ("Ada Augusta", "Grace Brewster")
    assert older(office) == 0


def test_a_column_added_without_replay_needs_no_full_read(tmp_path: Path) -> None:
    office = Office()
    (ada,) = office.synced("Ada")
    apply(office, edited(tmp_path, ("source: fax", "source: jobtitle")), "--no-replay")
    office.work()
    office.dynamics.edit(ada, {"jobtitle": "analyst"})
    office.work()
    assert office.profiles()[ada]["fax"] == "analyst"
    assert office.ask("status")["mappings"][0]["generation"] == 1


def test_rollback_makes_an_older_text_the_newest_version(tmp_path: Path) -> None:
    office = Office()
    office.work(1)
    apply(office, edited(tmp_path, ("# A cut name", "# Cut")))
    (told,) = office.ask("mappings", "rollback", "contacts", "--yes")["mappings"]
    assert str(told["version"]).startswith("000003-")
    assert office.ask("mappings", "show")["text"] == SHIPPED.read_text()
    assert str(versions(office)[0]["comment"]).startswith("back to 000001-")
    (told,) = office.ask("mappings", "rollback", "contacts", "--to", "2", "--yes")["mappings"]
    assert "# Cut" in office.ask("mappings", "show")["text"]
    assert "# Cut" not in office.ask("mappings", "show", "--version", "3")["text"]


def test_nothing_older_to_go_back_to() -> None:
    office = Office()
    office.work(1)
    error = office.ask("mappings", "rollback", "--yes", code=1)["error"]
    assert (error["code"], "no older text" in error["what"]) == ("mapping_missing", True)


def test_the_same_text_again_changes_nothing() -> None:
    office = Office()
    office.work(1)
    assert apply(office, str(SHIPPED))["effect"] == "none"
    assert len(versions(office)) == 1


def test_who_comes_second_is_told_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office()
    office.work(1)

    def meanwhile(*_: object) -> bool:
        store = office.compose_context().mappings
        theirs = SHIPPED.read_text() + "# theirs\n"
        with pytest.raises(StopIteration):
            store.activate("contacts", theirs, author="x", comment="", buckets=1).send(None)
        return True

    monkeypatch.setattr("sync.cli.output.Output.ask", meanwhile)
    told = office.sync("mappings", "apply", edited(tmp_path, ("# A cut name", "# Cut")))
    assert told.exit_code == 1
    assert "somebody else activated another version of contacts" in told.stderr
    assert [version["author"] for version in versions(office)] == ["x", "shipped"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("mapping: contacts", "mapping: [contacts"), "YAML"),
        (("target: fax", "target: phone"), "phone"),
        (("source: fax", "source: FAX"), "source: it is not spelled"),
        (("type: email", "type: mail"), "email"),
        (("source: fax", "source: faks"), "does not exist"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    office = Office()
    office.work(1)
    file = edited(tmp_path, change)
    line = 1 + SHIPPED.read_text().partition(change[0])[0].count("\n")
    for verb in ("validate", "apply"):
        found = office.ask("mappings", verb, file, code=1)
        assert found["valid"] is False
        errors = [problem for problem in found["problems"] if problem["level"] == "error"]
        assert {problem["file"] for problem in errors} == {file}
        assert any(told in f"{p['where']}: {p['what']} {p['fix']}" for p in errors), errors
        if "YAML" not in told:
            assert any(problem["line"] == line for problem in errors), (line, errors)
    assert len(versions(office)) == 1


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    office = Office()
    missing = office.ask("mappings", "validate", str(tmp_path / "none.yaml"), code=2)["error"]
    assert "No such file" in missing["what"]
    binary = tmp_path / "b.yaml"
    binary.write_bytes(b"\xff\xfe")
    assert "UTF-8" in office.ask("mappings", "validate", str(binary), code=2)["error"]["what"]
    (tmp_path / "empty").mkdir()
    assert (
        "no mapping" in office.ask("mappings", "validate", str(tmp_path / "empty"), code=2)["error"]["what"]
    )


def test_a_mapping_or_version_that_is_not_there() -> None:
    office = Office()
    office.work(1)
    error = office.ask("mappings", "show", "accounts", code=1)["error"]
    assert (error["code"], error["what"]) == (
        "mapping_missing",
        "there is no mapping accounts. There is: contacts.",
    )
    error = office.ask("mappings", "show", "--version", "9", code=1)["error"]
    assert (error["code"], error["what"]) == ("mapping_missing", "contacts has no version 9.")
    assert office.ask("mappings", "disable", "accounts", code=1)["error"]["code"] == "mapping_missing"


def test_what_is_exported_can_be_applied(tmp_path: Path) -> None:
    office = Office()
    office.work(1)
    folder = tmp_path / "out"
    assert office.ask("mappings", "export", str(folder))["files"] == {
        str(folder / "contacts.yaml"): "written"
    }
    assert (folder / "contacts.yaml").read_text() == SHIPPED.read_text()
    assert list(office.ask("mappings", "export", str(folder))["files"].values()) == ["unchanged"]
    assert apply(office, str(folder))["effect"] == "none"
    (folder / "contacts.yaml").write_text("mine")
    assert list(office.ask("mappings", "export", str(folder), code=1)["files"].values()) == ["kept"]
    assert (folder / "contacts.yaml").read_text() == "mine"
    office.ask("mappings", "export", str(folder), "--overwrite", "--mapping", "contacts")
    assert (folder / "contacts.yaml").read_text() == SHIPPED.read_text()


def test_a_long_text_is_kept_whole(tmp_path: Path) -> None:
    office = Office()
    office.work(1)
    file = tmp_path / "contacts.yaml"
    file.write_text(SHIPPED.read_text() + "# ~ 🙂 long\n" * 4000)
    apply(office, str(file))
    assert office.ask("mappings", "show")["text"] == file.read_text()


# -- switched off and on --------------------------------------------------------------------------------------------


def test_a_disabled_mapping_is_left_alone_and_catches_up_by_a_full_read() -> None:
    office = Office()
    ada, grace = office.synced("Ada", "Grace")
    office.dynamics.edit(ada, {"firstname": "Augusta"})
    run(office.pull())  # It waits in the lane when the mapping is switched off.
    office.ask("mappings", "disable", "contacts", "--yes", "--comment", "a pause")
    office.dynamics.edit(grace, {"firstname": "Brewster"})
    before = office.campaign_writes()
    office.work()
    assert office.campaign_writes() == before
    assert office.ask("status")["mappings"][0]["phase"] == "disabled"
    assert "switched off" in office.sync("status").stdout
    assert office.ask("replay", "--all", "--yes", code=1)["error"]["code"] == "mapping_disabled"
    (hedy,) = office.contacts("Hedy")
    office.dynamics.delete(grace)
    office.ask("mappings", "enable", "contacts", "--yes")
    office.work(12)
    assert {id: profile["firstName"] for id, profile in office.profiles().items()} == {
        ada: "Augusta",
        hedy: "Hedy",
    }
    assert [v["enabled"] for v in versions(office)] == [True, False, True]


def test_off_and_on_between_two_ticks_still_reads_everything_again() -> None:
    office = Office()
    (ada,) = office.synced("Ada")
    office.dynamics.edit(ada, {"firstname": "Augusta"})
    run(office.pull())
    office.ask("mappings", "disable", "contacts", "--yes")
    run(office.work_lanes())
    office.ask("mappings", "enable", "contacts", "--yes")
    office.work()
    assert office.profiles()[ada]["firstName"] == "Augusta"


def test_a_mapping_keeps_its_table_and_its_resource_once_it_has_sent_records(tmp_path: Path) -> None:
    """Under another table the profiles would be deleted as gone; under another resource all would go on hold."""
    office = Office()
    office.install()
    others = {
        "source.table": ("{table: contact, entity_set: contacts, key: contactid}", "{table: account}"),
        "target.resource": ("resource: profile", "resource: cusAccount"),
        "target.key": ("key: externalId}", "key: cusId}"),
    }
    files = {}
    for where, change in others.items():
        (tmp_path / where).mkdir()
        files[where] = edited(tmp_path / where, change)
    first = office.ask("mappings", "validate", files["source.table"], code=1)
    assert "source.table" not in [problem["where"] for problem in first["problems"]], "nothing was sent yet"
    office.synced("Ada")
    for where, file in files.items():
        for verb in ("validate", "apply"):
            found = office.ask("mappings", verb, file, code=1)["problems"]
            (told,) = [problem for problem in found if problem["where"] == where]
            assert "has sent records" in told["what"]
            assert "{" in Path(file).read_text().splitlines()[told["line"] - 1]
    assert len(versions(office)) == 1


def leads(tmp_path: Path) -> str:
    file = tmp_path / "leads.yaml"
    file.write_text(SHIPPED.read_text().replace("mapping: contacts", "mapping: leads"))
    return str(file)


def test_on_again_only_beside_what_is_on_by_now(tmp_path: Path) -> None:
    office = Office()
    office.synced("Ada")
    office.ask("mappings", "disable", "contacts", "--yes")
    apply(office, leads(tmp_path))
    (told,) = office.ask("mappings", "enable", "contacts", "--yes", code=1)["problems"]
    assert "`profile` is already the target" in told["what"]
    office.ask("mappings", "disable", "leads", "--yes")
    office.ask("mappings", "enable", "contacts", "--yes")


def test_back_only_to_a_text_that_fits_by_now(tmp_path: Path) -> None:
    office = Office()
    office.work(1)
    apply(office, edited(tmp_path, ("source: fax", "source: jobtitle")))
    office.dynamics.command("change_metadata", {"table": "contact", "remove_column": "fax"})
    (told,) = [
        problem
        for problem in office.ask("mappings", "rollback", "--yes", code=1)["problems"]
        if problem["level"] == "error"
    ]
    assert (told["where"], told["code"]) == ("fax", "unknown_column")
    office.ask("mappings", "rollback", "--yes", "--offline")


def test_links_to_a_mapping_that_is_off_are_told_and_no_error(tmp_path: Path) -> None:
    accounts = SHIPPED.parent / "examples" / "accounts.yaml"
    office = Office()
    office.work(1)
    apply(office, str(accounts))
    off = office.sync("mappings", "disable", "contacts", "--yes").stdout
    assert "Records that point to it: accounts." in off
    found = office.ask("mappings", "validate", str(accounts))
    (told,) = [problem for problem in found["problems"] if "switched off" in problem["what"]]
    assert (told["level"], told["where"]) == ("warning", "fields.mapping")
    checks = office.ask("doctor")["checks"]
    assert "warn" in [check["level"] for check in checks if "switched off" in check["text"]]
    assert "Mapping contacts" not in {check["area"] for check in checks}


def test_health_looks_at_what_is_on_only() -> None:
    office = Office()
    office.synced("Ada")
    office.ask("mappings", "disable", "contacts", "--yes")
    office.clock.advance(86400)
    _, found = run(office.compose_app().health())
    assert found == []
