"""pull_consents from export files: hint the profiles that a file names, each file once, from where the last tick stopped.

A file is a CSV with the column externalId, and lastModified if whoever looked since then shall not look again. Its place
is noted after the hints of everything before it, so a crash repeats hints and loses none.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace

from sync import telemetry
from sync.campaign.log_csv import CsvStream, Record
from sync.flows.consent_hints import hint_exported, is_contact_id
from sync.flows.context import Context
from sync.planning.consent_plan import seconds
from sync.storage.logs import LogFile, LogFileChanged, LogSource
from sync.storage.watermarks import Progress

NOTE = "consent-exports"
BATCH = 500
KEPT_S = 3600.0
"""Files are told apart by name and ETag for so long behind the newest that is done; older ones are done."""


@dataclass(frozen=True, slots=True)
class FilePlace:
    """How far a file has been read; `columns` are the places of externalId and lastModified (-1: it has none)."""

    etag: str
    modified: float
    position: int = 0
    line: int = 1
    columns: tuple[int, int] = (-1, -1)
    done: bool = False


@dataclass
class Places:
    """What is noted: everything modified before `since` is done."""

    since: float = 0.0
    files: dict[str, FilePlace] = field(default_factory=dict)


async def hint_from_exports(context: Context, source: LogSource, progress: Progress) -> int:
    """Read what is new until PULL_SECONDS are over; how many were hinted. Raises StorageFault."""
    settings, began = context.settings, context.clock.now()
    text = await context.control.noted(progress.mapping, NOTE)
    noted = json.loads(text) if text else {}
    places = Places(
        noted.get("since", 0.0), {name: FilePlace(**told) for name, told in noted.get("files", {}).items()}
    )
    found = 0
    files = [file async for file in source.files() if file.name.startswith(settings.consent_exports)]
    for file in sorted(files, key=lambda file: (file.modified, file.name)):
        place = places.files.get(file.name)
        if file.modified < places.since or (place and place.done and place.etag == file.etag):
            continue
        if context.clock.now() - file.modified < settings.events_settle_s:
            continue
        if place is None or place.etag != file.etag:
            place = FilePlace(file.etag, file.modified)
        try:
            found += await _File(context, source, progress, places, file, place).read(
                began + settings.pull_seconds
            )
        except LogFileChanged:
            continue
        if context.clock.now() - began >= settings.pull_seconds:
            break
    return found


@dataclass
class _File:
    context: Context
    source: LogSource
    progress: Progress
    places: Places
    file: LogFile
    place: FilePlace
    found: int = 0

    async def read(self, until: float) -> int:
        """To its end, or until time is up."""
        stream = CsvStream(position=self.place.position, line=self.place.line)
        batch: list[Record] = []
        async for data in self.source.read(self.file, self.place.position):
            for record in stream.feed(data):
                batch.append(record)
                if len(batch) == BATCH:
                    await self._hint(batch, stream, done=False)
                    batch = []
                    if self.context.clock.now() >= until:
                        return self.found
        tail = stream.tail()
        await self._hint([*batch, *([tail] if tail else [])], stream, done=True)
        return self.found

    async def _hint(self, batch: list[Record], stream: CsvStream, *, done: bool) -> None:
        """Hints first, then the place."""
        changed: dict[str, float | None] = {}
        for record in batch:
            if self.place.columns == (-1, -1):
                self._header(record)
                continue
            id_at, time_at = self.place.columns
            fields = record.fields
            if id_at < 0 or len(fields) <= max(id_at, time_at) or not is_contact_id(fields[id_at].lower()):
                continue
            changed[fields[id_at].lower()] = seconds(fields[time_at]) if time_at >= 0 else None
        if changed:
            self.found += await hint_exported(self.context, self.progress, changed)
        last = batch[-1].end if batch else self.place.position
        self.place = replace(self.place, position=max(last, self.place.position), line=stream.line, done=done)
        await self._note()

    def _header(self, record: Record) -> None:
        names = [name.strip().lower() for name in record.fields]
        id_at = names.index("externalid") if "externalid" in names else -2
        if id_at < 0:
            telemetry.warning("export_refused", file=self.file.name, code="header_missing")
        time_at = names.index("lastmodified") if "lastmodified" in names else -1
        self.place = replace(self.place, columns=(id_at, time_at))

    async def _note(self) -> None:
        places = self.places
        places.files[self.file.name] = self.place
        if self.place.done:
            places.since = max(places.since, self.file.modified - KEPT_S)
            places.files = {
                name: place for name, place in places.files.items() if place.modified >= places.since
            }
        told = {
            "since": places.since,
            "files": {name: asdict(place) for name, place in places.files.items()},
        }
        await self.context.control.note(self.progress.mapping, NOTE, json.dumps(told))
