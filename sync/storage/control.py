"""The control table: who reads (lease), how many deletes went through (brake), what is stopped (pause)."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass

from sync.model import Clock, Random, from_iso, to_iso
from sync.storage.table import RowConflict, Table

DAY_S = 24 * 3600
PAUSE_SEEN_S = 180.0


@dataclass(frozen=True, slots=True)
class Pause:
    """Why a flow waits."""

    code: str
    since: float
    detail: str = ""


class Control:
    """Rows of the `control` table, one partition a mapping."""

    def __init__(self, table: Table, clock: Clock, rng: Random) -> None:
        self._table = table
        self._clock = clock
        self._rng = rng

    async def take_lease(self, mapping: str, name: str, owner: str, seconds: float) -> bool:
        """Hold the named lease for `seconds`; an owner may renew its own. False if another holds it."""
        now = self._clock.now()
        row = f"lease-{name}"
        stored = await self._table.get(mapping, row)
        if (
            stored
            and str(stored.entity["owner"]) not in ("", owner)
            and from_iso(str(stored.entity["until"])) > now
        ):
            return False
        entity = {"PartitionKey": mapping, "RowKey": row, "owner": owner, "until": to_iso(now + seconds)}
        try:
            await self._table.put(entity, stored.etag if stored else None)
        except RowConflict:
            return False
        return True

    async def drop_lease(self, mapping: str, name: str, owner: str) -> None:
        """Give the lease back if it is still ours."""
        stored = await self._table.get(mapping, f"lease-{name}")
        if stored is None or stored.entity["owner"] != owner:
            return
        entity = {**stored.entity, "owner": ""}
        try:
            await self._table.replace(entity, stored.etag)
        except RowConflict:
            return

    async def lease_free(self, mapping: str, name: str) -> bool:
        """Whether nobody holds the lease now."""
        stored = await self._table.get(mapping, f"lease-{name}")
        if stored is None or stored.entity["owner"] == "":
            return True
        return from_iso(str(stored.entity["until"])) <= self._clock.now()

    async def brake(self, mapping: str, wanted: int, allowed: int) -> int:
        """Take up to `wanted` deletes of the `allowed` ones in 24 hours; returns how many may go.

        Hours are counted whole, so the window is 24 to 25 hours long: never more than `allowed` in 24.
        """
        while True:
            now = self._clock.now()
            stored = await self._table.get(mapping, "brake")
            hours: dict[str, int] = json.loads(str(stored.entity["hours"])) if stored else {}
            oldest = int((now - DAY_S) // 3600)
            hours = {hour: count for hour, count in hours.items() if int(hour) >= oldest}
            granted = max(0, min(wanted, allowed - sum(hours.values())))
            if granted == 0:
                return 0
            hour = str(int(now // 3600))
            hours[hour] = hours.get(hour, 0) + granted
            entity = {"PartitionKey": mapping, "RowKey": "brake", "hours": json.dumps(hours, sort_keys=True)}
            try:
                await self._table.put(entity, stored.etag if stored else None)
            except RowConflict:
                await self._clock.sleep(0.01 + 0.05 * self._rng.random())
                continue
            return granted

    async def unbrake(self, mapping: str, count: int) -> None:
        """Take back `count` deletes of this hour; if the row moves meanwhile they stay counted."""
        stored = await self._table.get(mapping, "brake")
        if stored is None:
            return
        hours: dict[str, int] = json.loads(str(stored.entity["hours"]))
        hour = str(int(self._clock.now() // 3600))
        hours[hour] = max(0, hours.get(hour, 0) - count)
        with suppress(RowConflict):
            await self._table.replace(
                {**stored.entity, "hours": json.dumps(hours, sort_keys=True)}, stored.etag
            )

    async def braked(self, mapping: str) -> int:
        """Deletes counted in the last 24 hours."""
        stored = await self._table.get(mapping, "brake")
        if stored is None:
            return 0
        oldest = int((self._clock.now() - DAY_S) // 3600)
        hours: dict[str, int] = json.loads(str(stored.entity["hours"]))
        return sum(count for hour, count in hours.items() if int(hour) >= oldest)

    async def opt_in(self, mapping: str, side: str, wanted: int, allowed: int) -> bool:
        """Take `wanted` removals of opt-outs of the `allowed` ones in an hour; above it this side stops until approved.

        Minutes are counted whole, so the window is an hour or a minute longer.
        """
        while True:
            minute = int(self._clock.now() // 60)
            stored = await self._table.get(mapping, f"optin-{side}")
            entity = stored.entity if stored else {"stopped": "", "minutes": "{}"}
            if entity["stopped"]:
                return False
            minutes: dict[str, int] = json.loads(str(entity["minutes"]))
            minutes = {name: count for name, count in minutes.items() if int(name) >= minute - 60}
            stops = sum(minutes.values()) + wanted > allowed
            if not stops:
                minutes[str(minute)] = minutes.get(str(minute), 0) + wanted
            told = {
                "PartitionKey": mapping,
                "RowKey": f"optin-{side}",
                "stopped": to_iso(self._clock.now()) if stops else "",
                "minutes": json.dumps(minutes, sort_keys=True),
            }
            try:
                await self._table.put(told, stored.etag if stored else None)
            except RowConflict:
                await self._clock.sleep(0.01 + 0.05 * self._rng.random())
                continue
            return not stops

    async def unbrake_opt_ins(self, mapping: str, side: str, count: int) -> None:
        """Take back `count` opt-ins of this minute; if the row moves meanwhile they stay counted."""
        stored = await self._table.get(mapping, f"optin-{side}")
        if stored is None:
            return
        minutes: dict[str, int] = json.loads(str(stored.entity["minutes"]))
        minute = str(int(self._clock.now() // 60))
        minutes[minute] = minutes.get(minute, 0) - count
        with suppress(RowConflict):
            told = {**stored.entity, "minutes": json.dumps(minutes, sort_keys=True)}
            await self._table.replace(told, stored.etag)

    async def opt_ins_stopped(self, mapping: str, side: str) -> float:
        """Since when removals of opt-outs towards this side wait for approval; 0 if they do not."""
        stored = await self._table.get(mapping, f"optin-{side}")
        return from_iso(str(stored.entity["stopped"])) if stored and stored.entity["stopped"] else 0.0

    async def approve_opt_ins(self, mapping: str, side: str, count: int) -> None:
        """Start counting anew, `count` opt-ins in the next hour on top."""
        minutes = {str(int(self._clock.now() // 60)): -count}
        told = {
            "PartitionKey": mapping,
            "RowKey": f"optin-{side}",
            "stopped": "",
            "minutes": json.dumps(minutes),
        }
        await self._table.upsert(told)

    async def pause(self, mapping: str, flow: str, code: str, detail: str = "") -> None:
        """Note that a flow waits, with its catalogue code; the first time of the same code is kept."""
        now = self._clock.now()
        known = await self.paused(mapping, flow)
        since = known.since if known and known.code == code else now
        await self._table.upsert(
            {
                "PartitionKey": mapping,
                "RowKey": f"pause-{flow}",
                "code": code,
                "detail": detail[:200],
                "since": to_iso(since),
                "seen": to_iso(now),
            }
        )

    async def resume(self, mapping: str, flow: str) -> None:
        """The flow works again."""
        if await self.paused(mapping, flow):
            await self._table.delete(mapping, f"pause-{flow}")

    async def paused(self, mapping: str, flow: str) -> Pause | None:
        """Why a flow waits, or None; a reason not seen again for PAUSE_SEEN_S has passed."""
        stored = await self._table.get(mapping, f"pause-{flow}")
        if stored is None or self._clock.now() - from_iso(str(stored.entity["seen"])) > PAUSE_SEEN_S:
            return None
        entity = stored.entity
        return Pause(str(entity["code"]), from_iso(str(entity["since"])), str(entity["detail"]))

    async def note(self, mapping: str, name: str, text: str) -> None:
        """Keep a small piece of state of a housekeeping job (its page token)."""
        await self._table.upsert({"PartitionKey": mapping, "RowKey": f"note-{name}", "text": text})

    async def noted(self, mapping: str, name: str) -> str:
        stored = await self._table.get(mapping, f"note-{name}")
        return str(stored.entity["text"]) if stored else ""
