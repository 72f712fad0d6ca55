"""All checks of `doctor`, in the order they are shown; reads, and changes nothing."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from sync.campaign.metadata import FieldInfo
from sync.campaign.profiles import RESOURCE
from sync.campaign.records import Action, Records
from sync.cli.checks import campaign, consent, dynamics
from sync.cli.checks.activities import check_activities, check_owner, check_writers
from sync.cli.checks.clock import check_clock
from sync.cli.checks.columns import compare
from sync.cli.checks.exports import check_container, events_off
from sync.cli.checks.finding import Finding, Level, any_red, bad, of_error
from sync.cli.checks.forecast import AREA as FORECAST
from sync.cli.checks.forecast import Rate, day_used, forecast
from sync.cli.checks.language import Around, check_language, look_around
from sync.cli.checks.links import check_links
from sync.cli.checks.storage import check_storage
from sync.cli.output import Tell
from sync.cli.session import Session
from sync.cli.setup import mapped_tables, read_events
from sync.dynamics.metadata import Metadata
from sync.dynamics.provisioning import Provisioning
from sync.errors import SyncError
from sync.origin import origin_of
from sync.planning.consent import Direction
from sync.planning.load import MappingInvalid, load_mapping
from sync.planning.mapping import Mapping
from sync.planning.provision import desired
from sync.storage.budget import BACKFILL_SHARE
from sync.storage.table import StorageFault
from sync.storage.watermarks import Progress

STEPS = 6


@dataclass
class Ends:
    """What both systems say of a mapping's two ends; empty where they could not be asked."""

    mapping: Mapping
    source: dynamics.Source = field(default_factory=lambda: dynamics.Source([]))
    fields: dict[str, FieldInfo] = field(default_factory=dict)
    records: Records | None = None
    """None: how its records are addressed is not known."""


