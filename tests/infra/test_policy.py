"""What no deployment of these templates may be, read from the compiled JSON and from what it would deploy."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator

import pytest

from tests.infra.bicep import Json, resources_of, templates_of
from tests.infra.conftest import SET_NAMES
from tests.infra.test_compile import ROLES, role_of

EXPORTS = "exacssync"
FORBIDDEN_SETTINGS = {
    # azure.md 1.4: Flex refuses or ignores these.
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_WORKER_RUNTIME_VERSION",
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_PROCESS_COUNT",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "ENABLE_ORYX_BUILD",
    "WEBSITE_CONTENTSHARE",
    "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
    "WEBSITE_RUN_FROM_PACKAGE",
    "WEBSITE_SKIP_CONTENTSHARE_VALIDATION",
    "WEBSITE_VNET_ROUTE_ALL",
    "WEBSITE_TIME_ZONE",
    "TZ",
    "linuxFxVersion",
    "healthCheckPath",
    "alwaysOn",
}
VALUES: dict[str, dict[str, set[str | int | bool]]] = {
    "Microsoft.Storage/storageAccounts": {
        "kind": {"StorageV2"},
        "sku.name": {"Standard_LRS", "Standard_ZRS", "Standard_GRS", "Standard_GZRS"},
        "properties.minimumTlsVersion": {"TLS1_2", "TLS1_3"},
        "properties.allowBlobPublicAccess": {False},
        "properties.supportsHttpsTrafficOnly": {True},
        "properties.allowCrossTenantReplication": {False},
        "properties.defaultToOAuthAuthentication": {True},
        "properties.networkAcls.defaultAction": {"Allow", "Deny"},
        "properties.publicNetworkAccess": {"Enabled", "Disabled"},
    },
    "Microsoft.Storage/storageAccounts/blobServices/containers": {"properties.publicAccess": {"None"}},
    "Microsoft.KeyVault/vaults": {
        "properties.sku.name": {"standard"},
        "properties.sku.family": {"A"},
        "properties.enablePurgeProtection": {True},
        "properties.enableSoftDelete": {True},
        "properties.enableRbacAuthorization": {True},
    },
    "Microsoft.Web/serverfarms": {
        "kind": {"functionapp"},
        "sku.name": {"FC1"},
        "sku.tier": {"FlexConsumption"},
        "properties.reserved": {True},
    },
    "Microsoft.Web/sites": {
        "kind": {"functionapp,linux"},
        "identity.type": {"UserAssigned"},
        "properties.httpsOnly": {True},
        "properties.siteConfig.ftpsState": {"Disabled"},
        "properties.siteConfig.minTlsVersion": {"1.2", "1.3"},
        "properties.siteConfig.scmMinTlsVersion": {"1.2", "1.3"},
        "properties.siteConfig.remoteDebuggingEnabled": {False},
        "properties.functionAppConfig.runtime.name": {"python"},
        "properties.functionAppConfig.scaleAndConcurrency.instanceMemoryMB": {512, 2048, 4096},
        "properties.functionAppConfig.deployment.storage.authentication.type": {"UserAssignedIdentity"},
    },
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": {"properties.allow": {False}},
    "Microsoft.Insights/components": {
        "kind": {"web"},
        "properties.Application_Type": {"web"},
        "properties.DisableLocalAuth": {True},
    },
    "Microsoft.OperationalInsights/workspaces": {
        "properties.sku.name": {"PerGB2018"},
        "properties.features.disableLocalAuth": {True},
    },
    "Microsoft.Insights/scheduledQueryRules": {
        "kind": {"LogAlert"},
        "properties.enabled": {True},
        "properties.severity": {0, 1, 2, 3, 4},
        "properties.windowSize": {"PT5M", "PT15M", "PT30M", "PT1H", "PT6H", "P1D", "P2D"},
        "properties.evaluationFrequency": {"PT5M", "PT15M", "PT1H"},
    },
    "Microsoft.Network/publicIPAddresses": {"sku.name": {"Standard"}},
    "Microsoft.Network/natGateways": {"sku.name": {"Standard"}},
    "Microsoft.Authorization/roleAssignments": {
        "properties.principalType": {"ServicePrincipal", "User", "Group"}
    },
}
"""Allowed values where the compiler lets any text pass (`Standard_LRX` compiles)."""


@pytest.fixture(params=SET_NAMES)
def resources(request: pytest.FixtureRequest, predicted: dict[str, list[Json]]) -> list[Json]:
    return predicted[request.param]


def of(resources: list[Json], kind: str) -> list[Json]:
    return [resource for resource in resources if resource["type"] == kind]


def at(resource: Json, path: str) -> object:
    value: object = resource
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def words(value: object) -> Iterator[str]:
    """Every key and every text of a JSON value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from words(inner)
    elif isinstance(value, str):
        yield value


