"""Opt-outs: consent is switched on by a deployment, then one contact opts out in each system, and a story is told."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sandbox.demo.report import Report
from sandbox.demo.stack import ROOT, Stack

LONGEST_S = 90.0
COMPARING_S = 15.0
LANES = {"backfill-hold", "backfill", "consent"}
SCHEDULE = "*/10 * * * * *"
FILE = "consent.yaml"


def switched_on(folder: Path, direction: str = "both") -> dict[str, str]:
    """The settings of a deployment whose consent map carries opt-outs; its mappings are written to `folder`."""
    folder.mkdir(exist_ok=True)
    for shipped in sorted((ROOT / "mappings").glob("*.yaml")):
        text = shipped.read_text(encoding="utf-8")
        if shipped.name == FILE:
            text = text.replace("direction: off", f"direction: {direction}")
        (folder / shipped.name).write_text(text, encoding="utf-8")
    return {"MAPPINGS_DIR": str(folder)}


class OptOuts:
    """Two contacts that are reachable, one per system."""

    def __init__(self, stack: Stack, report: Report) -> None:
        self._stack = stack
        self._report = report

    def play(self, ids: Sequence[str]) -> bool:
        """Opt out in each system; whether both arrived in the other."""
        self._report.title("Opt-outs: a deployment with `direction: both`, then one in each system")
        changes = switched_on(self._stack.folder / "mappings") | {"CONSENT_SCHEDULE": SCHEDULE}
        self._stack.stop_host()
        self._stack.start_host(**changes)
        open_ones = [record_id for record_id in ids if not self._in_dynamics(record_id)]
        first, second = open_ones[0], open_ones[-1]
        self._stack.dynamics.command("edit", id=first, changes={"donotbulkemail": True})
        arrived = self._wait("Dynamics", "Campaign", first, self._in_campaign)
        self._compared()
        self._stack.campaign.command("edit", id=second, changes={"blackListEmail": True})
        arrived &= self._wait("Campaign", "Dynamics", second, self._in_dynamics)
        self._report.line(f"python -m sync consent explain {second}")
        self._report.plain(self._explain(second, changes))
        return arrived

    def _in_dynamics(self, record_id: str) -> bool:
        rows = self._stack.dynamics.records()
        return any(row["contactid"] == record_id and row["donotbulkemail"] for row in rows)

    def _in_campaign(self, record_id: str) -> bool:
        rows = self._stack.campaign.records()
        return any(row["externalId"] == record_id and row["blackListEmail"] for row in rows)

    def _compared(self) -> None:
        """Waits until the sync has looked at everybody once, so that an opt-out differs from what was agreed."""
        until, quiet = time.monotonic() + COMPARING_S, 0
        while quiet < 3 and time.monotonic() < until:
            quiet = 0 if LANES & self._stack.storage.waiting().keys() else quiet + 1
            time.sleep(0.5)

    def _wait(self, there: str, here: str, record_id: str, arrived: Callable[[str], bool]) -> bool:
        began = time.monotonic()
        while not arrived(record_id):
            if time.monotonic() - began > LONGEST_S:
                self._report.line(f"the opt-out in {there} has not arrived in {here}")
                return False
            time.sleep(0.5)
        self._report.line(f"an opt-out made in {there} was in {here} after {time.monotonic() - began:.1f} s")
        return True

    def _explain(self, record_id: str, changes: dict[str, str]) -> str:
        """The story as an auditor sees it; the journal is written just after the other system."""
        file = self._stack.folder / "consent.settings.json"
        file.write_text(json.dumps({"IsEncrypted": False, "Values": self._stack.settings | changes}))
        command = [sys.executable, "-m", "sync", "consent", "explain", record_id, "--settings", str(file)]
        for _ in range(10):
            told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
            if "was set to opted out" in told.stdout:
                break
            time.sleep(1.0)
        return told.stdout.strip() or told.stderr.strip()
