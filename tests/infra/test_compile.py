"""The real compiler accepts the templates without a word, and what they would deploy is what was reviewed."""

from __future__ import annotations

import difflib
import json
import os
import re
from pathlib import Path

import pytest

from tests.infra.bicep import INFRA, SETS, SUBSCRIPTION, Compiler, Json
from tests.infra.conftest import SET_NAMES

SCOPE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-sync/providers/"
ROLES = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "43d0d8ad-25c7-4714-9337-8ba259a9fe05": "Monitoring Reader",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
}


def test_the_templates_build_and_lint_without_a_diagnostic(compiler: Compiler, sets: Path) -> None:
    answer = compiler.run("lint", "--pattern", sets.parents[2] / "**" / "*.bicep")
    assert (answer.code, answer.diagnostics, answer.out) == (0, "", "")


def test_a_misspelt_property_is_a_diagnostic(compiler: Compiler, sets: Path) -> None:
    """The test above can fail."""
    vault = sets.parents[2] / "infra" / "modules" / "vault.bicep"
    vault.write_text(vault.read_text("utf-8").replace("enableSoftDelete", "enableSoftDeletion"), "utf-8")
    answer = compiler.run("lint", "--pattern", sets.parents[2] / "infra" / "*.bicep")
    assert "enableSoftDeletion" in answer.diagnostics


def test_the_files_are_formatted(compiler: Compiler, sets: Path) -> None:
    root = sets.parents[2]
    files = sorted(root.rglob("*.bicep*"))
    before = {path: path.read_text(encoding="utf-8") for path in files if path.name != "bicepconfig.json"}
    for kind in ("bicep", "bicepparam"):
        answer = compiler.run("format", "--pattern", root / "**" / f"*.{kind}")
        assert (answer.code, answer.diagnostics) == (0, "")
    changed = [path.name for path, text in before.items() if path.read_text(encoding="utf-8") != text]
    assert len(before) > 15
    assert changed == [], "run bicep format on these"


def test_the_shipped_parameters_come_from_the_environment_and_miss_nothing(compiler: Compiler) -> None:
    given = {
        "DYNAMICS_URL": "https://contoso.crm4.dynamics.com",
        "CAMPAIGN_URL": "https://mc.adobe.io/contoso/campaign",
        "CAMPAIGN_CLIENT_ID": "id",
    }
    answer = compiler.run("build-params", INFRA / "main.bicepparam", "--stdout", **given)
    assert answer.code == 0, answer.diagnostics
    parameters = json.loads(json.loads(answer.out)["parametersJson"])["parameters"]
    assert parameters["dynamicsUrl"]["value"] == given["DYNAMICS_URL"]
    missing = compiler.run("build-params", INFRA / "main.bicepparam", "--stdout", DYNAMICS_URL="https://x")
    assert missing.code != 0
    assert "CAMPAIGN_URL" in missing.diagnostics


def test_a_misspelt_setting_is_refused(compiler: Compiler, sets: Path) -> None:
    path = sets / "minimal.bicepparam"
    path.write_text(path.read_text("utf-8") + "param settings = { CAMPAIGN_LIMITS: '1' }\n", "utf-8")
    answer = compiler.snapshot(path)
    assert answer.code != 0
    assert "CAMPAIGN_LIMITS" in answer.diagnostics


def test_exports_without_the_private_network_are_refused(compiler: Compiler, sets: Path) -> None:
    path = sets / "default.bicepparam"
    path.write_text(path.read_text("utf-8") + "param deployExports = true\n", "utf-8")
    answer = compiler.snapshot(path)
    assert "deployExports needs privateNetwork" in answer.diagnostics + answer.out + snapshot_text(path)


def snapshot_text(path: Path) -> str:
    found = path.with_suffix(".snapshot.json")
    return found.read_text("utf-8") if found.exists() else ""


@pytest.mark.parametrize("name", SET_NAMES)
def test_a_parameter_set_deploys_what_was_reviewed(predicted: dict[str, list[Json]], name: str) -> None:
    found = "\n".join(sorted(map(describe, predicted[name]))) + "\n"
    path = SETS / f"{name}.expected.txt"
    expected = path.read_text(encoding="utf-8") if path.exists() else ""
    if os.environ.get("ACCEPT"):
        path.write_text(found, encoding="utf-8")
        return
    difference = difflib.unified_diff(
        expected.splitlines(), found.splitlines(), "reviewed", "would be deployed", lineterm="", n=0
    )
    assert found == expected, "\n".join(difference) + "\nreviewed it? ACCEPT=1 pytest tests/infra"


def describe(resource: Json) -> str:
    """One line of the reviewed list: type, name and what a reviewer wants to know."""
    kind, name = resource["type"], resource["name"]
    if kind == "Microsoft.Authorization/roleAssignments":
        role = ROLES[role_of(resource)]
        return f"{kind}  {role}  for {resource['properties']['principalType']}  at {_scope(resource)}"
    if kind == "Microsoft.Insights/diagnosticSettings":
        return f"{kind}  {name}  at {_scope(resource)}"
    if kind == "Microsoft.Insights/workbooks":
        name = resource["properties"]["displayName"]
    sku = resource.get("sku", {}).get("name")
    return f"{kind}  {_readable(name)}" + (f"  {sku}" if sku else "")


def role_of(resource: Json) -> str:
    """The GUID of the role that an assignment gives."""
    return str(resource["properties"]["roleDefinitionId"]).rsplit("/", 1)[-1]


def _scope(resource: Json) -> str:
    return (
        str(resource["id"])
        .split("/providers/Microsoft.Authorization")[0]
        .split("/providers/Microsoft.Insights/diagnosticSettings")[0]
        .removeprefix(SCOPE)
    )


def _readable(name: str) -> str:
    """Unresolved cloud suffixes as ARM functions say them, without the nesting."""
    return re.sub(r"\s+", " ", name)
