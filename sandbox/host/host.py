"""One host: loads the app, starts its timers, queue listeners and HTTP functions, and stops them in order."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueServiceClient

from sandbox.host.http import HttpServer
from sandbox.host.queues import QueueListener
from sandbox.host.settings import HostOptions, load_host_json, resolve, storage_connection
from sandbox.host.timers import Schedule, Timer, lock_file
from sandbox.host.worker import Function, Outcome, Worker

logger = logging.getLogger("host")

TIMED_OUT = 70
"""Exit code after a function ran into functionTimeout: Azure, too, ends the whole worker process then."""


@dataclass(frozen=True, slots=True)
class HostConfig:
    """How to run one app. Times in seconds."""

    app_dir: Path
    port: int = 7071
    message_lease_s: float = 600.0
    drain_s: float = 30.0
    function_key: str = "local-function-key"
    master_key: str = "local-master-key"


class Host:
    """A function app that runs until it is told to stop and its functions in work are done or given up."""

    def __init__(self, config: HostConfig, environ: Mapping[str, str]) -> None:
        self._config = config
        self._environ = environ
        self._options: HostOptions = load_host_json(config.app_dir / "host.json", environ)
        self._worker = Worker(config.app_dir)
        self._services: dict[str, QueueServiceClient] = {}
        self._listeners: list[QueueListener] = []
        self._timers: dict[str, Timer] = {}
        self._functions: dict[str, Function] = {}
        self._loops: list[asyncio.Task[None]] = []
        self._in_work: set[asyncio.Task[None]] = set()
        self._http: HttpServer | None = None

    async def run(self, stop: asyncio.Event, ready: Callable[[str], None]) -> bool:
        """True if everything in work was finished; calls `ready` with the address once the app runs.

        Raises AppError or SettingError when the app cannot be started, and what a listener raised.
        """
        address = await self._start()
        ready(address)
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([stopped, *self._loops], return_when=asyncio.FIRST_COMPLETED)
            for loop in self._loops:
                if loop.done():
                    loop.result()
        finally:
            stopped.cancel()
            finished = await self._stop()
        return finished

    async def _start(self) -> str:
        started = time.monotonic()
        self._functions = {function.name: function for function in await self._worker.start()}
        loaded = time.monotonic() - started
        storage = storage_connection("AzureWebJobsStorage", self._environ)
        for function in self._functions.values():
            if function.trigger.type == "timerTrigger":
                self._timers[function.name] = self._timer(function, storage)
            elif function.trigger.type == "queueTrigger":
                self._listeners.append(self._listener(function))
        # Everything is checked before the first function runs.
        address = await self._serve()
        sources = [one.listen() for one in self._timers.values()] + [one.listen() for one in self._listeners]
        self._loops = [asyncio.create_task(source) for source in sources]
        logger.info("%d functions loaded in %.2f s", len(self._functions), loaded)
        return address

    def _timer(self, function: Function, storage: str) -> Timer:
        text = resolve(function.trigger.text("schedule"), self._environ)

        async def run(past_due: bool) -> None:
            await self._shielded(function, lambda: self._worker.timer(function, past_due=past_due))

        return Timer(
            function.name,
            Schedule(text),
            run,
            lock=lock_file(function.name, storage),
            at_start=bool(function.trigger.properties.get("runOnStartup")),
        )

    def _listener(self, function: Function) -> QueueListener:
        async def invoke(body: str | bytes, message: QueueMessage) -> Outcome:
            return await self._invoke(function, lambda: self._worker.queue(function, body, message))

        connection = storage_connection(function.trigger.text("connection"), self._environ)
        return QueueListener(
            function.name,
            resolve(function.trigger.text("queueName"), self._environ),
            self._service(connection),
            invoke,
            options=self._options.queues,
            lease_s=self._config.message_lease_s,
            rng=random.Random(),
        )

    def _service(self, connection: str) -> QueueServiceClient:
        if connection not in self._services:
            self._services[connection] = QueueServiceClient.from_connection_string(
                connection, retry_total=2, initial_backoff=1, increment_base=1
            )
        return self._services[connection]

    async def _serve(self) -> str:
        self._http = HttpServer(
            self._worker,
            [one for one in self._functions.values() if one.trigger.type == "httpTrigger"],
            run=self._invoke,
            run_now=self._run_now,
            route_prefix=self._options.route_prefix,
            function_key=self._config.function_key,
            master_key=self._config.master_key,
        )
        return await self._http.start(self._config.port)

    def _run_now(self, name: str) -> bool:
        function = self._functions.get(name)
        if function is None or function.trigger.type != "timerTrigger":
            return False
        self._keep(self._shielded(function, lambda: self._worker.timer(function)))
        return True

    async def _shielded(self, function: Function, invoke: Callable[[], Awaitable[Outcome]]) -> None:
        """Runs a timer function so that the end of its timer does not cancel it in the middle."""

        async def run() -> None:
            await self._invoke(function, invoke)

        await asyncio.shield(self._keep(run()))

    async def _invoke(self, function: Function, invoke: Callable[[], Awaitable[Outcome]]) -> Outcome:
        limit = self._options.function_timeout_s
        alarm = asyncio.get_running_loop().call_later(limit, _timed_out, function.name) if limit else None
        try:
            outcome = await invoke()
        finally:
            if alarm:
                alarm.cancel()
        if outcome.error is not None:
            logger.error("%s failed: %s\n%s", function.name, outcome.error, outcome.stack.rstrip())
        return outcome

    def _keep(self, work: Awaitable[None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        assert isinstance(task, asyncio.Task)
        self._in_work.add(task)
        task.add_done_callback(self._in_work.discard)
        return task

    async def _stop(self) -> bool:
        """No new work, then up to `drain_s` for what is in work; the rest comes back when its lease ends."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        in_work = set(self._in_work).union(*(listener.running for listener in self._listeners))
        pending: set[asyncio.Task[None]] = set()
        if in_work:
            logger.info("stopping: %d functions in work", len(in_work))
            _, pending = await asyncio.wait(in_work, timeout=self._config.drain_s)
        if self._http:
            await self._http.stop()
        for service in self._services.values():
            await service.close()
        if pending:
            logger.warning("%d functions were still in work; their messages come back later", len(pending))
        return not pending


def end_process(code: int) -> NoReturn:
    """Ends the process as Azure ends a worker: nothing of the app is closed, cancelled or waited for."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)


def _timed_out(function: str) -> None:
    logger.error("%s ran into functionTimeout; the process ends, as a worker does in Azure", function)
    end_process(TIMED_OUT)
