"""Azurite starts on free ports, serves the SDKs the app uses, and is gone afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableServiceClient
from azure.storage.queue.aio import QueueClient

from sandbox.azurite import Azurite
from sandbox.azurite import azurite as run_azurite
from sandbox.node import ROOT, node_binary
from sandbox.process import ChildProcess, ProcessEnded


async def test_a_queue_message_comes_back_as_the_text_that_was_sent(
    azurite_connection: str, unique_name: Callable[[str], str]
) -> None:
    async with QueueClient.from_connection_string(azurite_connection, unique_name("text")) as queue:
        await queue.create_queue()
        await queue.send_message('{"name":"Zoë <&>"}', time_to_live=-1)
        message = await queue.receive_message(visibility_timeout=30)
        assert message is not None
        assert message.content == '{"name":"Zoë <&>"}'
        assert message.dequeue_count == 1


async def test_a_row_written_with_an_old_etag_is_refused(
    azurite_connection: str, unique_name: Callable[[str], str]
) -> None:
    async with TableServiceClient.from_connection_string(azurite_connection) as service:
        table = await service.create_table(unique_name("etag"))
        row = {"PartitionKey": "p", "RowKey": "r", "value": 1}
        first = await table.create_entity(row)
        await table.update_entity({**row, "value": 2}, mode=UpdateMode.REPLACE)
        with pytest.raises(ResourceModifiedError):
            await table.update_entity(
                {**row, "value": 3},
                mode=UpdateMode.REPLACE,
                etag=first["etag"],
                match_condition=MatchConditions.IfNotModified,
            )


def test_nothing_is_left_when_the_block_ends(azurite: Azurite) -> None:
    command = [sys.executable, "-m", "sandbox.azurite", *_free_ports()]
    with ChildProcess(command) as starter:
        starter.wait_for("azurite listening at")
        children = _children(starter.pid)
        assert children, "the starter should have one child: node"
        starter.process.send_signal(signal.SIGINT)
        assert starter.process.wait(10) == 0
    assert not [pid for pid in children if _alive(pid)]
    assert azurite.process.running


def test_the_real_node_binary_is_used() -> None:
    assert node_binary().read_bytes()[:4] in (b"\x7fELF", b"\xcf\xfa\xed\xfe")


def test_a_port_in_use_is_reported_with_what_azurite_said(azurite: Azurite) -> None:
    port = int(azurite.queue_url.rsplit(":", 1)[1])
    with pytest.raises(ProcessEnded, match="EADDRINUSE"), run_azurite(queue_port=port):
        pass


def _free_ports() -> list[str]:
    return ["--blob-port", "0", "--queue-port", "0", "--table-port", "0"]


def _children(pid: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    return [int(line) for line in listed.stdout.split()]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
