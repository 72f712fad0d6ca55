"""Storage as a command opens it: nothing is made, and a person does not wait long for an account that is silent."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from sync.settings import Settings
from sync.settings_problems import Problem, SettingsInvalid
from sync.storage.account import Account
from sync.storage.logs import LogSource

SHORT: dict[str, Any] = {
    "connection_timeout": 5,
    "read_timeout": 20,
    "retry_total": 1,
    "use_env_settings": False,  # as in the function app: no proxy settings, no ~/.netrc
}
"""Few and short retries of the storage SDKs: a person waits."""
BLOB_RETRIES: dict[str, Any] = {"initial_backoff": 1, "increment_base": 1, "random_jitter_range": 1}
"""Names of queues and blobs; tables call theirs otherwise."""


async def open_account(settings: Settings, exits: AsyncExitStack) -> Account:
    """The storage account; raises SettingsInvalid."""
    from azure.data.tables.aio import TableServiceClient
    from azure.storage.queue.aio import QueueServiceClient

    from sync.storage.azure import AzureAccount

    tables = {**SHORT, "retry_backoff_factor": 0.3}
    queues = {**SHORT, **BLOB_RETRIES}
    if settings.uses_identity_storage:
        from azure.identity.aio import DefaultAzureCredential

        credential = DefaultAzureCredential(managed_identity_client_id=settings.storage_client_id or None)
        exits.push_async_callback(credential.close)
        azure = AzureAccount(
            TableServiceClient(settings.table_uri, credential=credential, **tables),
            QueueServiceClient(settings.queue_uri, credential=credential, **queues),
        )
    else:
        text = settings.storage_connection.get_secret_value()
        try:
            azure = AzureAccount(
                TableServiceClient.from_connection_string(text, **tables),
                QueueServiceClient.from_connection_string(text, **queues),
            )
        except ValueError:
            raise SettingsInvalid((not_a_connection("AzureWebJobsStorage"),)) from None
    exits.push_async_callback(azure.close)
    return azure.view()


async def open_logs(settings: Settings, exits: AsyncExitStack) -> LogSource | None:
    """The container of log exports; None if none is set. Raises SettingsInvalid."""
    if not settings.events_container:
        return None
    from azure.storage.blob.aio import ContainerClient

    from sync.storage.azure_logs import AzureLogs

    name = settings.events_container
    text = settings.events_connection.get_secret_value()
    if text:
        try:
            client = ContainerClient.from_connection_string(text, name, **SHORT, **BLOB_RETRIES)
        except ValueError:
            raise SettingsInvalid((not_a_connection("EVENTS_CONNECTION"),)) from None
    else:
        from azure.identity.aio import DefaultAzureCredential

        credential = DefaultAzureCredential(managed_identity_client_id=settings.storage_client_id or None)
        exits.push_async_callback(credential.close)
        client = ContainerClient(
            settings.events_blob_uri, name, credential=credential, **SHORT, **BLOB_RETRIES
        )
    exits.push_async_callback(client.close)
    return AzureLogs(client)


def not_a_connection(name: str) -> Problem:
    return Problem(
        name,
        "is not a connection string",
        "Copy it from the storage account's access keys, or use UseDevelopmentStorage=true",
    )
