"""Recording: ledger rows after outcomes, parked rows, the delete brake, history, counters and log events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sync import telemetry
from sync.flows.context import Context
from sync.model import Chunk, Intent, LedgerRow, State
from sync.planning.compile import CompiledMapping
from sync.planning.mapping import Brake
from sync.planning.outcome import Kind, Outcome, close, given_up
from sync.planning.plan import DELETE_BRAKE, DELETED_ALREADY, Do, Plan
from sync.planning.ties import CHILDREN_LEFT
from sync.settings import Settings
from sync.storage.history import Event, Parked
from sync.storage.watermarks import Progress

DID = {
    Kind.CREATED: "created",
    Kind.UPDATED: "updated",
    Kind.DELETED: "deleted",
    Kind.KEPT: "parked",
    Kind.HELD: "held",
    Kind.REFUSED: "quarantined",
}
SAYS = {
    State.QUARANTINED: "quarantined",
    State.PARKED: "parked",
    State.DELETED: "tombstone",
    State.FILTERED: "filtered",
}


@dataclass(frozen=True, slots=True)
class Done:
    """A row as it was recorded, and why; `calls` made for it."""

    row: LedgerRow
    why: str
    did: str = ""
    calls: int = 0
    plan: Plan | None = None
    code: str = ""
    """Why it comes back, where the row itself carries no code."""


class Recorder:
    """Writes what happened."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def record(
        self, mapping: str, before: Mapping[str, LedgerRow], done: Sequence[Done], chunk: Chunk
    ) -> bool:
        """Write rows that need no claim, then their history; False if a row had moved and was left alone."""
        now = self._context.clock.now()
        rows = [replace(item.row, updated=now, correlation=chunk.correlation) for item in done]
        written = await self._context.ledger.write(rows)
        kept = [item for item in done if item.row.record_id in written.rows]
        await self.after(mapping, before, kept, chunk)
        return not written.conflicts

    async def unbrake(
        self, mapping: str, chunk: Chunk, plans: Sequence[Plan], rows: Mapping[str, LedgerRow]
    ) -> None:
        """Give back what the brake counted for deletes that did not happen: each will be counted when it does."""
        count = len(_counted(chunk, plans, rows))
        if count:
            await self._context.control.unbrake(mapping, count)

    async def brake(
        self,
        compiled: CompiledMapping,
        chunk: Chunk,
        progress: Progress,
        plans: Sequence[Plan],
        rows: Mapping[str, LedgerRow],
    ) -> dict[str, Plan]:
        """Take deletes from the brake's 24 hours; those above it become records that are parked for approval.

        A record that exists (it left the filter) is parked at the version that was read: discarded, it stays on hold
        until it changes.
        """
        mapping = compiled.name
        deletes = _counted(chunk, plans, rows)
        if not deletes:
            return {}
        allowed = deletes_allowed(self._context.settings, compiled.brake, progress)
        granted = await self._context.control.brake(mapping, len(deletes), allowed)
        parked: dict[str, Plan] = {}
        for item in deletes[granted:]:
            row = rows[item.record_id]
            version = item.source.version if item.source else row.version
            kept = replace(
                row.released(), state=State.PARKED, code=DELETE_BRAKE, version=version, awaits=item.awaits
            )
            parked[item.record_id] = replace(
                item, do=Do.RECORD, why="more deletes than the brake allows", row=kept
            )
            await self._context.parked.add(
                Parked(
                    f"approval:{mapping}", mapping, item.record_id, DELETE_BRAKE, self._context.clock.now()
                )
            )
        if parked:
            telemetry.warning(
                "deletes_braked", mapping=mapping, code=DELETE_BRAKE, records=len(parked), allowed=allowed
            )
        return parked

    async def close(
        self,
        mapping: str,
        before: Mapping[str, LedgerRow],
        claimed: Mapping[str, LedgerRow],
        ended: Mapping[str, tuple[Plan, Outcome]],
        mapping_version: str,
        chunk: Chunk,
    ) -> tuple[dict[str, float], dict[str, LedgerRow]]:
        """The closing transaction; returns what must come back, after how many seconds, and the rows as written."""
        now = self._context.clock.now()
        rows: list[LedgerRow] = []
        back: dict[str, float] = {}
        for record_id, (item, outcome) in ended.items():
            row = close(before[record_id], claimed[record_id], item, outcome, mapping_version)
            if outcome.kind is Kind.UNKNOWN:
                # Whoever comes next waits until the claim may be taken over, and until a POST has settled.
                row = replace(row, take_over=max(row.take_over, now + outcome.delay_s))
                back[record_id] = row.take_over - now
            elif outcome.kind is Kind.SEEN and row.state is State.FILTERED:
                # What an epoch before has sent of it is deleted or marked, under the brake.
                back[record_id] = 0.0
            elif outcome.kind is Kind.RELEASED or (outcome.kind is Kind.FAILED and not given_up(row)):
                back[record_id] = outcome.delay_s
            rows.append(replace(row, updated=now))
        written = await self._context.ledger.write(rows)
        back.update(dict.fromkeys(sorted(written.conflicts), 1.0))
        done = [
            Done(
                written.rows[record_id],
                item.why,
                self._did(outcome, written.rows[record_id]),
                outcome.calls,
                item,
                outcome.code,
            )
            for record_id, (item, outcome) in ended.items()
            if record_id in written.rows
        ]
        await self.after(mapping, before, done, chunk)
        return back, written.rows

    def _did(self, outcome: Outcome, row: LedgerRow) -> str:
        if outcome.kind is Kind.FAILED and given_up(row):
            return "quarantined"
        if outcome.kind in (Kind.SEEN, Kind.UNSEEN):
            return did_to(row)
        return DID.get(outcome.kind, outcome.kind.value)

    async def after(
        self, mapping: str, before: Mapping[str, LedgerRow], done: Sequence[Done], chunk: Chunk
    ) -> None:
        """History, counters, parked rows and log events of rows that have been written."""
        events: list[Event] = []
        for item in done:
            record_id = item.row.record_id
            did = item.did or ("unchanged" if item.why == DELETED_ALREADY else did_to(item.row))
            was = before[record_id]
            self._count(mapping, was, item, did)
            if did == "unchanged":
                continue
            code = item.code or item.row.code
            events.append(Event(record_id, did, item.calls, code, item.why, chunk.correlation))
            telemetry.event(
                "record",
                flow=mapping,
                mapping=mapping,
                record=record_id,
                did=did,
                calls=item.calls,
                code=code,
                correlation=chunk.correlation,
            )
        await self._context.history.add(mapping, events)

    def _count(self, mapping: str, was: LedgerRow, item: Done, did: str) -> None:
        counters = self._context.counters
        if was.state is not item.row.state:
            if was.state is not State.NEW:
                counters.count(mapping, f"state:{was.state}", -1)
            counters.count(mapping, f"state:{item.row.state}")
        if was.state is State.QUARANTINED:
            counters.count(mapping, f"code:{was.code}", -1)
        if item.row.state is State.QUARANTINED:
            counters.count(mapping, f"code:{item.row.code}")
        if (before := counted_version(was)) != (now := counted_version(item.row)):
            if before:
                counters.count(mapping, f"on:{before}", -1)
            if now:
                counters.count(mapping, f"on:{now}")
        counters.count(mapping, f"did:{did}")
        if item.calls:
            counters.count(mapping, "calls", item.calls)
        if item.plan and item.plan.projection:
            for warning in item.plan.projection.warnings:
                counters.count(mapping, f"warning:{warning.code}")


def deletes_allowed(settings: Settings, own: Brake | None, progress: Progress) -> int:
    """How many deletes the brake lets through in 24 hours; `own` is the mapping's."""
    least, percent = settings.delete_brake_min, settings.delete_brake_percent
    if own is not None:
        least, percent = own.least, own.percent
    return max(least, int(max(progress.total, progress.records) * percent / 100))


def counted_version(row: LedgerRow) -> str:
    """The mapping version that a row counts under in `status`; "" if it is gone or on hold."""
    return "" if row.state in (State.NEW, State.DELETED, State.HOLD) else row.mapping_version


def _counted(chunk: Chunk, plans: Sequence[Plan], rows: Mapping[str, LedgerRow]) -> list[Plan]:
    """Deletes that the brake counts: not those that a person approved, nor those counted when they began to wait."""
    if chunk.intent is Intent.APPROVED:
        return []
    return [p for p in plans if p.do is Do.DELETE and rows[p.record_id].code != CHILDREN_LEFT]


def did_to(row: LedgerRow) -> str:
    """What a row that was recorded says was done."""
    return SAYS.get(row.state, "unchanged")
