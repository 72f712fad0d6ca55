"""`python -m sandbox host`: runs a function app on this machine."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox.arguments import not_negative, port
from sandbox.host.settings import SettingError, apply_values, load_values

LEASE = "MESSAGE_LEASE_S"
DESCRIPTION = """\
Stand-in for the Azure Functions host: runs a function app on this machine through Microsoft's worker library.
Production is Azure's host; with Core Tools, `func start` runs the same app.
"""
EPILOG = """\
examples:
  python -m sandbox host --settings local.settings.json
  python -m sandbox host --settings test.json --port 0 --message-lease 5

A variable of the environment wins over the same name in the settings file. Settings override host.json:
AzureFunctionsJobHost__extensions__queues__batchSize=4. Ctrl-C or SIGTERM finishes the functions in work first,
a second one ends at once. Exit codes: 0 stopped, 1 work was left or the host broke, 2 a setting is wrong,
3 the app was refused, 70 a function ran into functionTimeout.
"""


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    _configure_logging(options.log_json)
    logger = logging.getLogger("host")
    try:
        for name in apply_values(load_values(options.settings), os.environ):
            logger.info("setting %s is taken from the environment, not from %s", name, options.settings)
        lease = f"{options.message_lease:g}"
        if os.environ.get(LEASE, lease) != lease:
            logger.info("%s=%s is replaced by --message-lease %s", LEASE, os.environ[LEASE], lease)
        os.environ[LEASE] = lease
        asyncio.run(_run(options))
    except SettingError as error:
        logger.error("%s", error)
    return 2


async def _run(options: argparse.Namespace) -> None:
    """Runs the app and ends the process; raises SettingError before that."""
    # The worker library and the storage SDK are only loaded once the settings are known to be readable.
    from sandbox.host.host import Host, HostConfig, end_process
    from sandbox.host.worker import AppError

    stop = asyncio.Event()

    def ask() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, ask)
    config = HostConfig(
        app_dir=options.app.resolve(),
        port=options.port,
        message_lease_s=options.message_lease,
        drain_s=options.drain,
        function_key=options.function_key,
        master_key=options.master_key,
    )
    try:
        finished = await Host(config, os.environ).run(stop, _say_ready)
    except AppError as error:
        logging.getLogger("host").error("the app was refused: %s", error)
        end_process(3)
    except OSError as error:
        raise SettingError(f"cannot listen on port {options.port}: {error.strerror}") from None
    end_process(0 if finished else 1)


def _say_ready(address: str) -> None:
    print(f"host listening at {address}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox host",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--settings", type=Path, required=True, help="a local.settings.json")
    parser.add_argument(
        "--app", type=Path, default=Path.cwd(), help="folder of function_app.py and host.json"
    )
    parser.add_argument(
        "--port", type=port, default=7071, metavar="N", help="for HTTP functions; 0 picks a free one (7071)"
    )
    parser.add_argument(
        "--message-lease",
        type=_lease,
        default=600.0,
        metavar="SECONDS",
        help="how long a queue message is hidden, renewed at half; the app sees it as MESSAGE_LEASE_S (600)",
    )
    parser.add_argument(
        "--drain", type=not_negative, default=30.0, metavar="SECONDS", help="time for work at the end (30)"
    )
    parser.add_argument(
        "--log-json", type=Path, metavar="FILE", help="append every log line as JSON to FILE, too"
    )
    parser.add_argument("--function-key", default="local-function-key", help="key of HTTP functions")
    parser.add_argument("--master-key", default="local-master-key", help="key of the admin endpoints")
    return parser


def _lease(text: str) -> float:
    if not text.isdecimal() or not 2 <= int(text) <= 7 * 86400:
        raise argparse.ArgumentTypeError("whole seconds, from 2 to 7 days (604800)")
    return float(text)


class _HumanLines(logging.Formatter):
    """The app's own lines as they are (JSON), every other with its logger's name."""

    def format(self, record: logging.LogRecord) -> str:
        if _is_app(record):
            return record.getMessage()
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return f"{record.name}: {text}"


class _JsonLines(logging.Formatter):
    """The app's own lines as they are, every other as `{"logger", "level", "message"}`."""

    def format(self, record: logging.LogRecord) -> str:
        if _is_app(record):
            return record.getMessage()
        return json.dumps(
            {"logger": record.name, "level": record.levelname, "message": _HumanLines.format(_HUMAN, record)}
        )


_HUMAN = _HumanLines()


def _is_app(record: logging.LogRecord) -> bool:
    return record.name == "sync" or record.name.startswith("sync.")


def _configure_logging(log_json: Path | None) -> None:
    root = logging.getLogger()
    root.setLevel(logging.WARNING)
    stream = logging.StreamHandler(sys.stderr)
    stream.setFormatter(_HUMAN)
    root.addHandler(stream)
    if log_json:
        file = logging.FileHandler(log_json)
        file.setFormatter(_JsonLines())
        root.addHandler(file)
    logging.getLogger("host").setLevel(logging.INFO)
    logging.getLogger("sync").setLevel(logging.INFO)


if __name__ == "__main__":
    raise SystemExit(main())
