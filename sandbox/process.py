"""A child process that says in its output when it is ready and ends with the `with` block that started it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

DIES_WITH_STARTER = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: kept over exec, cleared in what that starts
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Becomes the command, after asking Linux to kill it when the thread that started it is gone."""


class ProcessEnded(RuntimeError):
    """A child process ended, or did not become ready in time; the text holds the end of its output."""


class ChildProcess:
    """Starts a command in its own session, its output in a file, and stops it at the end of the `with` block.

    Its own session: a Ctrl-C in the terminal reaches the starter alone, which then stops its children in the
    order it wants. The output goes to a file, so that nobody needs to read a pipe. On Linux the process ends with its
    starter even if that is killed; elsewhere it would be left.
    """

    def __init__(
        self, command: Sequence[str], *, env: Mapping[str, str] | None = None, log: Path | None = None
    ) -> None:
        self.name = " ".join(Path(part).name for part in command[:4])
        self._output: IO[bytes] = log.open("a+b") if log else tempfile.TemporaryFile()  # noqa: SIM115  closed in close()
        self._start = log.stat().st_size if log else 0
        self.process = subprocess.Popen(
            _dying(command),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def output(self) -> str:
        """Everything this process has written so far."""
        size = os.fstat(self._output.fileno()).st_size - self._start
        return os.pread(self._output.fileno(), size, self._start).decode(errors="replace")

    def wait_for(self, pattern: str, *, count: int = 1, timeout_s: float = 30.0) -> list[re.Match[str]]:
        """Waits until `pattern` was written `count` times; raises ProcessEnded."""
        deadline = time.monotonic() + timeout_s
        while True:
            ended = not self.running
            found = list(re.finditer(pattern, self.output()))
            if len(found) >= count:
                return found
            if ended or time.monotonic() > deadline:
                why = f"ended with {self.process.returncode}" if ended else f"not ready in {timeout_s:.0f} s"
                self.kill()
                raise ProcessEnded(f"{self.name}: {why}\n{self.output()[-8000:]}")
            time.sleep(0.02)

    def stop(self, *, timeout_s: float = 30.0) -> int:
        """SIGTERM, then SIGKILL after `timeout_s`; the exit code (negative: the signal)."""
        if self.running:
            self.process.terminate()
            try:
                self.process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()

    def kill(self) -> None:
        """SIGKILL: nothing in the process gets a chance to clean up."""
        if self.running:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        """Stops the process and forgets its output (a `log` file stays)."""
        self.stop()
        self._output.close()

    def __enter__(self) -> ChildProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _dying(command: Sequence[str]) -> list[str]:
    """The command, told to end with this process where the system can do that.

    A program of its own instead of `preexec_fn`, which is not safe beside threads.
    """
    if sys.platform != "linux" or not Path(command[0]).is_absolute():
        return list(command)
    return [sys.executable, "-I", "-S", "-c", DIES_WITH_STARTER, str(os.getpid()), *command]
