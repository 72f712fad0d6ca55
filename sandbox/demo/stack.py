"""Azurite, both look-alikes and the function app as child processes, each on a free port of its own.

The app runs with the shipped settings (`local.settings.sample.json`) but for its addresses and what `Setup` names.
Everything ends with the `with` block.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.azurite import azurite
from sandbox.demo.remote import LookAlike, Storage, health
from sandbox.demo.signals import Signals
from sandbox.host.launch import FUNCTION_KEY, HostProcess, host_process
from sandbox.process import ChildProcess

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Setup:
    """What differs from the shipped settings."""

    settings: Mapping[str, str] = field(default_factory=dict)
    message_lease_s: int = 600
    drain_s: float = 5.0
    latency_ms: int = 0
    """Fixed latency of the Campaign look-alike."""
    folder: Path | None = None
    """Where the logs go (`host.log`, `dynamics.log`, …); without it they are gone at the end."""
    dynamics: tuple[str, ...] = ()
    campaign: tuple[str, ...] = ()
    """Further options of the look-alikes."""
    azurite_on_disk: bool = False
    """Slower for little data, faster for thousands of messages."""
    signals: Signals = field(default_factory=Signals)


class Stack:
    """The running parts. The host may be stopped, killed and started again; the others keep their state."""

    def __init__(self, setup: Setup, exits: ExitStack) -> None:
        self._setup = setup
        self._hosts = ExitStack()
        self.processes: dict[str, ChildProcess] = {}
        """The look-alikes' processes by name."""
        self._signals = setup.signals
        self._changes: dict[str, str] = {}
        """What the host was started with instead of `settings`."""
        self.folder = setup.folder or Path(exits.enter_context(tempfile.TemporaryDirectory()))
        with self._signals.held():
            location = self.folder / "azurite" if setup.azurite_on_disk else None
            self.azurite = exits.enter_context(azurite(location=location))
        self.dynamics = self._look_alike(exits, "dynamics", *setup.dynamics)
        # Policies that rewrite names and numbers are off, so that both sides compare letter by letter.
        latency = ("--latency-ms", str(self._setup.latency_ms))
        self.campaign = self._look_alike(exits, "campaign", "--no-rewriting", *latency, *setup.campaign)
        self.storage = Storage(self.azurite.connection_string)
        exits.callback(self.storage.close)
        exits.callback(self._hosts.close)
        self.host: HostProcess | None = None

    def _look_alike(self, exits: ExitStack, name: str, *options: str) -> LookAlike:
        command = [sys.executable, "-m", "sandbox", name, "--port", "0", *options]
        with self._signals.held():
            child = exits.enter_context(ChildProcess(command, log=self.folder / f"{name}.log"))
            self.processes[name] = child
            return LookAlike(child.wait_for(rf"{name} listening at (\S+)")[0][1])

    @property
    def settings(self) -> dict[str, str]:
        """The app's settings."""
        shipped: dict[str, str] = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
        return {
            **shipped,
            "AzureWebJobsStorage": self.azurite.connection_string,
            "EVENTS_CONNECTION": self.azurite.connection_string,
            "DYNAMICS_URL": self.dynamics.url,
            "DYNAMICS_TOKEN_URL": f"{self.dynamics.url}/local/oauth2/v2.0/token",
            "CAMPAIGN_URL": f"{self.campaign.url}/local/campaign",
            "CAMPAIGN_TOKEN_URL": f"{self.campaign.url}/ims/token/v3",
            **self._setup.settings,
        }

    @property
    def settings_file(self) -> Path:
        """The app's settings as a `local.settings.json`, for `python -m sync … --settings`."""
        path = self.folder / "local.settings.json"
        path.write_text(json.dumps({"IsEncrypted": False, "Values": self.settings | self._changes}, indent=2))
        return path

    @property
    def host_log(self) -> Path:
        """Where everything goes that the host and the app write."""
        return self.folder / "host.log"

    def told(self, since: int = 0) -> str:
        """What the host and the app have written, behind the first `since` characters."""
        return self.host_log.read_text()[since:] if self.host_log.exists() else ""

    def start_host(self, **changes: str) -> HostProcess:
        """Starts the function app, with other settings if need be; raises ProcessEnded if it does not start."""
        setup, self._changes = self._setup, changes
        with self._signals.held():
            self.host = self._hosts.enter_context(
                host_process(
                    self.settings | changes,
                    app_dir=ROOT,
                    message_lease_s=setup.message_lease_s,
                    drain_s=setup.drain_s,
                    log=self.host_log,
                    log_json=self.folder / "host.jsonl",
                )
            )
        return self.host

    def ended(self) -> str:
        """What to say if the function app ended by itself; empty while it runs."""
        if self.host is not None and self.host.child.running:
            return ""
        return f"the function app ended by itself; the end of its log:\n{self.told()[-2000:]}"

    def stop_host(self) -> int:
        """Ends the app as a redeployment does: SIGTERM, time to finish; the exit code."""
        code = self.host.stop() if self.host is not None else 0
        self._hosts.close()
        self.host = None
        return code

    def kill_host(self) -> None:
        """SIGKILL."""
        if self.host is not None:
            self.host.kill()
        self.stop_host()

    def pulled_at(self) -> float:
        """When the last good pull was, as the app's `health` says; 0 if there was none or it does not answer."""
        if self.host is None:
            return 0.0
        try:
            mappings = health(self.host.url, FUNCTION_KEY).get("mappings", [])
        except OSError:
            return 0.0  # just ended or cut off; whoever waits looks at the process next
        ages = [mapping["age_s"] for mapping in mappings]
        return 0.0 if not ages or None in ages else time.time() - max(ages)


@contextmanager
def stack(setup: Setup | None = None) -> Iterator[Stack]:
    """Runs all parts but the host (`start_host`) for the `with` block."""
    with ExitStack() as exits:
        yield Stack(setup or Setup(), exits)
