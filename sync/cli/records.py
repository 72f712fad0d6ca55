"""Record ids and codes as people type them."""

from __future__ import annotations

import difflib
import getpass
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sync.cli.output import CommandFailed, Problem
from sync.cli.session import UsageProblem
from sync.errors import CATALOGUE
from sync.flows.context import Context
from sync.model import LedgerRow, State
from sync.storage.lanes import gather_all
from sync.storage.ledger import bucket_of, partition_of

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def record_id(text: str) -> str:
    """The id as the ledger has it: lower case, no braces; raises UsageProblem."""
    found = text.strip().removeprefix("{").removesuffix("}").lower()
    if not _GUID.fullmatch(found):
        raise UsageProblem(
            f"{text!r} is not a record id",
            "Give the contact's id as Dynamics shows it: 8-4-4-4-12 hexadecimal digits, with or without braces.",
        )
    return found


def record_ids(texts: Sequence[str]) -> list[str]:
    """Each id once, in the order given; raises UsageProblem."""
    return list(dict.fromkeys(record_id(text) for text in texts))


def ids_in(file: Path) -> list[str]:
    """The ids of a file, one a line (more columns after a comma are left out); `-` is standard input."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise UsageProblem(f"{file} cannot be read: {type(error).__name__}") from None
    lines = [line.partition(",")[0].strip().strip('"') for line in text.splitlines()]
    found: dict[str, None] = {}
    for number, line in enumerate(lines, 1):
        if not line or (number == 1 and not _GUID.search(line.lower())):
            continue  # a blank line, or a heading
        try:
            found[record_id(line)] = None
        except UsageProblem as problem:
            raise UsageProblem(f"line {number}: {problem.what}", problem.fix) from None
    return list(found)


def moment(text: str) -> float:
    """Unix seconds of a date or time as typed, UTC unless it names another zone; 0 for nothing. Raises UsageProblem."""
    if not text:
        return 0.0
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise UsageProblem(f"{text!r} is no time", "Write 2026-11-24 or 2026-11-24T10:30Z.") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def person() -> str:
    """Who gives the command, for the record."""
    return getpass.getuser()


def known_code(text: str) -> str:
    """A code of the error catalogue; raises UsageProblem."""
    if text in CATALOGUE:
        return text
    close = difflib.get_close_matches(text, CATALOGUE, n=3)
    fix = f"Did you mean {', '.join(close)}?" if close else "docs/errors.md lists all codes."
    raise UsageProblem(f"there is no code {text!r}", fix)


async def rows_of(context: Context, mapping: str, ids: Sequence[str]) -> dict[str, LedgerRow]:
    """The ledger rows of records; raises CommandFailed for ids that the ledger does not know."""
    await context.active(mapping)
    progress = await context.watermarks.progress(mapping)
    rows: dict[str, LedgerRow] = {}

    async def one(record: str) -> None:
        bucket = bucket_of(record, context.buckets[mapping])
        rows[record] = await context.ledger.get(partition_of(mapping, progress.epoch, bucket), record)

    for start in range(0, len(ids), 50):
        await gather_all([one(record) for record in ids[start : start + 50]])
    unknown = [record for record in ids if rows[record].state is State.NEW and rows[record].etag is None]
    if unknown:
        raise CommandFailed(
            Problem(
                "unknown_record",
                f"mapping {mapping} has never seen {'this record' if len(unknown) == 1 else 'these records'}.",
                "Check the id in Dynamics. A contact created just now is there after the next pull.",
                ", ".join(unknown[:10]) + (f" and {len(unknown) - 10} more" if len(unknown) > 10 else ""),
            )
        )
    return {record: rows[record] for record in ids}
