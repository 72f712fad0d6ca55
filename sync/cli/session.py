"""One command's connection to everything: settings, the composed app, and what must be closed again."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

from sync.app import App, compose
from sync.campaign.records import Addressing
from sync.cli.accounts import open_account, open_logs
from sync.connections import open_http
from sync.errors import SyncError
from sync.flows.context import Context
from sync.model import Clock
from sync.origin import origin_of
from sync.settings import Settings
from sync.shipped import ROOT, shipped_consent, shipped_mappings
from sync.storage.account import Account
from sync.storage.logs import LogSource
from sync.transport import AiohttpTransport
from sync.worker import SystemClock


class UsageProblem(Exception):
    """The command was called in a way that cannot be carried out; exit code 2."""

    def __init__(self, what: str, fix: str = "") -> None:
        self.what = what
        self.fix = fix
        super().__init__(what)


class ServerDates(httpx.AsyncBaseTransport):
    """Passes requests on and notes how far each server's `Date` is ahead of this machine (seconds)."""

    def __init__(self, inner: httpx.AsyncBaseTransport, clock: Clock) -> None:
        self._inner = inner
        self._clock = clock
        self.ahead: dict[str, float] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        sent = self._clock.now()
        response = await self._inner.handle_async_request(request)
        middle = (sent + self._clock.now()) / 2
        try:
            # `Date` is cut to whole seconds.
            told = parsedate_to_datetime(response.headers["date"]).timestamp() + 0.5
            self.ahead[origin_of(str(request.url))] = told - middle
        except (KeyError, ValueError, TypeError, SyncError):
            pass
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


@dataclass
class Session:
    """What a command works with."""

    app: App
    dates: ServerDates
    logs: LogSource | None = None
    """The container of log exports; None if none is set."""

    @property
    def context(self) -> Context:
        return self.app.context

    @property
    def account(self) -> Account:
        return self.app.account

    @property
    def settings(self) -> Settings:
        return self.app.context.settings


Opener = Callable[[Settings], AbstractAsyncContextManager[Session]]


@asynccontextmanager
async def open_session(settings: Settings) -> AsyncIterator[Session]:
    """The production parts, closed at the end; tables and queues are not made."""
    async with AsyncExitStack() as exits:
        clock = SystemClock()
        dates = ServerDates(AiohttpTransport(2 * settings.campaign_concurrency), clock)
        http = open_http(settings, clock, dates)
        exits.push_async_callback(http.aclose)
        chosen = settings.campaign_addressing
        app = compose(
            settings,
            clock=clock,
            rng=random.SystemRandom(),
            account=await open_account(settings, exits),
            http=http,
            addressing=None if chosen == "auto" else Addressing(chosen),
            shipped=shipped_mappings(ROOT / settings.mappings_dir),
            consent=shipped_consent(ROOT / settings.mappings_dir),
            instance=f"cli-{os.getpid()}-{int(time.time())}",
        )
        http.site("campaign").repeating = None  # a person at the command line is not under the budget
        yield Session(app, dates, await open_logs(settings, exits))


@dataclass
class Desk:
    """What commands take from outside; tests put their own parts here."""

    opener: Opener = open_session
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def settings(self, file: Path | None) -> Settings:
        """The settings of the environment and the file; raises SettingsInvalid, UsageProblem."""
        return Settings.load(self.told(file))

    def told(self, file: Path | None) -> dict[str, str]:
        """Everything that is set, ours or not; raises UsageProblem."""
        return {**(read_values(file) if file else {}), **self.environ}


def read_values(file: Path) -> dict[str, str]:
    """The `Values` of a local.settings.json; raises UsageProblem."""
    try:
        document = json.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise UsageProblem(
            f"{file} does not exist", "Copy local.settings.sample.json to it, or leave --settings out."
        ) from None
    except OSError as error:
        raise UsageProblem(f"{file} cannot be read: {error.strerror}") from None
    except ValueError as error:
        line = getattr(error, "lineno", 0)
        raise UsageProblem(f"{file} is not JSON, see line {line}", "Correct the file.") from None
    values = document.get("Values") if isinstance(document, dict) else None
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise UsageProblem(
            f"{file} has no object `Values` of texts", "Compare it with local.settings.sample.json."
        )
    if document.get("IsEncrypted"):
        raise UsageProblem(f"{file} is encrypted", "Run `func settings decrypt` first.")
    return {str(name): value for name, value in values.items()}
