"""Clients that nobody here wrote run against the look-alikes over HTTP; README.md lists the calls by name.

Each script prints `ok <call>` per call and ends with 1 at the first failure.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.node import ROOT, node_binary
from sandbox.process import ChildProcess

HERE = Path(__file__).parent
SCRIPTS = {"campaign": "aio_campaign.mjs", "dynamics": "dynamics_web_api.mjs"}


@pytest.mark.parametrize("service", sorted(SCRIPTS))
def test_a_published_client_works_against_the_look_alike(service: str) -> None:
    with ChildProcess([sys.executable, "-m", "sandbox", service, "--port", "0"]) as look_alike:
        url = look_alike.wait_for(rf"{service} listening at (\S+)")[0][1]
        client = subprocess.run(
            [str(node_binary()), str(HERE / SCRIPTS[service]), url],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert client.returncode == 0, client.stdout + client.stderr
    calls = re.findall(r"^ok (.+)$", client.stdout, re.MULTILINE)
    assert calls, "the script made no call"
    listed = (HERE / "README.md").read_text()
    assert [call for call in calls if f"`{call}`" not in listed] == [], "calls that README.md does not list"
    section = listed.split(SCRIPTS[service], 1)[1].split("\n## ", 1)[0]
    promised = re.findall(r"^[-|*] *`([^`]+)`", section, re.MULTILINE)
    assert promised, f"README.md lists no call below the heading with {SCRIPTS[service]}"
    assert sorted(set(promised) - set(calls)) == [], "calls that README.md lists and the script does not make"
