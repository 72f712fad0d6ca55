"""The commands in the documents parse, name things that exist, and run to their end with programs that only write down
how they were called."""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from sync.cli.program import app as program
from tests.infra.bicep import ROOT, TEMPLATES, parsed
from tests.infra.queries import alert_queries

PAGES = ("deploy.md", "operations.md", "cost.md", "security.md", "cli.md")
AZ = {
    # Commands of the Azure CLI that the documents use, with the options they may use there (az 2.60).
    "provider register": {"--namespace"},
    "group create": {"--name", "--location"},
    "group delete": {"--name"},
    "deployment group what-if": {"--resource-group", "--template-file", "--parameters"},
    "deployment group create": {"--resource-group", "--name", "--template-file", "--parameters"},
    "deployment group show": {"--resource-group", "--name", "--query", "--output"},
    "functionapp deployment source config-zip": {"--resource-group", "--name", "--src", "--build-remote"},
    "functionapp stop": {"--resource-group", "--name"},
    "functionapp start": {"--resource-group", "--name"},
    "functionapp restart": {"--resource-group", "--name"},
    "functionapp function keys list": {
        "--resource-group",
        "--name",
        "--function-name",
        "--query",
        "--output",
    },
    "keyvault secret set": {"--vault-name", "--name", "--value", "--output"},
    "keyvault recover": {"--name", "--resource-group"},
    "rest": {"--method", "--url", "--resource", "--headers", "--body"},
    "storage account keys list": {"--resource-group", "--account-name", "--query", "--output"},
    "storage account keys renew": {"--resource-group", "--account-name", "--key"},
}
STUB = """#!/bin/sh
{ printf '%s' "$(basename "$0")"; for a in "$@"; do printf '\\037%s' "$a"; done; printf '\\n'; } >> "$CALLS"
case "$*" in *functionAppName*) echo func-app ;; *) echo value ;; esac
"""


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def blocks(name: str) -> list[str]:
    return re.findall(r"```bash\n(.*?)```", page(name), re.DOTALL)


@pytest.mark.parametrize("name", PAGES)
def test_every_block_parses(name: str) -> None:
    for block in blocks(name):
        done = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), block


