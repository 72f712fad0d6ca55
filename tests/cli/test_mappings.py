"""mappings: versions are listed, shown, checked and made active; a bad file never becomes active."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.office import SHIPPED, Office


def edited(tmp_path: Path, old: str, new: str) -> str:
    """The shipped mapping with a change."""
    text = SHIPPED.read_text()
    assert old in text
    file = tmp_path / "contacts.yaml"
    file.write_text(text.replace(old, new))
    return str(file)


def test_the_shipped_one_is_active_after_the_first_start() -> None:
    office = Office()
    assert office.ask("mappings", "list")["versions"] == []
    office.work(1)
    (version,) = office.ask("mappings", "list")["versions"]
    assert (version["active"], version["author"]) == (True, "shipped")
    assert office.ask("mappings", "show")["text"] == SHIPPED.read_text()
    assert office.sync("mappings", "show", "contacts").stdout == SHIPPED.read_text()


@pytest.mark.parametrize(
    ("old", "new", "effect"),
    [
        ("too_long: truncate}", "too_long: blank}", "replay"),
        ("source: fax", "source: jobtitle", "full_read"),
        ("# A cut name", "# A shortened name", "none"),
    ],
)
def test_apply_says_what_it_makes_the_sync_do(tmp_path: Path, old: str, new: str, effect: str) -> None:
    office = Office()
    office.synced("Ada")
    told = office.ask("mappings", "apply", edited(tmp_path, old, new), "--comment", "why")
    assert told["effect"] == effect
    newest = office.ask("mappings", "list")["versions"][0]
    assert (newest["version"], newest["active"], newest["comment"]) == (told["version"], True, "why")
    office.work()
    (mapping,) = office.ask("status")["mappings"]
    assert mapping["generation"] == (2 if effect == "full_read" else 1)


def test_the_next_chunk_uses_it(tmp_path: Path) -> None:
    office = Office()
    (ada,) = office.synced("Ada Augusta")
    office.ask(
        "mappings",
        "apply",
        edited(
            tmp_path,
            "target: firstName, type: string, length: 30",
            "target: firstName, type: string, length: 3",
        ),
    )
    office.work()
    assert office.profiles()[ada]["firstName"] == "Ada"


def test_an_older_version_can_be_shown_and_applied_again(tmp_path: Path) -> None:
    office = Office()
    office.work(1)
    first = office.ask("mappings", "list")["versions"][0]["version"]
    office.ask("mappings", "apply", edited(tmp_path, "# A cut name", "# Cut"))
    assert office.ask("mappings", "show", "--version", first)["text"] == SHIPPED.read_text()
    assert office.ask("mappings", "apply", str(SHIPPED))["version"].startswith("000003-")


def test_the_same_text_again_changes_nothing() -> None:
    office = Office()
    office.work(1)
    assert office.ask("mappings", "apply", str(SHIPPED))["effect"] == "none"
    assert len(office.ask("mappings", "list")["versions"]) == 1


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("mapping: contacts", "mapping: [contacts", "YAML"),
        ("target: fax", "target: phone", "phone"),
        ("source: fax", "source: FAX", "FAX"),
        ("type: email", "type: mail", "mail"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    office = Office()
    office.work(1)
    file = edited(tmp_path, old, new)
    for verb in ("validate", "apply"):
        error = office.ask("mappings", verb, file, code=1)["error"]
        assert error["code"] == "mapping_invalid"
        assert f"{file}:" in error["what"]
        assert told in error["what"]
    assert len(office.ask("mappings", "list")["versions"]) == 1


def test_validate_needs_no_settings() -> None:
    office = Office(environ={})
    assert office.ask("mappings", "validate", str(SHIPPED)) == {
        "valid": True,
        "mapping": "contacts",
        "fields": 15,
    }


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    office = Office()
    missing = office.ask("mappings", "validate", str(tmp_path / "none.yaml"), code=2)["error"]
    assert "No such file" in missing["what"]
    binary = tmp_path / "b.yaml"
    binary.write_bytes(b"\xff\xfe")
    assert "UTF-8" in office.ask("mappings", "validate", str(binary), code=2)["error"]["what"]


def test_a_mapping_or_version_that_is_not_there() -> None:
    office = Office()
    office.work(1)
    assert office.ask("mappings", "show", "accounts", code=1)["error"]["code"] == "mapping_missing"
    assert office.ask("mappings", "show", "--version", "9", code=1)["error"]["code"] == "mapping_missing"
