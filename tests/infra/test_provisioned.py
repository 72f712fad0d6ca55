"""Everything the code and host.json use is provisioned, and everything provisioned is used.

Read by pycep, so that it is checked where no compiler is; the compiled values are checked by the policy tests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from sync.errors import CATALOGUE
from sync.settings import Settings
from sync.storage.account import QUEUES, TABLES
from tests.infra.bicep import INFRA, ROOT, TEMPLATES, Json, parsed
from tests.infra.test_policy import FORBIDDEN_SETTINGS

LOCAL_ONLY = {"AzureWebJobsStorage", "AzureWebJobsStorage__accountName", "EVENTS_CONNECTION"}
"""Other ways to name the account: the template gives the addresses."""
PLATFORM = {
    # Read by the host, the worker or Microsoft's SDKs (azure.md 1.4), not by our code.
    "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__blobServiceUri",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "AZURE_CLIENT_ID",
}
MAIN = INFRA / "main.bicep"
SETTINGS = INFRA / "settings.bicep"


def listed(variable: str) -> set[str]:
    """The texts of a list variable of main.bicep."""
    return set(parsed(MAIN)["variables"][variable]["value"])


def object_keys(text: str, opening: str) -> dict[str, str]:
    """Keys and values of the object literal that starts after `opening`, one a line."""
    body = text[text.index(opening) + len(opening) :]
    lines = body[: re.search(r"\n\}", body).start()].splitlines()  # type: ignore[union-attr]
    pairs = [line.strip().split(": ", 1) for line in lines if re.match(r"\s+\w+: ", line)]
    return {key: value.strip("'") for key, value in pairs}


def defaults() -> dict[str, str]:
    return object_keys(SETTINGS.read_text("utf-8"), "var defaults = {")


def tunables() -> set[str]:
    return set(object_keys(SETTINGS.read_text("utf-8"), "type Tunables = {"))


def computed() -> set[str]:
    """Settings whose values the templates work out."""
    main = MAIN.read_text("utf-8")
    block = main[main.index("settings: union(") : main.index("// Roles take minutes")]
    block = re.sub(r"\{ (?=[A-Z])", "{\n  ", block)
    app = (INFRA / "modules" / "app.bicep").read_text("utf-8")
    own = re.search(r"properties: union\(settings, \{ (\w+):", app)
    assert own is not None
    return set(re.findall(r"^\s+([A-Z]\w+): ", block, re.MULTILINE)) | {own[1]}


def sources() -> Iterator[Path]:
    yield ROOT / "function_app.py"
    yield from (ROOT / "sync").rglob("*.py")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_is_read_by_a_second_parser(path: Path) -> None:
    """pycep knows no decorators inside types, so types.bicep and settings.bicep are the compiler's alone."""
    assert set(parsed(path)) & {"resources", "modules"}


def test_queues_and_tables_are_those_of_the_code() -> None:
    assert listed("queues") == set(QUEUES)
    assert listed("tables") == set(TABLES)


def test_every_queue_with_a_trigger_has_its_poison_queue() -> None:
    text = (ROOT / "function_app.py").read_text("utf-8")
    triggers = set(re.findall(r"queue_name=Lane\.(\w+)\.value", text))
    assert triggers == {"CONSENT", "LIVE", "BACKFILL", "CONTROL", "EVENTS"}
    queues = listed("queues")
    assert {f"{name.lower()}-poison" for name in triggers} <= queues
    drained = {f"{name.lower()}-poison" for name in re.findall(r'f"\{Lane\.(\w+)\.value\}-poison"', text)}
    assert drained == {queue for queue in queues if queue.endswith("-poison")}


def test_the_package_container_is_where_the_code_is_pushed_to() -> None:
    main = MAIN.read_text("utf-8")
    assert "containers: [packageContainer]" in main
    assert "packageUrl: '${storage.outputs.blobEndpoint}${packageContainer}'" in main


def test_every_setting_of_the_code_is_provisioned_and_every_provisioned_one_is_read() -> None:
    known = set(Settings.names()) - LOCAL_ONLY
    assert set(defaults()) | tunables() | computed() == known | PLATFORM
    assert set(defaults()) & computed() == set(), "a setting with two sources"


def test_a_default_in_the_template_is_the_default_in_the_code() -> None:
    for name, value in defaults().items():
        field = Settings.names()[name].default
        text = str(field).lower() if isinstance(field, bool) else str(field)
        assert (value, float(value) if _number(value) else value) == (
            value,
            float(text) if _number(text) else text,
        ), name


def _number(text: str) -> bool:
    return re.fullmatch(r"[0-9.]+", text) is not None


def test_whoever_tunes_may_change_every_default_and_nothing_else() -> None:
    assert tunables() - set(defaults()) == {"DYNAMICS_TOKEN_URL"}, "no default: Entra's"
    assert set(defaults()) - tunables() == set()


def test_schedules_and_connections_of_the_triggers_are_provisioned() -> None:
    text = (ROOT / "function_app.py").read_text("utf-8")
    assert set(re.findall(r'"%(\w+)%"', text)) <= set(defaults())
    connections = set(re.findall(r'^STORAGE = "(\w+)"', text, re.MULTILINE))
    assert connections == {"AzureWebJobsStorage"}
    assert re.findall(r"connection=(?!STORAGE)", text) == []
    assert {
        f"AzureWebJobsStorage__{part}" for part in ("credential", "clientId", "queueServiceUri")
    } <= computed()
    host = (ROOT / "host.json").read_text("utf-8")
    assert re.findall(r"%\w+%", host) == []


