"""The probe app under a host, and what it wrote down: for the tests of the host."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from sandbox.host.launch import HostProcess, host_process

APPS = Path(__file__).parent / "apps"
NEVER = "0 0 0 29 2 *"


@dataclass
class Probe:
    """One queue, one record file, and any number of hosts one after the other."""

    connection: str
    queue_name: str
    record: Path

    @contextmanager
    def host(
        self, *, message_lease_s: int = 600, drain_s: float = 10, **settings: str
    ) -> Iterator[HostProcess]:
        values = {
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "AzureWebJobsStorage": self.connection,
            "QUEUE": self.queue_name,
            "RECORD": str(self.record),
            "TICK": NEVER,
            **settings,
        }
        with host_process(
            values, app_dir=APPS / "probe", message_lease_s=message_lease_s, drain_s=drain_s
        ) as host:
            yield host

    def send(self, *bodies: str) -> None:
        with self._client(self.queue_name) as queue:
            try:
                queue.get_queue_properties()
            except ResourceNotFoundError:
                queue.create_queue()
            for body in bodies:
                queue.send_message(body, time_to_live=-1)

    def take(self, *, hidden_s: int) -> str:
        """Receives one message as somebody else would; its text."""
        with self._client(self.queue_name) as queue:
            message = queue.receive_message(visibility_timeout=hidden_s)
            assert message is not None
            return str(message.content)

    def waiting(self, *, poison: bool = False) -> int:
        """Messages in the queue, hidden ones included; -1 if there is no such queue."""
        with self._client(self.queue_name + ("-poison" if poison else "")) as queue:
            try:
                return int(queue.get_queue_properties().approximate_message_count or 0)
            except ResourceNotFoundError:
                return -1

    def poisoned(self) -> list[tuple[str, int]]:
        """Body and dequeue count of each message in the poison queue; they are left there."""
        with self._client(self.queue_name + "-poison") as queue:
            return [(str(one.content), int(one.dequeue_count or 0)) for one in queue.peek_messages(32)]

    def events(self, name: str) -> list[dict[str, Any]]:
        if not self.record.exists():
            return []
        lines = [json.loads(line) for line in self.record.read_text().splitlines()]
        return [line for line in lines if line["event"] == name]

    def _client(self, name: str) -> QueueClient:
        return QueueClient.from_connection_string(self.connection, name)


def eventually(condition: Callable[[], object], *, within_s: float = 20.0) -> None:
    """Waits until `condition` holds; fails after `within_s`."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not true within {within_s} s"
        time.sleep(0.05)
