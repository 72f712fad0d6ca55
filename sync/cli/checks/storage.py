"""Tables and queues: there, readable, and the tables writable."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from sync.cli.checks.finding import Finding, bad, good, warn
from sync.cli.frame import storage_problem
from sync.cli.session import Session
from sync.storage.account import QUEUES, TABLES
from sync.storage.table import Query, RowConflict, StorageFault

AREA = "Storage"
LONGEST_S = 30.0
_MISSING = "ResourceNotFoundError"
Probe = Callable[[str], Awaitable[object]]


async def check_storage(session: Session) -> list[Finding]:
    """One line for the tables, one for the queues, one for writing; changes nothing that stays."""
    account = session.account
    tables = await _probe(TABLES, lambda name: account.table(name).page(Query(partition="_doctor"), size=1))
    if tables and set(tables.values()) != {_MISSING}:
        # It does not answer or refuses: the queues would only repeat it, slowly.
        return [_failed("tables", tables)]
    queues = await _probe(QUEUES, lambda name: account.queue(name).length())
    local = not session.settings.uses_identity_storage
    found = [_told("tables", TABLES, tables, local=local), _told("queues", QUEUES, queues, local=local)]
    if "control" not in tables:
        found.append(await _write(session))
    return found


async def _probe(names: Iterable[str], probe: Probe) -> dict[str, str]:
    """The names that cannot be read, with the kind of error."""

    async def one(name: str) -> tuple[str, str]:
        try:
            await asyncio.wait_for(probe(name), LONGEST_S)
        except StorageFault as error:
            return name, str(error)
        except TimeoutError:
            return name, "no answer"
        return name, ""

    results = await asyncio.gather(*(one(name) for name in names))
    return {name: kind for name, kind in results if kind}


def _told(what: str, names: tuple[str, ...], broken: dict[str, str], *, local: bool) -> Finding:
    if not broken:
        return good(AREA, what, f"{len(names)} {what} can be read")
    if set(broken.values()) != {_MISSING}:
        return _failed(what, broken)
    text = f"missing: {', '.join(broken)}"
    if local:
        return warn(
            AREA, what, text, "The function app makes them when it starts: start it once.", "storage_missing"
        )
    return bad(AREA, what, text, "Deploy the template again; it makes them.", "storage_missing")


def _failed(what: str, broken: dict[str, str]) -> Finding:
    kind = next(kind for kind in broken.values() if kind != _MISSING)
    problem = storage_problem(kind)
    return bad(AREA, what, problem.what, problem.fix, problem.code)


async def _write(session: Session) -> Finding:
    """A row of our own goes in and out again."""
    table = session.account.table("control")
    try:
        await table.upsert({"PartitionKey": "_doctor", "RowKey": "write"})
        await table.delete("_doctor", "write")
    except (StorageFault, RowConflict) as error:
        problem = storage_problem(str(error))
        return bad(AREA, "write", problem.what, problem.fix, "storage_forbidden")
    return good(AREA, "write", "a row can be written and removed")
