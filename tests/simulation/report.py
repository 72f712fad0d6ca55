"""What many runs showed: violations, differing traces, how often each fault fired and each outcome occurred."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.simulation.chaos import FAULTS
from tests.simulation.run import Result

ENOUGH = 50
OUTCOMES = (
    "campaign_create",
    "campaign_delete",
    "campaign_update",
    "code_campaign_error",
    "code_crashes_worker",
    "code_delete_brake",
    "code_email_invalid",
    "code_profile_missing",
    "code_schema_drift",
    "did_failed",
    "did_filtered",
    "did_held",
    "did_parked",
    "did_quarantined",
    "did_released",
    "did_tombstone",
    "did_unknown",
    "drift_campaign",
    "drift_dynamics",
    "drift_mapping_edited",
    "drift_paused",
    "environment_changed",
    "people_approve",
    "people_bad_email",
    "people_block",
    "people_command_force",
    "people_command_list",
    "people_command_pull",
    "people_command_replay",
    "people_command_retry",
    "people_create",
    "people_delete",
    "people_edit",
    "people_edit_back",
    "people_edit_profile",
    "people_enter",
    "people_erase",
    "people_leave",
    "people_mapping_column",
    "people_mapping_filter",
    "people_mapping_leaving",
    "people_mapping_values",
    "people_merge",
    "people_pause",
    "people_rebaseline",
    "people_reconcile",
    "people_resume",
    "people_stranger",
    "people_relabel",
    "people_touch",
    "left_for_later",
    "outside_delete_nothing",
    "outside_keep_nothing",
    "outside_keep_there",
    "outside_mark_nothing",
    "outside_mark_there",
    "poisoned",
    "state_deleted",
    "state_filtered",
    "state_hold",
    "state_parked",
    "state_quarantined",
    "state_synced",
    "worker_probing",
)


@dataclass
class Report:
    """Sums over runs; `faults` and `wanted` are what must have occurred often enough."""

    faults: tuple[str, ...] = FAULTS
    wanted: tuple[str, ...] = OUTCOMES
    enough: int = ENOUGH
    directed: Mapping[str, int] = field(default_factory=dict)
    """What golden streams direct and mutants prove, and how often chance must have brought it too."""

    fired: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    violations: list[tuple[int, str]] = field(default_factory=list)
    differing: list[int] = field(default_factory=list)
    digests: dict[int, str] = field(default_factory=dict)
    virtual_s: float = 0.0

    def add(self, result: Result) -> None:
        """Count the first run of a seed; compare the second with it."""
        known = self.digests.pop(result.seed, None)
        if known is not None:
            if known != result.digest:
                self.differing.append(result.seed)
            return
        self.digests[result.seed] = result.digest
        self.fired.update(result.fired)
        self.outcomes.update(result.outcomes)
        self.virtual_s += result.virtual_s
        if result.violation:
            self.violations.append((result.seed, result.violation))

    def rare(self) -> dict[str, int]:
        """Faults and outcomes seen too seldom to say that they are tested."""
        counts = {name: self.fired[name] for name in self.faults} | {
            name: self.outcomes[name] for name in self.wanted
        }
        return {name: count for name, count in counts.items() if count < self.directed.get(name, self.enough)}

    def table(self) -> str:
        """Counts, three to a line."""
        parts = []
        for title, counts in (("faults that fired", self.fired), ("outcomes", self.outcomes)):
            cells = [f"{name} {count}" for name, count in sorted(counts.items()) if count]
            lines = [
                "  " + "".join(cell.ljust(36) for cell in cells[at : at + 3])
                for at in range(0, len(cells), 3)
            ]
            parts.append("\n".join([title, *lines]))
        return "\n".join(parts)
