"""Writing activities across partitions in as few requests as the service allows (dataverse.md 2.3, 3).

bulk verb        where the table offers it: CreateMultiple for what was never recorded as written, UpdateMultiple
                 for corrections; never UpsertMultiple, which would bring back what a salesperson deleted
$batch           small rests of all tables together, and a bulk request that met a row which is there or is gone
halves           a bulk request that was refused for a value: nothing of it was applied, so no good row goes twice;
                 what is FEW or less goes as `$batch`, which tells of each row
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import TypeVar

from sync import telemetry
from sync.dynamics.activities import MOST_IN_BATCH, Target, Verb
from sync.errors import Reaction, SyncError, Throttled, UnknownOutcome
from sync.flows.context import STOPPED_DELAY_S
from sync.flows.events.context import FLOW, LARGEST, SMALLEST, EventContext

T = TypeVar("T")
LONGEST_PAUSE_S = 25.0
"""A worker waits so long for its turn, under a permit that holds longer; beyond, the message comes back."""
THERE_OR_GONE = frozenset({"dynamics_duplicate", "dynamics_conflict", "dynamics_not_found"})
RETRY_S = 15.0
FEW = 64


class Ended(StrEnum):
    WRITTEN = "written"
    EXISTS = "exists"
    """A create met a row with this id."""
    GONE = "gone"
    """A correction or delete met no row."""
    NO_PARENT = "no_parent"
    """A create names a contact (or owner) that does not exist."""
    REFUSED = "refused"
    LATER = "later"
    UNKNOWN = "unknown"
    """It may land yet, until `gateway` seconds from now."""


@dataclass(frozen=True, slots=True)
class Result:
    ended: Ended
    code: str = ""
    delay_s: float = 0.0


Write = tuple[Verb, Target]


class Writing:
    """One message's writes; no request starts that could end after `deadline`."""

    def __init__(self, context: EventContext, deadline: float) -> None:
        self._context = context
        self._deadline = deadline
        self._stop: Result | None = None
        self.results: dict[str, Result] = {}
        self.requests = 0

    async def write(self, writes: Sequence[Write]) -> dict[str, Result]:
        """What became of each target, by id; every target gets a result."""
        rest: list[Write] = []
        try:
            for (verb, table), group in groupby(sorted(writes, key=_group), key=_group):
                targets = [target for _, target in group]
                offered = await self._offered(table)
                if verb in offered and len(targets) >= self._context.fewest_in_bulk:
                    await self._bulk(Verb(verb), targets)
                else:
                    rest += [(Verb(verb), target) for target in targets]
        except SyncError as error:
            self._halt(error)
        await self._batches(rest)
        for _, target in writes:
            self.results.setdefault(target.id, self._stop or Result(Ended.LATER, "", RETRY_S))
        return self.results

    async def _offered(self, table: str) -> frozenset[Verb]:
        async with self._context.base.dynamics_permit():
            return await self._context.writer.learn(table)

    async def _bulk(self, verb: Verb, targets: Sequence[Target]) -> None:
        waiting = list(reversed(list(chunks(targets, self._size("bulk")))))
        while waiting and self._stop is None:
            chunk = waiting.pop()
            try:
                await self._send(
                    lambda user, chunk=chunk: self._context.writer.bulk(verb, chunk, user),  # type: ignore[misc]
                    "bulk",
                    len(chunk),
                )
            except UnknownOutcome as error:
                self._shrink(len(chunk))
                self._all(chunk, Result(Ended.UNKNOWN, error.code, 1.0))
                self._stop = Result(Ended.LATER, "", 1.0)
            except SyncError as error:
                if error.code in THERE_OR_GONE or error.code == "dynamics_refused":
                    await self._batches([(verb, target) for target in chunk])
                elif error.reaction is Reaction.QUARANTINE and len(chunk) > FEW:
                    middle = len(chunk) // 2
                    waiting += [chunk[middle:], chunk[:middle]]
                elif error.reaction is Reaction.QUARANTINE:
                    # Halves of halves would take two requests for each bad row, and all may be bad.
                    await self._batches([(verb, target) for target in chunk])
                elif error.code == "dynamics_busy":
                    self._shrink(len(chunk))
                    self._all(chunk, Result(Ended.LATER, error.code, 5.0))
                else:
                    self._halt(error)
            else:
                self._grow()
                self._all(chunk, Result(Ended.WRITTEN))

    async def _batches(self, writes: Sequence[Write]) -> None:
        for chunk in chunks(writes, self._size("batch")):
            if self._stop is None:
                await self._batch(chunk)

    async def _batch(self, chunk: Sequence[Write]) -> None:
        targets = [target for _, target in chunk]
        try:
            told = await self._send(lambda user: self._context.writer.batch(chunk, user), "batch", len(chunk))
        except UnknownOutcome as error:
            self._shrink(len(chunk))
            self._all(targets, Result(Ended.UNKNOWN, error.code, 1.0))
            self._stop = Result(Ended.LATER, "", 1.0)
            return
        except SyncError as error:
            self._halt(error)
            return
        refused = [error for error in told if error is not None and error.reaction is Reaction.STOP]
        if refused and len(refused) == len(told):
            # Not one row: it is not the rows.
            self._halt(refused[0])
            return
        for (verb, target), ended in zip(chunk, told, strict=True):
            self.results[target.id] = _of_part(verb, ended)

    async def _send(self, make: Callable[[int], Awaitable[T]], way: str, rows: int) -> T:
        """One request: a permit, a user's turn, its execution time from that user's budget; raises SyncError."""
        context = self._context
        context.turn = user = (context.turn + 1) % context.writer.users
        budget = context.budgets[user]
        cost = max(1, min(round(rows * context.ms_per_row[way]), budget.limit.chunk))
        async with context.base.dynamics_permit(spare=1):
            # The permit first: time that is reserved and not used would be lost to all.
            grant = await budget.take(cost, straight=True, longest_s=LONGEST_PAUSE_S)
            wait = grant.start - context.now()
            if grant.denied and not grant.reserved:
                raise Throttled("dynamics_throttled", wait, "the user's execution time is used up")
            if grant.denied:
                await context.base.clock.sleep(wait)
            if context.now() + context.settings.call_timeout_s > self._deadline:
                raise Throttled("too_late", 1.0)
            began = context.now()
            self.requests += 1
            try:
                return await make(user)
            except Throttled as error:
                await budget.hold_until(context.now() + error.retry_after)
                raise
            finally:
                self._measure(way, rows, context.now() - began)

    def _size(self, way: str) -> int:
        """Rows per request: what was found to work, and well within the time a call may take."""
        context = self._context
        in_time = 0.6 * context.settings.call_timeout_s * 1000 / context.ms_per_row[way]
        most = LARGEST if way == "bulk" else MOST_IN_BATCH
        return max(1, min(most, context.bulk_size, int(in_time)))

    def _measure(self, way: str, rows: int, seconds: float) -> None:
        """What a row costs: slowly towards what was seen, so that one slow answer does not brake everything."""
        known = self._context.ms_per_row
        known[way] += 0.1 * (min(max(seconds * 1000 / rows, 1.0), 500.0) - known[way])

    def _all(self, targets: Iterable[Target], result: Result) -> None:
        self.results.update((target.id, result) for target in targets)

    def _shrink(self, tried: int) -> None:
        self._context.bulk_size = max(SMALLEST, tried // 2)

    def _grow(self) -> None:
        self._context.bulk_size = min(LARGEST, self._context.bulk_size + self._context.bulk_size // 4 + 1)

    def _halt(self, error: SyncError) -> None:
        """Nothing more in this message: what is left comes back."""
        delay = RETRY_S
        if isinstance(error, Throttled):
            delay = error.retry_after
        elif error.reaction is Reaction.STOP:
            delay = STOPPED_DELAY_S
        self._stop = Result(Ended.LATER, error.code, delay)
        telemetry.event(
            "flow_waits",
            level=logging.INFO if isinstance(error, Throttled) else logging.WARNING,
            flow=FLOW,
            code=error.code,
            status=error.status or None,
            detail=error.detail,
        )


def stopping(results: Iterable[Result]) -> str:
    """The code of what a person must mend before anything is written, or ""."""
    codes = sorted({result.code for result in results if result.ended is Ended.LATER and result.code})
    return next((code for code in codes if SyncError(code).reaction is Reaction.STOP), "")


def _group(write: Write) -> tuple[str, str]:
    return write[0].value, write[1].table


def chunks(items: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    """Parts of about `size`, none of them tiny."""
    count = max(1, -(-len(items) // max(1, size + size // 3)))
    size = -(-len(items) // count)
    return (items[start : start + size] for start in range(0, len(items), max(size, 1)))


def _of_part(verb: Verb, error: SyncError | None) -> Result:
    """What one row's answer in a `$batch` means."""
    if error is None:
        return Result(Ended.WRITTEN)
    if isinstance(error, Throttled):
        return Result(Ended.LATER, error.code, error.retry_after)
    if verb is Verb.CREATE and error.status == 412:
        return Result(Ended.EXISTS)
    if error.code == "dynamics_not_found":
        return Result(Ended.NO_PARENT if verb is Verb.CREATE else Ended.GONE, error.code)
    if error.reaction in (Reaction.QUARANTINE, Reaction.STOP):
        return Result(Ended.REFUSED, error.code)
    return Result(Ended.LATER, error.code, RETRY_S)
