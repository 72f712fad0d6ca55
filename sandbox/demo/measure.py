"""Calls and latencies, from the Campaign look-alike's own log and clock."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.demo.story import Act

NOBODY = "00000000-0000-4000-8000-000000000000"
"""An id that no contact has: what the sync asks for to find out how Campaign answers."""
WRITES = {"profile.create": "create", "profile.update": "update", "profile.delete": "delete"}
KINDS = {"create": "insert", "update": "update", "unchanged": "unchanged", "delete": "delete"}
"""What an act is called in the table of calls."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the sync about one profile; `did` is create, update, delete or empty."""

    at: float
    record_id: str
    did: str
    status: int

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


def calls_of(entries: Iterable[Mapping[str, Any]]) -> list[Call]:
    """The calls about profiles in a request log; tokens, metadata and probes are left out."""
    return [
        Call(entry["at"], entry["record"], WRITES.get(entry["note"], ""), entry["status"])
        for entry in entries
        if entry["note"].startswith("profile.") and entry["record"] not in ("", NOBODY)
    ]


def written(calls: Iterable[Call]) -> dict[str, int]:
    """How many profiles were created, updated and deleted."""
    done = Counter(call.did for call in calls if call.ok)
    return {did: done[did] for did in WRITES.values()}


def calls_per_record(
    calls: Sequence[Call], loaded: Collection[str], acts: Sequence[Act]
) -> dict[str, float | None]:
    """Mean calls per record: `insert` over first load and creates, the others over acts; None without a record.

    A call belongs to the last act on its record before it, else to the first load.
    """
    when: dict[str, list[Act]] = defaultdict(list)
    for act in sorted(acts, key=lambda act: act.at):
        when[act.record_id].append(act)
    made: Counter[str] = Counter()
    for call in calls:
        before = [act for act in when[call.record_id] if act.at <= call.at]
        if before or call.record_id in loaded:
            made[KINDS[before[-1].effect] if before else "insert"] += 1
    records = Counter(KINDS[act.effect] for act in acts)
    records["insert"] += len(loaded)
    return {kind: made[kind] / records[kind] if records[kind] else None for kind in KINDS.values()}


def untouched(calls: Sequence[Call], acts: Sequence[Act]) -> int:
    """Changes that needed no call and got none."""
    quiet = [act for act in acts if act.effect == "unchanged"]
    later = {act: [b.at for b in acts if b.record_id == act.record_id and b.at > act.at] for act in quiet}
    called = {
        act
        for act in quiet
        for call in calls
        if call.record_id == act.record_id and act.at <= call.at < min(later[act], default=math.inf)
    }
    return len(quiet) - len(called)


def latencies(calls: Sequence[Call], acts: Sequence[Act]) -> list[float]:
    """Seconds from each change to its write in Campaign, sorted; a change never written counts as infinite."""
    return sorted(_latency(calls, act) for act in acts if act.effect != "unchanged")


def _latency(calls: Sequence[Call], act: Act) -> float:
    times = [
        call.at
        for call in calls
        if call.record_id == act.record_id and call.ok and call.did == act.effect and call.at >= act.at
    ]
    return min(times, default=math.inf) - act.at


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value that `share` of the sorted values do not exceed (nearest rank)."""
    return values[max(0, math.ceil(share * len(values)) - 1)] if values else None
