"""Fixtures for every test: one Azurite per test process, and names that no other test uses."""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable, Iterator

import pytest
import typer.testing
from typer.main import get_command

from sandbox.azurite import Azurite
from sandbox.azurite import azurite as run_azurite
from sync.flows import context as flows_context
from sync.planning.load import load_mapping

# What is pure is done once for all tests: reading a mapping takes 20 ms, putting the command line together 60.
vars(flows_context)["load_mapping"] = functools.cache(load_mapping)
vars(typer.testing)["_get_command"] = functools.cache(get_command)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits longest starts first, so that the others run meanwhile; the order within a file stays."""
    items.sort(key=lambda item: not any(item.get_closest_marker(mark) for mark in ("slow", "waits")))


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """A running Azurite. It is shared: use `unique_name` for queues and tables."""
    with run_azurite() as running:
        yield running


@pytest.fixture(scope="session")
def azurite_connection(azurite: Azurite) -> str:
    """The connection string of the session's Azurite."""
    return azurite.connection_string


@pytest.fixture(scope="session")
def unique_name() -> Callable[[str], str]:
    """Gives `live` → `live0001x…`: letters and digits, so it is legal for a queue and for a table."""
    numbers = itertools.count(1)

    def name(stem: str) -> str:
        return f"{stem}{next(numbers):04}x{os.getpid()}"

    return name


@pytest.fixture
def own_azurite() -> Iterator[Azurite]:
    """An Azurite for one test alone: for a whole function app, whose queue names are fixed."""
    with run_azurite() as running:
        yield running
