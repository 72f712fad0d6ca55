"""What single settings cannot tell: what is required, what fits together, where credentials may go."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from sync.errors import SyncError
from sync.origin import origin_of
from sync.settings import Settings
from sync.settings_problems import Problem


def broken_rules(settings: Settings) -> Iterator[Problem]:
    """Everything that is missing or does not fit."""
    yield from _storage(settings)
    yield from _dynamics(settings)
    yield from _campaign(settings)
    yield from _times(settings)
    yield from _events(settings)


def _events(settings: Settings) -> Iterator[Problem]:
    if not settings.events_container:
        return
    if settings.events_blob_uri:
        yield from _address("EVENTS_BLOB_URI", settings.events_blob_uri)
    elif not settings.events_connection.get_secret_value():
        yield Problem(
            "EVENTS_BLOB_URI",
            "is missing",
            "EVENTS_CONTAINER is set: say where, https://<account>.blob.core.windows.net",
        )
    ids = [one for one in settings.events_user_ids.split(",") if one.strip()]
    secrets = [one for one in settings.events_users_secret.get_secret_value().split(",") if one.strip()]
    if secrets and len(secrets) != len(ids):
        yield Problem(
            "EVENTS_USERS_SECRET",
            "does not have one secret for each of EVENTS_USER_IDS",
            "Give as many, in the same order, or none to use managed identities",
        )


def _storage(settings: Settings) -> Iterator[Problem]:
    if settings.storage_connection.get_secret_value() or settings.storage_account:
        return
    if settings.storage_queue_uri and settings.storage_table_uri:
        yield from _address("AzureWebJobsStorage__queueServiceUri", settings.storage_queue_uri)
        yield from _address("AzureWebJobsStorage__tableServiceUri", settings.storage_table_uri)
    else:
        yield Problem(
            "AzureWebJobsStorage",
            "is missing",
            "Set it, or AzureWebJobsStorage__accountName, or both AzureWebJobsStorage__queueServiceUri and "
            "AzureWebJobsStorage__tableServiceUri",
        )


def _dynamics(settings: Settings) -> Iterator[Problem]:
    yield from _required("DYNAMICS_URL", settings.dynamics_url, "https://<org>.crm<n>.dynamics.com")
    if urlsplit(settings.dynamics_url).path.strip("/"):
        yield Problem(
            "DYNAMICS_URL", "has a path", "Give the environment's address alone, without /api or an app"
        )
    if settings.dynamics_token_url:
        yield from _address("DYNAMICS_TOKEN_URL", settings.dynamics_token_url)
    if settings.uses_dynamics_identity:
        return
    if not settings.dynamics_client_id:
        yield Problem("DYNAMICS_CLIENT_ID", "is missing", "DYNAMICS_CLIENT_SECRET is set and needs it")
    if not settings.dynamics_tenant_id and not settings.dynamics_token_url:
        yield Problem("DYNAMICS_TENANT_ID", "is missing", "DYNAMICS_CLIENT_SECRET is set and needs it")


def _campaign(settings: Settings) -> Iterator[Problem]:
    yield from _required("CAMPAIGN_URL", settings.campaign_url, "https://mc.adobe.io/<organization>/campaign")
    if settings.campaign_url and not urlsplit(settings.campaign_url).path.rstrip("/").endswith("/campaign"):
        yield Problem(
            "CAMPAIGN_URL", "does not end in /campaign", "Use https://mc.adobe.io/<organization>/campaign"
        )
    yield from _address("CAMPAIGN_TOKEN_URL", settings.campaign_token_url)
    if not settings.campaign_client_id:
        yield Problem("CAMPAIGN_CLIENT_ID", "is missing", "Copy it from the Developer Console project")
    if not settings.campaign_client_secret.get_secret_value():
        yield Problem("CAMPAIGN_CLIENT_SECRET", "is missing", "Set it as a Key Vault reference")
    if settings.campaign_limit <= settings.campaign_burst + 2 * settings.chunk_records:
        yield Problem(
            "CAMPAIGN_LIMIT",
            "leaves nothing beside CAMPAIGN_BURST and two chunks (CHUNK_RECORDS)",
            "Raise it to your licensed rate, or lower the other two",
        )
    least = 20 * max(2 * settings.chunk_records, 4)
    if 0 < settings.campaign_calls_per_day < least:
        yield Problem(
            "CAMPAIGN_CALLS_PER_DAY",
            f"is below {least}, ten chunks of CHUNK_RECORDS",
            "Give the calls a day that your contract names, or 0 for no such limit",
        )


def _times(settings: Settings) -> Iterator[Problem]:
    if settings.call_timeout_s >= settings.claim_s:
        yield Problem(
            "CALL_TIMEOUT_S",
            "is not below half of MESSAGE_LEASE_S",
            "Lower it: a call must end while its claim still holds",
        )


def _required(name: str, url: str, example: str) -> Iterator[Problem]:
    if url:
        yield from _address(name, url)
    else:
        yield Problem(name, "is missing", f"Set it to {example}")


def _address(name: str, url: str) -> Iterator[Problem]:
    try:
        origin_of(url)
    except SyncError as error:
        yield Problem(name, f"is {error.detail}", "Use https; plain http is for loopback addresses only")
