"""A host in its own process, for the demo and the tests: started, called, stopped and killed from Python."""

from __future__ import annotations

import json
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sandbox.process import ChildProcess

FUNCTION_KEY = "local-function-key"
MASTER_KEY = "local-master-key"


class HostProcess:
    """A running host. `child` gives its pid and output; `url` is where its HTTP functions are."""

    def __init__(self, child: ChildProcess, url: str) -> None:
        self.child = child
        self.url = url

    def run_now(self, function: str) -> None:
        """Starts a timer function at once; raises urllib.error.HTTPError."""
        request = urllib.request.Request(
            f"{self.url}/admin/functions/{function}",
            data=b'{"input": ""}',
            headers={"x-functions-key": MASTER_KEY, "Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=10).close()

    def kill(self) -> None:
        """SIGKILL; messages in work come back when their lease ends."""
        self.child.kill()

    def stop(self, *, timeout_s: float = 60.0) -> int:
        """SIGTERM, waits for the work in hand; the exit code."""
        return self.child.stop(timeout_s=timeout_s)


@contextmanager
def host_process(
    settings: Mapping[str, str],
    *,
    app_dir: Path,
    port: int = 0,
    message_lease_s: int = 600,
    drain_s: float = 30.0,
    log: Path | None = None,
    log_json: Path | None = None,
) -> Iterator[HostProcess]:
    """Runs a host with `settings` (the `Values` of a local.settings.json) for the `with` block.

    `log` collects stdout and stderr (appended). Raises ProcessEnded, with the end of the output, if the app does
    not start.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "local.settings.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps({"IsEncrypted": False, "Values": dict(settings)}))
        command = [sys.executable, "-m", "sandbox", "host", "--settings", str(file), "--app", str(app_dir)]
        command += ["--port", str(port), "--message-lease", str(message_lease_s), "--drain", str(drain_s)]
        command += ["--log-json", str(log_json)] if log_json else []
        # The environment would win over the file: so the settings are in both.
        with ChildProcess(command, env=settings, log=log) as child:
            yield HostProcess(child, child.wait_for(r"host listening at (\S+)")[0][1])