def test_values_are_ones_that_azure_knows_and_we_want(resources: list[Json]) -> None:
    for resource in resources:
        for path, allowed in VALUES.get(resource["type"], {}).items():
            assert at(resource, path) in allowed, f"{resource['type']} {path}"


def test_account_keys_are_off_everywhere_but_on_the_exports_account(resources: list[Json]) -> None:
    for account in of(resources, "Microsoft.Storage/storageAccounts"):
        keys = account["properties"]["allowSharedKeyAccess"]
        assert keys is account["name"].startswith(EXPORTS), account["name"]


def test_the_exports_account_expires_its_key_and_its_files_and_denies_by_default(
    predicted: dict[str, list[Json]],
) -> None:
    (account,) = [
        resource
        for resource in of(predicted["private"], "Microsoft.Storage/storageAccounts")
        if resource["name"].startswith(EXPORTS)
    ]
    assert account["properties"]["keyPolicy"]["keyExpirationPeriodInDays"] <= 90
    assert account["properties"]["networkAcls"]["defaultAction"] == "Deny"
    assert [rule["value"] for rule in account["properties"]["networkAcls"]["ipRules"]] == ["203.0.113.10"]
    (policy,) = of(predicted["private"], "Microsoft.Storage/storageAccounts/managementPolicies")
    (rule,) = policy["properties"]["policy"]["rules"]
    assert rule["definition"]["actions"]["baseBlob"]["delete"]["daysAfterCreationGreaterThan"] == 30
    containers = of(predicted["private"], "Microsoft.Storage/storageAccounts/blobServices/containers")
    assert [c["name"] for c in containers if c["name"].startswith(EXPORTS)] == [
        f"{account['name']}/default/exports"
    ]


def test_the_private_network_denies_by_default_and_closes_public_access(
    predicted: dict[str, list[Json]],
) -> None:
    guarded = of(predicted["private"], "Microsoft.Storage/storageAccounts")
    guarded += of(predicted["private"], "Microsoft.KeyVault/vaults")
    assert len(guarded) == 3
    for resource in guarded:
        properties = resource["properties"]
        assert properties["networkAcls"]["defaultAction"] == "Deny"
        assert properties["networkAcls"]["bypass"] == "None"
        if not resource["name"].startswith(EXPORTS):
            assert properties["publicNetworkAccess"] == "Disabled"
            assert properties["networkAcls"]["ipRules"] == []
    (site,) = of(predicted["private"], "Microsoft.Web/sites")
    (network,) = of(predicted["private"], "Microsoft.Network/virtualNetworks")
    assert site["properties"]["virtualNetworkSubnetId"] == f"{network['id']}/subnets/app"
    delegations = network["properties"]["subnets"][0]["properties"]["delegations"]
    assert delegations[0]["properties"]["serviceName"] == "Microsoft.App/environments"
    groups = {
        group
        for endpoint in of(predicted["private"], "Microsoft.Network/privateEndpoints")
        for connection in endpoint["properties"]["privateLinkServiceConnections"]
        for group in connection["properties"]["groupIds"]
    }
    assert groups == {"blob", "queue", "table", "vault"}


def test_roles_are_known_ones_at_one_resource_each(resources: list[Json]) -> None:
    assignments = of(resources, "Microsoft.Authorization/roleAssignments")
    assert len(assignments) >= 5
    for assignment in assignments:
        assert role_of(assignment) in ROLES
        scope = str(assignment["id"]).split("/providers/Microsoft.Authorization")[0]
        assert "/providers/" in scope, "an assignment on the whole group"


def test_no_role_is_defined_and_nothing_uses_a_wildcard(compiled: Json) -> None:
    kinds = {resource["type"] for resource in resources_of(compiled)}
    assert "Microsoft.Authorization/roleDefinitions" not in kinds
    for resource in resources_of(compiled):
        # An alert's `*` means "every mapping"; modules' resources come by themselves.
        if resource["type"] not in (
            "Microsoft.Insights/scheduledQueryRules",
            "Microsoft.Resources/deployments",
        ):
            assert "*" not in set(words(resource)), resource["type"]


