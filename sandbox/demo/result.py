"""The outcome of a demo: what both sides and the request log say, judged and counted."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.demo import measure
from sandbox.demo.compare import Difference, differences
from sandbox.demo.entities import Outcome
from sandbox.demo.remote import LedgerRow
from sandbox.demo.stack import Stack
from sandbox.demo.story import Story


@dataclass(frozen=True, slots=True)
class Result:
    """Everything that is shown; `quarantined` are the ledger's rows."""

    differences: list[Difference]
    written: dict[str, int]
    unchanged: int
    parked: int
    quarantined: list[LedgerRow]
    calls: dict[str, float | None]
    calls_in_all: int
    p50: float | None
    p95: float | None
    contacts: int
    profiles: int
    entities: Outcome

    @property
    def equal(self) -> bool:
        return not self.differences and self.entities.equal

    @property
    def codes(self) -> dict[str, int]:
        """Quarantined records by code."""
        return dict(sorted(Counter(row.code for row in self.quarantined).items()))

    def as_json(self) -> dict[str, Any]:
        """The object of `--json`."""
        return {
            "equal": self.equal,
            "created": self.written["create"],
            "updated": self.written["update"],
            "unchanged": self.unchanged,
            "deleted": self.written["delete"],
            "parked": self.parked,
            "quarantined": self.codes,
            "campaign_calls": {kind: _rounded(mean) for kind, mean in self.calls.items()},
            "latency_s": {"p50": _rounded(self.p50), "p95": _rounded(self.p95)},
            "entities": self.entities.as_json(),
        }


def _rounded(value: float | None) -> float | None:
    """Two decimals; JSON has no infinity, so a change that never arrived is null."""
    return None if value is None or math.isinf(value) else round(value, 2)


def take_result(stack: Stack, story: Story, loaded: Sequence[str], entities: Outcome) -> Result:
    """Looks at everything as it is now; `loaded` are the contacts of the first load that belong in Campaign."""
    contacts, profiles, ledger = stack.dynamics.records(), stack.campaign.records(), stack.storage.ledger()
    entries, calls_in_all = stack.campaign.log()
    calls = measure.calls_of(entries)
    waits = measure.latencies(calls, story.acts)
    return Result(
        differences=differences(contacts, profiles, ledger, story.bad),
        written=measure.written(calls),
        unchanged=measure.untouched(calls, story.acts),
        parked=sum(row.state == "parked" for row in ledger),
        quarantined=[row for row in ledger if row.state == "quarantined"],
        calls=measure.calls_per_record(calls, set(loaded), story.acts),
        calls_in_all=calls_in_all,
        p50=measure.percentile(waits, 0.5),
        p95=measure.percentile(waits, 0.95),
        contacts=len(contacts),
        profiles=len(profiles),
        entities=entities,
    )
