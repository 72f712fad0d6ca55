"""mappings validate: every problem at once, each with file, line and fix; live, against saved metadata, or alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.office import SHIPPED, Office

EXAMPLES = Path(__file__).parents[2] / "mappings" / "examples"


def folder(tmp_path: Path, **texts: str) -> str:
    """A folder of mapping files beside what is none."""
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    (tmp_path / "events.yaml").write_text("- not a mapping")
    return str(tmp_path)


def examples() -> dict[str, str]:
    return {file.stem: file.read_text() for file in EXAMPLES.glob("*.yaml")} | {
        "contacts": SHIPPED.read_text()
    }


def problems(office: Office, *arguments: str, code: int = 1) -> list[dict[str, Any]]:
    return list(office.ask("mappings", "validate", *arguments, code=code)["problems"])


def test_the_examples_are_right_against_live_metadata(tmp_path: Path) -> None:
    office = Office()
    office.work(1)
    told = office.ask("mappings", "validate", folder(tmp_path, **examples()))
    assert told["valid"] is True
    assert set(told["mappings"]) == set(examples())
    assert {problem["level"] for problem in told["problems"]} <= {"warning"}


def test_every_problem_of_every_file_has_its_place(tmp_path: Path) -> None:
    texts = examples()
    texts["contacts"] = (
        texts["contacts"].replace("source: fax", "source: faks").replace("length: 80", "length: 9999", 1)
    )
    texts["accounts"] = (
        texts["accounts"].replace("target: cusAccount", "x: 1").replace("{table: account}", "{table: acount}")
    )
    path = folder(tmp_path, **texts)
    found = problems(Office(), path)
    errors = [(Path(p["file"]).name, p["where"], p["code"]) for p in found if p["level"] == "error"]
    assert ("contacts.yaml", "faks", "unknown_column") in errors
    assert ("contacts.yaml", "location.address1", "value_too_long") in errors
    assert ("accounts.yaml", "acount", "unknown_table") in errors
    for problem in found:
        line = Path(problem["file"]).read_text().splitlines()[problem["line"] - 1]
        assert problem["fix"]
        if problem["where"] in ("faks", "acount", "location.address1"):
            assert problem["where"].rpartition(".")[2] in line
    shown = Office().sync("mappings", "validate", path)
    assert shown.exit_code == 1
    line = 1 + texts["contacts"].partition("faks")[0].count("\n")
    assert f"contacts.yaml:{line}: faks: this column does not exist in Dynamics." in shown.stdout


def test_a_consent_map_is_checked_as_one(tmp_path: Path) -> None:
    shipped = (SHIPPED.parent / "consent.yaml").read_text()
    path = folder(tmp_path, consent=shipped, **examples())
    shown = Office().sync("mappings", "validate", path, "--offline").stdout
    assert "consent.yaml is valid: consent of contacts, direction off, 5 fields." in shown
    (tmp_path / "consent.yaml").write_text(shipped.replace("blackListFax", "blackListFacs"))
    (found,) = problems(Office(), str(tmp_path / "consent.yaml"), "--offline")
    assert (found["where"], found["code"]) == ("fields 4, target", "consent_unusable")
    assert Office().sync("mappings", "apply", str(tmp_path / "consent.yaml")).exit_code == 2


def test_what_was_saved_answers_as_both_systems_did(tmp_path: Path) -> None:
    office = Office()
    saved = tmp_path / "metadata.json"
    (tmp_path / "m").mkdir()
    path = folder(
        tmp_path / "m",
        **{**examples(), "contacts": SHIPPED.read_text().replace("source: fax", "source: faks")},
    )
    live = problems(office, path, "--save-metadata", str(saved))
    nobody = Office(environ={})
    assert problems(nobody, path, "--metadata", str(saved)) == live
    text = saved.read_text()
    problems(office, path, "--save-metadata", str(saved))
    assert saved.read_text() == text, "the same text for the same definitions"
    assert problems(nobody, path, "--offline", code=0) == []


@pytest.mark.parametrize("text", ["", "{}", '{"tables": 1}', "[]"])
def test_a_file_that_holds_no_metadata(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    error = Office(environ={}).ask(
        "mappings", "validate", str(SHIPPED), "--metadata", str(tmp_path / "x.json"), code=2
    )["error"]
    assert "--save-metadata" in error["fix"]


def test_saved_metadata_that_lacks_the_table(tmp_path: Path) -> None:
    saved = str(tmp_path / "metadata.json")
    problems(Office(), str(SHIPPED), "--save-metadata", saved, code=0)
    (found, _) = problems(Office(environ={}), str(EXAMPLES / "accounts.yaml"), "--metadata", saved)[:2]
    assert "saved metadata does not have it" in found["what"]


def test_a_table_that_tracks_no_changes(tmp_path: Path) -> None:
    office = Office()
    office.dynamics.tracking(False, "account")
    path = folder(tmp_path, accounts=examples()["accounts"], contacts=examples()["contacts"])
    errors = [p for p in problems(office, path) if p["level"] == "error"]
    assert [(p["code"], Path(p["file"]).name) for p in errors] == [("change_tracking_off", "accounts.yaml")]


def test_what_mappings_do_to_each_other(tmp_path: Path) -> None:
    link = (
        "  - {source: _parentcustomerid_value, target: fax, type: link, mapping: accounts, required: true}\n"
    )
    texts = {
        "contacts": "".join(
            line for line in SHIPPED.read_text().splitlines(keepends=True) if "target: fax" not in line
        ).rstrip("\n")
        + "\n"
        + link,
        "accounts": examples()["accounts"].replace(
            "target: primaryContactExternalId, type: link, mapping: contacts",
            "target: primaryContactExternalId, type: link, mapping: contacts, required: true",
        ),
        "others": SHIPPED.read_text().replace("mapping: contacts", "mapping: others"),
        "lost": examples()["accounts"]
        .replace("mapping: accounts\n", "mapping: lost\n")
        .replace("cusAccount", "cusProduct")
        .replace("mapping: contacts", "mapping: nowhere"),
    }
    found = problems(Office(environ={}), folder(tmp_path, **texts), "--offline")
    told = " ".join(problem["what"] for problem in found)
    assert "required links form a cycle: accounts → contacts → accounts" in told
    assert "`profile` is already the target of mapping contacts." in told
    assert "which there is none of" in told


def test_two_files_of_one_name(tmp_path: Path) -> None:
    path = folder(tmp_path, contacts=SHIPPED.read_text(), copy=SHIPPED.read_text())
    (found,) = problems(Office(environ={}), path, "--offline")
    assert (Path(found["file"]).name, found["where"]) == ("copy.yaml", "mapping")


def test_the_active_mappings_count_too(tmp_path: Path) -> None:
    office = Office()
    office.work(1)
    file = tmp_path / "leads.yaml"
    file.write_text(SHIPPED.read_text().replace("mapping: contacts", "mapping: leads"))
    (found,) = [p for p in problems(office, str(file)) if p["level"] == "error"]
    assert "`profile` is already the target of mapping contacts" in found["what"]
    assert office.ask("mappings", "apply", str(file), "--yes", code=1)["valid"] is False


def test_options_that_exclude_each_other() -> None:
    error = Office(environ={}).ask(
        "mappings", "validate", str(SHIPPED), "--offline", "--metadata", "x", code=2
    )["error"]
    assert error["code"] == "usage"


@pytest.mark.parametrize(
    ("field", "where", "code", "told"),
    [
        ("source: parentcustomerid, length: 32", "parentcustomerid", "unknown_column", "_parentcustomerid_value"),
        ("source: _firstname_value, length: 32", "_firstname_value", "unknown_column", "Write `firstname`"),
        ("expression: 'text(parentcustomerid)', length: 32", "fax", "unknown_column", "_parentcustomerid_value"),
        ("source: _parentcustomerid_value, related: {acount: name}, length: 32", "acount", "unknown_table", "not exist"),
        ("source: _parentcustomerid_value, related: {account: nme}, length: 32", "account.nme", "unknown_column",
         "Did you mean name?"),
        ("source: _ownerid_value, related: {account: name}, length: 32", "account", "mapping_invalid", "never to"),
        ('expression: "related(_parentcustomerid_value, \'acount.name\')", length: 32', "acount", "unknown_table", ""),
        ("expression: label(firstname), length: 32", "firstname", "label_missing", "has no labels"),
        ("source: _ownerid_value, type: link, mapping: contacts", "_ownerid_value", "mapping_invalid", "sends contact"),
        ("source: gendercode, replace: {'1': x}, length: 32", "gendercode", "value_invalid", "without quotes"),
        ("source: firstname, replace: {1: x}, length: 32", "firstname", "value_invalid", "a text"),
        ("source: donotemail, replace: {1: x}, length: 32", "donotemail", "value_invalid", "`true` or `false`"),
        ("source: gendercode, label: 1031, length: 32", "gendercode", "label_missing", "1031 (German)"),
        ("source: gendercode, replace: {7: x}, length: 32", "gendercode", "value_invalid", "It has 1 (Male)"),
    ],
)  # fmt: skip
def test_what_would_fail_at_run_time_is_told_here(
    tmp_path: Path, field: str, where: str, code: str, told: str
) -> None:
    """Live and saved metadata tell the same, at the line of the very field."""
    lines = [line for line in SHIPPED.read_text().splitlines() if "target: fax" not in line]
    file = tmp_path / "contacts.yaml"
    file.write_text("\n".join([*lines, f"  - {{{field}, target: fax}}"]) + "\n")
    saved = str(tmp_path / "metadata.json")
    right = "warning" if "1031" in field or "7:" in field else "error"
    live = problems(Office(), str(file), "--save-metadata", saved, code=0 if right == "warning" else 1)
    (found,) = [p for p in live if (p["where"], p["code"]) == (where, code)]
    assert (found["level"], found["line"]) == (right, len(lines) + 1)
    assert told in found["what"] + found["fix"]
    assert (
        problems(Office(environ={}), str(file), "--metadata", saved, code=0 if right == "warning" else 1)
        == live
    )


@pytest.mark.parametrize(
    ("condition", "code", "level"),
    [
        ("{column: parentcustomerid, operator: is_empty}", "unknown_column", "error"),
        ("{column: gendercode, operator: in, value: [1, 77]}", "value_invalid", "warning"),
    ],
)
def test_a_filter_is_told_at_its_own_line(tmp_path: Path, condition: str, code: str, level: str) -> None:
    text = SHIPPED.read_text().replace(
        "fields:\n",
        f"filter:\n  any:\n    - {{column: statecode, operator: equals, value: 0}}\n    - {condition}\nfields:\n",
    )
    file = tmp_path / "contacts.yaml"
    file.write_text(text)
    found = problems(Office(), str(file), code=1 if level == "error" else 0)
    line = 1 + text.partition(condition)[0].count("\n")
    assert [(p["level"], p["line"]) for p in found if p["code"] == code] == [(level, line)]
