"""What every flow works with: one object per worker, made by the composition root."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sync import telemetry
from sync.campaign.profiles import Profiles
from sync.dynamics.client import Dynamics
from sync.errors import Reaction, SyncError, Throttled
from sync.model import Clock, Random
from sync.planning.compile import CompiledMapping, compile_mapping
from sync.planning.load import load_mapping
from sync.settings import Settings
from sync.storage.budget import Budget
from sync.storage.control import Control
from sync.storage.history import Counters, History, ParkedRecords
from sync.storage.lanes import Lanes
from sync.storage.ledger import Ledger
from sync.storage.mappings import Mappings
from sync.storage.permits import Permits
from sync.storage.watermarks import Progress, Watermarks

DEFAULT_PARALLELISM = 8
"""Requests to Dynamics at once until it has said how many it likes."""
STOPPED_DELAY_S = 60.0
"""How long work waits while a flow is stopped (credentials, roles, another environment)."""


@dataclass
class Context:
    """Clients, stores, clock and chance; `shipped` are the mapping texts to install on a first start."""

    settings: Settings
    clock: Clock
    rng: Random
    dynamics: Dynamics
    profiles: Profiles
    campaign_tenant: str
    watermarks: Watermarks
    control: Control
    mappings: Mappings
    ledger: Ledger
    lanes: Lanes
    budget: Budget
    dynamics_permits: Permits
    parked: ParkedRecords
    history: History
    counters: Counters
    shipped: dict[str, str] = field(default_factory=dict)
    compiled: dict[tuple[str, str], CompiledMapping] = field(default_factory=dict)
    buckets: dict[str, int] = field(default_factory=dict)
    calls_in_flight: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(16))

    chunks_in_work: int = 0
    probed: bool = True
    """Whether the addressing mode is known; else the first chunk asks Campaign."""

    async def know_addressing(self) -> None:
        """Find out how this Campaign instance addresses records; raises SyncError."""
        if not self.probed:
            self.profiles.addressing = await self.profiles.probe()
            self.probed = True

    @asynccontextmanager
    async def dynamics_permit(self, *, spare: int = 0) -> AsyncIterator[None]:
        """One of the requests that `x-ms-dop-hint` allows all instances at once (reference dataverse.md 3).

        Whoever leaves some to `spare` never delays those who leave none.
        """
        timeout = self.settings.call_timeout_s
        count = max(1, (self.dynamics.dop_hint or DEFAULT_PARALLELISM) - spare)
        hold = timeout + self.settings.skew_s
        async with self.dynamics_permits.one(count, hold_s=hold, wait_s=timeout):
            yield

    def nonce(self) -> str:
        """A name nobody else has."""
        return f"{self.rng.getrandbits(64):016x}"

    async def active(self, mapping: str) -> CompiledMapping:
        """The active mapping version, compiled once per worker; raises SyncError `mapping_missing`, `mapping_invalid`."""
        version = await self.mappings.active(mapping)
        if version is None:
            raise SyncError("mapping_missing", f"no active version of mapping {mapping}")
        self.buckets[mapping] = version.buckets
        key = (mapping, version.version)
        if key not in self.compiled:
            loaded = load_mapping(version.text, filename=f"{mapping}.yaml")
            self.compiled[key] = compile_mapping(loaded, version.version)
        return self.compiled[key]

    async def guard(self, progress: Progress, *, fresh: bool = False) -> str:
        """The Dynamics organization id; raises `environment_changed` if it or the Campaign tenant is another."""
        organization = await self.dynamics.organization_id(fresh=fresh)
        if progress.organization and progress.organization != organization:
            raise SyncError(
                "environment_changed", "the Dynamics organization is not the one this sync was set up for"
            )
        if progress.campaign and progress.campaign != self.campaign_tenant:
            raise SyncError(
                "environment_changed", "the Campaign tenant is not the one this sync was set up for"
            )
        return organization

    async def stopped(self, mapping: str, flow: str, error: SyncError) -> float:
        """Log an error that hit a whole flow, note it for `status`, and say after how many seconds to come back."""
        telemetry.event(
            "flow_waits",
            level=logging.WARNING,
            flow=flow,
            mapping=mapping,
            code=error.code,
            status=error.status or None,
            detail=error.detail,
        )
        if isinstance(error, Throttled):
            return error.retry_after
        if error.reaction is Reaction.STOP:
            await self.control.pause(mapping, flow, error.code, error.detail)
            return STOPPED_DELAY_S
        return 15.0
