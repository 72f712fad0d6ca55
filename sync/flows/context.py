"""What every flow works with: one object per worker, made by the composition root."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sync import telemetry
from sync.campaign.profiles import RESOURCE, Profiles
from sync.campaign.records import Records
from sync.dynamics.client import Dynamics
from sync.dynamics.metadata import Metadata, TableInfo
from sync.errors import Reaction, SyncError, Throttled
from sync.flows import labels
from sync.flows.consent_source import Source
from sync.flows.targets import Targets
from sync.model import Clock, Random
from sync.planning.compile import CompiledMapping, compile_mapping, with_columns, with_source
from sync.planning.consent import Direction
from sync.planning.consent_map import ConsentMap
from sync.planning.consent_pairs import Consents
from sync.planning.drift import CERTAIN, DRIFT, told
from sync.planning.load import load_mapping
from sync.settings import Settings
from sync.storage.blocked import Blocked
from sync.storage.budget import Budget
from sync.storage.consent_journal import Journal
from sync.storage.consents import ConsentRows
from sync.storage.control import Control
from sync.storage.findings import Findings
from sync.storage.history import Counters, History, Parked, ParkedRecords
from sync.storage.jobs import Jobs
from sync.storage.lanes import Lanes
from sync.storage.ledger import Ledger
from sync.storage.links import Links
from sync.storage.logs import LogSource
from sync.storage.mappings import Mappings, MappingVersion
from sync.storage.pauses import Pauses
from sync.storage.permits import Permits
from sync.storage.watermarks import Progress, Watermarks

DEFAULT_PARALLELISM = 8
"""Requests to Dynamics at once until it has said how many it likes."""
LONGEST_WAIT_S = 20.0
"""Inside a function; whoever must wait longer comes back."""
TAKES = 3
"""How often a call asks for a permit: what the day's limit denies has to be asked for again."""
NOT_COMPARED = {"policy", "clock_tolerance"}
"""Keys of the consent map that only decide how a difference ends."""
STOPPED_DELAY_S = 60.0
"""How long work waits while a flow is stopped (credentials, roles, another environment)."""


