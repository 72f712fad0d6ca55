"""What a mapping edit would do, as an admin sees it before anything is active: `mappings plan`."""

from __future__ import annotations

import subprocess
import sys

from sandbox.demo.stack import ROOT, Stack

FIELD = "firstName, type: string, length: 30"
SHOWN = 2


def planned(stack: Stack) -> list[str]:
    """The lines of a plan for first names of three letters at most; nothing is changed by it."""
    shipped = (ROOT / "mappings" / "contacts.yaml").read_text(encoding="utf-8")
    file = stack.folder / "shorter-names.yaml"
    file.write_text(shipped.replace(FIELD, FIELD.replace("30", "3")), encoding="utf-8")
    command = [sys.executable, "-m", "sync", "mappings", "plan", "--file", str(file), "--sample", "20"]
    command += ["--show", str(SHOWN), "--settings", str(stack.settings_file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    return (done.stdout if not done.returncode else done.stderr).strip().splitlines()