class Examination:
    """One run over an open session."""

    def __init__(self, session: Session, tell: Tell) -> None:
        self._session = session
        self._tell = tell
        self._done = 0
        self.untracked: list[str] = []
        """Tables that could track changes and do not, once it has run."""
        self._off: set[str] = set()
        """Mappings that are switched off."""

    def _step(self, next_one: str) -> None:
        self._tell(self._done, STEPS, next_one)
        self._done += 1

    async def run(self) -> list[Finding]:
        self._step("storage")
        storage = await check_storage(self._session)
        self._step("mappings")
        mappings, broken = await self._mappings(readable=not any_red(storage))
        findings = storage + broken + await self._systems(mappings, readable=not any_red(storage))
        self._step("clocks")
        return findings + self._clocks(findings)

    async def _mappings(self, *, readable: bool) -> tuple[list[Mapping], list[Finding]]:
        """The active mappings, or the shipped texts where none is active."""
        texts = dict(self._session.context.shipped)
        if readable:
            try:
                for version in await self._session.context.mappings.all():
                    if version.enabled:
                        texts[version.mapping] = version.text
                    else:
                        texts.pop(version.mapping, None)
                        self._off.add(version.mapping)
            except StorageFault:
                pass  # Its tables are not made yet: the shipped texts are what the first start installs.
        mappings: list[Mapping] = []
        broken: list[Finding] = []
        for name, text in sorted(texts.items()):
            try:
                mappings.append(load_mapping(text, filename=f"{name}.yaml"))
            except MappingInvalid as error:
                broken += [
                    bad(f"Mapping {name}", f"line {p.line}", f"{p.where}: {p.what}", p.fix, error.code)
                    for p in error.problems
                ]
        return mappings, broken

    async def _systems(self, mappings: list[Mapping], *, readable: bool) -> list[Finding]:
        metadata = Metadata(self._session.context.dynamics)
        ends = [Ends(mapping) for mapping in mappings]
        self._step("Campaign")
        target = await self._campaign(ends)
        self._step("Dynamics")
        source, reached = await self._dynamics(ends, metadata, readable=readable)
        compared: list[Finding] = []
        for one in ends:
            compared += compare(one.mapping, one.source.columns, one.fields)
            around = Around()
            if reached:
                around, about = await self._around(metadata, one.mapping)
                compared += about
            compared += check_links(one.mapping, mappings, around.lookups, self._off)
            if one.records is not None:
                compared += campaign.check_written_once(one.mapping, one.records.dialect)
        if reached:
            source += await self._events(metadata)
        compared += await self._consent(ends, metadata)
        self._step("records")
        counted = await self._forecast(ends) if reached else []
        return source + target + compared + counted

    async def _around(self, metadata: Metadata, mapping: Mapping) -> tuple[Around, list[Finding]]:
        try:
            around = await look_around(metadata, mapping)
        except SyncError as error:
            if error.code == "dynamics_not_found":
                return Around(), []  # There is no such table, which is told already.
            return Around(), [of_error(f"Mapping {mapping.mapping}", "links, related rows, labels", error)]
        return around, list(check_language(mapping, around))

    async def _dynamics(
        self, ends: list[Ends], metadata: Metadata, *, readable: bool
    ) -> tuple[list[Finding], bool]:
        """The findings, and whether Dynamics let us in."""
        context = self._session.context
        credentials, organization = await dynamics.check_credentials(context.dynamics)
        if not organization:
            return [credentials, *dynamics.not_reached(["everything else"])], False
        found = [credentials]
        tables: set[str] = set()
        for one in ends:
            name, table = one.mapping.mapping, one.mapping.source.table
            if readable:
                progress = await self._progress(name)
                found.append(
                    dynamics.check_environment(
                        name, progress, organization, context.campaign_tenant, context.dialect
                    )
                )
            one.source = await dynamics.check_table(metadata, one.mapping)
            if table in tables:
                continue
            tables.add(table)
            found += one.source.findings
            told = one.source.table
            if told is not None and told.can_track and not told.change_tracking:
                self.untracked.append(table)
            found.append(await dynamics.check_privileges(context.dynamics, metadata, table, told))
        found.append(await dynamics.check_token_days(metadata))
        return found, True

    async def _campaign(self, ends: list[Ends]) -> list[Finding]:
        """Credentials and profiles first, then every other resource that is mapped."""
        context = self._session.context
        profiles = context.profiles
        found, fields = await campaign.check_campaign(profiles, context.settings.campaign_addressing)
        usable = not any_red(found)
        for one in ends:
            target = one.mapping.target
            if (target.resource, target.key) == (RESOURCE, profiles.key_target):
                one.fields, one.records = fields, profiles
            elif fields:
                records = profiles.of(target.resource, target.key)
                about, one.fields = await campaign.check_resource(records)
                found += about
                one.records = None if any_red(about) else records
        if not usable:
            for one in ends:
                one.records = None if one.records is profiles else one.records
        return found

    async def _events(self, metadata: Metadata) -> list[Finding]:
        """The container, tables, privileges and owner; one line while no container is set."""
        settings, logs = self._session.settings, self._session.logs
        if logs is None:
            return [events_off()]
        local = bool(settings.events_connection.get_secret_value())
        container = await check_container(logs, settings.events_container, local=local)
        try:
            events = read_events(self._session)
        except MappingInvalid as error:
            area = "Email events"
            wrong = [
                bad(area, f"line {p.line}", f"{p.where}: {p.what}", p.fix, error.code) for p in error.problems
            ]
            return [container, *wrong]
        want = desired(events, read_tables=await mapped_tables(self._session))
        dynamics = self._session.context.dynamics
        return [
            container,
            *await check_activities(Provisioning(dynamics), metadata, want),
            *await check_writers(self._session.app.events.writer, want),
            *await check_owner(dynamics, events.options.owner),
        ]

    async def _consent(self, ends: list[Ends], metadata: Metadata) -> list[Finding]:
        context = self._session.context
        told = context.consent_map
        about = next((one for one in ends if told and one.mapping.mapping == told.consent), None)
        if told is None or told.flows is Direction.OFF:
            return consent.check_map(told, {}, {})
        if about is None or about.mapping.target.resource != RESOURCE:
            return [consent.wrong_mapping(told)]
        read, fields = about.source.columns, about.fields
        found = consent.check_map(told, read, fields)
        if read and fields:
            table, exports = about.mapping.source.table, bool(context.settings.events_container)
            found += await consent.check_flow(told, context.profiles, metadata, table, exports=exports)
        return found

    async def _progress(self, mapping: str) -> Progress:
        try:
            return await self._session.context.watermarks.progress(mapping)
        except StorageFault:
            return Progress(mapping)

    async def _forecast(self, ends: list[Ends]) -> list[Finding]:
        context = self._session.context
        budget, limit = context.budget, context.budget.limit
        per_day = budget.day.calls if budget.day else 0
        rate = Rate(
            BACKFILL_SHARE / limit.interval, limit.calls, limit.window_s, per_day, budget.backfill_seconds
        )
        found = []
        for one in ends:
            table, name = one.source.table, one.mapping.mapping
            if table is None:
                continue
            try:
                count = await dynamics.count_records(
                    context.dynamics, one.mapping.source.table, table.entity_set
                )
            except SyncError as error:
                found.append(of_error(FORECAST, name, error))
                continue
            calls = (one.records or context.profiles).calls_for(Action.INSERT)
            found.append(forecast(name, count.records, calls, rate, capped=count.capped))
        if per_day:
            with suppress(StorageFault):
                found.append(day_used(await budget.used_of_day(), per_day))
        return found

    def _clocks(self, findings: list[Finding]) -> list[Finding]:
        settings, ahead = self._session.settings, self._session.dates.ahead
        silent = {f.area for f in findings if f.name == "credentials" and f.level is Level.FAIL}
        return [
            check_clock(system, ahead.get(origin_of(url)), settings.skew_s, answered=system not in silent)
            for system, url in (
                (dynamics.AREA, settings.dynamics_url),
                (campaign.AREA, settings.campaign_url),
            )
        ]
