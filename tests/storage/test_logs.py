"""Export files in memory and in Azurite's blob service behave alike."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from azure.storage.blob import BlobServiceClient

from sync.storage.azure_logs import AzureLogs
from sync.storage.logs import RANGE_BYTES, LogFileChanged, LogSource, MemoryLogs
from sync.storage.table import StorageFault

Put = Callable[[str, bytes], Awaitable[None]]


@pytest.fixture(params=["memory", "azurite"])
async def place(request: pytest.FixtureRequest) -> AsyncIterator[tuple[LogSource, Put]]:
    """A source and how files come into it."""
    if request.param == "memory":
        memory = MemoryLogs(time.time)

        async def put(name: str, data: bytes) -> None:
            memory.put(name, data)

        yield memory, put
        return
    connection = request.getfixturevalue("azurite_connection")
    container = request.getfixturevalue("unique_name")("exports")
    logs = AzureLogs.from_connection_string(connection, container)
    await logs.create()
    await logs.create()
    with BlobServiceClient.from_connection_string(connection) as service:

        async def upload(name: str, data: bytes) -> None:
            service.get_blob_client(container, name).upload_blob(data, overwrite=True)

        yield logs, upload
    await logs.close()


async def test_files_are_listed_and_read_in_pieces_from_anywhere(place: tuple[LogSource, Put]) -> None:
    logs, put = place
    data = bytes(range(256)) * (RANGE_BYTES // 256) + b"the rest"
    await put("folder/a.csv", data)
    await put("b.csv", b"")
    files = {file.name: file async for file in logs.files()}
    assert {name: file.size for name, file in files.items()} == {"folder/a.csv": len(data), "b.csv": 0}
    pieces = [piece async for piece in logs.read(files["folder/a.csv"], 5)]
    assert len(pieces) == 2 and b"".join(pieces) == data[5:]
    assert [piece async for piece in logs.read(files["b.csv"], 0)] == []


async def test_a_file_written_again_is_not_read_as_the_old_one(place: tuple[LogSource, Put]) -> None:
    logs, put = place
    await put("a.csv", b"one")
    (file,) = [file async for file in logs.files()]
    assert abs(file.modified - time.time()) < 60
    await put("a.csv", b"two")
    (again,) = [file async for file in logs.files()]
    assert again.etag != file.etag
    with pytest.raises(LogFileChanged):
        [piece async for piece in logs.read(file, 0)]
    assert [piece async for piece in logs.read(again, 0)] == [b"two"]


async def test_a_container_that_is_missing_is_a_fault(azurite_connection: str) -> None:
    logs = AzureLogs.from_connection_string(azurite_connection, "nowhere")
    with pytest.raises(StorageFault):
        [file async for file in logs.files()]
    await logs.close()
