"""report: once a minute, what dashboards and alerts need, as log events (docs/operations.md); nothing is written.

Gauges rather than increments: an alert on a gauge clears by itself, and a sampled-away line costs a minute.
"""

from __future__ import annotations

from sync import telemetry
from sync.errors import SyncError
from sync.flows.consent_pull import read_place
from sync.flows.context import Context
from sync.flows.reconcile import VERB as RECONCILE
from sync.flows.status import MappingStatus, Status, backlog_s, collect
from sync.model import Lane
from sync.planning.compare import Found
from sync.storage.jobs import DONE
from sync.storage.table import StorageFault

REPORT_S = 60.0
TICK_SLACK_S = 5.0
"""A timer's ticks are not exact: 55 s after the last report the next one is due."""
BRAKE = "delete_brake"


class Reporter:
    """Logs `lane_state`, `mapping_state`, `budget_state` and such; called by a timer that ticks more often."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._last = 0.0

    async def report(self) -> bool:
        """Log the state if a minute has passed; a failure is logged and never fails the timer."""
        now = self._context.clock.now()
        if now - self._last < REPORT_S - TICK_SLACK_S:
            return False
        self._last = now
        try:
            status = await collect(self._context)
            for item in status.mappings:
                await self._consent(status, item.mapping)
        except (StorageFault, SyncError) as error:
            telemetry.warning("report_failed", kind=type(error).__name__)
            return False
        for name, messages in status.lanes.items():
            oldest_s = round(status.oldest_s.get(name, 0.0), 1)
            telemetry.event("lane_state", lane=name, messages=messages, oldest_s=oldest_s)
        for item in status.mappings:
            self._mapping(status, item)
        limit = self._context.budget.limit
        telemetry.event(
            "budget_state",
            limit=limit.name,
            calls=limit.calls,
            window_s=limit.window_s,
            ahead=round(status.budget_used, 4),
            day_calls=status.day_calls,
            day_used=status.day_used,
        )
        return True

    async def _consent(self, status: Status, mapping: str) -> None:
        """How late an opt-out may be: since Campaign was last asked, and what waits in the lane."""
        if self._context.consent_of(mapping) is None:
            return
        place = await read_place(self._context, mapping)
        if place.pulled_at:
            look_s = round(max(status.at - place.pulled_at, 0.0), 1)
            oldest_s = round(status.oldest_s.get(Lane.CONSENT.value, 0.0), 1)
            telemetry.event("consent_state", mapping=mapping, look_s=look_s, oldest_s=oldest_s)

    def _mapping(self, status: Status, item: MappingStatus) -> None:
        states, quarantined = item.states(), item.quarantined()
        eta = backlog_s(status, item, self._context.settings.chunk_records)
        telemetry.event(
            "mapping_state",
            mapping=item.mapping,
            version=item.version,
            phase=item.phase.value,
            fresh=item.fresh,
            age_s=None if item.age_s is None else round(item.age_s, 1),
            link_age_s=round(max(status.at - item.tick.link_at, 0.0), 1) if item.tick.link_at else None,
            synced=states["synced"],
            held=states["hold"],
            quarantined=sum(quarantined.values()),
            parked=item.parked.total(),
            to_approve=max(item.parked[BRAKE] - item.approved, 0),
            paused=",".join(sorted(item.stops)),
            waits=",".join(f"{flow}:{pause.code}" for flow, pause in sorted(item.waits.items())),
            records_per_s=round(item.rate.records, 3),
            calls_per_s=round(item.rate.calls, 3),
            eta_s=None if eta is None else round(eta, 1),
        )
        looks = [job for job in item.jobs if job.verb == RECONCILE and job.state == DONE]
        if looks:
            found = looks[-1].found
            telemetry.event(
                "reconcile_state",
                mapping=item.mapping,
                records=looks[-1].done,
                age_s=round(max(status.at - looks[-1].updated, 0.0), 1),
                agrees=found.get(Found.AGREES.value, 0),
                missing=found.get(Found.MISSING.value, 0),
                stale=found.get(Found.STALE.value, 0),
                edited=found.get(Found.EDITED.value, 0),
                rewritten=found.get(Found.REWRITTEN.value, 0),
                extra=found.get(Found.EXTRA.value, 0),
                left=found.get(Found.LEFT.value, 0),
            )
        for code, records in quarantined.items():
            telemetry.event("quarantine_state", mapping=item.mapping, code=code, records=records)
