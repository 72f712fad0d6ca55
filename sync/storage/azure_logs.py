"""Log exports in an Azure Blob container, over Microsoft's aio SDK (Campaign's native external account, adobe.md B.9)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from azure.core import MatchConditions
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import (
    AzureError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob.aio import ContainerClient

from sync.storage.logs import RANGE_BYTES, LogFile, LogFileChanged
from sync.storage.table import StorageFault


class AzureLogs:
    """A `LogSource` over one container; only reads."""

    def __init__(self, client: ContainerClient) -> None:
        self._client = client

    @classmethod
    def from_connection_string(cls, text: str, container: str) -> AzureLogs:
        """By account key: local runs and Azurite."""
        return cls(ContainerClient.from_connection_string(text, container))

    @classmethod
    def from_identity(cls, uri: str, container: str, credential: AsyncTokenCredential) -> AzureLogs:
        """By managed identity (role Storage Blob Data Reader on the container)."""
        return cls(ContainerClient(uri, container, credential=credential))

    async def files(self) -> AsyncIterator[LogFile]:
        try:
            async for blob in self._client.list_blobs():
                if blob.size is not None and blob.last_modified is not None and _is_file(blob):
                    yield LogFile(blob.name, str(blob.etag), int(blob.size), blob.last_modified.timestamp())
        except AzureError as error:
            raise StorageFault(type(error).__name__) from None

    async def read(self, file: LogFile, start: int) -> AsyncIterator[bytes]:
        blob = self._client.get_blob_client(file.name)
        # The listing gives the ETag without quotes, the header wants them.
        etag = file.etag if file.etag.startswith('"') else f'"{file.etag}"'
        while start < file.size:
            length = min(RANGE_BYTES, file.size - start)
            try:
                answer = await blob.download_blob(
                    start, length, etag=etag, match_condition=MatchConditions.IfNotModified
                )
                data = await answer.readall()
            except (ResourceModifiedError, ResourceNotFoundError):
                raise LogFileChanged(file.name) from None
            except AzureError as error:
                raise StorageFault(type(error).__name__) from None
            yield data
            start += len(data)

    async def create(self) -> None:
        """Make the container if it is missing (local runs; in Azure the template makes it)."""
        try:
            await self._client.create_container()
        except ResourceExistsError:
            return
        except AzureError as error:
            raise StorageFault(type(error).__name__) from None

    async def close(self) -> None:
        await self._client.close()


def _is_file(blob: object) -> bool:
    """Accounts with a hierarchical namespace list folders too."""
    metadata = getattr(blob, "metadata", None) or {}
    return str(metadata.get("hdi_isfolder", "")).lower() != "true"
