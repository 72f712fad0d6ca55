"""Tables and queues on a real storage account (or Azurite), over Microsoft's aio SDKs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from azure.core import MatchConditions
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.core.pipeline.transport import AioHttpTransport
from azure.data.tables import TableTransactionError, UpdateMode
from azure.data.tables.aio import TableClient, TableServiceClient
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from sync.storage.account import QUEUES, TABLES, Account
from sync.storage.queue import Received
from sync.storage.table import Op, Page, Query, RowConflict, StorageFault, Stored, Verb

CONFLICTS = (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError)
CONFLICT_STATUS = (404, 409, 412)
DOUBLE_QUOTE = "''"


class AzureTable:
    """A `TableBackend` over one table."""

    def __init__(self, client: TableClient) -> None:
        self._client = client

    async def get(self, partition: str, row: str) -> Stored | None:
        try:
            entity = await self._client.get_entity(partition, row)
        except ResourceNotFoundError:
            return None
        except AzureError as error:
            raise StorageFault(type(error).__name__) from None
        return _stored(entity)

    async def submit(self, ops: Sequence[Op]) -> list[str]:
        # A conditional delete of its own is told as done by the SDK when the row is gone; in a transaction it is not.
        if len(ops) == 1 and not (ops[0].verb is Verb.DELETE and ops[0].etag):
            return [await self._single(ops[0])]
        try:
            answers = await self._client.submit_transaction([_operation(op) for op in ops])
        except TableTransactionError as error:
            if error.status_code in CONFLICT_STATUS:
                raise RowConflict(_index(error)) from None
            raise StorageFault(type(error).__name__) from None
        except AzureError as error:
            raise StorageFault(type(error).__name__) from None
        return [str(answer.get("etag") or "") for answer in answers]

    async def _single(self, op: Op) -> str:
        verb, entity, options = _operation(op)
        try:
            if verb == "create":
                answer = await self._client.create_entity(entity)
            elif verb == "upsert":
                answer = await self._client.upsert_entity(entity, **options)
            elif verb == "update":
                answer = await self._client.update_entity(entity, **options)
            else:
                await self._client.delete_entity(entity)
                return ""
        except CONFLICTS:
            raise RowConflict from None
        except HttpResponseError as error:
            if error.status_code in CONFLICT_STATUS:
                raise RowConflict from None
            raise StorageFault(type(error).__name__) from None
        except AzureError as error:
            raise StorageFault(type(error).__name__) from None
        return str(answer["etag"])

    async def page(self, query: Query, size: int, token: str | None) -> Page:
        text = " and ".join(f"{name} {op} {_literal(value)}" for name, op, value in query.comparisons())
        options: dict[str, Any] = {"results_per_page": size}
        if query.select:
            options["select"] = list(query.select)
        pages = (
            self._client.query_entities(text, **options) if text else self._client.list_entities(**options)
        ).by_page(continuation_token=_split(token))
        rows: list[Stored] = []
        try:
            async for page in pages:
                rows = [_stored(entity) async for entity in page]
                break
        except AzureError as error:
            raise StorageFault(type(error).__name__) from None
        return Page(tuple(rows), _join(pages.continuation_token))  # type: ignore[attr-defined]


def _operation(op: Op) -> tuple[str, dict[str, Any], dict[str, Any]]:
    entity = dict(op.entity)
    matched: dict[str, Any] = {}
    if op.etag:
        matched = {"etag": op.etag, "match_condition": MatchConditions.IfNotModified}
    if op.verb is Verb.INSERT:
        return "create", entity, {}
    if op.verb is Verb.UPSERT:
        return "upsert", entity, {"mode": UpdateMode.REPLACE}
    if op.verb is Verb.REPLACE:
        return "update", entity, {"mode": UpdateMode.REPLACE, **matched}
    keys = {name: entity[name] for name in ("PartitionKey", "RowKey")}
    return "delete", keys, matched


def _index(error: TableTransactionError) -> int:
    return int(error.index or 0)


def _stored(entity: Any) -> Stored:
    return Stored(dict(entity), str(entity.metadata["etag"]))


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    return f"'{str(value).replace(chr(39), DOUBLE_QUOTE)}'"


def _split(token: str | None) -> Any:
    if token is None:
        return None
    partition, _, row = token.partition("\n")
    return {"PartitionKey": partition, "RowKey": row or None}


def _join(token: Any) -> str | None:
    if not token:
        return None
    return f"{token['PartitionKey']}\n{token['RowKey'] or ''}"


class AzureQueue:
    """A `QueueBackend` over one queue; bodies are plain text, as host.json's `messageEncoding: none` says."""

    def __init__(self, client: QueueClient) -> None:
        self._client = client

    async def put(self, body: str, delay_s: float) -> None:
        try:
            await self._client.send_message(body, visibility_timeout=int(delay_s + 0.999), time_to_live=-1)
        except AzureError as error:
            raise StorageFault(type(error).__name__) from None

    async def receive(self, count: int, visibility_s: float) -> list[Received]:
        messages = self._client.receive_messages(
            max_messages=count, messages_per_page=count, visibility_timeout=int(visibility_s)
        )
        try:
            return [_received(message) async for message in messages]
        except AzureError as error:
            raise StorageFault(type(error).__name__) from None

    async def delete(self, message: Received) -> None:
        held = QueueMessage(content=None)
        held.id, held.pop_receipt = message.message_id, message.receipt
        try:
            await self._client.delete_message(held)
        except HttpResponseError as error:
            # Gone, or received by somebody else since (404, or 400 PopReceiptMismatch): theirs to delete.
            if error.status_code not in (400, 404):
                raise StorageFault(type(error).__name__) from None
        except AzureError as error:
            raise StorageFault(type(error).__name__) from None

    async def length(self) -> int:
        try:
            properties = await self._client.get_queue_properties()
        except AzureError as error:
            raise StorageFault(type(error).__name__) from None
        return int(properties.approximate_message_count or 0)

    async def oldest(self) -> float | None:
        try:
            waiting = await self._client.peek_messages(max_messages=1)
        except AzureError as error:
            raise StorageFault(type(error).__name__) from None
        since = waiting[0].inserted_on if waiting else None
        return since.timestamp() if since else None