@dataclass
class Context:
    """Clients, stores, clock and chance; `shipped` are the mapping texts to install on a first start."""

    settings: Settings
    clock: Clock
    rng: Random
    dynamics: Dynamics
    targets: Targets
    campaign_tenant: str
    watermarks: Watermarks
    control: Control
    mappings: Mappings
    ledger: Ledger
    links: Links
    lanes: Lanes
    budget: Budget
    dynamics_permits: Permits
    parked: ParkedRecords
    history: History
    counters: Counters
    consents: ConsentRows
    journal: Journal
    pauses: Pauses
    blocked: Blocked
    jobs: Jobs
    findings: Findings
    consent_map: ConsentMap | None = None
    """None: there is no consent flow."""
    fitted: dict[str, tuple[str, float]] = field(default_factory=dict)
    """The version that this worker last found to fit Campaign's description of its resource, and when."""
    shipped: dict[str, str] = field(default_factory=dict)
    compiled: dict[tuple[str, str], CompiledMapping] = field(default_factory=dict)
    buckets: dict[str, int] = field(default_factory=dict)
    policies: dict[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    """Campaign's data policies by mapping and version, and field."""
    calls_in_flight: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(16))

    parents: set[str] = field(default_factory=set)
    """Mappings whose records may be parents, as far as this worker knows."""
    wake_from: Parked | None = None
    """The row before which the last run of `wake_parked` stopped."""
    chunks_in_work: int = 0
    exports: LogSource | None = None
    """Where export files of changed profiles lie, if anywhere."""
    source: Source | None = None
    """Where changed profiles are found; None: not asked yet."""
    fitted_consents: Consents | None = None
    """The consent map as it fits live metadata, once it is known."""
    unusable_consents: tuple[str, float] = ("", 0.0)
    """Why it does not fit, and until when that is believed."""
    _reading: dict[tuple[str, str], CompiledMapping] = field(default_factory=dict)
    _sourced: dict[tuple[str, str], CompiledMapping] = field(default_factory=dict)
    labelled: dict[str, tuple[tuple[str, str], CompiledMapping]] = field(default_factory=dict)
    """By mapping, with the version and the ETag of the labels that it was made of."""
    related_tables: dict[str, TableInfo] = field(default_factory=dict)

    @property
    def profiles(self) -> Profiles:
        """Campaign's profiles, whatever the mappings write to."""
        return self.targets.profiles

    async def target(self, compiled: CompiledMapping) -> Records:
        """The Campaign resource of a mapping, asked for once per worker; raises SyncError."""
        return await self.targets.of(compiled.resource, compiled.key_target, self.spend)

    async def know_addressing(self) -> None:
        """Find out how this Campaign instance addresses profiles; raises SyncError."""
        await self.targets.of(RESOURCE, self.profiles.key_target, self.spend)

    def consent_of(self, mapping: str) -> ConsentMap | None:
        """The consent map, if it is about this mapping and not off."""
        told = self.consent_map
        return told if told and told.consent == mapping and told.flows is not Direction.OFF else None

    async def reading(self, mapping: str) -> CompiledMapping:
        """The active mapping version with the columns that consent reads."""
        return await self.widened(await self.working(mapping))

    async def sourced(self, compiled: CompiledMapping) -> CompiledMapping:
        """A mapping version whose source is named in full: Dynamics is asked once per worker where the file is silent."""
        if compiled.entity_set and compiled.key_column:
            return compiled
        key = (compiled.name, compiled.version)
        if key not in self._sourced:
            table = await Metadata(self.dynamics).table(compiled.table)
            self._sourced[key] = with_source(compiled, table.entity_set, table.key_column)
        return self._sourced[key]

    async def widened(self, compiled: CompiledMapping) -> CompiledMapping:
        """A mapping version whose source is named in full, with the columns of the consent map that Dynamics has.

        Asks Dynamics for its columns once per worker, and never Campaign: reading goes on while Campaign is down.
        """
        compiled = await labels.labelled(self, await self.sourced(compiled))
        told = self.consent_of(compiled.name)
        if told is None:
            return compiled
        key = (compiled.name, f"{compiled.version} {compiled.sends_hash}")
        if key not in self._reading:
            known = await Metadata(self.dynamics).attributes(compiled.table)
            wanted = [field.source for field in told.fields]
            present = [column for column in (*wanted, "modifiedon", "createdon") if column in known]
            # A map that carries more than before has every contact compared: what differs already changes no more.
            self._reading[key] = with_columns(compiled, present, told.model_dump(exclude=NOT_COMPARED))
        return self._reading[key]

    async def spend(self) -> None:
        """Wait for one Campaign call of the share that is left to consent; raises Throttled."""
        until = self.clock.now() + LONGEST_WAIT_S
        for _ in range(TAKES):
            grant = await self.budget.take(1, straight=True, longest_s=until - self.clock.now())
            if not grant.denied:
                return
            if grant.start > until:
                # Kept, it would only push the next attempt further away.
                await self.budget.give_back(grant, grant.reserved)
                break
            await self.clock.sleep(grant.start - self.clock.now())
            if grant.reserved:
                return
        wait = max(grant.start - self.clock.now(), 1.0)
        raise Throttled("campaign_throttled", wait, "the call budget is used up")

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
        """The active mapping version, compiled once per worker, also of a mapping that is switched off.

        Raises SyncError `mapping_missing`, `mapping_invalid`.
        """
        return self._compile(await self._version(mapping))

    async def working(self, mapping: str) -> CompiledMapping:
        """The same for who reads or sends; raises SyncError `mapping_disabled` too."""
        version = await self._version(mapping)
        if not version.enabled:
            raise SyncError("mapping_disabled", mapping)
        return self._compile(version)

    async def _version(self, mapping: str) -> MappingVersion:
        version = await self.mappings.active(mapping)
        if version is None:
            raise SyncError("mapping_missing", f"no active version of mapping {mapping}")
        self.buckets[mapping] = version.buckets
        return version

    def _compile(self, version: MappingVersion) -> CompiledMapping:
        mapping = version.mapping
        key = (mapping, version.version)
        if key not in self.compiled:
            loaded = load_mapping(version.text, filename=f"{mapping}.yaml")
            self.compiled[key] = compile_mapping(loaded, version.version)
        return self.compiled[key]

    @property
    def dialect(self) -> str:
        """The generation of Campaign, empty while it is not known."""
        return self.profiles.dialect.value if self.profiles.knows_dialect else ""

    async def guard(self, progress: Progress, *, fresh: bool = False) -> str:
        """The Dynamics organization id; raises `environment_changed` if it, the Campaign tenant or dialect is another."""
        organization = await self.dynamics.organization_id(fresh=fresh)
        if progress.organization and progress.organization != organization:
            raise SyncError(
                "environment_changed", "the Dynamics organization is not the one this sync was set up for"
            )
        if progress.campaign and progress.campaign != self.campaign_tenant:
            raise SyncError(
                "environment_changed", "the Campaign tenant is not the one this sync was set up for"
            )
        self.guard_dialect(progress)
        return organization

    async def drifted(self, mapping: str, detail: str) -> None:
        """Pause a mapping whose schema is another one; what was told first is kept until it fits again."""
        known = await self.control.paused(mapping, "drift")
        await self.control.pause(mapping, "drift", DRIFT, known.detail if known else detail)

    def guard_dialect(self, progress: Progress) -> None:
        """The same for what an answer of Campaign may have told since."""
        if progress.dialect and self.dialect and progress.dialect != self.dialect:
            told = f"Campaign speaks {self.dialect}, this sync was set up for {progress.dialect}"
            raise SyncError("environment_changed", told)

    async def stopped(self, mapping: str, flow: str, error: SyncError) -> float:
        """Log an error that hit a whole flow, note it for `status`, and say after how many seconds to come back."""
        if error.code == "mapping_disabled":
            return STOPPED_DELAY_S  # what a person wants is no trouble to be shown
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
        if error.code in CERTAIN or error.code == DRIFT:
            await self.drifted(
                mapping, told(error.code, error.detail) if error.code in CERTAIN else error.detail
            )
            return STOPPED_DELAY_S
        if error.reaction is Reaction.STOP:
            await self.control.pause(mapping, flow, error.code, error.detail)
            return STOPPED_DELAY_S
        return 15.0
