"""Settings: defaults, the sample file, and one error that names everything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sync.settings import Settings
from sync.settings_problems import SettingsInvalid, unknown

ROOT = Path(__file__).resolve().parents[2]
SECRET = "canary-secret-41ab"
GOOD = {
    "AzureWebJobsStorage__accountName": "acct",
    "DYNAMICS_URL": "https://org.crm4.dynamics.com/",
    "CAMPAIGN_URL": "https://mc.adobe.io/acme/campaign",
    "CAMPAIGN_CLIENT_ID": "key",
    "CAMPAIGN_CLIENT_SECRET": SECRET,
}


def problems(**changes: str) -> dict[str, str]:
    with pytest.raises(SettingsInvalid) as caught:
        Settings.load({**GOOD, **changes})
    assert SECRET not in str(caught.value)
    return {problem.name: problem.what for problem in caught.value.problems}


def test_the_least_that_is_needed() -> None:
    settings = Settings.load(GOOD)
    assert settings.uses_dynamics_identity
    assert settings.uses_identity_storage
    assert settings.dynamics_scope == "https://org.crm4.dynamics.com/.default"
    assert settings.queue_uri == "https://acct.queue.core.windows.net"
    assert settings.campaign_tenant == "acme"


def test_the_production_times() -> None:
    settings = Settings.load(GOOD)
    assert (settings.message_lease_s, settings.call_timeout_s) == (600, 30)
    assert (settings.gateway_s, settings.skew_s) == (60, 30)
    deadline = settings.claim_deadline(1000.0)
    assert (deadline, settings.takeover_at(deadline)) == (1300.0, 1390.0)


def test_one_error_names_everything_that_is_missing() -> None:
    with pytest.raises(SettingsInvalid) as caught:
        Settings.load({})
    names = {problem.name for problem in caught.value.problems}
    assert names == {
        "AzureWebJobsStorage",
        "DYNAMICS_URL",
        "CAMPAIGN_URL",
        "CAMPAIGN_CLIENT_ID",
        "CAMPAIGN_CLIENT_SECRET",
    }
    assert all(name in str(caught.value) for name in names)


def test_one_error_names_everything_that_is_wrong() -> None:
    assert problems(
        DYNAMICS_URL="http://example.com",
        CAMPAIGN_URL="https://mc.adobe.io/acme",
        CAMPAIGN_LIMIT="many",
        PULL_SCHEDULE="every minute",
        CALL_TIMEOUT_S="300",
        CAMPAIGN_ADDRESSING="pkey",
        CAMPAIGN_CLIENT_ID="",
    ).keys() == {
        "DYNAMICS_URL",
        "CAMPAIGN_URL",
        "CAMPAIGN_LIMIT",
        "PULL_SCHEDULE",
        "CALL_TIMEOUT_S",
        "CAMPAIGN_ADDRESSING",
        "CAMPAIGN_CLIENT_ID",
    }


@pytest.mark.parametrize("name", ["CAMPAIGN_CLIENT_SECRET", "DYNAMICS_CLIENT_SECRET", "DYNAMICS_URL"])
def test_an_unresolved_key_vault_reference_is_refused(name: str) -> None:
    reference = "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/s)"
    found = problems(**{name: reference})
    assert "Key Vault reference" in found[name]


def test_a_secret_needs_the_client_and_the_tenant() -> None:
    assert problems(DYNAMICS_CLIENT_SECRET="s").keys() == {"DYNAMICS_CLIENT_ID", "DYNAMICS_TENANT_ID"}
    complete = {**GOOD, "DYNAMICS_CLIENT_SECRET": "s", "DYNAMICS_CLIENT_ID": "c", "DYNAMICS_TENANT_ID": "t"}
    settings = Settings.load(complete)
    assert settings.dynamics_token_address == "https://login.microsoftonline.com/t/oauth2/v2.0/token"


@pytest.mark.parametrize(("timeout", "good"), [("299", True), ("300", False), ("600", False)])
def test_a_call_must_end_while_its_claim_holds(timeout: str, good: bool) -> None:
    if good:
        Settings.load({**GOOD, "CALL_TIMEOUT_S": timeout})
    else:
        assert problems(CALL_TIMEOUT_S=timeout).keys() == {"CALL_TIMEOUT_S"}


def test_a_limit_that_leaves_nothing_is_refused() -> None:
    assert problems(CAMPAIGN_LIMIT="140").keys() == {"CAMPAIGN_LIMIT"}
    Settings.load({**GOOD, "CAMPAIGN_LIMIT": "141"})


def test_an_environment_address_has_no_path() -> None:
    assert problems(DYNAMICS_URL="https://org.crm4.dynamics.com/api/data").keys() == {"DYNAMICS_URL"}


def test_both_storage_addresses_or_none() -> None:
    queue = {"AzureWebJobsStorage__accountName": "", "AzureWebJobsStorage__queueServiceUri": "https://q"}
    assert problems(**queue).keys() == {"AzureWebJobsStorage"}
    settings = Settings.load({**GOOD, **queue, "AzureWebJobsStorage__tableServiceUri": "https://t"})
    assert (settings.queue_uri, settings.table_uri) == ("https://q", "https://t")


def test_secrets_do_not_show() -> None:
    shown = repr(Settings.load({**GOOD, "AzureWebJobsStorage": f"AccountKey={SECRET}"}))
    assert SECRET not in shown


def test_the_tenant_does_not_depend_on_the_host() -> None:
    for port in ("1", "2"):
        url = f"http://127.0.0.1:{port}/local/campaign"
        assert Settings.load({**GOOD, "CAMPAIGN_URL": url}).campaign_tenant == "local"


def test_the_sample_loads_and_has_every_setting() -> None:
    values = json.loads((ROOT / "local.settings.sample.json").read_text(encoding="utf-8"))["Values"]
    settings = Settings.load(values)
    assert settings.dynamics_url.startswith("http://127.0.0.1:")
    identity_only = {name for name in Settings.names() if name.startswith("AzureWebJobsStorage__")}
    assert values.keys() == (Settings.names().keys() - identity_only) | {"FUNCTIONS_WORKER_RUNTIME"}


def test_the_sample_shows_the_defaults() -> None:
    values = json.loads((ROOT / "local.settings.sample.json").read_text(encoding="utf-8"))["Values"]
    shown, defaults = Settings.load(values), Settings.load(GOOD)
    local = ("storage_", "dynamics_", "campaign_url", "campaign_client", "campaign_token_url")
    for name in Settings.model_fields:
        if not name.startswith(local):
            assert getattr(shown, name) == getattr(defaults, name), name


@pytest.mark.parametrize(
    ("name", "value", "fix"),
    [
        ("CAMPAIGN_LIMIT", "many", "Give a whole number, such as 4000"),
        ("CALL_TIMEOUT_S", "soon", "Give a number, such as 30"),
        ("CAMPAIGN_BURST", "0", "Give a number of 1 or more"),
        ("SKEW_S", "0", "Give a number above 0"),
        ("CAMPAIGN_DELETE_BY_KEY", "perhaps", "Give true or false"),
        ("CAMPAIGN_ADDRESSING", "pkey", "Give one of 'auto', 'key' or 'filter'"),
        ("PULL_SCHEDULE", "15s", "Give six fields, seconds first, such as */15 * * * * *"),
    ],
)
def test_a_wrong_value_says_what_to_give(name: str, value: str, fix: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        Settings.load({**GOOD, name: value})
    (problem,) = caught.value.problems
    assert (problem.name, problem.fix) == (name, fix)


def test_misspelt_names_are_found_and_those_of_others_left_alone() -> None:
    names = ["CAMPAIGN_WINDOWS", "DYNAMICS_FLAVOUR", "CAMPAIGN_LIMIT", "PATH", "AzureWebJobsFeatureFlags"]
    assert [(problem.name, problem.fix) for problem in unknown(names, Settings.names())] == [
        ("CAMPAIGN_WINDOWS", "Did you mean CAMPAIGN_WINDOW_S?"),
        ("DYNAMICS_FLAVOUR", "docs/settings.md lists all."),
    ]