def _received(message: QueueMessage) -> Received:
    return Received(
        str(message.id),
        str(message.pop_receipt),
        str(message.content),
        int(message.dequeue_count or 1),
        message.inserted_on.timestamp() if message.inserted_on else 0.0,
    )


def _transport() -> AioHttpTransport:
    """Without environment settings: with them aiohttp reads ~/.netrc in a thread for every single request."""
    return AioHttpTransport(use_env_settings=False, connection_timeout=5, read_timeout=20)


class AzureAccount:
    """The SDK clients of one storage account, closed together."""

    def __init__(self, tables: TableServiceClient, queues: QueueServiceClient) -> None:
        self._tables = tables
        self._queues = queues

    @classmethod
    def from_connection_string(cls, text: str) -> AzureAccount:
        """By account key: local runs and Azurite."""
        return cls(
            TableServiceClient.from_connection_string(text, transport=_transport()),
            QueueServiceClient.from_connection_string(text, transport=_transport()),
        )

    @classmethod
    def from_identity(cls, table_uri: str, queue_uri: str, credential: AsyncTokenCredential) -> AzureAccount:
        """By managed identity or the developer's own sign-in."""
        return cls(
            TableServiceClient(table_uri, credential=credential, transport=_transport()),
            QueueServiceClient(queue_uri, credential=credential, transport=_transport()),
        )

    def view(self) -> Account:
        return Account(
            lambda name: AzureTable(self._tables.get_table_client(name)),
            lambda name: AzureQueue(self._queues.get_queue_client(name)),
        )

    async def create(self) -> None:
        """Make all tables and queues that are missing (local runs; in Azure the template makes them)."""
        for name in TABLES:
            await self._tables.create_table_if_not_exists(name)
        for name in QUEUES:
            try:
                await self._queues.create_queue(name)
            except ResourceExistsError:
                continue

    async def close(self) -> None:
        await self._tables.close()
        await self._queues.close()
