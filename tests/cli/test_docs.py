"""docs/cli.md describes every command, argument and option, and nothing that is not there; --help has examples."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from sync.cli.program import app as program
from sync.errors import CATALOGUE

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
COMMON = {"--settings", "--json", "--help"}


def commands(command: Any, path: tuple[str, ...] = ()) -> dict[str, Any]:
    """Every command that does something, by its words."""
    inner = getattr(command, "commands", None)
    if inner is None:
        return {" ".join(path): command}
    found: dict[str, Any] = {}
    for name, one in inner.items():
        found |= commands(one, (*path, name))
    return found


COMMANDS = commands(get_command(program))


def section(name: str) -> str:
    """The part of the page under a heading."""
    found = re.search(rf"^## {re.escape(name)}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/cli.md has no section {name}"
    return found[1]


def options(command: Any) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts if option.startswith("--")}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_and_argument_is_described(name: str) -> None:
    text = section(name)
    for option in options(COMMANDS[name]) - COMMON:
        assert re.search(rf"`{option}[` ]", text), f"{name}: {option}"
    for parameter in COMMANDS[name].params:
        if not any(option.startswith("--") for option in parameter.opts):
            assert f"`{parameter.metavar}" in text, f"{name}: {parameter.metavar}"


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_is_described_that_is_not_there(name: str) -> None:
    described = set(re.findall(r"^- .*?`(--[a-z-]+)", section(name), re.MULTILINE))
    assert described <= options(COMMANDS[name])


def test_every_section_is_a_command() -> None:
    headings = set(re.findall(r"^## (.*)$", PAGE, re.MULTILINE))
    assert headings - {"All commands"} == set(COMMANDS)


def test_the_table_at_the_top_leads_to_every_command() -> None:
    linked = set(re.findall(r"\]\(#([a-z-]+)\)", PAGE.partition("## All commands")[0]))
    assert linked == {name.replace(" ", "-") for name in COMMANDS}


@pytest.mark.parametrize("option", sorted(COMMON))
def test_common_options_are_described_once(option: str) -> None:
    assert f"`{option}" in section("All commands")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_here_and_in_its_help(name: str) -> None:
    assert f"$ python -m sync {name}" in section(name)
    told = CliRunner().invoke(program, [*name.split(), "--help"])
    assert told.exit_code == 0
    assert f"python -m sync {name}" in told.stdout
    assert "Example" in told.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_but_offline_ones_takes_settings_and_json(name: str) -> None:
    expected = {"--json"} if name in ("cost",) else {"--json", "--settings"}
    assert expected <= options(COMMANDS[name])


@pytest.mark.parametrize("group", sorted({name.rpartition(" ")[0] for name in COMMANDS}))
def test_the_list_of_commands_has_whole_sentences(group: str) -> None:
    shown = CliRunner().invoke(program, [*group.split(), "--help"], env={"COLUMNS": "80"}).stdout
    assert "..." not in shown.split("Commands:")[1]


def test_commands_that_the_catalogue_names_exist() -> None:
    texts = " ".join(f"{entry.cause} {entry.fix} {entry.does}" for entry in CATALOGUE.values())
    for words in re.findall(r"`python -m sync ([a-z ]+?)(?: [A-Z]+)?`", texts):
        assert any(name == words or name.startswith(f"{words} ") for name in COMMANDS), words
