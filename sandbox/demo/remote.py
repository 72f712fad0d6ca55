"""What the demo asks of the running parts from outside: the look-alikes' scripting commands, the app's `health`, the
ledger and the queues as any storage client sees them."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

LEDGER = "ledger"
HEALTH = "/api/health"


@dataclass(frozen=True, slots=True)
class LookAlike:
    """A look-alike at its address."""

    url: str

    def command(self, name: str, /, **arguments: Any) -> Any:
        """Runs a scripting command; raises urllib.error.HTTPError."""
        request = urllib.request.Request(f"{self.url}/_sandbox/{name}", json.dumps(arguments).encode())
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def records(self) -> list[dict[str, Any]]:
        """Everything it holds: contacts or profiles."""
        found: list[dict[str, Any]] = self.command("dump")["records"]
        return found

    def log(self, since: int = 0) -> tuple[list[dict[str, Any]], int]:
        """Its request log from an index on, and the next index."""
        found = self.command("log", since=since)
        return found["entries"], found["next"]


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """What the sync says about one record."""

    record_id: str
    state: str
    code: str
    claimed: bool = False


class Storage:
    """The app's storage account, read only."""

    def __init__(self, connection: str) -> None:
        self._tables = TableServiceClient.from_connection_string(connection)
        self._queues = QueueServiceClient.from_connection_string(connection)

    def ledger(self) -> list[LedgerRow]:
        """All ledger rows; none while the table does not exist."""
        if LEDGER not in {table.name for table in self._tables.list_tables()}:
            return []
        rows = self._tables.get_table_client(LEDGER).list_entities()
        return [LedgerRow(r["RowKey"], r["state"], r["code"], bool(r["claim_owner"])) for r in rows]

    def waiting(self) -> dict[str, int]:
        """Messages per queue, the ones in work and the delayed ones included; empty queues left out."""
        names = [queue.name for queue in self._queues.list_queues()]
        counts = {name: self._length(name) for name in names}
        return {name: count for name, count in counts.items() if count}

    def _length(self, name: str) -> int:
        return int(self._queues.get_queue_client(name).get_queue_properties().approximate_message_count or 0)

    def close(self) -> None:
        """Closes the connections."""
        self._tables.close()
        self._queues.close()


def health(url: str, key: str) -> dict[str, Any]:
    """What the function app says about itself; also when it answers 503."""
    request = urllib.request.Request(url + HEALTH, headers={"x-functions-key": key})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            content: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        content = json.load(error)
    return content
