"""pull: read export files once, store their lines as event rows, queue the partitions that have open ones.

A file's row moves only after everything up to its position is stored and queued, so a crash repeats work and loses
none; lines read again find their rows. One bad line is noted, one bad file refused: the others go on.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace

from sync import telemetry
from sync.campaign.log_csv import WIDE_BOMS, CsvStream, Record
from sync.errors import SyncError
from sync.flows.events.context import FLOW, EventContext, guard
from sync.flows.events.message import send_partitions
from sync.flows.events.standing import Standing
from sync.model import EmailEvent
from sync.planning.exports import BadLine, HeaderUnknown, Left, LineReader, reader_for
from sync.storage.events import Merged, partition_for
from sync.storage.files import MOST_BAD_LINES, FileRow
from sync.storage.files import BadLine as NotedLine
from sync.storage.lanes import gather_all
from sync.storage.logs import LogFile, LogFileChanged
from sync.storage.table import RowConflict, StorageFault
from sync.storage.watermarks import Progress

DAY_S = 24 * 3600.0


class FileRefused(Exception):
    """A file cannot be read at all; `code` says why."""

    def __init__(self, code: str, detail: str) -> None:
        self.code = code
        self.detail = detail
        super().__init__(f"{code}: {detail}")


@dataclass
class Batch:
    """Lines read and not stored yet."""

    events: list[EmailEvent] = field(default_factory=list)
    bad: list[NotedLine] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)
    lines: int = 0


class PullEvents:
    """The timer `pull_email_events`."""

    def __init__(self, context: EventContext) -> None:
        self._context = context

    async def tick(self, owner: str) -> None:
        """Read what is new until EVENTS_PULL_SECONDS are over; errors are logged and the next tick tries again."""
        context = self._context
        if context.source is None:
            return
        control = context.base.control
        lease = context.settings.events_pull_seconds + context.settings.message_lease_s / 2
        if not await control.take_lease(FLOW, "pull", owner, lease):
            return
        try:
            context.configuration()
            progress = await guard(context)
            await self._files(progress)
            await control.resume(FLOW, "pull")
        except SyncError as error:
            await context.base.stopped(FLOW, "pull", error)
        except (RowConflict, StorageFault) as error:
            telemetry.event("pull_repeated", flow=FLOW, kind=type(error).__name__)
        finally:
            await control.drop_lease(FLOW, "pull", owner)
            await context.base.counters.flush(now=True)

    async def _files(self, progress: Progress) -> None:
        context = self._context
        assert context.source is not None
        until = context.now() + context.settings.events_pull_seconds
        others = context.settings.consent_exports
        try:
            files = [file async for file in context.source.files() if not file.name.startswith(others)]
        except StorageFault as error:
            raise SyncError("exports_unreachable", str(error)) from None
        rows = await context.files.all()
        broke: list[Exception] = []
        for file in sorted(files, key=lambda file: (file.modified, file.name)):
            if context.now() >= until:
                break
            row = rows.get(file.name)
            if row is not None and row.file_etag == file.etag and row.state != "reading":
                continue
            if context.now() - file.modified < context.settings.events_settle_s:
                continue
            try:
                await self._one(file, row, progress, until)
            except SyncError:
                raise
            except Exception as error:
                # Our own mistake with this file; the function fails for it, but the others are read first.
                telemetry.warning(
                    "export_broke",
                    flow=FLOW,
                    file=file.name,
                    code="internal_error",
                    kind=type(error).__name__,
                )
                broke.append(error)
        present = {file.name for file in files}
        for row in rows.values():
            if row.name not in present and context.now() - row.updated > DAY_S:
                await context.files.forget(row)
        tick = await context.base.watermarks.tick(FLOW)
        await context.base.watermarks.write_tick(replace(tick, pulled_at=context.now()))
        telemetry.event("pulled", flow="pull_email_events", mapping=FLOW)
        if broke:
            raise broke[0]

    async def _one(self, file: LogFile, row: FileRow | None, progress: Progress, until: float) -> None:
        """Read a file as far as time allows; whatever is wrong with it stays with it."""
        if row is None or row.file_etag != file.etag:
            row = FileRow(file.name, file.etag, row.etag if row else None)
        try:
            await Reading(self._context, file, row, progress.epoch).read(until)
        except LogFileChanged:
            telemetry.event("export_changed", flow=FLOW, file=file.name)
        except FileRefused as refused:
            telemetry.warning(
                "export_refused", flow=FLOW, file=file.name, code=refused.code, detail=refused.detail
            )
            self._context.count(f"file:{refused.code}")
            stopped = replace(row, state="refused", code=refused.code, detail=refused.detail)
            rows = await self._context.files.all()
            known = rows.get(file.name)
            stopped = replace(stopped, etag=known.etag if known else None, updated=self._context.now())
            await self._context.files.write(stopped)
        except (RowConflict, StorageFault) as error:
            telemetry.event("pull_repeated", flow=FLOW, file=file.name, kind=type(error).__name__)


class Reading:
    """One file, from its row's position on."""

    def __init__(self, context: EventContext, file: LogFile, row: FileRow, epoch: int) -> None:
        self._context = context
        self._file = file
        self._row = row
        self._epoch = epoch
        self._batch = Batch()
        self._reader: LineReader | None = None
        if row.header:
            self._reader = self._reader_for(row.header)

    async def read(self, until: float) -> None:
        """Until the file ends or time is over; raises FileRefused, LogFileChanged, RowConflict, StorageFault."""
        context, file = self._context, self._file
        assert context.source is not None
        self._refuse()
        stream = CsvStream(context.exports.delimiter, position=self._row.position, line=self._row.line)
        first = self._row.position == 0
        async for data in context.source.read(file, self._row.position):
            if first and data[:2] in WIDE_BOMS:
                raise FileRefused("file_encoding", "UTF-16")
            first = False
            for record in stream.feed(data):
                self._take(record)
                if self._batch.lines >= context.settings.events_read_rows:
                    await self._flush(record.end, stream.line, done=False)
                    if context.now() >= until:
                        return
        last = stream.tail()
        if last is not None:
            if context.now() - file.modified < context.settings.events_partial_s:
                # Still being uploaded, perhaps: read the rest once nobody has written for a while.
                await self._flush(stream.position, stream.line, done=False)
                return
            self._take(last)
        await self._flush(file.size, stream.line, done=True)

    def _refuse(self) -> None:
        settings, file = self._context.settings, self._file
        if file.size > settings.events_file_mb * 1024 * 1024:
            raise FileRefused("file_too_large", f"{file.size // (1024 * 1024)} MB")
        if file.modified < self._context.now() - settings.events_days * DAY_S:
            raise FileRefused("file_too_old", f"older than {settings.events_days} days")

    def _reader_for(self, header: tuple[str, ...]) -> LineReader:
        try:
            return reader_for(header, self._context.exports)
        except HeaderUnknown as error:
            raise FileRefused("header_missing", str(error)) from None

    def _take(self, record: Record) -> None:
        """One record: the header, an event, or something to be noted."""
        if self._reader is None:
            if record.problem:
                raise FileRefused("file_encoding", f"line {record.line}: {record.problem}")
            self._reader = self._reader_for(record.fields)
            self._row = replace(self._row, header=record.fields)
            return
        batch = self._batch
        batch.lines += 1
        if record.problem:
            self._bad(record.line, f"line_{record.problem}", "")
            return
        try:
            found = self._reader.read(record.fields)
        except BadLine as error:
            self._bad(record.line, error.code, error.column)
            return
        if isinstance(found, Left):
            batch.left[found.why] += 1
        elif found.at < self._context.now() - self._context.settings.events_days * DAY_S:
            batch.left["line_too_old"] += 1
        else:
            batch.events.append(found)

    def _bad(self, line: int, code: str, detail: str) -> None:
        self._batch.left[code] += 1
        if self._row.bad + len(self._batch.bad) < MOST_BAD_LINES:
            self._batch.bad.append(NotedLine(self._file.name, line, code, detail, self._file.etag))

    async def _flush(self, position: int, line: int, *, done: bool) -> None:
        """Store, queue, note, and only then move the file's row."""
        context, batch = self._context, self._batch
        self._batch = Batch()
        erased = await context.base.blocked.among({event.contact for event in batch.events})
        batch.left.update(Standing.BLOCKED.value for event in batch.events if event.contact in erased)
        batch.events = [event for event in batch.events if event.contact not in erased]
        open_rows, merged = await self._store(batch)
        messages = await send_partitions(context, self._epoch, open_rows)
        await context.files.note_bad(batch.bad)
        if done:
            await context.files.forget_bad(self._file.name, self._file.etag)
        moved = replace(
            self._row,
            position=position,
            line=line,
            state="done" if done else "reading",
            events=self._row.events + len(batch.events),
            bad=self._row.bad + sum(n for why, n in batch.left.items() if why in BAD),
            updated=context.now(),
        )
        if moved != replace(self._row, updated=moved.updated) or self._row.etag is None:
            self._row = await context.files.write(moved)
        for why, number in batch.left.items():
            context.count(f"line:{why}", number)
        context.count("events:new", merged.new)
        context.count("events:revised", merged.revised)
        if batch.lines:
            telemetry.event(
                "export_read",
                flow=FLOW,
                file=self._file.name,
                lines=batch.lines,
                new=merged.new,
                revised=merged.revised,
                known=merged.known,
                left=json.dumps(dict(batch.left)),
                messages=messages,
                done=done,
            )

    async def _store(self, batch: Batch) -> tuple[dict[str, int], Merged]:
        """Write the events; open rows by partition, and what storing them did."""
        context = self._context
        parts: dict[str, list[EmailEvent]] = {}
        for event in batch.events:
            partition = partition_for(event, self._epoch, context.settings.events_buckets)
            parts.setdefault(partition, []).append(event)
        found: dict[str, Merged] = {}

        async def one(partition: str) -> None:
            async with context.stores:
                found[partition] = await context.events.merge(partition, parts[partition], context.now())

        await gather_all([one(partition) for partition in parts])
        total = Merged()
        for merged in found.values():
            total = total.plus(merged)
        return {name: merged.open for name, merged in found.items() if merged.open}, total


BAD = frozenset(
    {"line_width", "kind_unknown", "value_missing", "name_too_long", "flag_unknown", "date_wrong",
     "line_open_quote", "line_malformed", "line_encoding"}
)  # fmt: skip
"""Codes of lines that cannot be read; what else is left out is meant to be."""