def run(name: str, folder: Path, **given: str) -> list[list[str]]:
    """Runs all blocks of a page in order, in a folder whose programs only note their calls; the calls."""
    work = folder / "work"
    for program_path in ("bin/az", "bin/azd", "bin/git", "bin/curl", "bin/python", "work/.venv/bin/python"):
        _stub(folder / program_path)
    for script in ("setup", "package", "cloud-settings"):
        _stub(work / "scripts" / script)
        _stub(folder / "previous" / "scripts" / script)
    (work / "cloud.settings.json").write_text("{}", "utf-8")
    environment = {"PATH": f"{folder / 'bin'}:/usr/bin:/bin", "CALLS": str(folder / "calls"), **given}
    script_text = "set -euo pipefail\n" + "\n".join(blocks(name))
    done = subprocess.run(
        ["bash", "-c", script_text],
        cwd=work,
        env=environment,
        input="secret\nsecret\n",
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [line.split("\037") for line in (folder / "calls").read_text("utf-8").splitlines()]


def _stub(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(STUB, "utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def checked(calls: list[list[str]]) -> set[str]:
    """The Azure CLI commands of the calls, each known with its options and no argument empty."""
    used = set()
    for words in calls:
        assert "" not in words, f"an empty argument: {words}"
        if words[0] != "az":
            continue
        name = " ".join(words[1 : next((i for i, w in enumerate(words) if w.startswith("--")), len(words))])
        assert name in AZ, f"az {name}"
        options = {word for word in words if word.startswith("--")}
        assert options <= AZ[name], f"az {name}: {options - AZ[name]}"
        used.add(name)
    return used


def test_deploying_by_the_page_runs_to_its_end(tmp_path: Path) -> None:
    calls = run("deploy.md", tmp_path, BUSINESS_UNIT="unit")
    used = checked(calls)
    used |= checked(run("operations.md", tmp_path, RG="rg", APP="app"))
    assert used == set(AZ), "a command that no page uses any more"
    order = [words[:4] for words in calls if words[0] == "az" or words[0] == "package"]
    templates = order.index(["az", "deployment", "group", "create"])
    secrets = order.index(["az", "keyvault", "secret", "set"])
    assert templates < secrets
    (push, *_) = [words for words in calls if "config-zip" in words]
    assert push[push.index("--name") + 1] == "func-app"


def test_cost_examples_run() -> None:
    examples = [line for block in blocks("cost.md") for line in block.splitlines()]
    assert len(examples) == 2
    for line in examples:
        words = [sys.executable, *shlex.split(line)[1:]]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_calls_of_the_command_line_are_ones_it_takes() -> None:
    checked_calls = 0
    for name in PAGES:
        text = page(name)
        for line in [
            *re.findall(r"`python -m sync ([^`\n]*)`", text),
            *re.findall(r"python -m sync (.*)$", text, re.MULTILINE),
        ]:
            words = shlex.split(line.split("`")[0].split("|")[0].split(">")[0], comments=True)
            command = get_command(program)
            path = []
            while words and words[0] in getattr(command, "commands", {}):
                path.append(words[0])
                command = command.commands[words.pop(0)]  # type: ignore[attr-defined]
            options = {option for parameter in command.params for option in parameter.opts}
            assert path or not words or words[0] in ("COMMAND", "…") or words[0].startswith("-"), line
            asked = {word.split("=")[0] for word in words if word.startswith("--")}
            assert asked <= options | {"--help"}, line
            checked_calls += 1
    assert checked_calls > 30


def test_every_parameter_the_page_names_exists_and_every_output_is_used() -> None:
    main = parsed(TEMPLATES[0])
    text = page("deploy.md")
    table = text[text.index("### Choices") : text.index("## Secrets")]
    named = {
        name
        for cell in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", cell)
    }
    assert len(named) >= 8
    assert named <= set(main["parameters"])
    for output in main["outputs"]:
        assert f"output {output}" in text, output


def test_every_alert_has_a_runbook() -> None:
    text = page("operations.md")
    runbooks = text[text.index("## Runbooks") : text.index("## Questions operators ask")]
    headings = re.findall(r"^### (.+)$", runbooks, re.MULTILINE)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    assert anchors == {query.where for query in alert_queries()}


def test_ten_questions_have_a_query_each() -> None:
    text = page("operations.md")
    asked = text[text.index("## Questions operators ask") : text.index("## Health from outside")]
    questions = re.split(r"^\*\*\d+\. ", asked, flags=re.MULTILINE)[1:]
    assert len(questions) >= 10
    assert all(question.count("```kusto") == 1 for question in questions)


def test_links_lead_somewhere() -> None:
    for name in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page(name)):
            assert (ROOT / "docs" / target).exists(), f"{name}: {target}"


def test_tests_that_a_page_names_exist() -> None:
    for name in PAGES:
        for path in re.findall(r"`((?:tests|scripts|infra|benchmarks)/[\w/.-]+)`", page(name)):
            assert (ROOT / path).exists(), f"{name}: {path}"


def test_cloud_settings_are_the_apps_with_secrets_resolved_and_for_you_alone(tmp_path: Path) -> None:
    secret_uri = "https://kv.vault.azure.net/secrets/campaign-client-secret"
    listed = {
        "AzureWebJobsStorage__clientId": "id",
        "AzureWebJobsStorage__credential": "managedidentity",
        "AzureWebJobsStorage__queueServiceUri": "https://st.queue.core.windows.net/",
        "DYNAMICS_CLIENT_ID": "id",
        "CAMPAIGN_CLIENT_SECRET": f"@Microsoft.KeyVault(SecretUri={secret_uri})",
    }
    fake = tmp_path / "bin" / "az"
    fake.parent.mkdir()
    answer = json.dumps([{"name": name, "value": value} for name, value in listed.items()])
    fake.write_text(
        f"#!/bin/sh\ncase \"$1 $2\" in 'functionapp config') echo '{answer}' ;;\n"
        f"'keyvault secret') [ \"$5\" = {secret_uri} ] && echo s3cret ;; esac\n",
        "utf-8",
    )
    fake.chmod(0o755)
    output = tmp_path / "cloud.settings.json"
    output.write_text("old", "utf-8")
    output.chmod(0o644)
    script = str(ROOT / "scripts" / "cloud-settings")
    done = subprocess.run(
        [sys.executable, script, "--resource-group", "rg", "--name", "app", "--output", str(output)],
        env={**os.environ, "PATH": f"{fake.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "s3cret" not in done.stdout
    assert json.loads(output.read_text("utf-8"))["Values"] == {
        "AzureWebJobsStorage__queueServiceUri": "https://st.queue.core.windows.net/",
        "CAMPAIGN_CLIENT_SECRET": "s3cret",
    }
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
