"""Timer triggers: six-field NCRONTAB schedules in UTC, one run at a time (azure.md 2.4).

Where this differs from Azure: `use_monitor` is ignored (no status is stored, so no past-due run after a start),
and the singleton over several hosts is a file lock of this machine instead of a blob lease.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import logging
import os
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from cronsim import CronSim, CronSimError

from sandbox.host.settings import SettingError

logger = logging.getLogger("host")
Run = Callable[[bool], Awaitable[None]]


class Schedule:
    """`{second} {minute} {hour} {day} {month} {day-of-week}`; raises SettingError for anything else."""

    def __init__(self, text: str) -> None:
        fields = text.split()
        if len(fields) != 6:
            raise SettingError(f"schedule {text!r}: six fields are needed ({{second}} to {{day of week}})")
        if fields[3] != "*" and fields[5] != "*":
            # NCRONTAB wants both to match, cron either.
            raise SettingError(f"schedule {text!r}: day and day of week together are not supported here")
        if any(mark in text for mark in "L#W?") and not fields[5].isalpha():
            raise SettingError(f"schedule {text!r}: NCRONTAB knows no L, W, # or ?")
        try:
            CronSim(text, datetime.now(UTC))
        except CronSimError as error:
            raise SettingError(f"schedule {text!r}: {error}") from None
        self.text = text

    def after(self, moment: datetime) -> datetime:
        """The first occurrence after `moment`."""
        return next(CronSim(self.text, moment))


class Timer:
    """Runs one function by its schedule until it is cancelled; never two runs at once.

    A run that overruns its next occurrence is followed by one late run at once, not by a backlog.
    """

    def __init__(
        self, name: str, schedule: Schedule, run: Run, *, lock: Path, at_start: bool = False
    ) -> None:
        self.name = name
        self._schedule = schedule
        self._run = run
        self._lock = lock
        self._at_start = at_start

    async def listen(self) -> None:
        with self._lock.open("w") as lock:
            await self._become_the_only_one(lock.fileno())
            due = datetime.now(UTC) if self._at_start else self._schedule.after(datetime.now(UTC))
            while True:
                await _until(due)
                due = self._schedule.after(datetime.now(UTC))
                await self._run(False)

    async def _become_the_only_one(self, descriptor: int) -> None:
        said = False
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if not said:
                    logger.info("timer %s waits: another host of this storage account runs it", self.name)
                    said = True
                await asyncio.sleep(1)


async def _until(due: datetime) -> None:
    # The loop's clock may fire a little early, and then the same occurrence would be served twice.
    while (wait := (due - datetime.now(UTC)).total_seconds()) > 0:  # noqa: ASYNC110  it waits for the time
        await asyncio.sleep(wait)


def lock_file(name: str, storage: str) -> Path:
    """The file whose lock makes a timer a singleton for one storage account; it ends with its process."""
    folder = Path(tempfile.gettempdir()) / f"sandbox-host-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    account = hashlib.blake2b(storage.encode(), digest_size=8).hexdigest()
    return folder / f"{account}-{name}.lock"
