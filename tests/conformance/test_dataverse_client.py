"""Microsoft's Python client for Dataverse runs against the look-alike over https; README.md lists the calls by name."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from sandbox.process import ChildProcess
from tests.conformance.certificate import write_certificate

HERE = Path(__file__).parent
SCRIPT = "dataverse_client.py"


def test_microsofts_client_works_against_the_look_alike(tmp_path: Path) -> None:
    pem = write_certificate(tmp_path / "look-alike.pem")
    command = [sys.executable, "-m", "sandbox", "dynamics", "--port", "0", "--certificate", str(pem)]
    with ChildProcess(command) as look_alike:
        url = look_alike.wait_for(r"dynamics listening at (\S+)")[0][1]
        client = subprocess.run(
            [sys.executable, str(HERE / SCRIPT), url],
            env={**os.environ, "REQUESTS_CA_BUNDLE": str(pem)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert client.returncode == 0, client.stdout + client.stderr
    calls = re.findall(r"^ok (.+)$", client.stdout, re.MULTILINE)
    section = (HERE / "README.md").read_text().split(f"## `{SCRIPT}`", 1)[1].split("\n## ", 1)[0]
    promised = re.findall(r"^- `([^`]+)`", section, re.MULTILINE)
    assert calls == promised
