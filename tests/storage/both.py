"""Both storages behind one fixture: in memory and Azurite; each test has names of its own."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from sync.storage.account import Account, MemoryAccount
from sync.storage.azure import AzureAccount


class RealClock:
    def now(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass
class Store:
    account: Account
    prefix: str

    def name(self, text: str) -> str:
        """A partition that no other test uses."""
        return f"{self.prefix}{text}"


@pytest.fixture(params=["memory", "azurite"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    prefix = f"t{uuid.uuid4().hex[:8]}"
    if request.param == "memory":
        yield Store(MemoryAccount(time.time).view(), prefix)
        return
    azure = AzureAccount.from_connection_string(request.getfixturevalue("azurite_connection"))
    await azure.create()
    yield Store(azure.view(), prefix)
    await azure.close()


def entity(partition: str, row: str, **values: str | int | bool) -> dict[str, str | int | bool]:
    return {"PartitionKey": partition, "RowKey": row, **values}