def test_no_environment_variable_is_read_that_is_not_a_known_setting() -> None:
    """`WEBSITE_INSTANCE_ID` is the platform's."""
    for path in sources():
        if path.is_relative_to(ROOT / "sync" / "cli"):
            continue
        text = path.read_text("utf-8")
        read = set(re.findall(r"(?:environ|env)(?:\.get\(|\[)[\"'](\w+)", text))
        assert read <= set(Settings.names()) | {"WEBSITE_INSTANCE_ID"}, path


def test_the_secrets_are_exactly_the_secret_settings() -> None:
    secret = {
        name for name, field in Settings.names().items() if isinstance(field.default, SecretStr)
    } - LOCAL_ONLY
    main = MAIN.read_text("utf-8")
    reference = r"var (\w+) = '@Microsoft\.KeyVault\(SecretUri=\$\{vault\.outputs\.uri\}secrets/([\w-]+)\)'"
    stored = dict(re.findall(reference, main))
    given = {name: stored[variable] for name, variable in re.findall(r"(\w+_SECRET): (\w+)", main)}
    assert given == {name: name.lower().replace("_", "-") for name in secret}
    assert len(stored) == len(given)


def test_the_local_sample_has_every_setting_that_is_not_azures_own() -> None:
    sample = json.loads((ROOT / "local.settings.sample.json").read_text("utf-8"))["Values"]
    wanted = {name for name in Settings.names() if not name.startswith("AzureWebJobsStorage__")}
    assert set(sample) == wanted | {"FUNCTIONS_WORKER_RUNTIME"}


def test_roles_let_the_app_reach_what_it_uses() -> None:
    """Blob (host), queue and table data, secrets, telemetry: one assignment each, at the one resource."""
    resources = parsed(INFRA / "modules" / "roles.bicep")["resources"]
    given = {
        name: _config(resource)["scope"] for name, resource in resources.items() if name.startswith("app")
    }
    assert given == {"appStorage": "storage", "appVault": "vault", "appInsights": "insights"}
    roles = resources["appStorage"]["config"]["loop_type"]["detail"]["array_name"]
    assert roles == ["blobOwner", "queueContributor", "tableContributor"]


def _config(resource: Json) -> Json:
    config: Json = resource["config"]
    return config["config"] if "loop_type" in config else config


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_parameter_and_output_is_described(path: Path) -> None:
    for kind in ("parameters", "outputs"):
        for name, item in parsed(path).get(kind, {}).items():
            told = [d for d in item.get("decorators", []) if d.get("type") == "description"]
            assert told, f"{path.name}: {kind[:-1]} {name} has no description"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_parameter_of_a_module_is_used(path: Path) -> None:
    text = path.read_text("utf-8")
    for name in parsed(path).get("parameters", {}):
        assert len(re.findall(rf"\b{name}\b", text)) > 1, name


def test_codes_that_the_access_alert_asks_for_are_those_that_mean_refused_access() -> None:
    query = (INFRA / "queries" / "access-refused.kql").read_text("utf-8")
    asked = set(re.findall(r"'(\w+_\w+)'", query)) - {"flow_waits"}
    meant = {code for code in CATALOGUE if code.endswith(("_unauthorized", "_forbidden"))}
    assert asked == meant


def test_deploying_by_azd_finds_the_app() -> None:
    import yaml

    project: dict[str, Any] = yaml.safe_load((ROOT / "azure.yaml").read_text("utf-8"))
    (service,) = project["services"]
    assert f"'azd-service-name': '{service}'" in (INFRA / "modules" / "app.bicep").read_text("utf-8")
    assert project["services"][service] == {"project": ".", "language": "python", "host": "function"}
    assert (ROOT / project["infra"]["path"] / f"{project['infra']['module']}.bicep").exists()


def test_what_must_never_be_is_seen_without_a_compiler_too() -> None:
    """The policy tests look at compiled values; these are the ones that would hurt most."""
    storage = parsed(INFRA / "modules" / "storage.bicep")["resources"]["account"]["config"]["properties"]
    assert (storage["allowSharedKeyAccess"], storage["allowBlobPublicAccess"]) == (False, False)
    assert storage["minimumTlsVersion"] == "TLS1_2"
    vault = parsed(INFRA / "modules" / "vault.bicep")["resources"]["vault"]["config"]["properties"]
    assert vault["enablePurgeProtection"] is vault["enableRbacAuthorization"] is True
    insights = parsed(INFRA / "modules" / "monitoring.bicep")["resources"]["insights"]["config"]["properties"]
    assert insights["DisableLocalAuth"] is True
    for path in TEMPLATES:
        found = set(re.findall(r"\w+", path.read_text("utf-8"))) & FORBIDDEN_SETTINGS
        assert found == set(), path.name
        assert not re.search(r"\blist(Keys|AccountSas|ServiceSas)?\(", path.read_text("utf-8")), path.name
