"""Azurite, Microsoft's storage emulator, as a child process on the loopback address.

Facts: azure.md 4. Telemetry is switched off, the API version check too (the queue SDK is newer than Azurite).
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from sandbox.arguments import port
from sandbox.node import node_binary, package
from sandbox.process import ChildProcess, ProcessEnded

ACCOUNT = "devstoreaccount1"
# Published by Microsoft for every emulator; it opens nothing but a local Azurite.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
READY = r"Azurite (Blob|Queue|Table) service is successfully listening at (http://127\.0\.0\.1:\d+)"


@dataclass(frozen=True, slots=True)
class Azurite:
    """A running Azurite; addresses without the account name."""

    blob_url: str
    queue_url: str
    table_url: str
    process: ChildProcess

    @property
    def connection_string(self) -> str:
        return connection_string(blob=self.blob_url, queue=self.queue_url, table=self.table_url)


def connection_string(
    *,
    blob: str = "http://127.0.0.1:10000",
    queue: str = "http://127.0.0.1:10001",
    table: str = "http://127.0.0.1:10002",
) -> str:
    """What `UseDevelopmentStorage=true` stands for, at given addresses (default: Azurite's own ports)."""
    return (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
        f"BlobEndpoint={blob}/{ACCOUNT};QueueEndpoint={queue}/{ACCOUNT};TableEndpoint={table}/{ACCOUNT};"
    )


@contextmanager
def azurite(
    *, blob_port: int = 0, queue_port: int = 0, table_port: int = 0, location: Path | None = None
) -> Iterator[Azurite]:
    """Runs Azurite for the `with` block. Port 0 picks a free one; without `location` data dies with it."""
    command = [
        str(node_binary()),
        str(package("azurite/dist/src/azurite.js")),
        "--silent",
        "--disableTelemetry",
        "--skipApiVersionCheck",
        *(["--location", str(location)] if location else ["--inMemoryPersistence"]),
        *(part for name in ("blob", "queue", "table") for part in (f"--{name}Host", "127.0.0.1")),
        *("--blobPort", str(blob_port), "--queuePort", str(queue_port), "--tablePort", str(table_port)),
    ]
    with ChildProcess(command) as process:
        urls = {match[1]: match[2] for match in process.wait_for(READY, count=3)}
        yield Azurite(urls["Blob"], urls["Queue"], urls["Table"], process)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox azurite",
        description="Run Azurite until Ctrl-C and print its connection string.",
        epilog="example: python -m sandbox azurite --location .sandbox/azurite",
    )
    parser.add_argument("--blob-port", type=port, default=10000, metavar="N")
    parser.add_argument("--queue-port", type=port, default=10001, metavar="N")
    parser.add_argument("--table-port", type=port, default=10002, metavar="N")
    parser.add_argument("--location", type=Path, help="keep the data in this folder (default: in memory)")
    options = parser.parse_args(argv)
    stop = Event()
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, lambda *_: stop.set())
    try:
        with azurite(
            blob_port=options.blob_port,
            queue_port=options.queue_port,
            table_port=options.table_port,
            location=options.location,
        ) as running:
            print(f"azurite listening at {running.queue_url} (tables: {running.table_url})")
            print(running.connection_string, flush=True)
            while running.process.running and not stop.wait(0.2):
                pass
            return 0 if stop.is_set() else 1
    except ProcessEnded as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
