"""Queue triggers: the life of a storage queue message as Azure's host gives it (azure.md 2.3).

Where this differs from Azure: the message lease is a parameter (there it is 10 minutes), and a missing queue
is made at the start.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from sandbox.host.settings import QueueOptions, SettingError
from sandbox.host.worker import Outcome

logger = logging.getLogger("host")
Invoke = Callable[[str | bytes, QueueMessage], Awaitable[Outcome]]

FIRST_POLL_S = 0.1
POISON = "-poison"


@dataclass(slots=True)
class _Held:
    """A message in work. `receipt` changes with each renewal of its lease."""

    message: QueueMessage
    receipt: str


class QueueListener:
    """Polls one queue and runs one function for its messages, at most batchSize + newBatchThreshold at a time."""

    def __init__(
        self,
        function: str,
        queue: str,
        service: QueueServiceClient,
        invoke: Invoke,
        *,
        options: QueueOptions,
        lease_s: float,
        rng: random.Random,
    ) -> None:
        self._function = function
        self._queue = queue
        self._client: QueueClient = service.get_queue_client(queue)
        self._invoke = invoke
        self._options = options
        self._lease_s = lease_s
        self._rng = rng
        self._running: set[asyncio.Task[None]] = set()
        # A poison queue has none itself, nor has a queue whose poison name would be too long.
        has_poison = not queue.endswith(POISON) and len(queue + POISON) <= 63
        self._poison = service.get_queue_client(queue + POISON) if has_poison else None

    @property
    def running(self) -> frozenset[asyncio.Task[None]]:
        """The messages in work."""
        return frozenset(self._running)

    async def listen(self) -> None:
        """Polls until it is cancelled; messages in work then go on (see `running`)."""
        await self._create()
        backoff = Backoff(self._options.max_polling_interval_s, self._rng)
        while True:
            messages = await self._receive()
            for message in messages:
                task = asyncio.create_task(self._handle(message))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            delay = backoff.after(found=bool(messages))
            if not messages:
                await asyncio.sleep(delay)
            while len(self._running) > self._options.new_batch_threshold:
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def _create(self) -> None:
        try:
            await self._client.create_queue()
        except ResourceExistsError:
            return
        except HttpResponseError as error:
            raise SettingError(f"queue {self._queue} of function {self._function}: {_why(error)}") from None
        logger.info("queue %s was missing and was made", self._queue)

    async def _receive(self) -> list[QueueMessage]:
        """One get of at most batchSize messages; an unreachable account counts as an empty queue."""
        pages = self._client.receive_messages(
            messages_per_page=self._options.batch_size, visibility_timeout=round(self._lease_s)
        ).by_page()
        try:
            # The SDK's plain iterator would ask again until the queue is empty.
            async for page in pages:
                return [message async for message in page]
        except AzureError as error:
            logger.warning("queue %s cannot be read: %s", self._queue, _why(error))
        return []

    async def _handle(self, message: QueueMessage) -> None:
        held = _Held(message, str(message.pop_receipt))
        tries = int(message.dequeue_count or 1)
        try:
            if self._poison and tries > self._options.max_dequeue_count:
                await self._to_poison(held)
                return
            renewal = asyncio.create_task(self._renew(held))
            try:
                outcome = await self._run(message)
            finally:
                renewal.cancel()
                await asyncio.gather(renewal, return_exceptions=True)
            await self._settle(held, tries, outcome)
        except AzureError as error:
            logger.warning("queue %s, message %s: %s; it comes back", self._queue, message.id, _why(error))

    async def _run(self, message: QueueMessage) -> Outcome:
        try:
            body = self._decode(message)
        except ValueError:
            return Outcome(error="the message is not base64 (host.json: messageEncoding)")
        return await self._invoke(body, message)

    async def _settle(self, held: _Held, tries: int, outcome: Outcome) -> None:
        if outcome.error is None:
            await self._delete(held)
        elif self._poison is None:
            pass  # left invisible until its lease ends, or it would come back at once for ever
        elif tries >= self._options.max_dequeue_count:
            await self._to_poison(held)
        else:
            await self._client.update_message(
                held.message.id,
                held.receipt,
                visibility_timeout=round(self._options.visibility_timeout_s),
            )

    async def _renew(self, held: _Held) -> None:
        while True:
            await asyncio.sleep(self._lease_s / 2)
            try:
                renewed = await self._client.update_message(
                    held.message.id, held.receipt, visibility_timeout=round(self._lease_s)
                )
                held.receipt = str(renewed.pop_receipt)
            except AzureError as error:
                logger.warning("queue %s: a lease was not renewed: %s", self._queue, _why(error))

    async def _delete(self, held: _Held) -> None:
        try:
            await self._client.delete_message(held.message.id, held.receipt)
        except ResourceNotFoundError:
            pass  # somebody else has it, or had it: Azure's host says nothing either
        except HttpResponseError as error:
            if _why(error) != "PopReceiptMismatch":
                raise

    async def _to_poison(self, held: _Held) -> None:
        """Copies the body to `<queue>-poison` (new id, count 0, life of 7 days), then deletes the message."""
        assert self._poison is not None
        logger.warning(
            "Message has reached MaxDequeueCount of %d. Moving message to queue '%s'.",
            self._options.max_dequeue_count,
            self._queue + POISON,
        )
        try:
            await self._poison.send_message(held.message.content)
        except ResourceNotFoundError:
            await self._poison.create_queue()
            await self._poison.send_message(held.message.content)
        await self._delete(held)

    def _decode(self, message: QueueMessage) -> str | bytes:
        if not self._options.base64:
            return str(message.content)
        content = base64.b64decode(message.content, validate=True)
        try:
            return content.decode()
        except UnicodeDecodeError:
            return content


class Backoff:
    """Randomised exponential waiting between empty polls, from 100 ms to maxPollingInterval."""

    def __init__(self, maximum_s: float, rng: random.Random) -> None:
        self._maximum_s = maximum_s
        self._rng = rng
        self._exponent = 1

    def after(self, *, found: bool) -> float:
        """Seconds to wait after a poll that did or did not find messages."""
        if found:
            self._exponent = 1
            return FIRST_POLL_S
        delay: float = FIRST_POLL_S + self._rng.uniform(0.8, 1.2) * 2 ** (self._exponent - 1) * FIRST_POLL_S
        if delay >= self._maximum_s:
            return self._maximum_s
        self._exponent += 1
        return delay


def _why(error: AzureError) -> str:
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code)) if code else type(error).__name__
