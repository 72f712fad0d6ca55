"""`doctor`: the pre-flight on both systems; it reads, and changes nothing."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path

import typer
from rich.text import Text

from sync.campaign.metadata import FieldInfo
from sync.campaign.records import Action
from sync.cli.checks import campaign, consent, dynamics
from sync.cli.checks.activities import check_activities
from sync.cli.checks.clock import check_clock
from sync.cli.checks.columns import compare
from sync.cli.checks.finding import Finding, Level, any_red, bad, good, of_error, skipped
from sync.cli.checks.forecast import AREA as FORECAST
from sync.cli.checks.forecast import Rate, forecast
from sync.cli.checks.storage import check_storage
from sync.cli.frame import FAILED, OK, run_bare
from sync.cli.options import AsJson, SettingsFile
from sync.cli.output import Output, Tell
from sync.cli.session import Desk, Session
from sync.cli.setup import mapped_tables, read_events
from sync.dynamics.metadata import ColumnInfo, Metadata
from sync.dynamics.provisioning import Provisioning
from sync.errors import SyncError
from sync.origin import origin_of
from sync.planning.load import MappingInvalid, load_mapping
from sync.planning.mapping import Mapping
from sync.planning.provision import desired
from sync.settings import SettingsInvalid
from sync.storage.budget import BACKFILL_SHARE
from sync.storage.table import StorageFault
from sync.storage.watermarks import Progress

STYLES = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red", Level.SKIP: "dim"}
STEPS = 6


def doctor(context: typer.Context, settings: SettingsFile = None, as_json: AsJson = False) -> None:
    """Check settings, storage and both systems.

    Before the first start, and whenever something is wrong; changes nothing. Looks at:
    settings, storage, both systems' credentials and roles, change tracking, every mapped column on both sides,
    addressing, clocks, and how long a first load takes. Exit code 1 if a line is red.

    Examples:

      python -m sync doctor --settings local.settings.json

      python -m sync doctor --json
    """
    run_bare(context, partial(_doctor, file=settings), settings=settings, as_json=as_json)


async def _doctor(desk: Desk, out: Output, *, file: Path | None) -> int:
    findings = await examine(desk, out, file)
    counts = Counter(finding.level for finding in findings)
    red = any_red(findings)
    if out.as_json:
        told = [
            {
                "area": f.area,
                "check": f.name,
                "level": f.level.value,
                "text": f.text,
                **({"fix": f.fix} if f.fix else {}),
                **({"code": f.code} if f.code else {}),
            }
            for f in findings
        ]
        out.json({"ok": not red, "counts": {level.value: counts[level] for level in Level}, "checks": told})
    else:
        _show(findings, out)
        out.line()
        told_counts = ", ".join(f"{counts[level]} {level.value}" for level in Level if counts[level])
        out.line(told_counts, style="bold red" if red else "green")
    return FAILED if red else OK


def _show(findings: list[Finding], out: Output) -> None:
    """A line a check under the name of its area, and what to do below it."""
    width = max(len(finding.name) for finding in findings)
    area = ""
    for finding in findings:
        if finding.area != area:
            area = finding.area
            out.line(area, style="bold")
        mark = "FAIL" if finding.level is Level.FAIL else finding.level.value
        line = Text(f"  {mark:4}  ", style=STYLES[finding.level])
        line.append(f"{finding.name:{width}}  {finding.text}", style="default")
        if finding.code:
            line.append(f" [{finding.code}]", style="dim")
        out.line(line)
        if finding.fix:
            out.line(f"        do: {finding.fix}")


async def examine(desk: Desk, out: Output, file: Path | None) -> list[Finding]:
    """All findings, in the order they are shown."""
    try:
        settings = desk.settings(file)
    except SettingsInvalid as error:
        return [bad("Settings", p.name, p.what, f"{p.fix}.", error.code) for p in error.problems] + [
            skipped("Settings", "everything else", "the settings come first")
        ]
    found = [good("Settings", "values", "all there and well-formed")]
    try:
        async with desk.opener(settings) as session:
            with out.progress("looking at both systems") as tell:
                found += await _Examination(session, tell).run()
    except SettingsInvalid as error:
        found = [bad("Settings", p.name, p.what, f"{p.fix}.", error.code) for p in error.problems]
    return found


class _Examination:
    """One run over an open session."""

    def __init__(self, session: Session, tell: Tell) -> None:
        self._session = session
        self._tell = tell
        self._done = 0

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
                for name in await self._session.context.mappings.names():
                    version = await self._session.context.mappings.active(name)
                    if version is not None:
                        texts[name] = version.text
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
        context = self._session.context
        metadata = Metadata(context.dynamics)
        self._step("Dynamics")
        credentials, organization = await dynamics.check_credentials(context.dynamics)
        source = [credentials]
        columns: dict[str, dict[str, ColumnInfo]] = {}
        if organization:
            for mapping in mappings:
                if readable:
                    progress = await self._progress(mapping.mapping)
                    source.append(
                        dynamics.check_environment(
                            mapping.mapping, progress, organization, context.campaign_tenant
                        )
                    )
                about, columns[mapping.mapping] = await dynamics.check_table(metadata, mapping)
                source += about
                source.append(await dynamics.check_privileges(context.dynamics, metadata, mapping))
            source.append(await dynamics.check_token_days(metadata))
        else:
            source += dynamics.not_reached(["tables, roles, change tracking"])
        self._step("Campaign")
        target, fields = await campaign.check_campaign(context.profiles, context.settings.campaign_addressing)
        compared: list[Finding] = []
        for mapping in mappings:
            compared += compare(mapping, columns.get(mapping.mapping, {}), fields)
        if organization:
            source += await self._events(metadata)
        compared += await self._consent(mappings, columns, fields, metadata)
        self._step("records")
        counted = await self._forecast(mappings) if organization else []
        return source + target + compared + counted

    async def _events(self, metadata: Metadata) -> list[Finding]:
        """Nothing while no container is set: events are off."""
        if not getattr(self._session.settings, "events_container", ""):
            return []
        try:
            events = read_events(self._session)
        except MappingInvalid as error:
            area = "Email events"
            return [
                bad(area, f"line {p.line}", f"{p.where}: {p.what}", p.fix, error.code) for p in error.problems
            ]
        want = desired(events, read_tables=await mapped_tables(self._session))
        return await check_activities(Provisioning(self._session.context.dynamics), metadata, want)

    async def _consent(
        self,
        mappings: list[Mapping],
        columns: dict[str, dict[str, ColumnInfo]],
        fields: dict[str, FieldInfo],
        metadata: Metadata,
    ) -> list[Finding]:
        context = self._session.context
        told = context.consent_map
        about = next((mapping for mapping in mappings if told and mapping.mapping == told.consent), None)
        if about is None:
            return consent.check_map(None, {}, {}) if told is None else []
        read = columns.get(about.mapping, {})
        found = consent.check_map(told, read, fields)
        if read and fields:
            found += await consent.check_flow(told, context.profiles, metadata, about.source.table)
        return found

    async def _progress(self, mapping: str) -> Progress:
        try:
            return await self._session.context.watermarks.progress(mapping)
        except StorageFault:
            return Progress(mapping)

    async def _forecast(self, mappings: list[Mapping]) -> list[Finding]:
        context = self._session.context
        limit = context.budget.limit
        rate = Rate(BACKFILL_SHARE / limit.interval, limit.calls, limit.window_s)
        calls = context.profiles.calls_for(Action.INSERT)
        found = []
        for mapping in mappings:
            try:
                count = await dynamics.count_records(context.dynamics, mapping)
            except SyncError as error:
                found.append(of_error(FORECAST, mapping.mapping, error))
                continue
            found.append(forecast(mapping.mapping, count.records, calls, rate, capped=count.capped))
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