def test_no_output_holds_a_secret(compiled: Json) -> None:
    for _, template in templates_of(compiled):
        for name, output in template.get("outputs", {}).items():
            assert "list" not in json.dumps(output).lower().replace("listsorted", ""), name
            assert not re.search(r"secret|password|key(?!vault)", name, re.IGNORECASE), name
            assert not output["type"].lower().startswith("secure"), name


def test_no_parameter_is_a_secret_and_the_secrets_are_vault_references(compiled: Json) -> None:
    """A secret in a parameter would lie in the deployment history."""
    for _, template in templates_of(compiled):
        for name, parameter in template.get("parameters", {}).items():
            assert not str(parameter.get("type", "")).lower().startswith("secure"), name
            assert not re.search(r"secret(?!officers)|password", name, re.IGNORECASE), name
    text = json.dumps(compiled)
    for setting in ("CAMPAIGN_CLIENT_SECRET", "DYNAMICS_CLIENT_SECRET"):
        for found in re.finditer(rf"'?\"?{setting}\W+", text):
            assert "@Microsoft.KeyVault(SecretUri=" in text[found.end() : found.end() + 60]


@pytest.mark.parametrize(
    ("name", "secrets"),
    [
        ("default", {"CAMPAIGN_CLIENT_SECRET"}),
        ("private", {"CAMPAIGN_CLIENT_SECRET", "DYNAMICS_CLIENT_SECRET"}),
    ],
)
def test_the_dynamics_secret_is_there_only_with_an_app_registration(
    predicted: dict[str, list[Json]], name: str, secrets: set[str]
) -> None:
    """A reference to a secret that nobody set would reach the app as text, and it would refuse to start."""
    (settings,) = [
        resource["properties"]
        for resource in of(predicted[name], "Microsoft.Web/sites/config")
        if resource["name"].endswith("/appsettings")
    ]
    assert {key for key in settings if key.endswith("SECRET")} == secrets
    assert all("@Microsoft.KeyVault(SecretUri=" in settings[key] for key in secrets)
    own = "11111111-1111-1111-1111-111111111111"
    assert (settings["DYNAMICS_CLIENT_ID"] == own) is ("DYNAMICS_CLIENT_SECRET" in secrets)


def test_what_flex_forbids_never_appears(compiled: Json) -> None:
    found = set(itertools.chain.from_iterable(words(resource) for resource in resources_of(compiled)))
    assert found & FORBIDDEN_SETTINGS == set()


def test_the_guard_of_the_http_functions_refuses_who_has_no_token(predicted: dict[str, list[Json]]) -> None:
    guards = [
        resource["properties"]
        for resource in of(predicted["private"], "Microsoft.Web/sites/config")
        if resource["name"].endswith("/authsettingsV2")
    ]
    assert guards[0]["globalValidation"]["requireAuthentication"] is True
    assert guards[0]["globalValidation"]["unauthenticatedClientAction"] == "Return401"
    assert not any(r["name"].endswith("/authsettingsV2") for r in predicted["default"])


def test_always_ready_instances_are_named_by_function_and_two_with_zones(
    predicted: dict[str, list[Json]],
) -> None:
    counts = {}
    for name in SET_NAMES:
        (site,) = of(predicted[name], "Microsoft.Web/sites")
        ready = site["properties"]["functionAppConfig"]["scaleAndConcurrency"]["alwaysReady"]
        counts[name] = {entry["name"]: entry["instanceCount"] for entry in ready}
    assert counts == {
        "default": {"function:pull_changes": 1, "function:apply_live": 1},
        "private": {"function:pull_changes": 2, "function:apply_live": 2},
        "minimal": {},
    }


def test_every_alert_has_its_runbook_and_someone_who_is_told(predicted: dict[str, list[Json]]) -> None:
    for rule in of(predicted["default"], "Microsoft.Insights/scheduledQueryRules"):
        actions = rule["properties"]["actions"]
        assert actions["customProperties"]["runbook"] == "docs/operations.md#" + rule["name"].removeprefix(
            "alert-acssync-"
        )
        assert len(actions["actionGroups"]) == 1
        assert "<" not in rule["properties"]["criteria"]["allOf"][0]["query"].replace(" < ", "")
    for rule in of(predicted["minimal"], "Microsoft.Insights/scheduledQueryRules"):
        assert rule["properties"]["actions"]["actionGroups"] == []
