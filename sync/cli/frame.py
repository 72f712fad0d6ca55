"""The edge of every command: it opens the session, and turns what can go wrong into words and an exit code.

0 ok, 1 something is red or failed, 2 the call or the settings are wrong, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import typer

from sync.cli.output import CommandFailed, Output, Problem
from sync.cli.session import Desk, Session, UsageProblem
from sync.errors import SyncError
from sync.planning.load import MappingInvalid
from sync.settings_problems import SettingsInvalid
from sync.storage.table import RowConflict, StorageFault

OK, FAILED, USAGE, STOPPED = 0, 1, 2, 130
Work = Callable[[Session, Output], Awaitable[int]]


def run(context: typer.Context, work: Work, *, settings: Path | None, as_json: bool) -> None:
    """Carry out `work` with a session; always raises typer.Exit."""

    async def with_session(desk: Desk, out: Output) -> int:
        async with desk.opener(desk.settings(settings)) as session:
            return await work(session, out)

    run_bare(context, with_session, as_json=as_json, settings=settings)


def run_bare(
    context: typer.Context,
    work: Callable[[Desk, Output], Coroutine[Any, Any, int]],
    *,
    as_json: bool,
    settings: Path | None = None,
) -> None:
    """Carry out `work` that opens its session itself, or needs none; always raises typer.Exit."""
    out = Output(as_json=as_json)
    desk = context.find_object(Desk) or Desk()
    # The commands say themselves what went wrong; library warnings on stderr would repeat it.
    if not logging.getLogger().handlers:
        logging.getLogger().addHandler(logging.NullHandler())
    try:
        code = asyncio.run(work(desk, out))
    except KeyboardInterrupt:
        out.note("Stopped. What was queued is still worked by the function app.")
        code = STOPPED
    except Exception as error:
        found = problem_of(error, desk, settings)
        if found is None:
            raise
        code, problem = found
        out.problem(problem)
    raise typer.Exit(code)


def problem_of(error: Exception, desk: Desk, settings: Path | None) -> tuple[int, Problem] | None:
    """The exit code and the words for an error that is foreseen."""
    if isinstance(error, CommandFailed):
        return FAILED, error.problem
    if isinstance(error, UsageProblem):
        return USAGE, Problem("usage", error.what, error.fix)
    if isinstance(error, SettingsInvalid):
        return USAGE, _settings(error, settings)
    if isinstance(error, MappingInvalid):
        lines = [f"{error.filename}:{p.line}: {p.where}: {p.what} {p.fix}" for p in error.problems]
        what = "the mapping cannot be used:\n  " + "\n  ".join(lines)
        return FAILED, Problem(
            error.code, what, "Correct the lines named; docs/mapping.md explains each word."
        )
    if isinstance(error, SyncError):
        detail = f" ({error.detail})" if error.detail else ""
        return FAILED, Problem(error.code, error.entry.meaning + detail, error.entry.fix, error.record_id)
    if isinstance(error, StorageFault):
        return FAILED, storage_problem(str(error))
    if isinstance(error, RowConflict):
        what = "somebody else changed the same row at the same time; nothing was changed here."
        return FAILED, Problem("row_conflict", what, "Run the command again.")
    return None


def _settings(error: SettingsInvalid, file: Path | None) -> Problem:
    lines = "\n  ".join(f"{p.name}: {p.what}. {p.fix}" for p in error.problems)
    fix = "Correct every line; docs/settings.md explains each setting."
    if file is None:
        fix += " Settings come from the environment; --settings local.settings.json takes a file's."
    return Problem(error.code, f"{len(error.problems)} setting(s) missing or wrong:\n  {lines}", fix)


def storage_problem(kind: str) -> Problem:
    """The words for a storage failure, by the name of the SDK's error."""
    if kind == "ResourceNotFoundError":
        return Problem(
            "storage_missing",
            "a table or queue of the sync does not exist in this storage account.",
            "Start the function app once (with a connection string it makes them), or deploy the template; "
            "check that the settings name the right account.",
        )
    if kind == "ClientAuthenticationError":
        return Problem(
            "storage_forbidden",
            "the storage account refused the credentials.",
            "Give the identity the roles Storage Table Data Contributor and Storage Queue Data Contributor, or "
            "check the connection string.",
        )
    if kind == "HttpResponseError":
        return Problem(
            "storage_forbidden",
            "the storage account answered and refused.",
            "Check the account key or the roles of the identity, the account's network rules, and this machine's clock.",
        )
    return Problem(
        "storage_unreachable",
        f"the storage account did not answer ({kind}).",
        "Check AzureWebJobsStorage, the network rules, and that Azurite runs if it is a local run.",
    )
